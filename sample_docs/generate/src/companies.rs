//! Invented companies: banks, lenders, employers, utilities, workshops, insurers, shops.

use crate::dice::Dice;
use crate::identifiers;
use crate::places::{Place, landline, street, town};

#[derive(Debug, Clone)]
pub struct Company {
    /// As the company names itself in full.
    pub legal_name: String,
    /// As a letterhead names it.
    pub brand: String,
    pub tax_id: String,
    pub street: String,
    pub town: Place,
    pub phone: String,
    pub website: String,
    /// For banks: the four digits of the Spanish bank code; BIC.
    pub bank_code: String,
    pub bic: String,
    pub irish: bool,
}

impl Company {
    pub fn address_lines(&self) -> Vec<String> {
        vec![self.street.clone(), self.town.line()]
    }
}

fn slug(name: &str) -> String {
    identifiers::mrz_letters(name).replace('<', "").to_lowercase()
}

fn company(dice: &mut Dice, brand: &str, suffix: &str, kind: char) -> Company {
    Company {
        legal_name: format!("{brand}{suffix}"),
        brand: brand.to_owned(),
        tax_id: identifiers::cif(dice, kind),
        street: street(dice),
        town: town(dice),
        phone: landline(dice),
        website: format!("www.{}.example", slug(brand)),
        bank_code: String::new(),
        bic: String::new(),
        irish: false,
    }
}

const BANKS: &[(&str, &str, &str)] = &[
    ("Banco Ribera del Tajo", "2291", "RBTJ"),
    ("Caja Altamira", "2943", "CALT"),
    ("Banca Monte Claro", "1863", "BMCL"),
    ("Banco Litoral", "2417", "BLIT"),
    ("Caixa Roureda", "2638", "CXRO"),
    ("Kutxa Haizea", "2755", "KTHZ"),
    ("Banco Meridiano", "1729", "BMRD"),
    ("Crédito Rural de la Vega", "3991", "CRVG"),
    ("Banco Faro", "1694", "BFAR"),
    ("Nuvia Banco", "6911", "NUVB"),
    ("Banco de la Encina", "2812", "BENC"),
    ("Caja Pinares", "3977", "CPIN"),
];
const IRISH_BANKS: &[(&str, &str, &str)] = &[
    ("Northvale Bank", "NVRB", "907731"),
    ("Corrib Savings Bank", "CRSB", "931284"),
    ("Harbour Mutual", "HBMU", "985530"),
];

/// A Spanish bank; `nth` spreads cases over the list.
pub fn bank(dice: &mut Dice) -> Company {
    let (brand, code, bic) = *dice.pick(BANKS);
    let mut made = company(dice, brand, ", S.A.", 'A');
    made.bank_code = code.to_owned();
    made.bic = format!("{bic}ESM{}XXX", dice.pick(&["M", "1", "B"]));
    made
}

pub fn irish_bank(dice: &mut Dice) -> Company {
    let (brand, code, _) = *dice.pick(IRISH_BANKS);
    let mut made = company(dice, brand, " plc", 'A');
    made.bank_code = code.to_owned();
    made.bic = format!("{code}IE2D");
    made.irish = true;
    made.phone = format!("+353 1 555 0{}", dice.digits(3));
    made
}

pub fn irish_sort_code(bank: &Company) -> &'static str {
    IRISH_BANKS.iter().find(|(_, code, _)| *code == bank.bank_code).map_or("900000", |(_, _, sort)| sort)
}

const LENDERS: &[&str] = &[
    "Crédito Ágora",
    "Financiera Olmo",
    "Prestia",
    "Crediluz",
    "Finanzas Alcor",
    "Vía Crédito",
    "Abaco Financia",
    "Tramontana Consumo",
];

pub fn lender(dice: &mut Dice, english: bool) -> Company {
    let brand = *dice.pick(LENDERS);
    let suffix = if english && dice.chance(0.5) {
        " Consumer Finance, S.A."
    } else {
        *dice.pick(&[", E.F.C., S.A.", ", E.F.C., S.A.U.", " Servicios Financieros, S.A."])
    };
    company(dice, brand, suffix, 'A')
}

