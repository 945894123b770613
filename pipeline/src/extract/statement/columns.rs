//! Where the columns of the table stand, from its headings or from how values align.

use crate::domain::Rect;

use super::header::{Column, Role, distance};
use super::line::{DateItem, Line, MoneyItem, has_sign};

/// The columns in the units of the page on which they were found.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    page_width: f32,
    /// Left edge of the operation dates.
    date_left: Option<f32>,
    /// Found by alignment, so that amounts must align.
    inferred: bool,
}

/// Dates stand within this many text heights of the heading or edge of their column.
const DATE_REACH: f32 = 4.0;
/// Amounts further than this from every money heading, in text heights, are none of the table's.
const MONEY_REACH: f32 = 9.0;
/// Right edges of one column differ by less than this many text heights.
const EDGE_SLACK: f32 = 1.6;

impl Columns {
    pub(super) fn new(columns: Vec<Column>, page_width: f32, lines: &[Line]) -> Self {
        let date_left = common_date_left(lines, page_width);
        Self { columns, page_width, date_left, inferred: false }
    }

    fn scaled(&self, bounds: &Rect, page_width: f32) -> Rect {
        let scale = if self.page_width > 0.0 { page_width / self.page_width } else { 1.0 };
        Rect::new(bounds.left * scale, bounds.top, bounds.width * scale, bounds.height)
    }

    fn role_of(&self, line: &Line, bounds: &Rect) -> Option<Role> {
        let near = |column: &&Column| distance(bounds, &self.scaled(&column.bounds, line.page.width));
        let money = self.columns.iter().filter(|column| column.role.is_money());
        let column = money.min_by(|a, b| near(a).total_cmp(&near(b)))?;
        if self.inferred {
            let right = self.scaled(&column.bounds, line.page.width).right();
            return ((bounds.right() - right).abs() < 2.0 * EDGE_SLACK * line.height())
                .then_some(column.role);
        }
        let away = near(&column) > MONEY_REACH * line.height();
        let has_balance = self.columns.iter().any(|column| column.role == Role::Balance);
        if !away {
            return Some(column.role);
        }
        // A column of figures right of the amounts without a heading of its own.
        let right = bounds.left > self.scaled(&column.bounds, line.page.width).right();
        (right && !has_balance).then_some(Role::Balance)
    }

    /// The row's amount, and its direction where the column tells it.
    pub(super) fn amount(&self, line: &Line) -> Option<(MoneyItem, Option<i8>)> {
        let roled = self.roled(line);
        let weak_only = roled.iter().filter(|(role, _)| role.is_amount()).all(|(_, item)| item.weak);
        let mut amounts: Vec<&(Role, &MoneyItem)> =
            roled.iter().filter(|(role, item)| role.is_amount() && (weak_only || !item.weak)).collect();
        if amounts.len() > 1 {
            amounts.retain(|(_, item)| !item.money.amount.is_zero());
        }
        let (role, item) = amounts.last()?;
        if item.weak && line.dates.is_empty() {
            return None;
        }
        let direction = match role {
            Role::Debit => Some(-1),
            Role::Credit => Some(1),
            _ if has_sign(&item.money) => Some(if item.money.sign.is_negative() { -1 } else { 1 }),
            _ => Self::mark_before(line, item),
        };
        Some(((*item).clone(), direction))
    }

    /// `D 45,00`, or a mark in a column of its own left of the amount.
    fn mark_before(line: &Line, item: &MoneyItem) -> Option<i8> {
        let before = item.place.first.checked_sub(1).filter(|index| line.free.contains(index))?;
        let sign = super::super::parse::money::mark(line.word(before).text.trim_end_matches('.'))?;
        Some(if sign.is_negative() { -1 } else { 1 })
    }

    /// A row that fills both the debit and the credit column sums up.
    pub(super) fn is_total(&self, line: &Line) -> bool {
        let roled = self.roled(line);
        let fills = |wanted: Role| {
            roled.iter().any(|(role, item)| *role == wanted && !item.weak && !item.money.amount.is_zero())
        };
        fills(Role::Debit) && fills(Role::Credit)
    }

