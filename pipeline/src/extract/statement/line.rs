//! The rows of a page as typed tokens: amounts with the sign printed beside them, dates with or without
//! a year, and text. Knows written forms and gaps between words, not columns or what a statement is.

use chrono::NaiveDate;

use super::amount::{Amount, amount_at};
use crate::domain::{Page, Rect, Row, Word};
use crate::extract::parse::date::{self, DayMonth};
use crate::extract::parse::text::fold;

/// A date has at most this many words: `lunes 1 de abril de 2026`.
const MOST_DATE_WORDS: usize = 5;

/// Words of one date stand closer than this many text heights.
const DATE_GAP: f32 = 1.3;

/// One row of a page.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Index of the page in the document, from 0.
    pub(super) page: usize,
    pub(super) bounds: Rect,
    pub(super) tokens: Vec<Token>,
    /// A balance after a movement that a phrase of its own names; none of the tokens.
    pub(super) running: Option<Token>,
    /// Letters and digits of the whole line, folded, without spaces.
    pub(super) compact: String,
    /// Median height of words on the page: the unit of all distances.
    pub(super) height: f32,
    pub(super) page_width: f32,
    /// Scale and offset that lay the page's columns over those of the pages before.
    pub(super) fit: (f32, f32),
    pub(super) ocr: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) bounds: Rect,
    pub(super) text: String,
    /// The least certain of its words, 0 to 1.
    pub(super) certainty: f32,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Amount(Amount),
    Date(PrintedDate),
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PrintedDate {
    Full(NaiveDate),
    DayMonth(DayMonth),
}

impl Token {
    pub(super) fn amount(&self) -> Option<&Amount> {
        match &self.kind {
            Kind::Amount(amount) => Some(amount),
            _ => None,
        }
    }

    pub(super) fn date(&self) -> Option<PrintedDate> {
        match self.kind {
            Kind::Date(date) => Some(date),
            _ => None,
        }
    }
}

impl Line {
    /// A horizontal place as a share of the page's width, comparable between pages.
    pub(super) fn share(&self, x: f32) -> f32 {
        self.fit.0 * x / self.page_width + self.fit.1
    }

    pub(super) fn amounts(&self) -> impl Iterator<Item = (usize, &Token, &Amount)> {
        self.tokens.iter().enumerate().filter_map(|(index, token)| Some((index, token, token.amount()?)))
    }

    pub(super) fn has_amount(&self) -> bool {
        self.tokens.iter().any(|token| token.amount().is_some())
    }

    pub(super) fn has_date(&self) -> bool {
        self.tokens.iter().any(|token| token.date().is_some())
    }

    /// The words that are neither dates nor amounts, folded and joined without spaces.
    pub(super) fn compact_text(&self) -> String {
        let texts = self.tokens.iter().filter(|token| matches!(token.kind, Kind::Text));
        texts.map(|token| compact(&token.text)).collect()
    }
}

/// Letters and digits in lower case without accents.
pub(super) fn compact(text: &str) -> String {
    fold(text).chars().filter(|ch| ch.is_alphanumeric()).collect()
}

/// All rows of all pages, top to bottom.
pub(super) fn lines_of(pages: &[&Page]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let height = page.median_word_height();
        for row in &page.rows {
            let words = if page.source.is_ocr() {
                without_rules(words_of(page, row))
            } else {
                words_of(page, row).to_vec()
            };
            if words.is_empty() {
                continue;
            }
            lines.push(Line {
                page: index,
                bounds: row.bounds,
                tokens: tokens_of(&words, height, page.source.is_ocr()),
                running: None,
                compact: words.iter().map(|word| compact(&word.text)).collect(),
                height,
                page_width: page.width.max(1.0),
                fit: (1.0, 0.0),
                ocr: page.source.is_ocr(),
            });
        }
    }
    lines
}

/// Words without the ruled lines of the table, which recognisers take for characters at their ends.
fn without_rules(words: &[Word]) -> Vec<Word> {
    let is_rule = |ch: char| "|¦[]_".contains(ch);
    let mut kept = Vec::with_capacity(words.len());
    for word in words {
        let text = word.text.trim_matches(is_rule);
        if text.len() == word.text.len() {
            kept.push(word.clone());
            continue;
        }
        if text.is_empty() {
            continue;
        }
        let all = word.text.chars().count();
        let leading = word.text.chars().take_while(|ch| is_rule(*ch)).count();
        let count = text.chars().count();
        let step = word.bounds.width / all.max(1) as f32;
        let bounds = Rect::new(
            word.bounds.left + step * leading as f32,
            word.bounds.top,
            step * count as f32,
            word.bounds.height,
        );
        let chars = word.chars.get(leading..leading + count).unwrap_or_default().to_vec();
        kept.push(Word { text: text.to_owned(), bounds, chars, ..word.clone() });
    }
    kept
}

