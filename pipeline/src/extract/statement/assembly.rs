//! The table while it is read line by line: what each line adds to a movement, begins, continues or ends.

use super::columns::{Columns, DateColumns};
use super::heading::Header;
use super::line::{Kind, Line, PrintedDate, Token};
use super::rows::{Mention, Movement, Table, balances_of};
use super::vocabulary::{Role, Special};
use crate::domain::Rect;
use crate::extract::parse::money::Sign;

/// A description has at most this many lines after its first.
const MOST_CONTINUED: usize = 5;
/// A continued line starts at most this many text heights below the one before.
const CONTINUED_GAP: f32 = 1.45;
/// The cost of the direction opposite to the one that is printed or that the column tells.
const OTHER_SIGN: f32 = 8.0;
/// The cost of the less usual direction where nothing tells it.
const UNSIGNED: f32 = 0.3;

/// The table while it is read, line by line.
pub(super) struct Assembly<'a> {
    pub(super) lines: &'a [Line],
    pub(super) headers: &'a [Header],
    columns: &'a Columns,
    roles: &'a [Role],
    pub(super) dates: DateColumns,
    /// Debits are printed with a minus in their column.
    by_mark: bool,
    pub(super) table: Table,
    current_date: Option<(PrintedDate, f32)>,
    /// The beginning of a movement whose amount is still to come.
    pending: Option<Pending>,
    /// The movement that following lines may continue: index and bottom of its last line.
    pub(super) open: Option<Open>,
    /// The closing balance or the totals were passed.
    ended: bool,
    mostly_dated: bool,
    page: usize,
}

#[derive(Clone)]
struct Pending {
    texts: Vec<String>,
    bounds: Rect,
    value_date: Option<PrintedDate>,
    bottom: f32,
}

#[derive(Clone, Copy)]
pub(super) struct Open {
    movement: usize,
    pub(super) bottom: f32,
    left: f32,
    lines: usize,
}

impl<'a> Assembly<'a> {
    /// Nothing read yet; `table` is empty but for what is known of it as a whole.
    pub(super) fn new(
        lines: &'a [Line],
        headers: &'a [Header],
        (columns, roles): (&'a Columns, &'a [Role]),
        dates: DateColumns,
        by_mark: bool,
        table: Table,
    ) -> Self {
        Self {
            lines,
            headers,
            columns,
            roles,
            dates,
            by_mark,
            table,
            current_date: None,
            pending: None,
            open: None,
            ended: false,
            mostly_dated: false,
            page: usize::MAX,
        }
    }

    /// Takes the lines of the table one after another.
    pub(super) fn assemble(mut self, in_table: &[bool], specials: &[Option<Special>]) -> Table {
        self.mostly_dated = self.dated_share(in_table, specials) > 0.92;
        for index in (0..self.lines.len()).filter(|index| in_table[*index]) {
            let before = self.table.movements.len();
            self.take(index, specials[index]);
            self.attach_running(index, before, self.date_of(&self.lines[index]).is_some());
        }
        self.end_day();
        self.table
    }

    pub(super) fn role(&self, line: usize, token: usize) -> Option<Role> {
        self.columns.of(line, token).map(|column| self.roles[column]).filter(|role| *role != Role::Other)
    }

    fn dated_share(&self, table: &[bool], specials: &[Option<Special>]) -> f32 {
        let (mut dated, mut all) = (0_usize, 0_usize);
        for (index, line) in self.lines.iter().enumerate() {
            let moves = line.amounts().any(|(place, _, amount)| {
                amount.cents != 0
                    && matches!(self.role(index, place), Some(Role::Amount | Role::Debit | Role::Credit))
            });
            if table[index] && specials[index].is_none() && moves && self.headed_here(index) {
                all += 1;
                dated += usize::from(self.date_of(line).is_some());
            }
        }
        dated as f32 / all.max(1) as f32
    }

    fn headed_here(&self, index: usize) -> bool {
        self.headers.is_empty() || self.headers.iter().any(|header| header.last < index)
    }

