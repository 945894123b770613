//! Names of people and of firms: titles taken off, and whether a text can be a name at all.

use super::text::{fold, single_spaced};

/// Titles before a person's name, folded, without dots.
const TITLES: [&str; 32] = [
    "d", "dª", "da", "dna", "don", "dona", "sr", "sra", "srta", "sr/a", "d/dª", "d/da", "d/dna", "d/na",
    "mr", "mrs", "ms", "miss", "mx", "dr", "dra", "sir", "en", "na", "sres", "senor", "senora", "d/d",
    "sr/sra", "mr/mrs", "messrs", "sr/sra/d",
];

/// Titles of more than one letter that need no dot to be recognised beside a name in capitals.
const UNSURE_TITLES: [&str; 4] = ["en", "na", "da", "d"];

/// A name as printed, with single spaces, without titles and without the marks around it.
pub fn clean(text: &str) -> String {
    let text = single_spaced(text);
    let mut words: Vec<&str> = text.split(' ').collect();
    while words.len() > 1 && is_title(words[0]) {
        words.remove(0);
    }
    let joined = words.join(" ");
    let trimmed = joined
        .trim_matches(|ch: char| !ch.is_alphanumeric() && !matches!(ch, '.' | '(' | ')' | '"' | '\''))
        .trim_start_matches(['.', ' ']);
    let initial_or_firm = trimmed.len() < 3 || ends_in_abbreviation(trimmed);
    if initial_or_firm { trimmed.to_owned() } else { trimmed.trim_end_matches('.').to_owned() }
}

fn is_title(word: &str) -> bool {
    let bare = word.trim_end_matches([',', ':']);
    let dotted = bare.ends_with('.');
    let folded = fold(bare).replace(['.', 'º'], "");
    let known = TITLES.contains(&folded.as_str());
    let marked = dotted || bare.contains(['ª', '/']);
    known && (marked || !UNSURE_TITLES.contains(&folded.as_str()) || folded == "d" && bare == "D")
}

/// `S.L.`, `S. A.`, `Ltd.`, `J.`: the last dot belongs to it.
fn ends_in_abbreviation(text: &str) -> bool {
    let last = text.rsplit(' ').next().unwrap_or_default();
    let folded = fold(last);
    last.trim_end_matches('.').contains('.')
        || last.trim_end_matches('.').chars().count() == 1
        || matches!(folded.as_str(), "ltd." | "inc." | "co." | "corp." | "cia." | "hnos." | "coop." | "plc.")
}

/// Words that stand on forms and never in a person's name.
const FORM_WORDS: [&str; 66] = [
    "fecha",
    "date",
    "nombre",
    "name",
    "apellidos",
    "surname",
    "nif",
    "dni",
    "cif",
    "nie",
    "calle",
    "avenida",
    "plaza",
    "street",
    "road",
    "telefono",
    "phone",
    "email",
    "iban",
    "bic",
    "total",
    "importe",
    "amount",
    "saldo",
    "balance",
    "pagina",
    "page",
    "firma",
    "signature",
    "cuenta",
    "account",
    "titular",
    "holder",
    "numero",
    "number",
    "contrato",
    "contract",
    "factura",
    "invoice",
    "periodo",
    "period",
    "domicilio",
    "address",
    "codigo",
    "documento",
    "banco",
    "bank",
    "empresa",
    "company",
    "trabajador",
    "employee",
    "seguridad",
    "social",
    "concepto",
    "description",
    "movimientos",
    "extracto",
    "statement",
    "nomina",
    "payslip",
    "cliente",
    "customer",
    "prestamo",
    "loan",
    "euros",
    "entidad",
];

/// Particles of names that are printed in lower case.
const PARTICLES: [&str; 16] =
    ["de", "del", "la", "las", "los", "y", "i", "e", "da", "do", "dos", "van", "von", "san", "di", "el"];