    pub(super) fn balance(&self, line: &Line) -> Option<MoneyItem> {
        let roled = self.roled(line);
        roled
            .iter()
            .rev()
            .find(|(role, item)| *role == Role::Balance && !item.weak)
            .map(|(_, item)| (*item).clone())
    }

    /// The row's amounts with their columns: no two in the balance column.
    fn roled<'l>(&self, line: &'l Line) -> Vec<(Role, &'l MoneyItem)> {
        let described = self.description_span(line);
        let mut roled: Vec<(Role, &MoneyItem)> = Vec::new();
        for item in &line.monies {
            let within_text = described.is_some_and(|(left, right)| {
                item.place.bounds.left >= left && item.place.bounds.right() < right
            });
            if within_text {
                continue;
            }
            if let Some(role) = self.role_of(line, &item.place.bounds) {
                roled.push((role, item));
            }
        }
        let balances = roled.iter().filter(|(role, _)| *role == Role::Balance).count();
        if balances > 1
            && let Some(first) = roled.iter_mut().find(|(role, _)| *role == Role::Balance)
        {
            first.0 = Role::Amount;
        }
        roled
    }

    /// Left edge of the descriptions to a little before the first money column.
    fn description_span(&self, line: &Line) -> Option<(f32, f32)> {
        let left = self.columns.iter().find(|column| column.role == Role::Description)?;
        let left = self.scaled(&left.bounds, line.page.width).left;
        let money = self.columns.iter().filter(|column| column.role.is_money());
        let first = money
            .map(|column| self.scaled(&column.bounds, line.page.width).left)
            .filter(|at| *at > left)
            .reduce(f32::min)?;
        Some((left - line.height(), first - MONEY_REACH * line.height()))
    }

    /// Whether a date stands in a date column, or opens the row.
    pub(super) fn is_date(&self, line: &Line, item: &DateItem) -> bool {
        let reach = DATE_REACH * line.height();
        let headed = self.columns.iter().filter(|column| matches!(column.role, Role::Date | Role::ValueDate));
        let mut headed = headed.map(|column| self.scaled(&column.bounds, line.page.width));
        let scale = if self.page_width > 0.0 { line.page.width / self.page_width } else { 1.0 };
        let opens =
            !line.free.iter().any(|index| *index < item.place.first && is_text(&line.word(*index).text));
        let aligned =
            self.date_left.is_none_or(|left| (item.place.bounds.left - left * scale).abs() < 3.0 * reach);
        opens && aligned
            || headed.any(|column| {
                distance(&item.place.bounds, &column) < 0.5 * reach
                    && item.place.bounds.overlap_x(&column) > 0.0
            })
    }

    /// Whether headings say that the first of two dates is the value date.
    pub(super) fn value_date_first(&self, first: &Rect, second: &Rect) -> bool {
        let of = |role: Role| {
            self.columns.iter().find(|column| column.role == role).map(|column| column.bounds.left)
        };
        let reversed =
            matches!((of(Role::Date), of(Role::ValueDate)), (Some(date), Some(value)) if value < date);
        reversed && first.left < second.left
    }

    /// The row's words of text, dates and amounts taken out.
    pub(super) fn description(&self, line: &Line) -> Vec<String> {
        let mark = |text: &str| text.len() <= 2 && super::super::parse::money::mark(text).is_some();
        let first_money = line.monies.first().map_or(usize::MAX, |item| item.place.first);
        let words = line.free.iter().filter(|index| {
            let text = &line.word(**index).text;
            (!mark(text) || **index + 1 < first_money)
                && !self.in_other_column(line, **index)
                && text.chars().any(char::is_alphanumeric)
        });
        words.map(|index| line.word(*index).text.clone()).collect()
    }

    /// Whether the word stands under a heading that is not read, such as an office's code.
    fn in_other_column(&self, line: &Line, index: usize) -> bool {
        let word = &line.word(index).bounds;
        let left_of =
            |column: &Column| self.scaled(&column.bounds, line.page.width).left - 1.5 * line.height();
        let own = self.columns.iter().filter(|column| left_of(column) <= word.left);
        own.max_by(|a, b| left_of(a).total_cmp(&left_of(b))).is_some_and(|column| column.role == Role::Other)
    }

    /// Whether the row's text begins where descriptions stand.
    pub(super) fn within_description(&self, line: &Line) -> bool {
        let Some(first) = line.free.first() else { return false };
        let Some((left, _)) = self.description_span(line) else { return true };
        line.word(*first).bounds.left > left - 2.0 * line.height()
    }
}

