//! Every date-like expression of a text, complete or not: what `date` and `period` choose from.

use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::date_words::{month, month_misread};
use super::text::is_minus;

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Full(NaiveDate),
    /// Day and month; the year is to be taken from elsewhere.
    DayMonth(u32, u32),
    /// Year and month.
    MonthOf(i32, u32),
    /// A month's name without a year.
    MonthName(u32),
    /// A number from 1 to 31 that could be a day.
    Day(u32),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) form: Form,
    pub(super) range: Range<usize>,
    /// The number of tokens it was made of.
    tokens: usize,
}

#[derive(Debug, Clone)]
enum Token {
    Number {
        value: u32,
        digits: usize,
    },
    Month(u32),
    /// `de`, `of`, `del`, ordinals and the like: may stand between the parts of a date.
    Filler,
    Word,
    /// A single separator character.
    Mark(char),
}

#[derive(Debug, Clone)]
struct Placed {
    token: Token,
    range: Range<usize>,
    spaced: bool,
}

/// Two-digit years from here on are in the last century. Documents here run to the 2040s at most;
/// births that it puts into the future are moved back by their reader.
const CENTURY_PIVOT: i32 = 50;

/// All expressions, in order, without overlap.
pub(super) fn scan(text: &str) -> Vec<Match> {
    let tokens = tokens(text);
    let mut matches = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match match_at(&tokens, at) {
            Some(found) => {
                at += found.tokens.max(1);
                matches.push(found);
            }
            None => at += 1,
        }
    }
    matches
}

fn tokens(text: &str) -> Vec<Placed> {
    let mut tokens: Vec<Placed> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut spaced = true;
    while let Some((start, ch)) = chars.next() {
        if ch.is_whitespace() {
            spaced = true;
            continue;
        }
        let mut end = start + ch.len_utf8();
        let same: fn(char) -> bool = if ch.is_ascii_digit() {
            |next| next.is_ascii_digit()
        } else if ch.is_alphabetic() {
            |next| next.is_alphabetic() && !matches!(next, 'º' | 'ª')
        } else {
            |_| false
        };
        while let Some((_, next)) = chars.next_if(|(_, next)| same(*next)) {
            end += next.len_utf8();
        }
        let range = start..end;
        let piece = text.get(range.clone()).unwrap_or_default();
        tokens.push(Placed { token: token(piece, ch), range, spaced });
        spaced = false;
    }
    join_misread_months(text, &mut tokens);
    tokens
}

fn token(piece: &str, first: char) -> Token {
    if first.is_ascii_digit() {
        let value = piece.parse().unwrap_or(u32::MAX);
        return Token::Number { value, digits: piece.len() };
    }
    if !first.is_alphabetic() {
        return Token::Mark(if is_minus(first) { '-' } else { first });
    }
    if let Some(month) = month(piece) {
        return Token::Month(month);
    }
    let folded = super::text::fold(piece);
    match folded.as_str() {
        "de" | "del" | "of" | "d" | "o" | "a" | "st" | "nd" | "rd" | "th" | "er" | "º" | "ª" | "the"
        | "any" | "day" => Token::Filler,
        _ => Token::Word,
    }
}

/// `N0V` came as a letter, a digit and a letter: one month.
fn join_misread_months(text: &str, tokens: &mut Vec<Placed>) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        let glued = |count: usize| {
            let run = tokens.get(at..at + count)?;
            let tight = run[1..].iter().all(|placed| !placed.spaced);
            let range = run[0].range.start..run[count - 1].range.end;
            let piece = text.get(range.clone())?;
            let lettered = piece.chars().filter(|ch| ch.is_alphabetic()).count() >= 2;
            let number = month_misread(piece).filter(|_| tight && lettered)?;
            Some((count, number, range))
        };
        if let Some((count, number, range)) = glued(3).or_else(|| glued(2)) {
            let spaced = tokens[at].spaced;
            tokens.splice(at..at + count, [Placed { token: Token::Month(number), range, spaced }]);
        }
        at += 1;
    }
}