    fn take(&mut self, index: usize, special: Option<Special>) {
        let line = &self.lines[index];
        if line.page != self.page {
            self.page = line.page;
            self.open = None;
            if self.headers.iter().any(|header| header.page == line.page) {
                self.ended = false;
            }
        }
        let movements = self.movement_tokens(index);
        let balance = self.balance_token(index);
        let own_date = self.date_of(line);
        if let Some(special) = special {
            let strong = movements.is_empty() || own_date.is_none() || line.amounts().count() <= 1;
            if strong {
                self.mention(index, special, balance.or(movements.first().copied()));
                return;
            }
        }
        match (movements.is_empty(), balance) {
            (false, _) => self.movement(index, &movements, balance, own_date),
            (true, Some(balance)) if own_date.is_some() || self.pending.is_some() => {
                self.balance_only(index, balance, own_date);
            }
            _ => self.words(index, own_date),
        }
    }

    fn movement_tokens(&self, index: usize) -> Vec<usize> {
        let line = &self.lines[index];
        let moves = |place: &usize| {
            matches!(self.role(index, *place), Some(Role::Amount | Role::Debit | Role::Credit))
        };
        let all: Vec<usize> = line.amounts().map(|(place, _, _)| place).filter(moves).collect();
        let nonzero = |place: &usize| line.tokens[*place].amount().is_some_and(|amount| amount.cents != 0);
        let some: Vec<usize> = all.iter().copied().filter(nonzero).collect();
        // The one farthest right: amounts within a description stand to the left.
        some.last().map(|last| vec![*last]).unwrap_or_default()
    }

    fn balance_token(&self, index: usize) -> Option<usize> {
        let line = &self.lines[index];
        line.amounts()
            .map(|(place, _, _)| place)
            .filter(|place| self.role(index, *place) == Some(Role::Balance))
            .last()
    }

    /// The date in the date column.
    fn date_of(&self, line: &Line) -> Option<(PrintedDate, f32)> {
        let column = self.dates.date;
        let in_column =
            |token: &&Token| column.is_some_and(|left| (line.share(token.bounds.left) - left).abs() < 0.04);
        let mut dates = line.tokens.iter().filter(|token| token.date().is_some());
        // A line that begins with its date has it, wherever the page was shifted to.
        let leading = line.tokens.iter().take(2).find(|token| token.date().is_some());
        let leading =
            leading.filter(|token| column.is_none_or(|left| line.share(token.bounds.left) < left + 0.04));
        let token = dates.find(in_column).or(leading)?;
        token.date().map(|date| (date, token.certainty))
    }

    fn value_date_of(&self, line: &Line) -> Option<PrintedDate> {
        let left = self.dates.value_date?;
        let near = |token: &&Token| (line.share(token.bounds.left) - left).abs() < 0.04;
        line.tokens.iter().filter(|token| token.date().is_some()).find(near).and_then(Token::date)
    }

    fn mention(&mut self, index: usize, special: Special, token: Option<usize>) {
        let line = &self.lines[index];
        self.open = None;
        self.pending = None;
        let place = token.or_else(|| line.amounts().map(|(place, _, _)| place).last());
        if let Some(place) = place
            && let Some(amount) = line.tokens[place].amount()
        {
            let sign = if amount.sign.is_negative() { -1 } else { 1 };
            let mut values = vec![(sign * amount.cents, 0.0)];
            values.extend(amount.others.iter().map(|(cents, cost)| (sign * cents, *cost)));
            self.table.mentions.push(Mention {
                special,
                values,
                raw: line.tokens[place].text.clone(),
                page: line.page,
                bounds: line.tokens[place].bounds,
                certainty: amount.certainty,
                place: self.table.movements.len(),
            });
        }
        if matches!(special, Special::Closing | Special::Total) && !self.table.movements.is_empty() {
            self.ended = true;
        }
        if special == Special::Opening && self.table.movements.len() > 1 {
            self.ended = true;
        }
        // The date of an opening balance is the first movements' where they have none of their own.
        if let Some(date) = self.date_of(line) {
            self.current_date = Some(date);
            self.ended &= special != Special::Opening;
        }
    }

