"""Words and set phrases of Spanish and English paperwork, to be drawn as line texts.

Plain vocabulary, nobody's template: the recogniser should have seen these words
in many fonts, because they are the labels that everything else is found by.
"""

LABELS = """
Total|TOTAL|Subtotal|Base imponible|Base|IVA|I.V.A.|Cuota|Importe|Importe total|Total a pagar|Total factura|Fecha|Fecha de emisión
Fecha de nacimiento|Fecha factura|Fecha valor|Fecha operación|Factura nº|FACTURA|Factura|Nº factura|Número de factura|N.I.F.|NIF|CIF|DNI|NIE
D.N.I.|Nombre|Apellidos|Nombre y apellidos|Domicilio|Dirección|Dirección fiscal|Teléfono|Tel.|Tfno.|Móvil|Fax|E-mail|Correo electrónico|Página
Cantidad|Precio|Precio unitario|Precio ud.|Descripción|Concepto|Descuento|Dto.|Vencimiento|Forma de pago|Código|Cód. postal|C.P.|Población
Localidad|Provincia|País|Titular|Titular de la cuenta|Cuenta|Nº de cuenta|IBAN|BIC|SWIFT|Ref.|Referencia|Cliente|Nº cliente|Nº de contrato|Albarán
Pedido|Contrato|Póliza|Matrícula|Válido hasta|Validez|Nacionalidad|Sexo|Lugar de nacimiento|Firma|Firmado|Observaciones|Saldo|Saldo anterior
Saldo inicial|Saldo final|Saldo disponible|Extracto|Extracto de cuenta|Movimientos|Debe|Haber|Cargo|Abono|Periodo|Período|Periodo de facturación
Empresa|Trabajador|Trabajadora|Categoría|Categoría profesional|Grupo profesional|Grupo cotización|Antigüedad|Nº afiliación|Nº Seg. Social|C.C.C.
Nómina|RECIBO DE SALARIOS|Recibo individual justificativo del pago de salarios|Salario base|Plus convenio|Plus transporte|Horas extraordinarias
Pagas extraordinarias|Prorrata pagas extra|Seguridad Social|Contingencias comunes|Contingencias profesionales|Desempleo|Formación profesional|M.E.I.
I.R.P.F.|IRPF|Retención IRPF|Líquido a percibir|LÍQUIDO TOTAL A PERCIBIR|Total devengado|Total deducciones|Total a deducir|Devengos|DEVENGOS
Deducciones|DEDUCCIONES|Base de cotización|Bases de cotización|Percepciones salariales|Percepciones no salariales|Días|Total días
Fecha de expedición|Fecha de caducidad|Expedido|Documento nacional de identidad|DOCUMENTO NACIONAL DE IDENTIDAD|PASAPORTE|ESPAÑA|REINO DE ESPAÑA
PERMISO DE RESIDENCIA|Permiso de conducción|Número de soporte|Núm. soporte|Domicilio / Address|Apellidos / Surname|Nombre / Given names|Hijo/a de
Sexo / Sex|Nacionalidad / Nationality|Tipo|Equipo|VÁLIDO HASTA|EMISIÓN|CAN|IDESP|Autoridad|Lugar de expedición|Contrato de arrendamiento
CONTRATO DE TRABAJO|Contrato de compraventa|CONTRATO DE PRESTACIÓN DE SERVICIOS|Arrendador|Arrendatario|ARRENDADORA|ARRENDATARIA|Reunidos|REUNIDOS
EXPONEN|Exponen|CLÁUSULAS|Cláusula|ESTIPULACIONES|PRIMERA|SEGUNDA|TERCERA|CUARTA|QUINTA|Fianza|Renta|Renta mensual|Duración|Prórroga|Desistimiento
Potencia contratada|Energía consumida|Término de potencia|Término de energía|Impuesto eléctrico|Alquiler de equipos|Lectura anterior|Lectura actual
Consumo|CUPS|Tarifa|Peaje de acceso|Comercializadora|Distribuidora|kWh|kW|m³|Agua|Alcantarillado|Canon|Gas natural|Peso|Bultos|Kg
Modelo|Ejercicio|Agencia Tributaria|Certificado|CERTIFICADO|Certificado de empadronamiento|Certificado de retenciones|Declaración|Autoliquidación
Justificante|Justificante de pago|RECIBO|Recibo|Recibí|Adeudo|Adeudo directo SEPA|Mandato|Acreedor|Identificador del acreedor|Deudor|Transferencia
TRANSFERENCIA|Orden de transferencia|Ordenante|Beneficiario|Entidad|Oficina|D.C.|Comisiones|Intereses|TAE|T.A.E.|TIN|Hipoteca|Préstamo|Cuota nº
Sr.|Sra.|D.|Dña.|Don|Doña|S.L.|S.A.|S.L.U.|S. Coop.|C.B.|C.I.F.|Registro Mercantil|Tomo|Folio|Hoja|Inscripción|Sucursal|Domiciliación
TICKET|Factura simplificada|FACTURA SIMPLIFICADA|Caja|Mesa|Camarero|Operación|Tarjeta|Efectivo|Entregado|Cambio|Su cambio|IVA incluido
Gracias por su visita|Rectificativa|Abonada|Proforma|PRESUPUESTO|Presupuesto|Uds.|Ud.|Unidades|Artículo|Ref. artículo|Tipo IVA|% IVA|Rec. equiv.
Invoice|INVOICE|Invoice No.|Invoice number|Invoice date|Amount|Amount due|Due date|Bill to|Ship to|Qty|Quantity|Unit price|Description|Name|Surname
Given names|Address|Phone|Signature|Date|Date of birth|Date of issue|Date of expiry|Place of birth|Passport No.|Nationality|Sex|Authority|Balance
Opening balance|Closing balance|Statement|Bank statement|Account number|Sort code|Payslip|Pay date|Gross pay|Net pay|Tax code|Employee|Employer
National insurance|Deductions|Earnings|Agreement|Tenant|Landlord|Lease|Terms and conditions|Receipt|Subtotal|VAT|Tax|Cash|Change|Card|Reference
Page|Order|Purchase order|Delivery note|Payment|Payment terms|Thank you|Contract|Party|Whereas|Signed|Witness
Fatura|Valor|Contribuinte|Montant|Date d’échéance|Facture|Rechnung|Betrag|MwSt.|Datum|Fattura|Importo|Data|Nr|Kwota|Razem|Faktura VAT
""".strip().replace("\n", "|").split("|")

