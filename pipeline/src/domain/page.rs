use serde::{Deserialize, Serialize};

use super::Rect;

/// One page as it was read, upright.
///
/// All rectangles share one isotropic unit: points (1/72 inch) where the text came from a
/// born-digital page, pixels of the upright raster where it came from OCR. Compare lengths with
/// text heights, never with constants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Number of the page in its file, from 1.
    pub number: u32,
    pub width: f32,
    pub height: f32,
    pub source: TextSource,
    /// In reading order: row by row, left to right within a row.
    pub words: Vec<Word>,
    /// Top to bottom. Every word is in exactly one row.
    pub rows: Vec<Row>,
    /// Ink that is neither text nor ruled line: signatures, stamps, logos, pictures.
    pub marks: Vec<InkMark>,
    /// Ruled lines of tables and boxes, where they were found.
    pub rules: Vec<RuleLine>,
    /// Boxes and circles to tick.
    #[serde(default)]
    pub boxes: Vec<TickBox>,
    /// What was done to bring the page upright: clockwise quarter turns and the skew, in degrees.
    pub rotation_degrees: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextSource {
    /// Text that the file carries itself.
    Native,
    /// A flat, scanned or faxed image, read by OCR.
    Scan,
    /// A camera picture, read by OCR.
    Photo,
}

impl TextSource {
    pub fn is_ocr(self) -> bool {
        self != TextSource::Native
    }
}

/// A run of characters without a space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
    pub bounds: Rect,
    /// Product-like OCR certainty of the whole word, 0 to 1, not calibrated; 1 for native text.
    pub confidence: f32,
    pub bold: bool,
    /// One entry for each `char` of `text` when read by OCR; empty for native text.
    pub chars: Vec<CharReading>,
}

impl Word {
    /// Whether a reader of pictures may have taken a scrawl for this word: it is unsure, or reads bare
    /// strokes or very wide letters in something higher than the page's text.
    pub fn may_be_scrawl(&self, text_height: f32) -> bool {
        if self.chars.is_empty() {
            return false;
        }
        let letters = self.text.chars().filter(|ch| ch.is_alphanumeric()).count();
        let tall = self.bounds.height / text_height.max(0.1);
        // A letter is seldom wider than high; the strokes of a hand are spread.
        let spread = self.bounds.width / self.bounds.height.max(0.1) / self.text.chars().count() as f32;
        match letters {
            0 => tall > 1.3,
            1..=3 => tall > 1.5 && spread > 1.2 || tall > 2.2 && self.confidence < 0.9,
            _ => tall > 1.8 && spread > 1.4 || tall > 2.2 && self.confidence < 0.9,
        }
    }
}

/// A recognised character with its posterior and the runner-ups at the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharReading {
    pub ch: char,
    /// Posterior of `ch`, 0 to 1, as the model gives it (not calibrated).
    pub probability: f32,
    /// Other characters at this place with their posteriors, best first, at most four.
    pub alternatives: Vec<(char, f32)>,
}

/// All words on one baseline across the page, as a person reads a line of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub bounds: Rect,
    /// Left to right; a new segment starts where the gap is wider than a space can be.
    pub segments: Vec<Segment>,
}

/// Neighbouring words of one row: a table cell, a label, a line of a paragraph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub bounds: Rect,
    /// Indices into `Page::words`, `first..end`.
    pub first: usize,
    pub end: usize,
}

/// A cluster of ink that is neither text nor ruled line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InkMark {
    pub bounds: Rect,
    /// Share of the bounds that is ink, 0 to 1.
    pub ink_ratio: f32,
    /// Connected pieces in the cluster.
    pub pieces: u32,
    /// Mean stroke thickness in page units.
    pub stroke_width: f32,
    /// How much of the ink is curved, slanted stroke as in handwriting, 0 (straight or solid) to 1.
    pub scribble: f32,
    /// Mean colour of the ink, RGB.
    pub colour: [u8; 3],
}

/// A small closed frame, as forms have them to be ticked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TickBox {
    /// The frame's; a tick may go beyond it.
    pub bounds: Rect,
    /// Share of the inside, away from the frame, that is ink, 0 to 1.
    pub ink_ratio: f32,
}

/// A straight horizontal or vertical ruled line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RuleLine {
    pub bounds: Rect,
    pub horizontal: bool,
}

impl Page {
    /// The words of a segment.
    pub fn words_of(&self, segment: &Segment) -> &[Word] {
        self.words.get(segment.first..segment.end).unwrap_or_default()
    }

    /// The text of a segment, words joined by single spaces.
    pub fn text_of(&self, segment: &Segment) -> String {
        join(self.words_of(segment))
    }

    /// The page as plain text: one line a row, segments parted by two spaces.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for (index, segment) in row.segments.iter().enumerate() {
                if index > 0 {
                    text.push_str("  ");
                }
                text.push_str(&self.text_of(segment));
            }
            text.push('\n');
        }
        text
    }

    /// The median height of the words, in page units; a small positive number for an empty page.
    pub fn median_word_height(&self) -> f32 {
        let mut heights: Vec<f32> = self.words.iter().map(|word| word.bounds.height).collect();
        if heights.is_empty() {
            return (self.height / 100.0).max(1.0);
        }
        heights.sort_by(f32::total_cmp);
        heights.get(heights.len() / 2).copied().unwrap_or(1.0).max(0.1)
    }
}

fn join(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, width: f32, height: f32, confidence: f32) -> Word {
        let chars = text
            .chars()
            .map(|ch| CharReading { ch, probability: confidence, alternatives: vec![] })
            .collect();
        let bounds = Rect::new(0.0, 0.0, width, height);
        Word { text: text.to_owned(), bounds, confidence, bold: false, chars }
    }

    #[test]
    fn a_scrawl_is_told_from_print_by_its_size_and_letters() {
        let cases = [
            ("//", 373.0, 74.0, 0.99, true),
            ("//l", 316.0, 69.0, 0.75, true),
            ("Q/n/lr", 359.0, 97.0, 0.1, true),
            ("Firma", 120.0, 28.0, 0.4, false),
            ("CONTRATO", 400.0, 70.0, 0.97, false),
            ("12", 40.0, 50.0, 0.95, false),
            ("-", 20.0, 6.0, 0.9, false),
        ];
        for (text, width, height, confidence, scrawl) in cases {
            assert_eq!(word(text, width, height, confidence).may_be_scrawl(28.0), scrawl, "{text}");
        }
        let native = Word { chars: vec![], ..word("//", 373.0, 74.0, 1.0) };
        assert!(!native.may_be_scrawl(28.0));
    }
}
