//! Words as comparable tokens: without case, accents, punctuation and the small words that labels
//! carry or not (`Nº de contrato`, `Contract No.`). Knows nothing of pages.

use crate::extract::parse::text::fold;

/// Small words that a label may have or not without another meaning.
const SMALL_WORDS: [&str; 20] = [
    "de", "del", "la", "el", "los", "las", "lo", "a", "y", "e", "o", "of", "the", "su", "sus", "tu", "tus",
    "your", "d", "s",
];

/// Ways to write "number" in a label.
const NUMBER_WORDS: [&str; 8] = ["no", "num", "nro", "numero", "number", "nr", "nº", "n°"];

/// The tokens of one word of a page: `N.I.F./N.I.E.:` → `nif`, `nie`; `Trabajador/a` → `trabajador`.
pub fn tokens_of(word: &str) -> Vec<String> {
    let folded = fold(&word.replace(['º', 'ª', '°'], "o"));
    let mut tokens = Vec::new();
    for piece in folded.split(|ch: char| !ch.is_alphanumeric() && ch != '.') {
        let parts: Vec<&str> = piece.split('.').filter(|part| !part.is_empty()).collect();
        let is_abbreviation = parts.len() > 1 && parts.iter().all(|part| part.chars().count() <= 1);
        if is_abbreviation {
            push(&mut tokens, &parts.concat());
        } else {
            for part in parts {
                push(&mut tokens, part);
            }
        }
    }
    tokens
}

/// The tokens of a phrase, as labels are written in the configuration.
pub fn tokens_of_phrase(phrase: &str) -> Vec<String> {
    phrase.split_whitespace().flat_map(tokens_of).collect()
}

fn push(tokens: &mut Vec<String>, token: &str) {
    if SMALL_WORDS.contains(&token) {
        return;
    }
    let token = if NUMBER_WORDS.contains(&token) { "n" } else { token };
    tokens.push(token.to_owned());
}

/// Whether a token is a word of letters (not a number, a code or a currency).
pub fn is_letters(token: &str) -> bool {
    token.chars().all(char::is_alphabetic) && !matches!(token, "eur" | "euro" | "euros" | "gbp" | "usd")
}

/// Whether a token belongs to a number written in words, as contracts spell amounts out.
pub fn is_number_word(token: &str) -> bool {
    const WORDS: [&str; 84] = [
        "cero",
        "un",
        "uno",
        "una",
        "dos",
        "tres",
        "cuatro",
        "cinco",
        "seis",
        "siete",
        "ocho",
        "nueve",
        "diez",
        "once",
        "doce",
        "trece",
        "catorce",
        "quince",
        "veinte",
        "veintiun",
        "veintiuno",
        "veintidos",
        "veintitres",
        "veinticuatro",
        "veinticinco",
        "veintiseis",
        "veintisiete",
        "veintiocho",
        "veintinueve",
        "treinta",
        "cuarenta",
        "cincuenta",
        "sesenta",
        "setenta",
        "ochenta",
        "noventa",
        "cien",
        "ciento",
        "mil",
        "millon",
        "centimos",
        "centimo",
        "con",
        "euros",
        "coma",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "pounds",
        "pence",
        "cents",
        "point",
        "and",
        "dieciseis",
        "diecisiete",
        "dieciocho",
        "diecinueve",
        "quinientos",
    ];
    WORDS.contains(&token)
        || (token.ends_with("cientos") || token.ends_with("cientas") || token.ends_with("gintos"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_tokens() {
        let cases: [(&str, &[&str]); 8] = [
            ("N.I.F./N.I.E.:", &["nif", "nie"]),
            ("Trabajador/a", &["trabajador"]),
            ("N.º", &["n"]),
            ("Núm.", &["n"]),
            ("I.R.P.F.", &["irpf"]),
            ("Cód.", &["cod"]),
            ("LÍQUIDO", &["liquido"]),
            ("(A-B)", &["b"]),
        ];
        for (word, expected) in cases {
            assert_eq!(tokens_of(word), expected, "{word}");
        }
    }

    #[test]
    fn ways_to_write_a_label_are_one() {
        let expected = tokens_of_phrase("número de contrato");
        for phrase in ["Nº contrato", "Núm. de Contrato:", "N.º del contrato"] {
            assert_eq!(tokens_of_phrase(phrase), expected, "{phrase}");
        }
    }
}
