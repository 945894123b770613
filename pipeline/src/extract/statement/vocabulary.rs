//! The words of statements in Spanish and English: headings of columns, and what stands on lines that
//! are no movements. Compared without case, accents, spaces and punctuation.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Role {
    Date,
    ValueDate,
    Description,
    /// Signed, marked, or of unknown direction.
    Amount,
    Debit,
    Credit,
    Balance,
    /// A column of debit and credit marks.
    Mark,
    /// Branch, code, reference: no part of a movement here.
    Other,
}

impl Role {
    pub(super) fn is_money(self) -> bool {
        matches!(self, Role::Amount | Role::Debit | Role::Credit | Role::Balance)
    }
}

/// What a line is that is no movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Opening,
    Closing,
    /// Carried over a page break.
    Carried,
    /// Totals and averages.
    Total,
}

const HEADINGS: [(Role, &str); 9] = [
    (
        Role::Date,
        "fecha fechaoperacion foperacion foper fechaoper fechacontable fcontable fcont fechamovimiento \
         fechamov fmov fechaop fop dia date transactiondate transdate bookingdate postingdate postdate \
         postedon dateposted entrydate posted fch fec fecoper fecope fope fecop fecmov data bookdate \
         fechaasiento fechaapunte fapunte fechaadeudo txndate day fechadeoperacion dateoftransaction \
         booked fcontab feccontable fechaconta operac foperac fechaoperac entered",
    ),
    (
        Role::ValueDate,
        "fechavalor fvalor fval valor fecvalor valuedate value fechaval fv effectivedate fechaefectiva \
         fecval valdate fechadevalor effective datavalor valuta",
    ),
    (
        Role::Description,
        "concepto descripcion movimiento movimientos detalle detalles operacion conceptooperacion \
         descripcionoperacion details description particulars transaction transactions transactiondetails \
         transactiondescription narrative conceptomovimiento paymenttypeanddetails detailsoftransaction \
         descripciondelmovimiento conceptos detalleoperacion detallemovimiento descripcionmovimiento \
         descripciondelaoperacion detalledelaoperacion activity paymentdetails descripcionconcepto \
         conceptoampliado conceptoreferencia conceptodelmovimiento memo payee item entry tipomovimiento \
         detalledelmovimiento conceptoydetalle descripciondetallada conceptodelaoperacion whathappened \
         movement operaciones apunte asiento concepte descripcio",
    ),
    (
        Role::Amount,
        "importe amount cantidad importemovimiento cuantia transactionamount importeen \
         importedelmovimiento importeoperacion amountin impte importes debitcredit cargoabono inout \
         import cargosabonos debehaber importedelaoperacion sum adeudoabono abonocargo creditdebit \
         paymentsandreceipts total",
    ),
    (
        Role::Debit,
        "debe cargo cargos adeudo adeudos paidout moneyout debit debits withdrawals withdrawal salidas \
         salida gastos gasto pagos payments out reintegros importecargo importedebe debitamount \
         disposiciones retiros asucargo paymentsout withdrawn amountdebited spent importescargo charges \
         outgoings cargosdebe debecargos adeudosdebe saldodeudor debitsout outgoing moneyspent retiradas \
         importeadeudo pagado payment deudor carrecs",
    ),
    (
        Role::Credit,
        "haber abono abonos ingresos ingreso paidin moneyin credit credits deposits deposit entradas \
         entrada receipts in importeabono importehaber creditamount asufavor lodgements paymentsin \
         amountcredited received incomings importesabono abonoshaber haberabonos cobros recibido \
         moneyreceived imposiciones receipt acreedor abonaments",
    ),
    (
        Role::Balance,
        "saldo balance saldocontable saldodisponible runningbalance saldoactual saldoposterior saldotras \
         saldoresultante saldodespues accountbalance newbalance saldoacumulado balanceafter saldoen \
         saldofinal closingbalance ledgerbalance saldocuenta availablebalance saldotrasmovimiento \
         saldotraslaoperacion saldotrasoperacion saldodelacuenta saldos saldodespuesdelaoperacion \
         saldoparcial dailybalance",
    ),
    (Role::Mark, "dh signo dc crdr drcr sign cd hd d h dohaber sg drorcr"),
    (
        Role::Other,
        "oficina ofic ofi codigo cod referencia ref refer documento ndoc doc tipo type reference divisa \
         moneda currency num numero n no chequeno cheque sucursal branch transactiontype observaciones \
         nmov nref category categoria origen suc ndocumento masdatos remitente beneficiario code status \
         estado card tarjeta ord nopers hora time tipooperacion refno canal",
    ),
];

/// Words in headings that say nothing about the column.
const SILENT: [&str; 22] = [
    "eur", "euros", "euro", "gbp", "usd", "chf", "de", "del", "la", "el", "the", "of", "en", "your", "su",
    "tu", "los", "las", "your", "pounds", "y", "and",
];

/// A heading's words without units and small words.
pub(super) fn heading_key(words: &[String]) -> String {
    words.iter().filter(|word| !SILENT.contains(&word.as_str())).map(String::as_str).collect()
}