fn words_of<'a>(page: &'a Page, row: &Row) -> &'a [Word] {
    let first = row.segments.first().map_or(0, |segment| segment.first);
    let end = row.segments.last().map_or(0, |segment| segment.end);
    page.words.get(first..end).unwrap_or_default()
}

/// Types the words of one row, left to right.
pub(super) fn tokens_of(words: &[Word], height: f32, ocr: bool) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut only_dates_so_far = true;
    while at < words.len() {
        if let Some((date, count)) = date_at(words, at, height, ocr, only_dates_so_far) {
            tokens.push(token(Kind::Date(date), &words[at..at + count]));
            at += count;
            continue;
        }
        if let Some(found) = amount_at(words, at, height, ocr) {
            // A lone sign or currency before it was taken for text.
            if found.start < at {
                tokens.pop();
            }
            let mut token = token(Kind::Amount(found.amount), &words[found.start..found.end]);
            token.bounds = found.bounds;
            tokens.push(token);
            at = found.end;
            only_dates_so_far = false;
            continue;
        }
        only_dates_so_far &= words[at].text.chars().filter(|ch| ch.is_alphanumeric()).count() <= 1;
        tokens.push(token(Kind::Text, &words[at..=at]));
        at += 1;
    }
    tokens
}

fn token(kind: Kind, words: &[Word]) -> Token {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Token {
        kind,
        bounds: Rect::around(words.iter().map(|word| word.bounds)).unwrap_or_default(),
        text: texts.join(" "),
        certainty: words.iter().map(certainty_of).fold(1.0, f32::min),
    }
}

/// The least certain letter or digit of a word.
pub(super) fn certainty_of(word: &Word) -> f32 {
    let chars = word.chars.iter().filter(|reading| reading.ch.is_alphanumeric());
    chars.map(|reading| reading.probability).fold(word.confidence, f32::min)
}

/// The longest date that begins at a word, and how many words it has.
fn date_at(
    words: &[Word],
    at: usize,
    height: f32,
    ocr: bool,
    line_start: bool,
) -> Option<(PrintedDate, usize)> {
    let run = run_from(words, at, height);
    let mut short: Option<(PrintedDate, usize)> = None;
    for count in (1..=run).rev() {
        let text = joined(&words[at..at + count]);
        if !text.chars().any(|ch| ch.is_ascii_digit()) {
            continue;
        }
        let clean = text.trim_matches(|ch: char| "[](){}|*".contains(ch));
        let clean = if ocr { without_smudge(clean) } else { clean };
        if let Some(date) = date::parse(clean).filter(|_| !borrows_year(words, at, count)) {
            return Some((PrintedDate::Full(date), count));
        }
        if count <= 3
            && short.is_none()
            && (line_start || !looks_like_decimal(clean))
            && let Some(day) = date::parse_day_month(clean)
        {
            short = Some((PrintedDate::DayMonth(day), count));
        }
    }
    short
}

/// Without what the edge of the paper or a ruled line adds to a date: `L07.06.2025`, `01-08-25-`.
fn without_smudge(text: &str) -> &str {
    let mut rest = text.trim_end_matches(|ch: char| !ch.is_alphanumeric());
    let mut chars = rest.chars();
    let first = chars.next();
    let second = chars.next().is_some_and(|ch| ch.is_ascii_digit());
    if let Some(first) = first.filter(|ch| !ch.is_ascii_digit() && second)
        && !matches!(first, 'O' | 'o' | 'I' | 'l')
    {
        rest = rest.trim_start_matches(first);
    }
    rest
}

/// `5.10` may be an amount or the fifth of October.
fn looks_like_decimal(text: &str) -> bool {
    text.contains('.') && text.chars().all(|ch| ch.is_ascii_digit() || ch == '.')
}

/// `12 MAR 13 MAR` is two days, not the year 2013.
fn borrows_year(words: &[Word], at: usize, count: usize) -> bool {
    let last = &words[at + count - 1].text;
    let short_number = last.chars().count() <= 2 && last.chars().all(|ch| ch.is_ascii_digit());
    let Some(next) = words.get(at + count).filter(|_| short_number && count > 1) else { return false };
    date::parse_day_month(&format!("{last} {}", next.text)).is_some()
}

fn run_from(words: &[Word], at: usize, height: f32) -> usize {
    let mut count = 1;
    while count < MOST_DATE_WORDS && at + count < words.len() {
        let gap = words[at + count].bounds.left - words[at + count - 1].bounds.right();
        if gap > DATE_GAP * height {
            break;
        }
        count += 1;
    }
    count
}

pub(super) fn joined(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}
