//! The rows of the table: which lines are transactions, and what belongs to each.

use crate::domain::Rect;

use super::balance_line::{BalanceLine, classify};
use super::columns::{Columns, infer};
use super::header;
use super::line::{DateItem, Line, MoneyItem, PrintedDate};

/// A transaction before signs and years are settled.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) page_index: usize,
    pub(super) bounds: Rect,
    pub(super) date: PrintedDate,
    pub(super) date_certainty: f32,
    pub(super) value_date: Option<PrintedDate>,
    pub(super) description: Vec<String>,
    pub(super) amount: MoneyItem,
    /// −1 or +1 where the column tells the direction.
    pub(super) direction: Option<i8>,
    pub(super) balance: Option<MoneyItem>,
}

/// A balance that a row of its own states.
#[derive(Debug, Clone)]
pub(super) struct Stated {
    pub(super) kind: BalanceLine,
    pub(super) money: MoneyItem,
    pub(super) page_index: usize,
    /// Transactions above it.
    pub(super) after: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    pub(super) stated: Vec<Stated>,
}

/// Rows further below the last one than this many text heights no longer belong to the table.
const TABLE_GAP: f32 = 6.0;
/// Lines of one description stand no further apart than this many text heights, centre to centre.
const CONTINUATION_GAP: f32 = 2.3;
const MOST_CONTINUATIONS: usize = 4;

/// Reads the table with the columns its headings name; where no headings are found, with columns
/// inferred from alignment.
pub(super) fn read(lines: &[Line]) -> Table {
    let mut reader = Reader {
        table: Table::default(),
        columns: None,
        current: None,
        pending: None,
        last: None,
        continued: 0,
    };
    let headed =
        lines.iter().enumerate().any(|(at, line)| header::columns(line, lines.get(at + 1)).is_some());
    if !headed {
        reader.columns = infer(lines);
    }
    for (at, line) in lines.iter().enumerate() {
        if let Some(columns) = header::columns(line, lines.get(at + 1)) {
            reader.columns = Some(Columns::new(columns, line.page.width, lines));
            reader.last = Some((line.page_index, line.bounds));
            reader.pending = None;
            continue;
        }
        reader.take(line);
    }
    reader.table
}

/// The dates of the row being read.
#[derive(Debug, Clone)]
struct Dated {
    date: PrintedDate,
    certainty: f32,
    value_date: Option<PrintedDate>,
}

struct Pending {
    dated: Dated,
    description: Vec<String>,
    bounds: Rect,
    page_index: usize,
}

struct Reader {
    table: Table,
    columns: Option<Columns>,
    current: Option<Dated>,
    pending: Option<Pending>,
    /// Page and bounds of the last row of the table.
    last: Option<(usize, Rect)>,
    continued: usize,
}

impl Reader {
    fn take(&mut self, line: &Line) {
        let Some(columns) = self.columns.clone() else {
            self.state(line, &Columns::default());
            return;
        };
        if self.state(line, &columns) {
            return;
        }
        let dated = dated(line, &columns);
        if columns.is_total(line)
            || dated.is_none() && !line.folded.chars().any(char::is_alphabetic) && line.monies.len() > 1
        {
            return;
        }
        let (amount, direction) = match columns.amount(line) {
            Some((item, direction)) => (Some(item), direction),
            None => (None, None),
        };
        let balance = columns.balance(line);
        match (dated, amount) {
            (Some(dated), Some(amount)) => self.enter(line, &columns, dated, amount, direction, balance),
            (None, Some(amount)) => {
                let near = self.near(line);
                let Some(dated) = self.date_for(line).filter(|_| near) else { return };
                self.enter(line, &columns, dated, amount, direction, balance);
            }
            (Some(dated), None) => self.begin(line, &columns, dated),
            (None, None) => self.go_on(line, &columns, balance),
        }
    }

