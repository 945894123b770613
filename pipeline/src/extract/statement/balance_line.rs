//! Rows of a statement that carry a balance or a total and are no transaction.

/// What such a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BalanceLine {
    Opening,
    Closing,
    /// From page to page.
    Carried,
    Total,
}

const CARRIED: [&str; 10] = [
    "suma y sigue",
    "carried forward",
    "saldo a la pagina siguiente",
    "sigue en la pagina",
    "carried over",
    "suma anterior",
    "arrastre",
    "saldo y sigue",
    "suma de la pagina anterior",
    "saldo pagina anterior",
];
const OPENING: [&str; 22] = [
    "saldo anterior",
    "saldo inicial",
    "opening balance",
    "brought forward",
    "start balance",
    "starting balance",
    "previous balance",
    "saldo al inicio",
    "saldo de apertura",
    "saldo apertura",
    "saldo precedente",
    "saldo previo",
    "saldo de partida",
    "balance b f",
    "beginning balance",
    "saldo a inicio",
    "balance at start",
    "saldo inicio",
    "balance forward",
    "saldo origen",
    "old balance",
    "saldo del extracto anterior",
];
const CLOSING: [&str; 24] = [
    "saldo final",
    "closing balance",
    "end balance",
    "ending balance",
    "saldo actual",
    "nuevo saldo",
    "saldo resultante",
    "saldo al cierre",
    "saldo de cierre",
    "saldo cierre",
    "saldo a su favor",
    "new balance",
    "current balance",
    "balance at end",
    "saldo a fin",
    "saldo al final",
    "saldo disponible",
    "balance c f",
    "saldo ultimo",
    "saldo posterior",
    "balance at close",
    "final balance",
    "saldo a favor",
    "saldo deudor",
];
const TOTALS: [&str; 14] = [
    "total",
    "totales",
    "totals",
    "suma",
    "sumas",
    "total cargos",
    "total abonos",
    "total debe",
    "total haber",
    "total ingresos",
    "total gastos",
    "total paid in",
    "total paid out",
    "totales del periodo",
];

/// What the row's words say, folded; `None` for an ordinary row.
pub(super) fn classify(folded: &str, undated: bool) -> Option<BalanceLine> {
    let words: Vec<&str> =
        folded.split(|ch: char| !ch.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    let begins = |phrases: &[&str]| phrases.iter().any(|phrase| starts_near(&text, phrase));
    // Words such as `total` also open descriptions of transactions, so few may follow.
    if begins(&CARRIED) {
        Some(BalanceLine::Carried)
    } else if begins(&OPENING) {
        Some(BalanceLine::Opening)
    } else if begins(&CLOSING) {
        Some(BalanceLine::Closing)
    } else if TOTALS.iter().any(|phrase| text.starts_with(phrase)) && (undated || words.len() <= 6) {
        Some(BalanceLine::Total)
    } else {
        None
    }
}

/// The phrase begins the text, perhaps behind two words (`SU SALDO ANTERIOR`, `BALANCE BROUGHT FORWARD`).
fn starts_near(text: &str, phrase: &str) -> bool {
    let Some(at) = text.find(phrase) else { return false };
    let before = text.get(..at).unwrap_or_default();
    let boundary = before.is_empty() || before.ends_with(' ');
    boundary && before.split_whitespace().count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_no_transactions() {
        let cases = [
            ("saldo anterior", Some(BalanceLine::Opening)),
            ("balance brought forward", Some(BalanceLine::Opening)),
            ("suma y sigue...", Some(BalanceLine::Carried)),
            ("saldo final a 31/03", Some(BalanceLine::Closing)),
            ("total cargos", Some(BalanceLine::Total)),
            ("recibo luz", None),
            ("transferencia saldo pendiente", None),
        ];
        for (text, kind) in cases {
            assert_eq!(classify(text, false), kind, "{text}");
        }
    }
}
