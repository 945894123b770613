//! Column headings of statement tables, in Spanish and English.

use crate::domain::Rect;

use super::super::parse::text::fold;
use super::line::Line;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Date,
    ValueDate,
    Description,
    /// Signed, or with a mark.
    Amount,
    Debit,
    Credit,
    Balance,
    /// Present in some tables; nothing of it is read.
    Other,
}

impl Role {
    pub(super) fn is_money(self) -> bool {
        matches!(self, Role::Amount | Role::Debit | Role::Credit | Role::Balance)
    }

    pub(super) fn is_amount(self) -> bool {
        matches!(self, Role::Amount | Role::Debit | Role::Credit)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    pub(super) role: Role,
    pub(super) bounds: Rect,
}

/// Headings as words of letters only, folded; longer phrases first within a role does not matter.
const HEADINGS: [(Role, &[&str]); 8] = [
    (
        Role::ValueDate,
        &[
            "fecha valor",
            "f valor",
            "fec valor",
            "fvalor",
            "valor",
            "value date",
            "val date",
            "valuta",
            "data valor",
            "fecha de valor",
            "effective date",
            "f val",
            "fecha val",
            "value",
        ],
    ),
    (
        Role::Date,
        &[
            "fecha",
            "fecha operacion",
            "fecha oper",
            "fecha op",
            "f operacion",
            "f oper",
            "f op",
            "foper",
            "fecha contable",
            "f contable",
            "f cont",
            "fecha mov",
            "fecha movimiento",
            "fecha de operacion",
            "date",
            "posting date",
            "booking date",
            "transaction date",
            "trans date",
            "post date",
            "data",
            "data oper",
            "dia",
            "day",
            "entry date",
            "date posted",
            "fec oper",
            "fecha apunte",
            "fecha cont",
            "fec",
            "operation date",
            "booked",
        ],
    ),
    (
        Role::Description,
        &[
            "concepto",
            "conceptos",
            "descripcion",
            "description",
            "detalle",
            "detalles",
            "details",
            "movimiento",
            "particulars",
            "operacion",
            "transaction",
            "transactions",
            "narrative",
            "transaction details",
            "payment type and details",
            "concepto movimiento",
            "descripcion del movimiento",
            "transaction description",
            "concepte",
            "descripcio",
            "mas datos",
            "observaciones",
            "concepto operacion",
            "tipo de operacion",
            "description of transaction",
            "payee",
            "beneficiario ordenante",
            "concepto descripcion",
            "apunte",
        ],
    ),
    (
        Role::Amount,
        &[
            "importe",
            "amount",
            "importe eur",
            "import",
            "importe euros",
            "cantidad",
            "importe operacion",
            "importe movimiento",
            "monto",
            "importes",
            "amount eur",
            "amount gbp",
            "euros",
            "sum",
            "importe en euros",
        ],
    ),
    (
        Role::Debit,
        &[
            "cargo",
            "cargos",
            "debe",
            "adeudo",
            "adeudos",
            "paid out",
            "money out",
            "withdrawal",
            "withdrawals",
            "debit",
            "debits",
            "payments",
            "salida",
            "salidas",
            "gastos",
            "out",
            "payments out",
            "reintegros",
            "pagos",
            "carrecs",
            "withdrawn",
            "debitos",
            "debito",
            "pagado",
            "debit amount",
            "cargos eur",
            "importe cargo",
            "charges",
            "importe debe",
        ],
    ),
    (
        Role::Credit,
        &[
            "abono",
            "abonos",
            "haber",
            "ingreso",
            "ingresos",
            "paid in",
            "money in",
            "deposit",
            "deposits",
            "credit",
            "credits",
            "receipts",
            "entrada",
            "entradas",
            "in",
            "payments in",
            "imposiciones",
            "abonaments",
            "creditos",
            "credito",
            "lodged",
            "lodgements",
            "recibido",
            "credit amount",
            "abonos eur",
            "importe abono",
            "importe haber",
            "received",
        ],
    ),
    (
        Role::Balance,
        &[
            "saldo",
            "balance",
            "saldos",
            "saldo eur",
            "saldo contable",
            "saldo disponible",
            "running balance",
            "account balance",
            "saldo final",
            "balance eur",
            "saldo euros",
            "saldo en euros",
            "saldo tras",
            "balance gbp",
        ],
    ),
    (
        Role::Other,
        &[
            "oficina",
            "ofic",
            "of",
            "cheque",
            "cheque no",
            "d h",
            "dh",
            "signo",
            "dr cr",
            "divisa",
            "currency",
            "moneda",
            "branch",
            "code",
            "codigo",
            "cod",
            "n",
            "num",
            "no",
            "hora",
            "time",
            "documento",
            "doc",
            "s",
            "referencia",
            "reference",
            "ref",
            "type",
            "tipo",
            "tipo mov",
            "clave",
            "cat",
            "categoria",
            "category",
            "cheque num",
            "n doc",
            "num documento",
        ],
    ),
];

/// The columns that a row of headings names; `None` when the row is no heading.
pub(super) fn columns(line: &Line, below: Option<&Line>) -> Option<Vec<Column>> {
    if !line.monies.is_empty() || !line.dates.is_empty() {
        return None;
    }
    let words = Words::of(line);
    let mut columns: Vec<Column> = Vec::new();
    let mut matched = 0;
    let mut at = 0;
    while at < words.texts.len() {
        match longest(&words.texts[at..]) {
            Some((role, count)) => {
                let bounds = Rect::around(words.bounds[at..at + count].iter().copied())?;
                columns.push(Column { role, bounds });
                matched += count;
                at += count;
            }
            None => at += 1,
        }
    }
    let money = columns.iter().filter(|column| column.role.is_money()).count();
    let others =
        columns.iter().any(|column| matches!(column.role, Role::Date | Role::ValueDate | Role::Description));
    let mostly = matched * 2 > words.texts.len();
    if money == 0 || columns.len() < 2 || !mostly || !others && money < 2 {
        return None;
    }
    settle_dates(&mut columns, below);
    if !columns.iter().any(|column| column.role == Role::Description)
        && let Some(text) = columns.iter_mut().find(|column| column.role == Role::Other)
    {
        text.role = Role::Description;
    }
    // `Fecha  Concepto  Valor  Importe`: without a date column of its own, the value is a date.
    if let [only] = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.role == Role::ValueDate)
        .map(|(at, _)| at)
        .collect::<Vec<_>>()
        .as_slice()
        && !columns.iter().any(|column| column.role == Role::Date)
    {
        columns[*only].role = Role::Date;
    }
    Some(columns)
}

