//! Whether two documents speak of the same person or the same account. Pure comparisons of
//! normalised values; what a difference means for the case is the rules' business.

mod shared;
mod complete;
mod corroborate;
mod doubt;
#[cfg(test)]
mod fixtures;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use complete::complete;
pub use corroborate::corroborate;
pub use doubt::doubt_near_names;

/// How two printed names compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// The same names in any order, whatever case, accents, titles and separators.
    Same,
    /// One leaves out or shortens names of the other (`M. J. García` and `María José García López`).
    Partial,
    /// They differ only by characters that are easily misread for one another.
    Lookalike,
    Different,
}

/// Words before a name that are not part of it.
const TITLES: [&str; 17] = [
    "d", "dª", "da", "dna", "don", "dona", "sr", "sra", "srª", "srta", "mr", "mrs", "ms", "miss", "mx", "dr",
    "dra",
];

/// Particles that documents print or leave out at will.
const PARTICLES: [&str; 12] = ["de", "del", "la", "las", "el", "los", "y", "i", "e", "do", "dos", "das"];

/// Short forms that Spanish documents print for whole names.
const SHORT_FORMS: [(&str, &str); 5] =
    [("ma", "maria"), ("mª", "maria"), ("mº", "maria"), ("fco", "francisco"), ("fca", "francisca")];

/// In a shorter word one letter makes another name.
const LETTER_COUNTS: usize = 4;

/// Joint holders are joined by this (contract, section 7).
const JOINT_SEPARATOR: char = ';';

/// Compares two names of one person each.
pub fn compare_names(left: &str, right: &str) -> NameMatch {
    let (left, right) = (name_words(left), name_words(right));
    if left.is_empty() || right.is_empty() {
        return NameMatch::Different;
    }
    if is_same(&left, &right) {
        return NameMatch::Same;
    }
    let folded =
        |words: &[String]| -> Vec<String> { words.iter().map(|word| fold_lookalikes(word)).collect() };
    if is_same(&folded(&left), &folded(&right)) {
        return NameMatch::Lookalike;
    }
    if is_part_of(&left, &right) || is_part_of(&right, &left) {
        return NameMatch::Partial;
    }
    NameMatch::Different
}

/// The word of `own` in which it is one letter away from `other`: changed, lost or added. Names are far
/// apart when more words differ, or a short one does.
fn letter_apart(own: &str, other: &str) -> Option<String> {
    let (own, other) = (name_words(own), name_words(other));
    let rest = |words: &[String], without: &[String]| {
        let mut left = words.to_vec();
        for word in without {
            if let Some(place) = left.iter().position(|candidate| candidate == word) {
                left.remove(place);
            }
        }
        left
    };
    let (left, right) = (rest(&own, &other), rest(&other, &own));
    let ([left], [right]) = (left.as_slice(), right.as_slice()) else { return None };
    let is_long = left.chars().count().max(right.chars().count()) >= LETTER_COUNTS;
    (own.len() > 1 && is_long && strsim::levenshtein(left, right) == 1).then(|| left.clone())
}

/// Compares a name with a list of joint holders: the best match of them counts.
pub fn compare_with_holders(person: &str, holders: &str) -> NameMatch {
    let matches: Vec<NameMatch> =
        holders.split(JOINT_SEPARATOR).map(|holder| compare_names(person, holder)).collect();
    [NameMatch::Same, NameMatch::Partial, NameMatch::Lookalike]
        .into_iter()
        .find(|wanted| matches.contains(wanted))
        .unwrap_or(NameMatch::Different)
}

/// Whether two identifiers (IBAN, tax id, CUPS, policy number) are one, whatever the spelling.
pub fn same_identifier(left: &str, right: &str) -> bool {
    let (left, right) = (identifier(left), identifier(right));
    !left.is_empty() && left == right
}

