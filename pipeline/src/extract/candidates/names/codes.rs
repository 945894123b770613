//! Numbers of contracts, invoices and claims: words of capitals, digits and separators that are no code of
//! another kind.

use super::placed;
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::{cups, date, iban, tax_id};

/// Two letters and so many digits begin an account number; those of contracts and invoices are shorter.
const SHORTEST_ACCOUNT: usize = 16;

/// Codes: words of capitals, digits and separators with a digit among them.
pub(super) fn identifiers(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let words = &sheet.page.words;
    let is_code = |word: usize| {
        let text =
            words[word].text.trim_matches(|ch: char| matches!(ch, '.' | ',' | ';' | ':' | '(' | ')' | '#'));
        let mark = |ch: char| {
            ch.is_ascii_uppercase() || ch.is_ascii_digit() || matches!(ch, '-' | '/' | '.' | '_' | '–')
        };
        !text.is_empty() && text.chars().all(mark)
    };
    let has_digit = |word: usize| words[word].text.chars().any(|ch| ch.is_ascii_digit());
    let mut at = first;
    while at < end {
        if !is_code(at) {
            at += 1;
            continue;
        }
        let run = (at..end.min(at + 5)).take_while(|word| is_code(*word)).last().map_or(at, |word| word + 1);
        let piece = sheet.piece_of_word[at];
        let stop = if sheet.pieces[piece].prose {
            (at..run).find(|word| has_digit(*word)).map_or(run, |word| word + 1)
        } else {
            run
        };
        if (at..stop).any(has_digit) {
            let text = sheet.text(at, stop);
            let code = text.trim_matches(|ch: char| !ch.is_alphanumeric()).replace([' ', '–'], "");
            let digits = code.chars().filter(char::is_ascii_digit).count();
            let format = match () {
                () if code.len() < 3 || digits == 0 => 0.3,
                () if is_another_kind(&code, &text) => 0.25,
                () => 0.95,
            };
            found.push(placed(
                (piece, piece),
                (at, stop),
                sheet.bounds(at, stop),
                text,
                Typed::Text(code),
                format,
            ));
        }
        at = run.max(at + 1);
    }
}

/// An account, a supply point, a tax id or a date is no number of a contract or an invoice.
fn is_another_kind(code: &str, text: &str) -> bool {
    let begins_account = code.len() >= SHORTEST_ACCOUNT
        && code.chars().take(2).all(|ch| ch.is_ascii_uppercase())
        && code.chars().skip(2).all(|ch| ch.is_ascii_digit());
    if begins_account {
        return true;
    }
    let is_whole = |range: &std::ops::Range<usize>| range.len() + 2 >= code.len();
    iban::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || cups::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || tax_id::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || date::find_all(text).iter().any(|found| found.range.len() + 2 >= text.len())
}