/// Words of a part of a name at most: `de la Torre y Gasset`.
const MOST_PARTS: usize = 5;

/// How like a person's full name the (cleaned) text is, 0 to 1.
pub fn person_likeness(text: &str) -> f32 {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() < 2 || words.len() > 9 {
        return 0.0;
    }
    let letters_only = |word: &str| {
        word.chars()
            .all(|ch| ch.is_alphabetic() || matches!(ch, '-' | '\'' | '’' | '.' | ',' | 'ª' | 'º' | '·'))
    };
    let mut score: f32 = 1.0;
    let mut names = 0;
    for word in &words {
        let folded = fold(word.trim_matches(|ch: char| !ch.is_alphabetic()));
        if !letters_only(word) || FORM_WORDS.contains(&folded.as_str()) {
            return 0.0;
        }
        if PARTICLES.contains(&folded.as_str()) {
            continue;
        }
        if !word.chars().next().is_some_and(char::is_uppercase) {
            score *= 0.4;
        }
        if folded.chars().count() < 2 && !word.ends_with('.') {
            score *= 0.7;
        }
        let initial = folded.chars().count() < 2 && word.ends_with('.');
        if !initial && !folded.chars().any(|ch| "aeiouy".contains(ch)) {
            score *= 0.6;
        }
        names += 1;
    }
    match names {
        0 | 1 => score * 0.2,
        2..=5 => score,
        _ => score * 0.6,
    }
}

/// Whether the text can be a part of a person's name: surnames alone, or given names.
pub fn is_part(text: &str) -> bool {
    let words = text.split_whitespace().count();
    (1..=MOST_PARTS).contains(&words) && person_likeness(&format!("{text} {text}")) >= 0.5
}

/// Whether the text can be the name of a person.
pub fn is_person(text: &str) -> bool {
    person_likeness(text) >= 0.5
}

/// Legal forms that end firms' names, folded, without dots, spaces or commas.
const LEGAL_FORMS: [&str; 30] = [
    "sa",
    "sl",
    "slu",
    "sau",
    "sll",
    "sal",
    "scoop",
    "sc",
    "cb",
    "ltd",
    "plc",
    "llp",
    "llc",
    "inc",
    "gmbh",
    "ag",
    "nv",
    "bv",
    "sarl",
    "sas",
    "spa",
    "srl",
    "lda",
    "efc",
    "sme",
    "aie",
    "se",
    "limited",
    "sociedadlimitada",
    "sociedadanonima",
];

/// Whether the text ends in a legal form, as firms' registered names do: `Talleres Ruiz, S.L.`
pub fn has_legal_form(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    legal_form_from(&words).is_some()
}

/// Whether a word, folded and without points, is a legal form.
pub fn is_legal_form(word: &str) -> bool {
    LEGAL_FORMS.contains(&word)
}

/// The words of a firm's name without its legal form, folded, letters and digits alone.
pub fn firm_words(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let end = legal_form_from(&words).unwrap_or(words.len());
    let bare = words[..end].iter().map(|word| fold(word).chars().filter(|ch| ch.is_alphanumeric()).collect());
    bare.filter(|word: &String| !word.is_empty()).collect()
}

/// The first word of the legal form that the text ends in.
fn legal_form_from(words: &[&str]) -> Option<usize> {
    let mut tail = String::new();
    (1..words.len()).rev().take(4).find(|at| {
        let bare: String = fold(words[*at]).chars().filter(|ch| ch.is_alphabetic()).collect();
        tail.insert_str(0, &bare);
        LEGAL_FORMS.contains(&tail.as_str())
    })
}

/// Legal forms as they are printed with points, by their letters.
const POINTED_FORMS: [(&str, &str); 10] = [
    ("sau", "S.A.U."),
    ("slu", "S.L.U."),
    ("sll", "S.L.L."),
    ("slp", "S.L.P."),
    ("slne", "S.L.N.E."),
    ("efc", "E.F.C."),
    ("sa", "S.A."),
    ("sl", "S.L."),
    ("sc", "S.C."),
    ("cb", "C.B."),
];

