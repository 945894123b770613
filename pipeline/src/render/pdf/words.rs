//! Placed glyphs become words: split at spaces and gaps, whatever order they were drawn in.

use unicode_normalization::UnicodeNormalization;

use super::glyphs::{Direction, GlyphText, PlacedGlyph};
use super::usable::Turn;
use crate::domain::{Rect, Word};

/// Gap, in font sizes, that parts words where no space is drawn. The narrowest spaces of text fonts
/// are 0.2 em; kerning stays under 0.1.
const WORD_GAP: f32 = 0.16;
/// Letter-spaced text: the gap that parts words is this much larger than the usual one.
const SPACED_GAP: f32 = 1.6;
/// A wider gap than this never joins, however even the spacing is: boxes of a form are wider.
const MAX_SPACED_GAP: f32 = 0.8;
/// Parts of one baseline differ less than this, in font sizes: superscripts rise by a third.
const BASELINE: f32 = 0.15;
/// The body of a letter above and below the baseline, in font sizes, as in most text fonts. Fixed,
/// so that all words of a line have the same height.
const ASCENT: f32 = 0.74;
const DESCENT: f32 = 0.22;

/// A glyph on an upright page.
#[derive(Debug, Clone)]
struct Upright<'g> {
    glyph: &'g PlacedGlyph,
    left: f32,
    right: f32,
    baseline: f32,
    size: f32,
}

/// A word being put together.
#[derive(Debug, Clone)]
struct Piece {
    text: String,
    left: f32,
    right: f32,
    baseline: f32,
    size: f32,
    bold: usize,
    glyphs: usize,
}

/// The words of the glyphs that run in the page's main direction; what stands crosswise (a remark
/// up the margin, a watermark) is left out.
pub(super) fn to_words(glyphs: &[PlacedGlyph], turn: &Turn) -> Vec<Word> {
    let upright: Vec<Upright<'_>> = glyphs
        .iter()
        .filter(|glyph| glyph.direction != Direction::Slanted)
        .filter(|glyph| glyph.direction.quarter_turns() == turn.turns)
        .map(|glyph| place(glyph, turn))
        .collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for index in 1..=upright.len() {
        let ends = match (upright.get(index - 1), upright.get(index)) {
            (Some(before), Some(after)) => !same_chain(before, after),
            _ => true,
        };
        if ends {
            split_chain(upright.get(start..index).unwrap_or_default(), &mut pieces);
            start = index;
        }
    }
    join(&pieces).iter().filter_map(to_word).collect()
}

fn place<'g>(glyph: &'g PlacedGlyph, turn: &Turn) -> Upright<'g> {
    let (x0, y0) = turn.point(glyph.start.x as f32, glyph.start.y as f32);
    let (x1, y1) = turn.point(glyph.end.x as f32, glyph.end.y as f32);
    Upright { glyph, left: x0.min(x1), right: x0.max(x1), baseline: y0.midpoint(y1), size: glyph.size }
}

/// Whether a glyph follows another on its line, near enough to belong to the same text.
fn same_chain(before: &Upright<'_>, after: &Upright<'_>) -> bool {
    let size = before.size.min(after.size);
    let alike = (before.size - after.size).abs() <= 0.25 * before.size.max(after.size);
    let gap = after.left - before.right;
    alike
        && (before.baseline - after.baseline).abs() <= BASELINE * size
        && gap < size
        && gap > -0.5 * size - (before.right - before.left)
}

/// Splits glyphs that follow each other on a line at spaces and at gaps that stand out.
fn split_chain(chain: &[Upright<'_>], pieces: &mut Vec<Piece>) {
    let threshold = word_gap(chain);
    let mut current: Option<Piece> = None;
    let mut before: Option<&Upright<'_>> = None;
    for glyph in chain {
        if glyph.glyph.text.is_space() {
            pieces.extend(current.take());
            before = None;
            continue;
        }
        if before.is_some_and(|before| repeats(before, glyph)) {
            continue;
        }
        let parts = before.is_some_and(|before| glyph.left - before.right > threshold * glyph.size);
        if parts {
            pieces.extend(current.take());
        }
        match &mut current {
            Some(piece) => piece.add(glyph),
            None => current = Some(Piece::of(glyph)),
        }
        before = Some(glyph);
    }
    pieces.extend(current);
}

/// The gap that parts words, in font sizes: more where letters are set apart evenly.
fn word_gap(chain: &[Upright<'_>]) -> f32 {
    let mut gaps: Vec<f32> = chain
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] if !before.glyph.text.is_space() && !after.glyph.text.is_space() => {
                Some((after.left - before.right) / after.size.max(0.1))
            }
            _ => None,
        })
        .collect();
    if gaps.len() < 4 {
        return WORD_GAP;
    }
    gaps.sort_by(f32::total_cmp);
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0.0);
    if usual <= 0.08 { WORD_GAP } else { (usual * SPACED_GAP).clamp(WORD_GAP, MAX_SPACED_GAP) }
}

/// The same character once more in nearly the same place: bold or a shadow made by drawing twice.
fn repeats(before: &Upright<'_>, glyph: &Upright<'_>) -> bool {
    before.glyph.text == glyph.glyph.text && (before.left - glyph.left).abs() < 0.15 * glyph.size
}

/// Pieces of one word that were drawn apart (each letter alone, or out of order) come together,
/// and words that were drawn twice in one place become one.
fn join(pieces: &[Piece]) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    let key = |index: &usize| pieces.get(*index).map_or((0, 0.0), |piece| (piece.line(), piece.left));
    order.sort_by(|a, b| {
        let ((line_a, left_a), (line_b, left_b)) = (key(a), key(b));
        line_a.cmp(&line_b).then(left_a.total_cmp(&left_b))
    });
    for piece in order.into_iter().filter_map(|index| pieces.get(index)) {
        match joined.last_mut() {
            Some(last) if last.is_double_of(piece) => {}
            Some(last) if last.touches(piece) => last.append(piece),
            _ => joined.push(piece.clone()),
        }
    }
    joined
}