    fn movement(
        &mut self,
        index: usize,
        tokens: &[usize],
        balance: Option<usize>,
        own_date: Option<(PrintedDate, f32)>,
    ) {
        let line = &self.lines[index];
        let texts = self.texts_of(index);
        let pending = self.pending.take();
        let undated = own_date.is_none() && pending.is_none();
        if undated && self.refuses_undated(index, balance.is_some(), texts.is_empty()) {
            return;
        }
        let Some(token) = tokens.first().map(|place| &line.tokens[*place]) else { return };
        let Some(amount) = token.amount() else { return };
        let role = tokens.first().and_then(|place| self.role(index, *place)).unwrap_or(Role::Amount);
        let (amounts, signed) = self.candidates(amount, role);
        if let Some(date) = own_date {
            self.current_date = Some(date);
        }
        let dated = own_date.is_some() || pending.is_some() || self.dates.date.is_none();
        let mut description = Vec::new();
        let mut bounds = line.bounds;
        let mut value_date = self.value_date_of(line);
        if let Some(pending) = pending {
            bounds = bounds.union(&pending.bounds);
            value_date = value_date.or(pending.value_date);
            description.extend(pending.texts);
        }
        description.extend(texts);
        self.open = Some(Open {
            movement: self.table.movements.len(),
            bottom: line.bounds.bottom(),
            left: self.text_left(index),
            lines: 0,
        });
        self.table.movements.push(Movement {
            page: line.page,
            bounds,
            date: self.current_date.map(|(date, _)| date),
            dated,
            date_missed: !dated && self.mostly_dated,
            date_certainty: self.current_date.map_or(0.0, |(_, certainty)| certainty),
            value_date,
            description,
            amounts,
            signed,
            certainty: amount.certainty,
            balances: balance.map_or_else(Vec::new, |place| balances_of(&line.tokens[place])),
            balance_certainty: balance
                .and_then(|place| line.tokens[place].amount())
                .map_or(1.0, |amount| amount.certainty),
            ocr: line.ocr,
        });
    }

    /// After the closing balance, or where every row has its date, an amount alone is no movement.
    fn refuses_undated(&self, index: usize, has_balance: bool, without_text: bool) -> bool {
        let line = &self.lines[index];
        if self.ended || self.current_date.is_none() {
            return true;
        }
        if self.mostly_dated && self.dates.date.is_some() {
            return !line.ocr || !has_balance && self.table.has_balances;
        }
        without_text && !has_balance
    }

    fn candidates(&self, amount: &super::amount::Amount, role: Role) -> (Vec<(i64, f32)>, bool) {
        let mut magnitudes = vec![(amount.cents, 0.0)];
        magnitudes.extend(amount.others.iter().copied());
        let printed = amount.sign != Sign::Unsigned;
        let negative = match role {
            Role::Debit => self.by_mark || !amount.sign.is_negative(),
            _ => amount.sign.is_negative(),
        };
        let signed = printed || role != Role::Amount;
        let flip = if signed { OTHER_SIGN } else { UNSIGNED };
        let sign = if negative { -1 } else { 1 };
        let mut all: Vec<(i64, f32)> = Vec::new();
        for (cents, cost) in &magnitudes {
            all.push((sign * cents, *cost));
            all.push((-sign * cents, cost + flip));
        }
        all.sort_by(|a, b| a.1.total_cmp(&b.1));
        (all, signed)
    }

