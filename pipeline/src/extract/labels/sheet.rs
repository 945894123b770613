//! A page prepared for the search of labels and values: its segments in one list, each with its
//! tokens and the segment below it. Knows geometry and tokens, not what they mean.

use super::tokens::tokens_of;
use crate::domain::{Page, Rect};
use crate::extract::parse::number;
use crate::extract::parse::text::fold;

/// A segment with at least this many words is running text, not a label or a table cell.
const PROSE_WORDS: usize = 8;

/// A token of a page and where it stands.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    /// Index into the page's words.
    pub word: usize,
    /// A point follows it in its word, as `F.` and `VENCIM.` in `F.VENCIM.`.
    pub cut_short: bool,
}

/// A segment of a row with what was worked out about it.
#[derive(Debug, Clone)]
pub struct Piece {
    pub row: usize,
    /// Index of the segment within its row.
    pub place: usize,
    pub bounds: Rect,
    /// Words `first..end` of the page.
    pub first: usize,
    pub end: usize,
    /// Tokens `first_token..end_token` of the sheet.
    pub first_token: usize,
    pub end_token: usize,
    pub prose: bool,
    /// The segment that continues this one on the next line, if any.
    pub below: Option<usize>,
}

/// Of the words that are a number with two places, whether all have a comma or all a point.
fn decimal_separator(page: &Page) -> Option<char> {
    let mut separators = page.words.iter().filter_map(|word| {
        let digits = word.text.trim_matches(|ch: char| !ch.is_ascii_digit());
        let amount = number::read_shape(digits).is_some_and(|number| number.decimals == 2);
        digits.chars().rfind(|ch| matches!(ch, ',' | '.')).filter(|_| amount)
    });
    let first = separators.next()?;
    separators.all(|separator| separator == first).then_some(first)
}

/// A page prepared for search.
#[derive(Debug)]
pub struct Sheet<'a> {
    pub page: &'a Page,
    /// Index of the page in its document, from 0.
    pub index: usize,
    pub pieces: Vec<Piece>,
    pub tokens: Vec<Token>,
    /// For each word, the piece that holds it.
    pub piece_of_word: Vec<usize>,
    /// Median word height: the unit of all distances.
    pub height: f32,
    /// What parts the cents from the whole in the page's amounts, where all of them agree.
    pub decimal_separator: Option<char>,
}

impl<'a> Sheet<'a> {
    pub fn new(page: &'a Page, index: usize) -> Self {
        let mut sheet = Self {
            page,
            index,
            pieces: Vec::new(),
            tokens: Vec::new(),
            piece_of_word: vec![0; page.words.len()],
            height: page.median_word_height(),
            decimal_separator: decimal_separator(page),
        };
        for (row, line) in page.rows.iter().enumerate() {
            for (place, segment) in line.segments.iter().enumerate() {
                sheet.add_piece(row, place, segment.bounds, segment.first, segment.end);
            }
        }
        for index in 0..sheet.pieces.len() {
            sheet.pieces[index].below = sheet.find_below(index);
        }
        sheet
    }

    fn add_piece(&mut self, row: usize, place: usize, bounds: Rect, first: usize, end: usize) {
        let end = end.min(self.page.words.len());
        let first_token = self.tokens.len();
        for word in first..end {
            self.piece_of_word[word] = self.pieces.len();
            let written = &self.page.words[word].text;
            let folded = if written.contains('.') { fold(written) } else { String::new() };
            self.tokens.extend(tokens_of(written).into_iter().map(|text| {
                let cut_short = text.chars().all(char::is_alphabetic) && folded.contains(&format!("{text}."));
                Token { text, word, cut_short }
            }));
        }
        let end_token = self.tokens.len();
        let prose = end.saturating_sub(first) >= PROSE_WORDS;
        self.pieces.push(Piece {
            row,
            place,
            bounds,
            first,
            end,
            first_token,
            end_token,
            prose,
            below: None,
        });
    }

    /// The nearest segment on the following lines that is aligned with this one and close to it.
    fn find_below(&self, index: usize) -> Option<usize> {
        let piece = &self.pieces[index];
        let height = piece.bounds.height.max(0.5 * self.height);
        let mut best: Option<(f32, usize)> = None;
        for (other, candidate) in self.pieces.iter().enumerate().skip(index + 1) {
            if candidate.bounds.top > piece.bounds.bottom() + 2.0 * height {
                break;
            }
            let gap = candidate.bounds.top - piece.bounds.bottom();
            if candidate.row == piece.row || gap < -0.5 * height || gap > 1.3 * height {
                continue;
            }
            let apart = alignment_gap(&piece.bounds, &candidate.bounds);
            if apart < 1.2 * height && best.is_none_or(|(least, _)| gap < least - 0.3 * height) {
                best = Some((gap, other));
            }
        }
        best.map(|(_, other)| other)
    }

    /// The token stands behind a slash in its word, as `kWh` in `€/kWh`.
    pub fn is_denominator(&self, word: usize, token: usize) -> bool {
        let Some(slash) = self.page.words.get(word).and_then(|word| word.text.find('/')) else {
            return false;
        };
        let first = token == 0 || self.tokens.get(token - 1).is_none_or(|before| before.word != word);
        let text = &self.page.words[word].text;
        let before = text.get(..slash).unwrap_or_default();
        !first || !before.chars().any(char::is_alphabetic)
    }

    /// The text of a run of words, single-spaced.
    pub fn text(&self, first: usize, end: usize) -> String {
        let words = self.page.words.get(first..end).unwrap_or_default();
        words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The rectangle around a run of words.
    pub fn bounds(&self, first: usize, end: usize) -> Rect {
        let words = self.page.words.get(first..end).unwrap_or_default();
        Rect::around(words.iter().map(|word| word.bounds)).unwrap_or_default()
    }

    /// How sure the recogniser is of a run of words: between its least sure and its mean character.
    pub fn certainty(&self, first: usize, end: usize) -> f32 {
        let words = self.page.words.get(first..end).unwrap_or_default();
        let (mut least, mut sum, mut count) = (1.0_f32, 0.0, 0.0);
        for word in words {
            for reading in word.chars.iter().filter(|reading| reading.ch.is_alphanumeric()) {
                least = least.min(reading.probability);
                sum += reading.probability;
                count += 1.0;
            }
        }
        if count == 0.0 { 1.0 } else { (0.5 * least + 0.5 * sum / count).clamp(0.0, 1.0) }
    }
}

/// How far two boxes are from sharing a left edge, a right edge or a centre.
pub fn alignment_gap(upper: &Rect, lower: &Rect) -> f32 {
    if upper.overlap_x(lower) <= 0.0 {
        return f32::INFINITY;
    }
    let left = (upper.left - lower.left).abs();
    let right = (upper.right() - lower.right()).abs();
    let centre = (upper.center_x() - lower.center_x()).abs();
    left.min(right).min(centre)
}