impl Piece {
    fn of(glyph: &Upright<'_>) -> Self {
        let mut piece = Self {
            text: String::new(),
            left: glyph.left,
            right: glyph.right,
            baseline: glyph.baseline,
            size: glyph.size,
            bold: 0,
            glyphs: 0,
        };
        piece.add(glyph);
        piece
    }

    fn add(&mut self, glyph: &Upright<'_>) {
        match &glyph.glyph.text {
            GlyphText::Unmapped => self.text.push('\u{FFFD}'),
            GlyphText::One(ch) => self.text.push(*ch),
            GlyphText::Many(text) => self.text.push_str(text),
        }
        self.left = self.left.min(glyph.left);
        self.right = self.right.max(glyph.right);
        self.size = self.size.max(glyph.size);
        self.bold += usize::from(glyph.glyph.bold);
        self.glyphs += 1;
    }

    /// Lines are told apart in steps of a point, well under the distance of lines.
    fn line(&self) -> i64 {
        f64::from(self.baseline).round() as i64
    }

    fn same_line(&self, other: &Self) -> bool {
        let size = self.size.min(other.size);
        (self.baseline - other.baseline).abs() <= BASELINE * size
            && (self.size - other.size).abs() <= 0.25 * self.size.max(other.size)
    }

    fn touches(&self, other: &Self) -> bool {
        let gap = other.left - self.right;
        let size = self.size.min(other.size);
        self.same_line(other) && gap < 0.06 * size && gap > -0.12 * size
    }

    fn is_double_of(&self, other: &Self) -> bool {
        self.text == other.text && self.same_line(other) && (self.left - other.left).abs() < 0.15 * self.size
    }

    fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.right = self.right.max(other.right);
        self.size = self.size.max(other.size);
        self.bold += other.bold;
        self.glyphs += other.glyphs;
    }
}

fn to_word(piece: &Piece) -> Option<Word> {
    let text = clean(&piece.text);
    if text.is_empty() {
        return None;
    }
    let top = piece.baseline - ASCENT * piece.size;
    let bottom = piece.baseline + DESCENT * piece.size;
    Some(Word {
        text,
        bounds: Rect::from_edges(piece.left, top, piece.right.max(piece.left + 0.1), bottom),
        confidence: 1.0,
        bold: piece.bold * 2 > piece.glyphs,
        chars: Vec::new(),
    })
}

/// One form for each character: accents composed, ligatures and odd hyphens resolved, controls gone.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for ch in text.nfc() {
        match ch {
            '\u{FB00}'..='\u{FB06}' => cleaned.extend(std::iter::once(ch).nfkc()),
            '\u{AD}' | '\u{2010}' | '\u{2011}' => cleaned.push('-'),
            '\u{200B}'..='\u{200F}' | '\u{FEFF}' => {}
            ch if ch.is_control() => {}
            ch => cleaned.push(ch),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use hayro_interpret::kurbo::Point;

    use super::*;

    /// Glyphs of half an em at the given positions.
    fn glyphs(line: &[(&str, f64)], baseline: f64) -> Vec<PlacedGlyph> {
        let place = |(text, left): &(&str, f64)| PlacedGlyph {
            text: GlyphText::Many((*text).to_owned()),
            start: Point::new(*left, baseline),
            end: Point::new(left + 5.0, baseline),
            size: 10.0,
            direction: Direction::Right,
            bold: false,
            colour: [0.0; 3],
            invisible: false,
            sequence: 0,
        };
        line.iter().map(place).collect()
    }

    fn texts(glyphs: &[PlacedGlyph]) -> Vec<String> {
        let turn = Turn { turns: 0, width: 600.0, height: 800.0 };
        to_words(glyphs, &turn).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_end_at_spaces_and_gaps() {
        let drawn = [("N", 0.0), ("o", 5.0), (" ", 10.0), ("v", 15.0), ("a", 20.0), ("y", 27.0)];
        assert_eq!(texts(&glyphs(&drawn, 50.0)), ["No", "va", "y"]);
    }

    #[test]
    fn letters_set_apart_make_one_word() {
        let spaced: Vec<(&str, f64)> =
            ["T", "O", "T", "A", "L"].iter().enumerate().map(|(at, ch)| (*ch, at as f64 * 8.0)).collect();
        assert_eq!(texts(&glyphs(&spaced, 50.0)), ["TOTAL"]);
    }

    #[test]
    fn letters_drawn_out_of_order_come_together() {
        let mut drawn = glyphs(&[("b", 5.0)], 50.0);
        drawn.extend(glyphs(&[("z", 300.0)], 50.0));
        drawn.extend(glyphs(&[("a", 0.0)], 50.0));
        assert_eq!(texts(&drawn), ["ab", "z"]);
    }

    #[test]
    fn text_drawn_twice_is_read_once() {
        let mut drawn = glyphs(&[("I", 0.0), ("V", 5.0), ("A", 10.0)], 50.0);
        drawn.extend(glyphs(&[("I", 0.3), ("V", 5.3), ("A", 10.3)], 50.0));
        assert_eq!(texts(&drawn), ["IVA"]);
    }

    #[test]
    fn characters_come_in_one_form() {
        assert_eq!(clean("cio\u{301}n"), "ción");
        assert_eq!(clean("o\u{FB01}cina\u{AD}"), "oficina-");
    }
}