const EMPLOYER_FIRST: &[&str] = &[
    "Talleres",
    "Construcciones",
    "Logística",
    "Conservas",
    "Hostelería",
    "Clínica",
    "Distribuciones",
    "Transportes",
    "Muebles",
    "Gestoría",
    "Panadería",
    "Instalaciones",
    "Servicios",
    "Textiles",
    "Laboratorios",
    "Supermercados",
    "Viveros",
    "Imprenta",
    "Academia",
    "Residencia",
];
const EMPLOYER_SECOND: &[&str] = &[
    "Miramar",
    "del Norte",
    "Peñalba",
    "Costa Clara",
    "Hermanos Vidal",
    "Guadiela",
    "La Solana",
    "Valdemoro Sur",
    "Sotomayor",
    "Alcaraz",
    "El Roble",
    "Montesol",
    "Duero",
    "Tres Cantos Norte",
    "Bahía",
    "Los Llanos",
    "Cantábrico",
    "Ventura",
    "San Telmo",
    "Marjal",
];
const SUFFIXES: &[&str] = &[", S.L.", ", S.A.", " S.L.U.", " SL", ", S.L.L.", ", S. Coop."];

pub fn employer(dice: &mut Dice) -> Company {
    let brand = format!("{} {}", dice.pick(EMPLOYER_FIRST), dice.pick(EMPLOYER_SECOND));
    let suffix = *dice.pick(SUFFIXES);
    company(dice, &brand, suffix, if suffix.contains('A') { 'A' } else { 'B' })
}

const SUPPLIERS: &[&str] = &[
    "Lumen Sur",
    "Energía Vallarta",
    "Hidroluz Norte",
    "Comercial Voltia",
    "Electra Sanabria",
    "Solaz Energía",
    "Nexo Luz",
    "Gas y Luz Arán",
];

pub fn energy_supplier(dice: &mut Dice) -> Company {
    let brand = *dice.pick(SUPPLIERS);
    let suffix =
        *dice.pick(&[" Comercializadora, S.L.", ", S.A.U.", " Clientes, S.A.", " Comercialización, S.L.U."]);
    company(dice, brand, suffix, if suffix.contains("S.A") { 'A' } else { 'B' })
}

const WORKSHOP_FIRST: &[&str] = &[
    "Taller",
    "Carrocerías",
    "Cristalería",
    "Reformas",
    "Fontanería",
    "Autoservicio",
    "Cerrajería",
    "Pinturas",
    "Electricidad",
    "Automoción",
];

pub fn workshop(dice: &mut Dice) -> Company {
    let brand = format!("{} {}", dice.pick(WORKSHOP_FIRST), dice.pick(EMPLOYER_SECOND));
    let suffix = *dice.pick(SUFFIXES);
    company(dice, &brand, suffix, 'B')
}

const INSURERS: &[&str] =
    &["Seguros Atalaya", "Mutua del Ancla", "Aseguradora Poniente", "Previsora Lince", "Alba Seguros"];

pub fn insurer(dice: &mut Dice) -> Company {
    let brand = *dice.pick(INSURERS);
    company(dice, brand, ", S.A. de Seguros y Reaseguros", 'A')
}

pub fn shop(dice: &mut Dice) -> &'static str {
    *dice.pick(&[
        "SUPERMERCADO LA PLAZA",
        "MODA RIBERA",
        "FARMACIA CENTRO",
        "GASOLINERA EL CRUCE",
        "LIBRERIA ALETHEIA",
        "FERRETERIA NORTE",
        "RESTAURANTE EL PATIO",
        "PANADERIA SOL",
        "CINES AVENIDA",
        "ZAPATERIA PASO",
        "MERCADO CENTRAL PTO 12",
        "HIPER VEGA",
        "CAFETERIA LONDRES",
        "PELUQUERIA IRIS",
        "DEPORTES CIMA",
    ])
}
