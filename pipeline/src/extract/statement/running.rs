//! Running balances that have no column: each is named by a phrase of its own, under the amount of its
//! movement or in the heading of its day. Such a phrase is told by its coming back on row after row.

use std::collections::BTreeMap;

use super::assembly::Assembly;
use super::line::{Kind, Line, Token, compact};
use super::rows::balances_of;
use super::vocabulary::{Role, heading_role};
use crate::domain::Rect;

/// A phrase has at most this many words.
const MOST_WORDS: usize = 6;
/// Its words stand closer than this many text heights, its amount, which may be set to a column's edge,
/// closer than this many.
const WORD_GAP: f32 = 1.6;
const AMOUNT_GAP: f32 = 6.0;
/// It comes back on this many lines at least, and on more than one a page: opening and closing balances
/// do not.
const LEAST_TIMES: usize = 3;
/// Under its movement it begins at most this many text heights below it.
const NEAR: f32 = 2.2;

/// The balance at the end of a day that its heading tells.
#[derive(Debug, Clone)]
pub(super) struct Day {
    /// Movements `from..to` are the day's.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) balances: Vec<(i64, f32)>,
    pub(super) certainty: f32,
}

/// Where a named balance stands in its line: its words, then its amount.
struct Named {
    line: usize,
    first: usize,
    amount: usize,
    phrase: String,
}

/// Takes the running balances out of their lines' tokens: what is left reads as if they were not there.
pub(super) fn set_apart(lines: &mut [Line]) {
    let pages = lines.last().map_or(0, |line| line.page + 1);
    let named: Vec<Named> =
        lines.iter().enumerate().filter_map(|(index, line)| named_balance(index, line)).collect();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &named {
        *times.entry(&one.phrase).or_default() += 1;
    }
    let recurs = |phrase: &str| {
        let near = |other: &str| {
            let allowed = other.len() / 5;
            other.len().abs_diff(phrase.len()) <= allowed && strsim::levenshtein(other, phrase) <= allowed
        };
        let alike = times.iter().filter(|(other, _)| **other == phrase || near(other));
        let count: usize = alike.map(|(_, count)| count).sum();
        count >= LEAST_TIMES && count > 2 * pages
    };
    let running: Vec<&Named> = named.iter().filter(|one| recurs(&one.phrase)).collect();
    for one in running {
        take_out(&mut lines[one.line], one);
    }
}

fn take_out(line: &mut Line, named: &Named) {
    line.running = line.tokens.get(named.amount).cloned();
    line.tokens.drain(named.first..=named.amount);
    line.compact = line.tokens.iter().map(|token| compact(&token.text)).collect();
    line.bounds = Rect::around(line.tokens.iter().map(|token| token.bounds)).unwrap_or(line.bounds);
}

/// The last amount of a line, if words right before it call it a balance.
fn named_balance(index: usize, line: &Line) -> Option<Named> {
    let amount = line.amounts().last().map(|(place, _, _)| place)?;
    let mut after = line.tokens[amount].bounds;
    for first in (amount.saturating_sub(MOST_WORDS)..amount).rev() {
        let token = &line.tokens[first];
        let reach = if first + 1 == amount { AMOUNT_GAP } else { WORD_GAP };
        if !matches!(token.kind, Kind::Text) || after.left - token.bounds.right() > reach * line.height {
            return None;
        }
        after = token.bounds;
        if heading_role(&compact(&token.text), line.ocr) == Some(Role::Balance) {
            let phrase = line.tokens[first..amount].iter().map(|token| compact(&token.text)).collect();
            return Some(Named { line: index, first, amount, phrase });
        }
    }
    None
}

impl Assembly<'_> {
    /// The running balance that was set apart from a line belongs to the line's own movement, to the day
    /// that the line heads, or to the movement above it. `before` movements were there before the line.
    pub(super) fn attach_running(&mut self, index: usize, before: usize, heads_day: bool) {
        let line = &self.lines[index];
        let Some(token) = &line.running else { return };
        let certainty = token.amount().map_or(0.0, |amount| amount.certainty);
        let count = self.table.movements.len();
        if count == before && heads_day {
            self.end_day();
            self.table.days.push(Day { from: count, to: count, balances: balances_of(token), certainty });
            return;
        }
        let Some(movement) = self.table.movements.last_mut() else { return };
        let near =
            movement.page == line.page && token.bounds.top - movement.bounds.bottom() < NEAR * line.height;
        if movement.balances.is_empty() && (count > before || near) {
            movement.balances = balances_of(token);
            movement.balance_certainty = certainty;
            movement.bounds = movement.bounds.union(&token.bounds);
            self.reach_down(token);
        }
    }

    /// The day that was headed last has no further movements.
    pub(super) fn end_day(&mut self) {
        let count = self.table.movements.len();
        if let Some(day) = self.table.days.last_mut().filter(|day| day.to == day.from) {
            day.to = count;
        }
    }

    /// What continues the movement stands below its balance.
    fn reach_down(&mut self, token: &Token) {
        if let Some(open) = &mut self.open {
            open.bottom = open.bottom.max(token.bounds.bottom());
        }
    }
}