/// Reads tokens from a place on, one expression at most.
struct Cursor<'a> {
    tokens: &'a [Placed],
    start: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(tokens: &'a [Placed], start: usize) -> Self {
        Self { tokens, start, at: start }
    }

    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
        match &self.tokens.get(self.at)?.token {
            Token::Number { value, digits: printed } if digits.contains(printed) => {
                self.at += 1;
                Some(*value)
            }
            _ => None,
        }
    }

    fn month(&mut self) -> Option<u32> {
        let Token::Month(month) = self.tokens.get(self.at)?.token else { return None };
        self.at += 1;
        // Bilingual documents print the month twice: `MAY / MAI`.
        let mut twice = Cursor { tokens: self.tokens, start: self.start, at: self.at };
        if twice.mark(&['/']).is_some()
            && let Some(Token::Month(again)) = twice.tokens.get(twice.at).map(|placed| placed.token.clone())
            && again == month
        {
            self.at = twice.at + 1;
        }
        Some(month)
    }

    fn mark(&mut self, allowed: &[char]) -> Option<char> {
        match self.tokens.get(self.at)?.token {
            Token::Mark(mark) if allowed.contains(&mark) => {
                self.at += 1;
                Some(mark)
            }
            _ => None,
        }
    }

    fn fillers(&mut self, marks: &[char], most: usize) -> usize {
        let mut count = 0;
        while count < most {
            match self.tokens.get(self.at).map(|placed| &placed.token) {
                Some(Token::Filler) => {}
                Some(Token::Mark(mark)) if marks.contains(mark) => {}
                _ => break,
            }
            self.at += 1;
            count += 1;
        }
        count
    }

    fn spaced(&self) -> bool {
        self.tokens.get(self.at).is_none_or(|placed| placed.spaced)
    }

    /// Whether the next token runs on without a space in a way that makes this a longer thing.
    fn runs_on(&self) -> bool {
        let Some(next) = self.tokens.get(self.at) else { return false };
        let glued = |token: &Token| matches!(token, Token::Number { .. } | Token::Word | Token::Month(_));
        if next.spaced {
            return false;
        }
        match next.token {
            Token::Mark('/' | '.' | ',' | '-') => {
                let after = self.tokens.get(self.at + 1);
                after.is_some_and(|after| !after.spaced && matches!(after.token, Token::Number { .. }))
            }
            ref token => glued(token),
        }
    }

    fn done(&self, form: Form) -> Option<Match> {
        let last = self.tokens.get(self.at.checked_sub(1)?)?;
        let range = self.tokens[self.start].range.start..last.range.end;
        Some(Match { form, range, tokens: self.at - self.start })
    }
}

fn match_at(tokens: &[Placed], at: usize) -> Option<Match> {
    let first = tokens.get(at)?;
    if !first.spaced && at > 0 && !may_follow(&tokens[at - 1].token) {
        return None;
    }
    match first.token {
        Token::Number { .. } => numeric(tokens, at)
            .or_else(|| worded(tokens, at))
            .or_else(|| compact(tokens, at))
            .or_else(|| shorter(tokens, at)),
        Token::Month(_) => month_first(tokens, at),
        _ => None,
    }
}

/// Whether a date may begin right after the token, without a space.
fn may_follow(token: &Token) -> bool {
    match token {
        Token::Mark(mark) => !matches!(mark, '/' | '.' | ',' | '\''),
        Token::Word | Token::Number { .. } | Token::Month(_) => false,
        Token::Filler => true,
    }
}

/// `02/05/1987`, `2-5-87`, `2026-03-31`, `02 05 1987`.
fn numeric(tokens: &[Placed], at: usize) -> Option<Match> {
    let mut cursor = Cursor::new(tokens, at);
    let first = cursor.number(1..=4)?;
    let marks = ['/', '-', '.', '|'];
    let one = cursor.mark(&marks);
    let second = cursor.number(1..=2)?;
    let other = cursor.mark(&marks);
    let year_apart = cursor.spaced();
    let third = cursor.number(1..=4)?;
    if cursor.runs_on() {
        return None;
    }
    let digits = |index: usize| match tokens.get(index).map(|placed| &placed.token) {
        Some(Token::Number { digits, .. }) => *digits,
        _ => 0,
    };
    let width = (digits(at), digits(cursor.at - 1));
    if one.is_none() || other.is_none() {
        let as_cards_print = one.is_none() && other.is_none() && year_apart;
        if !as_cards_print || width != (2, 4) || digits(at + 1) != 2 {
            return None;
        }
    }
    let date = match width {
        (4, 1 | 2) => ymd(i32::try_from(first).ok()?, second, third)?,
        (1 | 2, 2 | 4) => day_first(first, second, full_year(third, width.1)?)?,
        _ => return None,
    };
    cursor.done(Form::Full(date))
}

/// Day before month unless that is no date and the other order is one.
fn day_first(first: u32, second: u32, year: i32) -> Option<NaiveDate> {
    ymd(year, second, first).or_else(|| ymd(year, first, second).filter(|_| second > 12))
}