/// The column that a heading names.
pub(super) fn heading_role(key: &str, tolerant: bool) -> Option<Role> {
    if key.is_empty() {
        return None;
    }
    for (role, names) in &HEADINGS {
        if names.split_whitespace().any(|name| name == key) {
            return Some(*role);
        }
    }
    if !tolerant || key.len() < 5 {
        return None;
    }
    let allowed = if key.len() >= 9 { 2 } else { 1 };
    let mut best: Option<(usize, Role)> = None;
    for (role, names) in &HEADINGS {
        for name in names.split_whitespace() {
            if name.len() < 5 || name.len().abs_diff(key.len()) > allowed {
                continue;
            }
            let edits = strsim::levenshtein(key, name);
            if edits <= allowed && best.is_none_or(|(least, _)| edits < least) {
                best = Some((edits, *role));
            }
        }
    }
    best.map(|(_, role)| role)
}

const SPECIALS: [(Special, &str); 4] = [
    (
        Special::Carried,
        "sumaysigue sumasigue sumaanterior carriedforward balancecf sumayselleva saldopaginaanterior \
         delapaginaanterior continuaenlapagina carriedover sigueenpagina saldoasiguiente \
         saldohojaanterior sumaynsigue vienedelahoja vienedelapagina pasaalahoja pasaalapagina continued \
         tocarryforward totalpagina subtotal balanceatendofpage transporte",
    ),
    (
        Special::Opening,
        "saldoanterior saldoinicial saldoalinicio saldoinicio saldodeinicio saldoprevio saldodeapertura \
         saldoapertura openingbalance startingbalance startbalance broughtforward balanceforward \
         previousbalance balancebf beginningbalance saldoextractoanterior saldodepartida \
         saldoaliniciodelperiodo balanceatstart balanceonstart lastbalance initialbalance priorbalance \
         remanenteanterior balanceatthestart balanceatbeginning saldoultimoextracto saldoentrada \
         balancelaststatement saldoalcomienzo saldodeentrada saldoanteriorextracto \
         balancefromlaststatement forwardbalance saldoalabrir \
         saldoalprincipio saldoentrante saldodelmesanterior saldomesanterior saldoarrastrado \
         saldoantesdelperiodo saldodelextractoanterior saldodelultimoextracto balancecarriedover \
         balanceonlaststatement laststatementbalance previousstatementbalance oldbalance youstartedwith",
    ),
    (
        Special::Closing,
        "saldofinal saldoactual saldoalcierre saldocierre saldodecierre closingbalance endingbalance \
         endbalance newbalance nuevosaldo saldonuevo saldoasufavor saldoalfinal saldofin finalbalance \
         balanceatend balanceonclose currentbalance saldoafecha saldoavuestrofavor saldoalfinalizar \
         balanceattheend balanceatclose balanceattheclose saldoresultante saldoafavor saldosalida saldodesalida saldoatufavor \
         saldodecuenta saldoalafecha saldocontable saldofechaextracto saldototal balancecarriedforward \
         saldofindeperiodo saldofindemes saldosaliente saldoalterminar saldoaltermino presentbalance \
         balancethisstatement balanceonthisstatement youfinishedwith youendedwith",
    ),
    (
        Special::Total,
        "total totals totales saldomedio sumadebe sumahaber sumas totaldebe totalhaber totalcargos \
         totalabonos averagebalance saldoretenido importetotal sumatotal numerodecargos numerodeabonos \
         saldodisponible availablebalance saldosmedios disponible limitedescubierto interesesdeudores \
         interesesacreedores retenido ingresosdelperiodo gastosdelperiodo totalpaidin totalpaidout \
         totalmoneyin totalmoneyout totalingresos totalgastos overdraftlimit arrangedoverdraft",
    ),
];

/// The earliest special phrase within a compact text, with its place and length.
pub(super) fn special_in(compact: &str) -> Option<(Special, usize, usize)> {
    let mut best: Option<(Special, usize, usize)> = None;
    for (special, phrases) in &SPECIALS {
        for phrase in phrases.split_whitespace() {
            let Some(place) = compact.find(phrase) else { continue };
            let longer = |(_, other, length): (Special, usize, usize)| {
                place < other || place == other && phrase.len() > length
            };
            if best.is_none_or(longer) {
                best = Some((*special, place, phrase.len()));
            }
        }
    }
    best
}

/// What a short text is that was misread: by its nearness to a whole phrase.
pub(super) fn special_like(compact: &str) -> Option<Special> {
    let length = compact.len();
    if !(9..=30).contains(&length) {
        return None;
    }
    let allowed = length / 6;
    for (special, phrases) in &SPECIALS {
        for phrase in phrases.split_whitespace().filter(|phrase| phrase.len() >= 9) {
            if phrase.len().abs_diff(length) <= allowed && strsim::levenshtein(compact, phrase) <= allowed {
                return Some(*special);
            }
        }
    }
    None
}