/// A row of nothing but a date and perhaps the weekday.
fn is_day_heading(line: &Line) -> bool {
    line.dates.len() == 1
        && line.monies.is_empty()
        && line.free.iter().all(|index| !is_text(&line.word(*index).text))
}

fn is_text(text: &str) -> bool {
    text.chars().filter(|ch| ch.is_alphabetic()).count() >= 3 && !is_weekday(text)
}

pub(super) fn is_weekday(text: &str) -> bool {
    const DAYS: [&str; 14] =
        ["lun", "mar", "mie", "jue", "vie", "sab", "dom", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let folded = super::super::parse::text::fold(text);
    DAYS.iter().any(|day| folded.starts_with(day))
}

fn common_date_left(lines: &[Line], page_width: f32) -> Option<f32> {
    let mut lefts: Vec<f32> = lines
        .iter()
        .filter(|line| !line.monies.is_empty())
        .filter_map(|line| {
            line.dates.first().map(|item| item.place.bounds.left * page_width / line.page.width)
        })
        .collect();
    lefts.sort_by(f32::total_cmp);
    lefts.get(lefts.len() / 2).copied()
}

/// Columns without headings: right edges of amounts in rows that open with a date. The rightmost is
/// the balance if most rows have two amounts; of three, the first two are debit and credit where no
/// row fills both.
pub(super) fn infer(lines: &[Line]) -> Option<Columns> {
    let priced = |line: &&Line| line.monies.iter().any(|item| !item.weak);
    let mut rows: Vec<&Line> = lines.iter().filter(|line| !line.dates.is_empty()).filter(priced).collect();
    let headings = lines.iter().filter(|line| is_day_heading(line)).count();
    if rows.len() < 3 || headings >= 3 {
        // Days as headings, their transactions below without a date.
        let first = lines.iter().position(is_day_heading)?;
        rows = lines[first..].iter().filter(priced).filter(|line| !line.free.is_empty()).collect();
    }
    let width = rows.first()?.page.width;
    let mut clusters: Vec<(f32, Rect, usize)> = Vec::new();
    for line in &rows {
        let scale = width / line.page.width;
        for item in line.monies.iter().filter(|item| !item.weak) {
            let bounds = &item.place.bounds;
            let scaled = Rect::new(bounds.left * scale, bounds.top, bounds.width * scale, bounds.height);
            let slack = EDGE_SLACK * line.height();
            match clusters.iter_mut().find(|(right, _, _)| (right.abs() - scaled.right()).abs() < slack) {
                Some((_, all, count)) => {
                    *all = all.union(&scaled);
                    *count += 1;
                }
                None => clusters.push((scaled.right(), scaled, 1)),
            }
        }
    }
    clusters.retain(|(_, _, count)| *count * 8 >= rows.len());
    clusters.sort_by(|a, b| a.0.total_cmp(&b.0));
    let per_row = clusters.iter().map(|(_, _, count)| *count).sum::<usize>() as f32 / rows.len() as f32;
    let last = clusters.len().checked_sub(1)?;
    let role = |at: usize| match (clusters.len(), at) {
        (1, _) => Role::Amount,
        (_, at) if at == last && per_row > 1.2 => Role::Balance,
        (2, 0) if per_row > 1.2 => Role::Amount,
        (2 | 3, 0) => Role::Debit,
        (2 | 3, 1) => Role::Credit,
        _ => Role::Amount,
    };
    let columns = clusters
        .iter()
        .enumerate()
        .map(|(at, (_, bounds, _))| Column { role: role(at), bounds: *bounds })
        .collect();
    Some(Columns { columns, page_width: width, date_left: common_date_left(lines, width), inferred: true })
}