    /// A date and a balance without an amount: what was brought forward, or a row whose amount was lost.
    fn balance_only(&mut self, index: usize, balance: usize, own_date: Option<(PrintedDate, f32)>) {
        let line = &self.lines[index];
        let texts = self.texts_of(index);
        let pending = self.pending.take();
        if let Some(date) = own_date {
            self.current_date = Some(date);
        }
        if self.table.movements.is_empty() || self.ended {
            let special = if self.ended { Special::Closing } else { Special::Opening };
            self.mention(index, special, Some(balance));
            return;
        }
        let mut description = pending.map(|pending| pending.texts).unwrap_or_default();
        description.extend(texts);
        self.open = None;
        self.table.movements.push(Movement {
            page: line.page,
            bounds: line.bounds,
            date: self.current_date.map(|(date, _)| date),
            dated: true,
            date_missed: false,
            date_certainty: self.current_date.map_or(0.0, |(_, certainty)| certainty),
            value_date: self.value_date_of(line),
            description,
            amounts: Vec::new(),
            signed: false,
            certainty: 0.0,
            balances: balances_of(&line.tokens[balance]),
            balance_certainty: line.tokens[balance].amount().map_or(0.0, |amount| amount.certainty),
            ocr: line.ocr,
        });
    }

    /// A line without amounts: the heading of a day, the beginning of a movement, or more of one.
    fn words(&mut self, index: usize, own_date: Option<(PrintedDate, f32)>) {
        let line = &self.lines[index];
        let texts = self.texts_of(index);
        if let Some(date) = own_date {
            let prose = texts.iter().map(String::len).sum::<usize>() > 90;
            if prose || self.ended && line.tokens.len() > 8 {
                self.open = None;
                return;
            }
            self.current_date = Some(date);
            self.open = None;
            let named = texts.iter().any(|text| !is_weekday(text));
            self.pending = named.then(|| Pending {
                texts,
                bounds: line.bounds,
                value_date: self.value_date_of(line),
                bottom: line.bounds.bottom(),
            });
            return;
        }
        self.continue_text(index, texts);
    }

    fn continue_text(&mut self, index: usize, texts: Vec<String>) {
        let line = &self.lines[index];
        if texts.is_empty() {
            return;
        }
        if let Some(pending) = &mut self.pending {
            if line.bounds.top - pending.bottom < CONTINUED_GAP * line.height * 1.5 {
                pending.texts.extend(texts);
                pending.bottom = line.bounds.bottom();
                return;
            }
            self.pending = None;
        }
        let left = self.text_left(index);
        let Some(open) = self.open.filter(|_| !self.ended) else { return };
        let near = line.bounds.top - open.bottom < CONTINUED_GAP * line.height;
        let aligned = left > open.left - 2.0 * line.height && left < open.left + 12.0 * line.height;
        let within = line.bounds.right() < self.money_left(line) + line.height;
        if !(near && aligned && within) || open.lines >= MOST_CONTINUED {
            self.open = None;
            return;
        }
        let movement = &mut self.table.movements[open.movement];
        movement.description.extend(texts);
        movement.bounds = movement.bounds.union(&line.bounds);
        self.open =
            Some(Open { bottom: line.bounds.bottom(), lines: open.lines + 1, left: open.left, ..open });
    }

    /// The left edge of the leftmost column of movements or balances.
    fn money_left(&self, line: &Line) -> f32 {
        let columns = self.columns.amounts.iter().zip(self.roles).filter(|(_, role)| role.is_money());
        let right = columns.map(|(column, _)| column.right).reduce(f32::min).unwrap_or(1.0);
        (right - line.fit.1) / line.fit.0 * line.page_width
    }

    fn text_left(&self, index: usize) -> f32 {
        let line = &self.lines[index];
        let dated = |token: &&Token| matches!(token.kind, Kind::Text);
        line.tokens.iter().find(dated).map_or(line.bounds.left, |token| token.bounds.left)
    }
}

fn is_weekday(text: &str) -> bool {
    const DAYS: [&str; 7] = ["lun", "mar", "mie", "jue", "vie", "sab", "dom"];
    const ENGLISH: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let compact = super::line::compact(text);
    compact.len() <= 10 && DAYS.iter().chain(&ENGLISH).any(|day| compact.starts_with(day))
}
