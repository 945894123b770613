//! The words of a line that describe a movement: neither dates and amounts of columns, nor codes of
//! other columns.

use super::assembly::Assembly;
use super::line::{Kind, Line};
use super::vocabulary::Role;
use crate::domain::Rect;

impl Assembly<'_> {
    /// The words of the description: neither dates and amounts of columns, nor codes of other columns.
    pub(super) fn texts_of(&self, index: usize) -> Vec<String> {
        let line = &self.lines[index];
        let mut cells: Vec<(Rect, Vec<&str>)> = Vec::new();
        let mut last_right = f32::NEG_INFINITY;
        for (place, token) in line.tokens.iter().enumerate() {
            if self.is_column_token(line, index, place) {
                last_right = f32::NEG_INFINITY;
                continue;
            }
            let joins = token.bounds.left - last_right < 1.2 * line.height;
            match cells.last_mut() {
                Some((bounds, words)) if joins => {
                    *bounds = bounds.union(&token.bounds);
                    words.push(&token.text);
                }
                _ => cells.push((token.bounds, vec![&token.text])),
            }
            last_right = token.bounds.right();
        }
        let several = cells.len() > 1;
        let kept =
            cells.into_iter().filter(|(bounds, words)| !(several && self.is_code(line, bounds, words)));
        kept.map(|(_, words)| words.join(" "))
            .filter(|text| text.chars().any(char::is_alphanumeric))
            .collect()
    }

    fn is_column_token(&self, line: &Line, index: usize, place: usize) -> bool {
        let token = &line.tokens[place];
        match token.kind {
            Kind::Amount(_) => self.role(index, place).is_some(),
            Kind::Date(_) => {
                let left = line.share(token.bounds.left);
                let columns = [self.dates.date, self.dates.value_date];
                let leading = place == 0 || place == 1 && columns.iter().all(Option::is_none);
                leading || columns.iter().flatten().any(|column| (left - column).abs() < 0.04)
            }
            Kind::Text => false,
        }
    }

    /// A short code under a heading of another column than the description.
    fn is_code(&self, line: &Line, bounds: &Rect, words: &[&str]) -> bool {
        let header = self.headers.iter().rev().find(|header| header.page <= line.page);
        let Some(header) = header else { return false };
        let under = |other: bool| {
            header.headings.iter().any(|heading| {
                (heading.role == Role::Other || heading.role == Role::Mark) == other
                    && !heading.role.is_money()
                    && heading.bounds.overlap_x(bounds) > 0.0
            })
        };
        let code = words.len() <= 2
            && words
                .iter()
                .all(|word| word.chars().any(|ch| ch.is_ascii_digit()) || word.chars().count() <= 4);
        code && under(true) && !under(false)
    }
}