    /// Whether the row only states a balance or a total; it is noted then.
    fn state(&mut self, line: &Line, columns: &Columns) -> bool {
        let Some(kind) = classify(&line.folded, line.dates.is_empty()) else { return false };
        let money =
            columns.balance(line).or_else(|| line.monies.iter().rev().find(|item| !item.weak).cloned());
        let Some(money) = money else { return false };
        let (page_index, after) = (line.page_index, self.table.entries.len());
        if line.monies.len() <= 2 {
            self.table.stated.push(Stated { kind, money, page_index, after });
        }
        if let Some((page, bounds)) = &mut self.last
            && *page == line.page_index
        {
            *bounds = line.bounds;
        }
        if let Some(dated) = dated(line, columns) {
            self.current = Some(dated);
        }
        self.pending = None;
        self.continued = MOST_CONTINUATIONS;
        true
    }

    fn near(&self, line: &Line) -> bool {
        self.last.is_none_or(|(page, bounds)| {
            page != line.page_index || line.bounds.top - bounds.bottom() < TABLE_GAP * line.height()
        })
    }

    fn date_for(&mut self, line: &Line) -> Option<Dated> {
        let waiting = self.pending.as_ref().is_some_and(|pending| pending.page_index == line.page_index);
        if waiting {
            self.pending.as_ref().map(|pending| pending.dated.clone())
        } else {
            self.current.clone()
        }
    }

    fn enter(
        &mut self,
        line: &Line,
        columns: &Columns,
        dated: Dated,
        amount: MoneyItem,
        direction: Option<i8>,
        balance: Option<MoneyItem>,
    ) {
        let mut description = columns.description(line);
        let mut bounds = line.bounds;
        if let Some(pending) = self
            .pending
            .take()
            .filter(|pending| pending.page_index == line.page_index && line.dates.is_empty())
        {
            description.splice(0..0, pending.description);
            bounds = bounds.union(&pending.bounds);
        }
        self.table.entries.push(Entry {
            page_index: line.page_index,
            bounds,
            date: dated.date,
            date_certainty: dated.certainty,
            value_date: dated.value_date,
            description,
            amount,
            direction,
            balance,
        });
        self.current = Some(Dated { value_date: None, ..dated });
        self.last = Some((line.page_index, line.bounds));
        self.continued = 0;
    }

    /// A date without an amount: a day's heading, or the first line of a transaction.
    fn begin(&mut self, line: &Line, columns: &Columns, dated: Dated) {
        if !self.near(line) && self.table.entries.is_empty() && self.last.is_none() {
            return;
        }
        let mut description = columns.description(line);
        description.retain(|word| !super::columns::is_weekday(word));
        self.current = Some(Dated { value_date: None, ..dated.clone() });
        self.pending = Some(Pending { dated, description, bounds: line.bounds, page_index: line.page_index });
        self.last = Some((line.page_index, line.bounds));
        self.continued = 0;
    }

    /// A line of text, or a balance alone.
    fn go_on(&mut self, line: &Line, columns: &Columns, balance: Option<MoneyItem>) {
        let Some((page, bounds)) = self.last else { return };
        let close = page == line.page_index
            && line.bounds.center_y() - bounds.center_y() < CONTINUATION_GAP * line.height()
            && self.continued < MOST_CONTINUATIONS;
        if !close || line.free.is_empty() && balance.is_none() {
            return;
        }
        let text = columns.description(line);
        if let Some(pending) = &mut self.pending {
            pending.description.extend(text);
        } else if let Some(entry) = self.table.entries.last_mut() {
            if entry.balance.is_none() {
                entry.balance = balance;
            }
            if columns.within_description(line) {
                entry.description.extend(text);
                entry.bounds = entry.bounds.union(&line.bounds);
            }
        }
        self.last = Some((line.page_index, line.bounds));
        self.continued += 1;
    }
}

/// Operation date and value date of a row, from its date columns.
fn dated(line: &Line, columns: &Columns) -> Option<Dated> {
    let items: Vec<&DateItem> = line.dates.iter().filter(|item| columns.is_date(line, item)).collect();
    let first = items.first()?;
    let (mut date, mut value): (&DateItem, Option<&DateItem>) = (first, items.get(1).copied());
    if let Some(second) = value
        && columns.value_date_first(&first.place.bounds, &second.place.bounds)
    {
        (date, value) = (second, Some(*first));
    }
    Some(Dated { date: date.date, certainty: date.place.certainty, value_date: value.map(|item| item.date) })
}
