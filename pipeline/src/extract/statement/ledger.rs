//! Running balances as constraints: they decide order and directions, confirm amounts, and choose
//! among a recogniser's readings. On born-digital text nothing is corrected: what is printed stands.

use rust_decimal::Decimal;

use crate::domain::{CharReading, Page};

use super::super::parse::number::read_shape;
use super::line::{MoneyItem, PrintedDate, readings};
use super::table::Entry;

/// A row whose amount is settled.
#[derive(Debug, Clone)]
pub(super) struct Posting {
    pub(super) amount: Decimal,
    pub(super) balance: Option<Decimal>,
    /// Whether the balances before and behind it confirm the amount.
    pub(super) confirmed: Option<bool>,
    /// The direction is printed or confirmed, not assumed.
    pub(super) directed: bool,
    pub(super) repaired: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) postings: Vec<Posting>,
    pub(super) order: Order,
}

/// A runner-up must be at least this likely to replace a digit on a balance's word: below it, the
/// print itself is taken to be inconsistent.
const LEAST_RUNNER_UP: f32 = 0.004;

pub(super) fn settle(entries: &[Entry], opening: Option<Decimal>, pages: &[&Page]) -> Ledger {
    let signed_somewhere = entries.iter().any(|entry| entry.direction == Some(-1));
    let mut postings: Vec<Posting> = entries.iter().map(|entry| posting(entry, signed_somewhere)).collect();
    let order = order_of(entries, &postings);
    let ocr = |entry: &Entry| pages.get(entry.page_index).is_some_and(|page| page.source.is_ocr());
    let indices: Vec<usize> = match order {
        Order::OldestFirst => (0..postings.len()).collect(),
        Order::NewestFirst => (0..postings.len()).rev().collect(),
    };
    // Pass one: directions that only the balances know, and digits that they choose.
    let mut before = opening;
    for (step, at) in indices.iter().copied().enumerate() {
        let next = indices.get(step + 1).copied();
        if let (Some(start), Some(end)) = (before, postings[at].balance) {
            let change = end - start;
            let guessed = !postings[at].directed || ocr(&entries[at]);
            if change == postings[at].amount {
                postings[at].directed = true;
            } else if guessed && change == -postings[at].amount {
                postings[at].amount = change;
                postings[at].directed = true;
            } else if ocr(&entries[at]) {
                repair(entries, &mut postings, at, next, start, pages);
            }
        } else if let (Some(start), None, true) = (before, postings[at].balance, ocr(&entries[at])) {
            // No balance in this row: it is carried on.
            before = Some(start + postings[at].amount);
            continue;
        }
        before = postings[at].balance.or_else(|| before.map(|start| start + postings[at].amount));
    }
    confirm(&mut postings, &indices, opening);
    Ledger { postings, order }
}

fn posting(entry: &Entry, signed_somewhere: bool) -> Posting {
    let size = entry.amount.money.amount.abs();
    let amount = if entry.direction == Some(-1) { -size } else { size };
    // A negative figure in a debit column gives money back.
    let reversed = entry.direction.is_some() && entry.amount.money.amount.is_sign_negative();
    let from_column = entry.direction == Some(1) && reversed;
    Posting {
        amount: if from_column { -size } else { amount },
        balance: entry.balance.as_ref().map(|item| item.money.amount),
        confirmed: None,
        directed: entry.direction.is_some() || signed_somewhere,
        repaired: false,
    }
}