/// `2 de mayo de 1987`, `2 MAY 87`, `2nd May 2026`, `02-MAY-2026`, `12 MAR`.
fn worded(tokens: &[Placed], at: usize) -> Option<Match> {
    let mut cursor = Cursor::new(tokens, at);
    let day = cursor.number(1..=2)?;
    cursor.fillers(&['-', '/', '.', '\'', '’', 'º', '°', 'ª'], 3);
    let month = cursor.month()?;
    let without_year = cursor.at;
    let fillers = cursor.fillers(&['-', '/', '.', ',', '\'', '’'], 3);
    let glued = fillers > 0 || !cursor.spaced();
    let digits_before = cursor.at;
    if let Some(year) = cursor.number(4..=4).or_else(|| cursor.number(2..=2)) {
        let width = match tokens[digits_before].token {
            Token::Number { digits, .. } => digits,
            _ => 0,
        };
        let plausible = width == 4 || glued || !cursor.runs_on();
        if plausible
            && !cursor.runs_on()
            && let Some(date) = full_year(year, width).and_then(|year| ymd(year, month, day))
        {
            return cursor.done(Form::Full(date));
        }
    }
    cursor.at = without_year;
    ymd(2024, month, day)?;
    cursor.done(Form::DayMonth(day, month))
}

/// `20260331` and `31032026`: only where exactly one reading is a recent date.
fn compact(tokens: &[Placed], at: usize) -> Option<Match> {
    let mut cursor = Cursor::new(tokens, at);
    let number = cursor.number(8..=8)?;
    if cursor.runs_on() {
        return None;
    }
    let recent = |date: &NaiveDate| (1920..=2060).contains(&date.year());
    let year_first =
        ymd(i32::try_from(number / 10_000).ok()?, number / 100 % 100, number % 100).filter(recent);
    let year = i32::try_from(number % 10_000).ok()?;
    let day_first = ymd(year, number / 10_000 % 100, number / 1_000_000).filter(recent);
    match (year_first, day_first) {
        (Some(date), None) | (None, Some(date)) => cursor.done(Form::Full(date)),
        _ => None,
    }
}

/// `12/03` (day and month), `03/2026` (month), `7` (perhaps a day).
fn shorter(tokens: &[Placed], at: usize) -> Option<Match> {
    let mut cursor = Cursor::new(tokens, at);
    let first = cursor.number(1..=2)?;
    let lone = cursor.at;
    if cursor.mark(&['/', '-', '.']).is_some() {
        let month_or_day = cursor.at;
        if let Some(year) = cursor.number(4..=4).filter(|_| !cursor.runs_on())
            && (1..=12).contains(&first)
            && (1950..=2100).contains(&year)
        {
            return cursor.done(Form::MonthOf(i32::try_from(year).ok()?, first));
        }
        cursor.at = month_or_day;
        let tight = !cursor.spaced();
        if let Some(second) = cursor.number(2..=2).or_else(|| cursor.number(1..=1))
            && tight
            && !cursor.runs_on()
            && ymd(2024, second, first).is_some()
        {
            return cursor.done(Form::DayMonth(first, second));
        }
    }
    cursor.at = lone;
    let lonely = !cursor.runs_on() && (1..=31).contains(&first);
    if lonely { cursor.done(Form::Day(first)) } else { None }
}

/// `May 2, 2026`, `MARZO 2026`, `March`.
fn month_first(tokens: &[Placed], at: usize) -> Option<Match> {
    let mut cursor = Cursor::new(tokens, at);
    let month = cursor.month()?;
    let after_month = cursor.at;
    if let Some(found) = month_day_year(&mut cursor, month) {
        return Some(found);
    }
    cursor.at = after_month;
    cursor.fillers(&['-', '/', '.', ',', '\'', '’'], 3);
    if let Some(year) = cursor.number(4..=4).filter(|year| (1950..=2100).contains(year))
        && !cursor.runs_on()
    {
        return cursor.done(Form::MonthOf(i32::try_from(year).ok()?, month));
    }
    cursor.at = after_month;
    cursor.mark(&['-', '/', '\'', '’']);
    if cursor.at > after_month
        && let Some(year) = cursor.number(2..=2).filter(|_| !cursor.runs_on())
    {
        return cursor.done(Form::MonthOf(full_year(year, 2)?, month));
    }
    cursor.at = after_month;
    cursor.done(Form::MonthName(month))
}

fn month_day_year(cursor: &mut Cursor<'_>, month: u32) -> Option<Match> {
    cursor.fillers(&['.'], 1);
    let day = cursor.number(1..=2)?;
    cursor.fillers(&[','], 2);
    let year = cursor.number(4..=4)?;
    if cursor.runs_on() {
        return None;
    }
    let date = ymd(i32::try_from(year).ok()?, month, day)?;
    cursor.done(Form::Full(date))
}

fn full_year(year: u32, digits: usize) -> Option<i32> {
    let year = i32::try_from(year).ok()?;
    match digits {
        4 => Some(year),
        2 if year >= CENTURY_PIVOT => Some(1900 + year),
        2 => Some(2000 + year),
        _ => None,
    }
}

fn ymd(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    let plausible = (1850..=2100).contains(&year) || year == 9999;
    if !plausible {
        return None;
    }
    NaiveDate::from_ymd_opt(year, month, day)
}
