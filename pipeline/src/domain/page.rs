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
