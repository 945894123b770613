//! An issuer names itself more than once: its brand over the letter, its legal name in the foot, its
//! addresses on the web. Who is named so is more likely the issuer than a firm that is mentioned.

use super::evidence::Reading;
use crate::extract::candidates::{Candidate, Class, Typed};
use crate::extract::parse::name::firm_words;

/// Shorter runs of letters are found by chance.
const LEAST_LETTERS: usize = 5;

/// Whether the page names the candidate's firm elsewhere too.
pub(super) fn is_named_again(reading: &Reading, candidate: &Candidate) -> bool {
    let sheet = &reading.sheet;
    let Typed::Text(name) = &candidate.value else { return false };
    let words = firm_words(name);
    let elsewhere = |first: usize, end: usize| end <= candidate.first || first >= candidate.end;
    let runs = runs_of(&words);
    let on_the_web = || {
        let addresses = sheet.page.words.iter().filter_map(|word| domain(&word.text));
        addresses.into_iter().any(|address| runs.contains(&address))
    };
    let as_brand = || {
        let alone = sheet.pieces.iter().filter(|piece| elsewhere(piece.first, piece.end));
        alone.into_iter().any(|piece| begins(&words, &firm_words(&sheet.text(piece.first, piece.end))))
    };
    let in_full = || {
        let firms = reading.candidates.get(&Class::Company).into_iter().flatten();
        firms
            .filter(|firm| firm.format > 0.9 && elsewhere(firm.first, firm.end))
            .any(|firm| matches!(&firm.value, Typed::Text(other) if begins(&firm_words(other), &words)))
    };
    on_the_web() || as_brand() || in_full()
}

/// Whether the name begins with the brand: all of it, or two words at least, since one may be a trade.
fn begins(name: &[String], brand: &[String]) -> bool {
    let letters: usize = brand.iter().map(|word| word.chars().count()).sum();
    (brand.len() >= 2 || brand.len() == name.len()) && letters >= LEAST_LETTERS && name.starts_with(brand)
}

/// Words that follow each other, joined as the names of web sites are.
fn runs_of(words: &[String]) -> Vec<String> {
    let runs = (0..words.len()).flat_map(|from| (from + 1..=words.len()).map(move |to| (from, to)));
    runs.map(|(from, to)| words[from..to].concat())
        .filter(|run| run.chars().count() >= LEAST_LETTERS)
        .collect()
}

/// The name of a site or of a mail's host before its last part: `www.luz-norte.example/faq` → `luznorte`.
fn domain(word: &str) -> Option<String> {
    let word = word.to_lowercase();
    let word = word.trim_matches(|ch: char| !ch.is_alphanumeric());
    let after_scheme = word.split_once("://").map_or(word, |(_, rest)| rest);
    let is_address =
        after_scheme.contains('@') || after_scheme.starts_with("www.") || after_scheme.len() < word.len();
    let host = after_scheme.rsplit('@').next()?.split('/').next()?;
    let (before, _) = host.rsplit_once('.')?;
    let name = before.rsplit('.').next()?;
    is_address.then(|| name.chars().filter(|ch| ch.is_alphanumeric()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_owner() {
        for (word, owner) in [
            ("www.luz-norte.example", Some("luznorte")),
            ("(www.luznorte.example).", Some("luznorte")),
            ("clientes@luznorte.example,", Some("luznorte")),
            ("https://area.luznorte.example/facturas", Some("luznorte")),
            ("12.345,60", None),
            ("S.A.U.", None),
            ("a@b", None),
        ] {
            assert_eq!(domain(word).as_deref(), owner, "{word}");
        }
    }

    #[test]
    fn a_brand_is_the_beginning_of_the_name() {
        let words = |text: &str| firm_words(text);
        let name = words("Luz Norte Comercializadora, S.L.");
        assert!(begins(&name, &words("LUZ NORTE")));
        assert!(begins(&name, &words("Luz Norte Comercializadora SL")));
        assert!(begins(&words("Voltaria, S.A."), &words("voltaria")));
        assert!(!begins(&words("Distribuidora Levante, S.L."), &words("Distribuidora:")), "a trade");
        assert!(!begins(&name, &words("Norte Comercializadora")));
        assert_eq!(runs_of(&words("El Sol, S.A.")), ["elsol"]);
    }
}
