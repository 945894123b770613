//! Which lines belong to the table, and which of them are no movements.

use super::heading::Header;
use super::line::Line;
use super::vocabulary::{Special, special_in, special_like};

/// The lines below headings; without headings, from the first dated amount on.
pub(super) fn table_lines(lines: &[Line], headers: &[Header]) -> Vec<bool> {
    let mut table = vec![false; lines.len()];
    let start = match headers.first() {
        Some(header) => header.last + 1,
        None => (0..lines.len()).find(|at| starts_table(lines, *at)).unwrap_or(lines.len()),
    };
    for (index, line) in lines.iter().enumerate().skip(start) {
        let own = headers.iter().find(|header| header.page == line.page);
        let heading = headers.iter().any(|header| (header.first..=header.last).contains(&index));
        // Above a repeated heading stands at most what is carried over.
        let above = own.is_some_and(|header| index < header.first) && !is_carried(line);
        table[index] = !heading && !above;
    }
    table
}

fn is_carried(line: &Line) -> bool {
    line.has_amount() && matches!(special_of(line), Some(Special::Carried | Special::Opening))
}

fn starts_table(lines: &[Line], at: usize) -> bool {
    let line = &lines[at];
    let dates = line.tokens.iter().filter(|token| token.date().is_some()).count();
    let first_dated = line.tokens.iter().take(2).any(|token| token.date().is_some());
    if !first_dated || special_of(line).is_some() {
        return false;
    }
    if line.has_amount() {
        return true;
    }
    let day_heading = dates == 1 && line.tokens.len() <= 3;
    day_heading
        && lines.get(at + 1).is_some_and(|next| {
            next.page == line.page
                && next.has_amount()
                && special_of(next).is_none()
                && next.tokens.len() >= 3
        })
}

/// What the line is if it is no movement: by its words, when they begin it or when it has one amount.
pub(super) fn special_of(line: &Line) -> Option<Special> {
    let text = line.compact_text();
    let amounts = line.amounts().count();
    if let Some((special, place, length)) = special_in(&text) {
        // The totals of the columns may close with the balance: `sumas y saldo final`.
        let tail = text.get(place + length..).and_then(special_in).map(|(special, ..)| special);
        let special = match (special, tail) {
            (Special::Total, Some(balance @ (Special::Opening | Special::Closing))) if amounts > 1 => balance,
            _ => special,
        };
        let rest = text.len() - length;
        let total_only_at_start = special != Special::Total || place == 0;
        if total_only_at_start && (place <= 3 && rest <= 40 || amounts <= 1 && rest <= 25) {
            return Some(special);
        }
    }
    if line.ocr { special_like(&text) } else { None }
}
