//! Names of firms: capitalised words up to their legal form, or a brand that stands alone.

use super::{capital_run, placed};
use crate::domain::Rect;
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::name;
use crate::extract::parse::text::fold;

/// Words that no firm's name begins with.
const JOINTS: [&str; 12] =
    ["entre", "con", "por", "y", "de", "para", "a", "between", "and", "with", "by", "from"];

pub(super) fn companies(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let mut at = first;
    while at < end {
        let run = capital_run(sheet, at, end, false);
        if run > at {
            push_company(sheet, first, at, run, found);
            at = run;
        } else {
            at += 1;
        }
    }
}

fn push_company(sheet: &Sheet, chunk: usize, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let piece = sheet.piece_of_word[first];
    // In a line of capitals the words between names are capitals too.
    let joint = |word: &usize| JOINTS.contains(&fold(&sheet.page.words[*word].text).as_str());
    let first = (first..end).find(|word| !joint(word)).unwrap_or(first);
    let with_form = (first + 2..=end).rev().find(|cut| {
        let text = sheet.text(first, *cut);
        name::has_legal_form(&text)
            && ends_in_legal_form(sheet, first, *cut)
            && name::firm_words(&text).iter().any(|word| !name::is_legal_form(word))
    });
    if let Some(cut) = with_form {
        let text = sheet.text(first, cut);
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(placed((piece, piece), (first, cut), sheet.bounds(first, cut), text, value, 1.0));
        return;
    }
    let text = sheet.text(first, end);
    let value = firm_name(sheet, &text);
    let letters = value.chars().filter(|ch| ch.is_alphabetic()).count();
    let prose = sheet.pieces[piece].prose;
    let crossing = continued_firm(sheet, piece, first, end);
    if let Some((last_piece, last, text, bounds)) = crossing {
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(placed((piece, last_piece), (first, last), bounds, text, value, 0.95));
    } else if letters >= 4 && first == chunk && !prose && end - first <= 7 && !value.contains(',') {
        found.push(placed(
            (piece, piece),
            (first, end),
            sheet.bounds(first, end),
            text,
            Typed::Text(value),
            0.55,
        ));
    }
}

/// A firm whose legal form stands on the next line.
fn continued_firm(
    sheet: &Sheet,
    piece: usize,
    first: usize,
    end: usize,
) -> Option<(usize, usize, String, Rect)> {
    let last = &sheet.page.words[end - 1].text;
    let is_number = last.ends_with('.') && last.chars().any(|ch| ch.is_ascii_digit());
    if end != sheet.pieces[piece].end || is_number {
        return None;
    }
    let below = sheet.pieces[piece].below?;
    let next = &sheet.pieces[below];
    for cut in (next.first + 1..=next.end.min(next.first + 6)).rev() {
        let text = format!("{} {}", sheet.text(first, end), sheet.text(next.first, cut));
        let capital = capital_run(sheet, next.first, cut, false) == cut;
        if capital
            && !names_it_again(&sheet.text(first, end), &sheet.text(next.first, cut))
            && name::has_legal_form(&text)
            && ends_in_legal_form(sheet, next.first, cut)
        {
            return Some((below, cut, text, sheet.bounds(first, end).union(&sheet.bounds(next.first, cut))));
        }
    }
    None
}

/// The brand stands over the whole name, of which it is no beginning.
fn names_it_again(above: &str, below: &str) -> bool {
    let below = name::firm_words(below);
    name::firm_words(above).iter().any(|word| word.chars().count() >= 4 && below.contains(word))
}

/// The legal form ends exactly at the cut, not a word before it.
fn ends_in_legal_form(sheet: &Sheet, first: usize, cut: usize) -> bool {
    let last = &sheet.page.words[cut - 1].text;
    // `SE` of a Societas Europaea is a pronoun in a line of capitals.
    if last == "SE" && !sheet.text(first, cut).chars().any(char::is_lowercase) {
        return false;
    }
    let shorter = cut > first + 2 && name::has_legal_form(&sheet.text(first, cut - 1));
    let alone = name::has_legal_form(&format!("Firma {last}"));
    alone || !shorter
}

fn firm_name(sheet: &Sheet, text: &str) -> String {
    let name = name::clean(text.trim_end_matches([',', ';', ':']));
    if sheet.page.source.is_ocr() { name::mend_legal_form(&name) } else { name }
}

pub(super) fn firm_of_whole_piece(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let text = sheet.text(first, end);
    if name::has_legal_form(&text)
        && capital_run(sheet, first, end, false) == end
        && ends_in_legal_form(sheet, first, end)
    {
        let piece = sheet.piece_of_word[first];
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(placed((piece, piece), (first, end), sheet.bounds(first, end), text, value, 0.97));
    }
}