/// Capitals and digits only.
pub fn identifier(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Lower case without accents: `GARCÍA` and `garcia` fold to the same text.
pub fn fold_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ø' => folded.push('o'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'þ' => folded.push_str("th"),
            // What a lower-casing adds, as in `İ`.
            c if is_combining_mark(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Characters that a reader easily takes for one another fold to one.
pub fn fold_lookalikes(text: &str) -> String {
    let single = text.chars().map(|c| match c {
        '0' | 'q' => 'o',
        '1' | 'l' | '|' | '!' | 'j' => 'i',
        '5' => 's',
        '8' => 'b',
        '2' => 'z',
        '6' => 'g',
        'c' => 'e',
        'v' => 'u',
        c => c,
    });
    single.collect::<String>().replace("rn", "m").replace("uu", "w").replace("ii", "u")
}

/// The words of a name without titles and particles, short forms written out.
fn name_words(name: &str) -> Vec<String> {
    // `M.ª` and `D.ª` are one word.
    let spelled = name.replace(".ª", "ª").replace(".º", "º").replace(['\'', '’', '`', '´'], "");
    let folded = fold_text(&spelled);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(write_out).collect();
    while words.len() > 2 && words.first().is_some_and(|word| TITLES.contains(&word.as_str())) {
        words.remove(0);
    }
    // `García López, Don Juan`: a title may stand within, where it is never a name.
    words.retain(|word| !["don", "dona", "srta", "sra"].contains(&word.as_str()));
    let kept: Vec<String> =
        words.iter().filter(|word| !PARTICLES.contains(&word.as_str())).cloned().collect();
    if kept.is_empty() { words } else { kept }
}

fn write_out(word: &str) -> String {
    let full = SHORT_FORMS.iter().find(|(short, _)| *short == word).map(|(_, full)| *full);
    full.unwrap_or(word).to_owned()
}

fn is_same(left: &[String], right: &[String]) -> bool {
    let transcribed = |words: &[String]| sorted(words.iter().map(|word| fold_transcription(word)));
    sorted(left.iter().cloned()) == sorted(right.iter().cloned())
        || transcribed(left) == transcribed(right)
        || runs_together(left, right)
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words
}

/// Machine-readable zones write `MÜLLER` as `MUELLER` (ICAO 9303-3, section 6).
fn fold_transcription(word: &str) -> String {
    word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
}

/// The same letters with lost or added spaces, in either order of given names and surnames.
fn runs_together(left: &[String], right: &[String]) -> bool {
    let goal = right.concat();
    if left.len() == right.len() || left.concat().len() != goal.len() {
        return false;
    }
    let is_rotation = |words: &[String]| {
        (0..words.len()).any(|start| {
            let (head, tail) = words.split_at(start);
            format!("{}{}", tail.concat(), head.concat()) == goal
        })
    };
    let turned = || {
        (0..right.len()).any(|start| {
            let (head, tail) = right.split_at(start);
            format!("{}{}", tail.concat(), head.concat()) == left.concat()
        })
    };
    is_rotation(left) || turned()
}

/// Every word of `part` stands in `whole`, as a whole or as an initial, and at least two as a whole.
fn is_part_of(part: &[String], whole: &[String]) -> bool {
    if part.len() > whole.len() {
        return false;
    }
    let mut free: Vec<&String> = whole.iter().collect();
    let mut full_words = 0;
    let (initials, words): (Vec<&String>, Vec<&String>) =
        part.iter().partition(|word| word.chars().count() == 1);
    for word in words {
        let Some(place) = free.iter().position(|candidate| *candidate == word) else { return false };
        free.remove(place);
        full_words += 1;
    }
    for initial in initials {
        let Some(place) = free.iter().position(|candidate| candidate.starts_with(initial.as_str())) else {
            return false;
        };
        free.remove(place);
    }
    full_words >= 2 || (full_words == 1 && part.len() >= 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_compare_as_people_would() {
        let table = [
            ("María José García López", "GARCIA LOPEZ, MARIA JOSE", NameMatch::Same),
            ("D. Juan Pérez Ruiz", "Juan Perez Ruiz", NameMatch::Same),
            ("Dª Ana Núñez Gil", "NUNEZ GIL ANA", NameMatch::Same),
            ("Mª José García López", "María José García López", NameMatch::Same),
            ("M.ª José García López", "María José García López", NameMatch::Same),
            ("María de la Cruz Gil", "Cruz Gil, María", NameMatch::Same),
            ("Ana García-Lorca", "Ana García Lorca", NameMatch::Same),
            ("Seán O'Neill", "ONEILL SEAN", NameMatch::Same),
            ("Jürgen Müller", "MUELLER JUERGEN", NameMatch::Same),
            ("MARIAJOSE GARCIA LOPEZ", "García López María José", NameMatch::Same),
            ("Łukasz Grøn", "Lukasz Gron", NameMatch::Same),
            ("María García López", "María José García López", NameMatch::Partial),
            ("M. J. García López", "María José García López", NameMatch::Partial),
            ("John Smith", "John Michael Smith", NameMatch::Partial),
            ("Juan García", "Juan García Pérez", NameMatch::Partial),
            ("Juan GarcIa P3rez", "Juan Garcla P3rez", NameMatch::Lookalike),
            ("Ana García López", "Eva García López", NameMatch::Different),
            ("Juan Pérez", "Juan Gómez", NameMatch::Different),
            ("García", "García López", NameMatch::Different),
            ("", "García", NameMatch::Different),
            ("Mario Gil Ruiz", "María Gil Ruiz", NameMatch::Different),
        ];
        for (left, right, expected) in table {
            assert_eq!(compare_names(left, right), expected, "{left} / {right}");
            assert_eq!(compare_names(right, left), expected, "{right} / {left}");
        }
    }

    #[test]
    fn one_of_the_joint_holders_is_enough() {
        assert_eq!(compare_with_holders("Ana Gil Ruiz", "Luis Mora Paz; GIL RUIZ ANA"), NameMatch::Same);
        assert_eq!(compare_with_holders("Ana Gil Ruiz", "Luis Mora Paz; Eva Gil"), NameMatch::Different);
    }

    #[test]
    fn identifiers_compare_without_separators() {
        assert!(same_identifier("ES91 2100-0418", "es9121000418"));
        assert!(!same_identifier("", ""));
    }

    proptest! {
        #[test]
        fn comparing_is_symmetric(left in "[A-Za-zÁÉÍÓÚÑáéíóúñüª.' ,-]{0,30}", right in "[A-Za-zÁÉÍÓÚÑáéíóúñüª.' ,-]{0,30}") {
            prop_assert_eq!(compare_names(&left, &right), compare_names(&right, &left));
        }

        #[test]
        fn a_name_is_its_own_without_accents_and_in_any_order(words in proptest::collection::vec("[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{4,8}", 2..5), turn in 0usize..4) {
            let name = words.join(" ");
            let mut turned = words.clone();
            turned.rotate_left(turn % words.len());
            prop_assert_eq!(compare_names(&name, &turned.join(" ")), NameMatch::Same);
            prop_assert_eq!(compare_names(&name, &fold_text(&name).to_uppercase()), NameMatch::Same);
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let folded = fold_text(&text);
            prop_assert_eq!(fold_text(&folded), folded);
        }
    }
}
