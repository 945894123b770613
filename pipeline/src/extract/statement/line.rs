//! A row of a page with the typed values in it: what the table reader works on.

use crate::domain::{CharReading, Page, Rect, Word};

use super::super::parse::date::{self, DayMonth};
use super::super::parse::money::{self, Money, Sign};
use super::super::parse::text::{digits_put_right, fold};
use chrono::NaiveDate;

/// A date as printed, with or without its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PrintedDate {
    Full(NaiveDate),
    DayMonth(DayMonth),
}

#[derive(Debug, Clone)]
pub(super) struct DateItem {
    pub(super) date: PrintedDate,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
pub(super) struct MoneyItem {
    pub(super) money: Money,
    pub(super) place: Place,
    /// Its form is not quite an amount's: the recogniser lost the decimal separator.
    pub(super) weak: bool,
}

/// Words `first..end` of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) bounds: Rect,
    pub(super) certainty: f32,
}

#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub(super) page: &'a Page,
    pub(super) page_index: usize,
    pub(super) bounds: Rect,
    pub(super) first: usize,
    pub(super) end: usize,
    /// Left to right.
    pub(super) dates: Vec<DateItem>,
    /// Left to right.
    pub(super) monies: Vec<MoneyItem>,
    /// Words that are neither date nor amount.
    pub(super) free: Vec<usize>,
    /// The free words, folded, joined by spaces.
    pub(super) folded: String,
}

impl Line<'_> {
    pub(super) fn height(&self) -> f32 {
        self.page.median_word_height()
    }

    pub(super) fn word(&self, index: usize) -> &Word {
        &self.page.words[index]
    }
}

/// The rows of the pages, top to bottom.
pub(super) fn lines<'a>(pages: &[&'a Page]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for (page_index, page) in pages.iter().enumerate() {
        for row in &page.rows {
            let (Some(first), Some(last)) = (row.segments.first(), row.segments.last()) else { continue };
            let starts: Vec<usize> = row.segments.iter().map(|segment| segment.first).collect();
            lines.push(line(page, page_index, row.bounds, first.first, last.end, &starts));
        }
    }
    lines
}

fn line<'a>(
    page: &'a Page,
    page_index: usize,
    bounds: Rect,
    first: usize,
    end: usize,
    starts: &[usize],
) -> Line<'a> {
    let text = RowText::of(page, first, end, starts);
    let mut dates: Vec<DateItem> = Vec::new();
    for found in date::find_all(&text.text) {
        dates.push(DateItem { date: PrintedDate::Full(found.value), place: text.place(page, &found.range) });
    }
    for found in date::find_day_months(&text.text) {
        // `12.05` is an amount, unless it opens the row.
        if found.raw(&text.text).contains('.') && found.range.start > 0 {
            continue;
        }
        dates.push(DateItem {
            date: PrintedDate::DayMonth(found.value),
            place: text.place(page, &found.range),
        });
    }
    dates.sort_by_key(|item| item.place.first);
    let mut monies: Vec<MoneyItem> = Vec::new();
    for found in money::find_all(&text.text) {
        let place = text.place(page, &found.range);
        let dated = dates.iter().any(|item| item.place.first < place.end && place.first < item.place.end);
        if found.value.decimals == 2 && !dated {
            monies.push(MoneyItem { money: found.value, place, weak: false });
        }
    }
    if page.source.is_ocr() {
        weak_monies(page, first, end, &mut monies);
    }
    monies.sort_by_key(|item| item.place.first);
    let taken = |index: &usize| {
        let within = |place: &Place| (place.first..place.end).contains(index);
        dates.iter().any(|item| within(&item.place)) || monies.iter().any(|item| within(&item.place))
    };
    let free: Vec<usize> = (first..end).filter(|index| !taken(index)).collect();
    let folded =
        fold(&free.iter().map(|index| page.words[*index].text.as_str()).collect::<Vec<_>>().join(" "));
    Line { page, page_index, bounds, first, end, dates, monies, free, folded }
}

/// Words of a scan such as `123456` or `1.234.56-`: an amount whose comma was lost.
fn weak_monies(page: &Page, first: usize, end: usize, monies: &mut Vec<MoneyItem>) {
    for index in first..end {
        let word = &page.words[index];
        let known = monies.iter().any(|item| (item.place.first..item.place.end).contains(&index));
        let digits = word.text.chars().filter(char::is_ascii_digit).count();
        let others = word.text.chars().filter(|ch| ch.is_alphanumeric()).count()
            - digits.min(word.text.chars().count());
        if known || digits < 3 || others > 0 || word.text.contains(['/', ':']) {
            continue;
        }
        let Some(money) = money::parse(&word.text).filter(|money| money.decimals == 0 && digits <= 8) else {
            continue;
        };
        let mut money = money;
        if money.amount.set_scale(2).is_ok() {
            let place =
                Place { first: index, end: index + 1, bounds: word.bounds, certainty: word.confidence * 0.5 };
            monies.push(MoneyItem { money, place, weak: true });
        }
    }
}

/// The row as one text, two spaces between cells, with the way back to its words.
struct RowText {
    text: String,
    /// For each word of the row its first and end byte.
    spans: Vec<(usize, usize)>,
    first: usize,
}

impl RowText {
    fn of(page: &Page, first: usize, end: usize, starts: &[usize]) -> Self {
        let mut text = String::new();
        let mut spans = Vec::new();
        for index in first..end {
            if index > first {
                text.push_str(if starts.contains(&index) { "  " } else { " " });
            }
            let word = &page.words[index].text;
            let from = text.len();
            if page.source.is_ocr() && word.contains(['/', '.', ',', '-']) {
                text.push_str(&digits_put_right(word));
            } else {
                text.push_str(word);
            }
            spans.push((from, text.len()));
        }
        Self { text, spans, first }
    }

    fn place(&self, page: &Page, range: &std::ops::Range<usize>) -> Place {
        let inside = |span: &(usize, usize)| span.0 < range.end && span.1 > range.start;
        let first = self.spans.iter().position(inside).unwrap_or(0);
        let end = self.spans.iter().rposition(inside).unwrap_or(first) + 1;
        let words = &page.words[self.first + first..self.first + end];
        let bounds = Rect::around(words.iter().map(|word| word.bounds)).unwrap_or_default();
        let certainty = words.iter().map(|word| word.confidence).fold(1.0, f32::min);
        Place { first: self.first + first, end: self.first + end, bounds, certainty }
    }
}

/// The recognised characters of a place.
pub(super) fn readings(page: &Page, place: &Place) -> Vec<CharReading> {
    page.words[place.first..place.end].iter().flat_map(|word| word.chars.iter().cloned()).collect()
}

/// Whether the direction is printed with the amount.
pub(super) fn has_sign(money: &Money) -> bool {
    money.sign != Sign::Unsigned
}
