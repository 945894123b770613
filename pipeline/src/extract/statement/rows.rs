//! Lines of the table become movements: one for each amount in a column of movements, with its date from
//! the line, from a line before it, or from the heading of its day, and its description from all its
//! lines. Balances on lines that are no movements are kept apart.

use super::assembly::Assembly;
use super::columns::{Columns, find_columns, find_date_columns};
use super::heading::find_headers;
use super::line::{Line, PrintedDate, Token};
use super::region::{special_of, table_lines};
use super::roles::assign;
use super::running::Day;
use super::vocabulary::{Role, Special};
use crate::domain::Rect;

/// A movement as it stands in the table, top to bottom.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the row")]
#[derive(Debug, Clone)]
pub(super) struct Movement {
    pub(super) page: usize,
    pub(super) bounds: Rect,
    pub(super) date: Option<PrintedDate>,
    /// The date stands on the row itself, or rows have none of their own here.
    pub(super) dated: bool,
    /// Nearly every row has its own date: one without it was misread.
    pub(super) date_missed: bool,
    pub(super) date_certainty: f32,
    pub(super) value_date: Option<PrintedDate>,
    pub(super) description: Vec<String>,
    /// Signed cents with costs, as read first; empty when only a balance was read.
    pub(super) amounts: Vec<(i64, f32)>,
    /// The direction is printed or told by the column.
    pub(super) signed: bool,
    pub(super) certainty: f32,
    pub(super) balances: Vec<(i64, f32)>,
    pub(super) balance_certainty: f32,
    pub(super) ocr: bool,
}

/// A balance or total on a line that is no movement.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) special: Special,
    /// Signed cents with costs.
    pub(super) values: Vec<(i64, f32)>,
    pub(super) raw: String,
    pub(super) page: usize,
    pub(super) bounds: Rect,
    pub(super) certainty: f32,
    /// How many movements stand before it.
    pub(super) place: usize,
}

/// Everything that the table tells.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) movements: Vec<Movement>,
    pub(super) mentions: Vec<Mention>,
    /// Days whose heading tells the balance at their end.
    pub(super) days: Vec<Day>,
    /// Lines that belong to the table or its headings.
    pub(super) used: Vec<bool>,
    pub(super) has_balances: bool,
}

/// Reads the table of all lines.
pub(super) fn read_table(lines: &[Line]) -> Table {
    let headers = find_headers(lines);
    let table = table_lines(lines, &headers);
    let specials: Vec<Option<Special>> = lines.iter().map(special_of).collect();
    let columns = find_columns(lines, &table, &headers);
    if columns.amounts.is_empty() {
        return Table { used: vec![false; lines.len()], ..Table::default() };
    }
    let skip: Vec<bool> =
        (0..lines.len()).map(|index| !table[index] || is_total(&lines[index], specials[index])).collect();
    let roles = assign(lines, &skip, &columns);
    let mut fitted = lines.to_vec();
    for line in &mut fitted {
        line.fit = columns.fits.get(line.page).copied().unwrap_or((1.0, 0.0));
    }
    let lines = fitted.as_slice();
    let dates = find_date_columns(lines, &movement_lines(lines, &table, &columns, &roles), &headers);
    let has_balances = roles.contains(&Role::Balance) || lines.iter().any(|line| line.running.is_some());
    let by_mark = debit_signs(lines, &columns, &roles);
    let empty = Table { used: table.clone(), has_balances, ..Table::default() };
    Assembly::new(lines, &headers, (&columns, &roles), dates, by_mark, empty).assemble(&table, &specials)
}

/// Its amounts are no movement and the balance after it.
fn is_total(line: &Line, special: Option<Special>) -> bool {
    special == Some(Special::Total) || special.is_some() && !line.has_date() && line.amounts().count() > 1
}

fn movement_lines(lines: &[Line], table: &[bool], columns: &Columns, roles: &[Role]) -> Vec<bool> {
    let moves = |index: usize, line: &Line| {
        line.amounts()
            .any(|(place, _, _)| columns.of(index, place).is_some_and(|column| roles[column].is_money()))
    };
    lines.iter().enumerate().map(|(index, line)| table[index] && moves(index, line)).collect()
}

/// In a debit column most amounts are without a minus, or all have one.
fn debit_signs(lines: &[Line], columns: &Columns, roles: &[Role]) -> bool {
    let (mut minus, mut all) = (0_usize, 0_usize);
    for (index, line) in lines.iter().enumerate() {
        for (place, _, amount) in line.amounts() {
            if columns.of(index, place).is_some_and(|column| roles[column] == Role::Debit) {
                all += 1;
                minus += usize::from(amount.sign.is_negative());
            }
        }
    }
    minus * 2 > all
}

pub(super) fn balances_of(token: &Token) -> Vec<(i64, f32)> {
    let Some(amount) = token.amount() else { return Vec::new() };
    let sign = if amount.sign.is_negative() { -1 } else { 1 };
    let mut all = vec![(sign * amount.cents, 0.0)];
    all.extend(amount.others.iter().map(|(cents, cost)| (sign * cents, *cost)));
    all.truncate(14);
    all
}
