//! Names of months in the languages that documents here are written in.

use super::text::fold;

/// Names by month; a word that begins with none of the abbreviations is no month.
const NAMES: [&[&str]; 12] = [
    &[
        "enero",
        "january",
        "gener",
        "janeiro",
        "janvier",
        "gennaio",
        "januar",
        "xaneiro",
        "urtarrila",
        "ene",
        "jan",
        "gen",
        "janv",
        "xan",
        "urt",
    ],
    &[
        "febrero",
        "february",
        "febrer",
        "fevereiro",
        "fevrier",
        "febbraio",
        "februar",
        "febreiro",
        "otsaila",
        "feb",
        "fev",
        "fevr",
        "febr",
        "ots",
    ],
    &["marzo", "march", "marc", "marco", "mars", "marz", "martxoa", "mar", "mrz"],
    &["abril", "april", "avril", "aprile", "apirila", "abr", "apr", "avr", "api"],
    &["mayo", "may", "maig", "maio", "mai", "maggio", "maiatza", "mag"],
    &[
        "junio", "june", "juny", "junho", "juin", "giugno", "juni", "xuno", "ekaina", "jun", "giu", "xun",
        "eka",
    ],
    &[
        "julio", "july", "juliol", "julho", "juillet", "luglio", "juli", "xullo", "uztaila", "jul", "juil",
        "lug", "xul", "uzt",
    ],
    &["agosto", "august", "agost", "aout", "abuztua", "ago", "aug", "abu", "agt"],
    &[
        "septiembre",
        "setiembre",
        "september",
        "setembre",
        "setembro",
        "septembre",
        "settembre",
        "iraila",
        "sep",
        "sept",
        "set",
        "ira",
    ],
    &[
        "octubre", "october", "outubro", "octobre", "ottobre", "oktober", "outubre", "urria", "oct", "out",
        "ott", "okt", "urr",
    ],
    &["noviembre", "november", "novembre", "novembro", "azaroa", "nov", "aza"],
    &[
        "diciembre",
        "december",
        "desembre",
        "dezembro",
        "decembre",
        "dicembre",
        "dezember",
        "decembro",
        "abendua",
        "dic",
        "dec",
        "des",
        "dez",
        "abe",
    ],
];

/// Month 1 to 12 that the word names: in full, abbreviated, or in full with one letter misread.
pub fn month(word: &str) -> Option<u32> {
    let folded = fold(word);
    let number = |at: usize| u32::try_from(at + 1).ok();
    if let Some(at) = NAMES.iter().position(|names| names.contains(&folded.as_str())) {
        return number(at);
    }
    if folded.chars().count() < 6 {
        return None;
    }
    let near = |name: &&str| name.len() >= 6 && strsim::levenshtein(name, &folded) == 1;
    let mut matches = (0..NAMES.len()).filter(|at| NAMES[*at].iter().any(near));
    let at = matches.next()?;
    if matches.next().is_some() { None } else { number(at) }
}

/// A recogniser's misreadings within short abbreviations: `N0V`, `0CT`, `D1C`.
pub(super) fn month_misread(word: &str) -> Option<u32> {
    let repaired: String = word
        .chars()
        .map(|ch| match ch {
            '0' => 'o',
            '1' | '|' => 'i',
            '5' => 's',
            '8' => 'b',
            other => other,
        })
        .collect();
    month(&repaired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_in_several_languages() {
        let cases =
            [("MAYO", 5), ("Març", 3), ("SEPT", 9), ("août", 8), ("ENE", 1), ("Dez", 12), ("diciembne", 12)];
        for (word, number) in cases {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for word in ["madrid", "marca", "sede", "", "may0"] {
            assert_eq!(month(word), None, "{word}");
        }
        assert_eq!(month_misread("N0V"), Some(11));
    }
}