/// Newest first if more balances say so, or, without balances, if the dates fall.
fn order_of(entries: &[Entry], postings: &[Posting]) -> Order {
    let (mut oldest, mut newest) = (0, 0);
    for pair in postings.windows(2) {
        let (Some(one), Some(two)) = (pair[0].balance, pair[1].balance) else { continue };
        oldest += usize::from((two - one).abs() == pair[1].amount.abs());
        newest += usize::from((one - two).abs() == pair[0].amount.abs());
    }
    if oldest != newest {
        return if newest > oldest { Order::NewestFirst } else { Order::OldestFirst };
    }
    let falling = |pair: &[Entry]| match (order_key(pair[0].date), order_key(pair[1].date)) {
        (one, two) if one > two => 1,
        (one, two) if one < two => -1,
        _ => 0,
    };
    let trend: i32 = entries.windows(2).map(falling).sum();
    if trend > 0 { Order::NewestFirst } else { Order::OldestFirst }
}

fn order_key(date: PrintedDate) -> (i32, u32, u32) {
    use chrono::Datelike;
    match date {
        PrintedDate::Full(date) => (date.year(), date.month(), date.day()),
        PrintedDate::DayMonth(day) => (0, day.month, day.day),
    }
}

/// Start and balance do not fit the amount: whichever of the two has a reading that fits is put
/// right, the balance only if the row behind it agrees.
fn repair(
    entries: &[Entry],
    postings: &mut [Posting],
    at: usize,
    next: Option<usize>,
    start: Decimal,
    pages: &[&Page],
) {
    let Some(end) = postings[at].balance else { return };
    let page = pages[entries[at].page_index];
    let next_fits = |balance: Decimal| {
        next.and_then(|next| {
            postings[next].balance.map(|after| (after - balance).abs() == postings[next].amount.abs())
        })
    };
    let change = end - start;
    if next_fits(end) != Some(false) && could_read(page, &entries[at].amount, change.abs()) {
        postings[at].amount = change;
        postings[at].directed = true;
        postings[at].repaired = true;
        return;
    }
    let Some(item) = &entries[at].balance else { return };
    for amount in [postings[at].amount, -postings[at].amount] {
        let wanted = start + amount;
        if next_fits(wanted) != Some(false) && could_read(page, item, wanted.abs()) {
            postings[at].amount = amount;
            postings[at].balance = Some(wanted);
            postings[at].repaired = true;
            return;
        }
    }
}

/// Whether the recogniser's runner-ups, or a lost separator, let the figure be read as `wanted`.
fn could_read(page: &Page, item: &MoneyItem, wanted: Decimal) -> bool {
    if item.money.amount.abs() == wanted {
        return true;
    }
    digits_could_read(&readings(page, &item.place), wanted)
}

/// The same for recognised characters: as many digits, at most two of them replaced by runner-ups.
pub(super) fn digits_could_read(chars: &[CharReading], wanted: Decimal) -> bool {
    let digits: Vec<usize> = (0..chars.len()).filter(|at| chars[*at].ch.is_ascii_digit()).collect();
    let mut target = wanted;
    target.rescale(2);
    let target: Vec<char> = target.to_string().chars().filter(char::is_ascii_digit).collect();
    if target.len() != digits.len() {
        return false;
    }
    let mut changes = 0;
    for (at, want) in digits.iter().zip(&target) {
        let reading = &chars[*at];
        if reading.ch == *want {
            continue;
        }
        changes += 1;
        let offered = reading
            .alternatives
            .iter()
            .any(|(ch, probability)| ch == want && *probability >= LEAST_RUNNER_UP);
        if !offered {
            return false;
        }
    }
    changes <= 2 && read_shape(&target.iter().collect::<String>()).is_some()
}

/// Marks each row whose balance equation holds or fails.
fn confirm(postings: &mut [Posting], indices: &[usize], opening: Option<Decimal>) {
    let mut before = opening;
    let mut since: Vec<usize> = Vec::new();
    for at in indices.iter().copied() {
        since.push(at);
        let Some(balance) = postings[at].balance else { continue };
        if let Some(start) = before {
            let sum: Decimal = since.iter().map(|at| postings[*at].amount).sum();
            let holds = start + sum == balance;
            for at in &since {
                postings[*at].confirmed = Some(holds);
            }
        }
        before = Some(balance);
        since.clear();
    }
}