PHRASES = """
de la|en el|a los|por la presente|en concepto de|correspondiente al mes de|con domicilio en|mayor de edad|en nombre y representación de
según lo dispuesto en el artículo|de conformidad con|en adelante|de una parte|y de otra|en la ciudad de|a fecha de|con efectos desde|hasta el día
la cantidad de|el importe de|se compromete a|queda obligado|ambas partes|el presente contrato|los datos de carácter personal|así como
no obstante lo anterior|será de aplicación|en prueba de conformidad|firman por duplicado|con número de identificación fiscal|provisto de
titular del documento|en calidad de|Ley Orgánica|Real Decreto|Código Civil|disposición adicional|número de cuenta|código de cuenta cliente
régimen general|año natural|días naturales|período de prueba|jornada completa|tiempo parcial|indemnización|extinción|rescisión|compañía
comunicación|información|operación|dirección|gestión|recepción|sesión|opción|también|además|después|según|está|están|será|serán|podrá|deberá
más|sí|él|tú|qué|cómo|cuándo|dónde|sólo|aún|así|aquí|allí|público|pública|último|última|próximo|crédito|débito|mínimo|máximo|médico|único
español|española|señor|señora|año|años|niño|mañana|pequeño|compañero|diseño|daño|España|Coruña|Logroño|Ávila|Cádiz|Córdoba|Málaga|León|Jaén
Almería|Cáceres|Castellón|Alcalá|Álava|Guipúzcoa|Mérida|Móstoles|Getafe|Leganés|Alcorcón|Gijón|Avilés|Sabadell|Sebastián|Zaragoza|Sevilla
José|María|Jesús|Ángel|Ángela|Óscar|Íñigo|Íker|Úrsula|Begoña|Iñaki|Muñoz|Núñez|Ibáñez|Yáñez|Peña|Zúñiga|García|Fernández|González|Rodríguez|López
Martínez|Sánchez|Pérez|Gómez|Martín|Jiménez|Ruiz|Hernández|Díaz|Álvarez|Moreno|Gutiérrez|Ramírez|Gil|Vázquez|Suárez|Domínguez|Méndez|Ortiz
subject to|in accordance with|on behalf of|for the period|including but not limited to|hereinafter|as of|the undersigned|per month|shall be
""".strip().replace("\n", "|").split("|")

# The short words that sentences are held together by: the spaces beside them are
# the ones that are overlooked.
SHORT_SPANISH = """
de de de de la la la el el el y y y a a a en en que los las se del al por con no un una su o e u es lo le si ya ha sus más para ni os te me tu
""".split()
SHORT_ENGLISH = "the the the of of of a a and and to to in in I is or by on as at it be no an we if my so do up us he".split()
BODIES = "S.A. S.L. S.A.U. S.L.U. E.F.C. S.C.C. N.I.F. D.N.I. N.I.E. C.I.F. I.V.A. T.A.E. T.I.N. P.P. P.O. B.O.E. R.D. U.E.".split()

MONTHS = """
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre January February March April May June July August
September October November December stycznia lutego marca maja czerwca sierpnia września października grudnia janvier février août décembre
Januar März Dezember gennaio febbraio luglio ottobre janeiro março outubro leden února
""".split()