/// Puts the points of a misread legal form right: `S.LU.` → `S.L.U.`, `E.EC„` → `E.F.C.,`. A form that is
/// written without points stays as it is.
pub fn mend_legal_form(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let from = words.len().saturating_sub(3).max(1);
    let mended = words.iter().enumerate().map(|(at, word)| {
        let form = if at >= from && word.contains('.') { pointed_form(word) } else { None };
        let comma = if word.ends_with([',', '„', ';']) { "," } else { "" };
        form.map_or_else(|| (*word).to_owned(), |form| format!("{form}{comma}"))
    });
    mended.collect::<Vec<_>>().join(" ")
}

fn pointed_form(word: &str) -> Option<&'static str> {
    let letters: String = fold(word).chars().filter(|ch| ch.is_alphabetic()).collect();
    let known =
        |letters: &str| POINTED_FORMS.iter().find(|(form, _)| *form == letters).map(|(_, pointed)| *pointed);
    let lookalike = || {
        let mut letters = letters.chars();
        let shape = [letters.next()?, letters.next()?, letters.next()?];
        let credit_firm = "ef".contains(shape[0]) && "efpr".contains(shape[1]) && "cge".contains(shape[2]);
        (credit_firm && letters.next().is_none()).then_some("E.F.C.")
    };
    known(&letters).or_else(lookalike)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_and_marks_are_taken_off() {
        let cases = [
            ("D. Juan  Pérez López", "Juan Pérez López"),
            ("Dª María José García", "María José García"),
            ("D.ª Ana Ruiz", "Ana Ruiz"),
            ("Don José Luis de la Torre,", "José Luis de la Torre"),
            ("Mr John Smith.", "John Smith"),
            ("Sr. D. Luis Gil", "Luis Gil"),
            ("D/Dª. Eva Sanz", "Eva Sanz"),
            ("Talleres Ruiz, S.L.", "Talleres Ruiz, S.L."),
            (": GARCÍA LÓPEZ, ANA", "GARCÍA LÓPEZ, ANA"),
            ("David Gil", "David Gil"),
        ];
        for (text, name) in cases {
            assert_eq!(clean(text), name, "{text}");
        }
    }

    #[test]
    fn points_of_legal_forms() {
        let cases = [
            ("Autoservicio Sotomayor S.LU.", "Autoservicio Sotomayor S.L.U."),
            ("Prestia, E.F.C„ S.AU.", "Prestia, E.F.C., S.A.U."),
            ("Prestia, E.E.C., S.A.", "Prestia, E.F.C., S.A."),
            ("Talleres Ruiz SL", "Talleres Ruiz SL"),
            ("Talleres Ruiz, S.L.", "Talleres Ruiz, S.L."),
        ];
        for (read, name) in cases {
            assert_eq!(mend_legal_form(read), name, "{read}");
        }
    }

    #[test]
    fn people_and_firms() {
        for text in ["Juan Pérez López", "GARCÍA LÓPEZ, MARÍA JOSÉ", "Iñaki de la Torre", "J. M. Ruiz Gil"]
        {
            assert!(is_person(text), "{text}");
        }
        for text in ["Fecha de nacimiento", "28004 Madrid", "Total", "", "saldo anterior del mes"] {
            assert!(!is_person(text), "{text}");
        }
        assert!(
            has_legal_form("Talleres Ruiz, S.L.")
                && has_legal_form("Acme Ltd")
                && has_legal_form("X, S. A. U.")
        );
        assert!(!has_legal_form("Juan Pérez"));
    }

    proptest! {
        #[test]
        fn never_panics_and_is_idempotent(text in "\\PC{0,40}") {
            let cleaned = clean(&text);
            let _ = (person_likeness(&cleaned), has_legal_form(&cleaned));
        }
    }
}
