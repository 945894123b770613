//! A run of words as one text, and back from a range of the text to the words.

use std::ops::Range;

use super::{Candidate, Typed};
use crate::domain::{CharReading, Check, Rect};
use crate::extract::labels::sheet::Sheet;

/// Words joined by single spaces, with the byte at which each begins.
#[derive(Debug)]
pub struct Scan<'a> {
    sheet: &'a Sheet<'a>,
    pub text: String,
    starts: Vec<(usize, usize)>,
    /// Bytes of the text that belong to the first piece.
    pub own: usize,
}

impl<'a> Scan<'a> {
    /// The words of these pieces, in this order.
    pub fn of_pieces(sheet: &'a Sheet, pieces: &[usize]) -> Self {
        let mut scan = Self { sheet, text: String::new(), starts: Vec::new(), own: 0 };
        for (order, piece) in pieces.iter().enumerate() {
            let piece = &sheet.pieces[*piece];
            for word in piece.first..piece.end {
                if !scan.text.is_empty() {
                    scan.text.push(' ');
                }
                scan.starts.push((scan.text.len(), word));
                scan.text.push_str(&sheet.page.words[word].text);
            }
            if order == 0 {
                scan.own = scan.text.len();
            }
        }
        scan
    }

    /// The first and the last word that a range of the text touches.
    pub fn words(&self, range: &Range<usize>) -> Option<(usize, usize)> {
        let last = self.starts.iter().rev().find(|(start, _)| *start < range.end)?;
        let first = self.starts.iter().rev().find(|(start, _)| *start <= range.start)?;
        Some((first.1, last.1))
    }

    /// The recognised characters of a range of the text; empty for native text.
    pub fn readings(&self, range: &Range<usize>) -> Vec<CharReading> {
        let mut readings = Vec::new();
        for (start, word) in &self.starts {
            let word = &self.sheet.page.words[*word];
            for ((offset, _), reading) in word.text.char_indices().zip(&word.chars) {
                if range.contains(&(start + offset)) {
                    readings.push(reading.clone());
                }
            }
        }
        readings
    }

    /// A candidate from a range of the text.
    pub fn candidate(
        &self,
        range: Range<usize>,
        value: Typed,
        format: f32,
        checks: Vec<Check>,
    ) -> Option<Candidate> {
        let (first, last) = self.words(&range)?;
        let raw = self.text.get(range.clone()).unwrap_or_default().trim().to_owned();
        let piece = self.sheet.piece_of_word[first];
        let last_piece = self.sheet.piece_of_word[last];
        let words = self.starts.iter().filter(|(start, word)| {
            *start < range.end && start + self.sheet.page.words[*word].text.len() > range.start
        });
        let bounds = Rect::around(words.map(|(_, word)| self.sheet.page.words[*word].bounds))?;
        Some(Candidate {
            piece,
            last_piece,
            first,
            end: last + 1,
            bounds,
            raw,
            value,
            format,
            checks,
            repaired: false,
        })
    }
}