struct Words {
    texts: Vec<String>,
    bounds: Vec<Rect>,
}

impl Words {
    /// Words of letters; `F.Valor` and `Cargo/Abono` are two.
    fn of(line: &Line) -> Self {
        let mut words = Self { texts: Vec::new(), bounds: Vec::new() };
        for index in line.first..line.end {
            let word = line.word(index);
            let folded = fold(&word.text);
            for part in folded.split(|ch: char| !ch.is_alphabetic()).filter(|part| !part.is_empty()) {
                words.texts.push(part.to_owned());
                words.bounds.push(word.bounds);
            }
        }
        words
    }
}

fn longest(words: &[String]) -> Option<(Role, usize)> {
    for count in (1..=words.len().min(4)).rev() {
        let phrase = words[..count].join(" ");
        let hit = HEADINGS.iter().find(|(_, phrases)| phrases.iter().any(|known| same(known, &phrase)));
        if let Some((role, _)) = hit {
            return Some((*role, count));
        }
    }
    None
}

/// Equal, or one letter apart in a word long enough to be sure.
fn same(known: &str, read: &str) -> bool {
    known == read
        || known.len() >= 6 && known.len().abs_diff(read.len()) <= 1 && strsim::levenshtein(known, read) == 1
}

/// Headings over two lines: `Fecha` above `valor`.
fn settle_dates(columns: &mut [Column], below: Option<&Line>) {
    let Some(below) = below.filter(|line| line.monies.is_empty() && line.dates.is_empty()) else { return };
    for column in columns.iter_mut().filter(|column| column.role == Role::Date) {
        let under = |index: &&usize| below.word(**index).bounds.overlap_x(&column.bounds) > 0.0;
        let text: Vec<String> =
            below.free.iter().filter(under).map(|index| fold(&below.word(*index).text)).collect();
        if text.iter().any(|word| word.starts_with("valor") || word == "value") {
            column.role = Role::ValueDate;
        }
    }
}

/// Distance of a value from a column: the nearest of its edges and its centre.
pub(super) fn distance(bounds: &Rect, column: &Rect) -> f32 {
    let right = (bounds.right() - column.right()).abs();
    let left = (bounds.left - column.left).abs();
    let centre = (bounds.center_x() - column.center_x()).abs();
    right.min(left).min(centre)
}
