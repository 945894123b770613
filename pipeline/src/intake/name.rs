//! Names of files as they are kept: whatever a sender calls them, they fit an index and a screen.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// Longest name, in bytes: what file systems take.
const LONGEST: usize = 240;
/// Longer endings are no endings.
const LONGEST_ENDING: usize = 16;

/// The name, or the beginning of one that is too long with its ending kept. Two long names that differ stay
/// two names.
pub fn shortened(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let ending = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default();
    let ending = if ending.len() <= LONGEST_ENDING && !ending.contains('/') { ending } else { "" };
    let digest = hex::encode(Sha256::digest(name.as_bytes()));
    let mark = format!("…{}{ending}", digest.get(..12).unwrap_or_default());
    let mut beginning = String::new();
    for letter in name.chars() {
        if beginning.len() + letter.len_utf8() + mark.len() > LONGEST {
            break;
        }
        beginning.push(letter);
    }
    beginning.push_str(&mark);
    Cow::Owned(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(shortened("nómina.pdf"), "nómina.pdf");
        let long = format!("{}.pdf", "ñ".repeat(5_000));
        let other = format!("{}x.pdf", "ñ".repeat(5_000));
        let (one, two) = (shortened(&long), shortened(&other));
        assert!(one.len() <= LONGEST && one.ends_with(".pdf") && one.starts_with("ññ"), "{one}");
        assert_ne!(one, two);
        assert_eq!(shortened(&one), one, "once is enough");
        let folders = format!("a.b/{}", "c".repeat(300));
        assert!(shortened(&folders).len() <= LONGEST);
    }
}
