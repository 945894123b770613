//! From the grey raster of an upright page to words with boxes, confidence and runner-ups.
//!
//! Must not know where the raster came from, how rows are arranged ([`crate::layout`]) or what the
//! words mean. One thread: a page is read on the thread that asks.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixel coordinates are far below 2^24, and clamped where they may be negative"
)]

mod models;
mod detect;
mod apart;
mod lines;
mod crop;
mod ctc;
mod spaces;
mod words;
mod reader;

pub use models::ModelFiles;
pub use reader::OcrsReader;

use image::GrayImage;

use crate::domain::{Rect, Word};

/// Reads text in images: the seam between the pipeline and its recognition models, so that every
/// stage can be tested without them.
pub trait Reader: Send + Sync {
    /// Where text stands, in pixels of `image`, in no order worth relying on. Text that lies on its side
    /// is found badly.
    ///
    /// # Errors
    /// When the models cannot be run. An image without text is an empty list.
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError>;

    /// All words of an upright page of which it is known where text stands, boxes in pixels of `page`.
    /// Specks, ruled lines and the like are left out; scrawls may come as words of low confidence.
    ///
    /// # Errors
    /// When the models cannot be run.
    fn read_boxes(&self, page: &GrayImage, boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError>;

    /// How well some of the lines in these boxes read as the image stands. It is what the choice between
    /// orientations is made of.
    ///
    /// # Errors
    /// When the models cannot be run.
    fn glance(&self, image: &GrayImage, boxes: &[TextBox], look: Look) -> Result<Glance, OcrError>;

    /// All words of an upright page.
    ///
    /// # Errors
    /// When the models cannot be run. A page without text is an empty list.
    fn read_words(&self, page: &GrayImage) -> Result<Vec<Word>, OcrError> {
        self.read_boxes(page, self.find_text(page)?)
    }
}

/// How many lines a glance reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A few.
    Brief,
    /// Several times as many.
    Thorough,
}

/// What a glance at an image found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Glance {
    /// Characters read in the lines that were tried.
    pub chars: u32,
    /// The sum of their posteriors.
    pub sure_chars: f32,
    /// Those in runs of letters as long as words. What stands on its side or its head reads as single
    /// letters and digits.
    pub word_chars: u32,
}

impl Glance {
    /// Mean posterior of the characters that were read, 0 without any.
    pub fn mean_confidence(&self) -> f32 {
        if self.chars == 0 { 0.0 } else { self.sure_chars / self.chars as f32 }
    }

    /// Share of the characters that stand in words, 0 without any.
    pub fn word_share(&self) -> f32 {
        if self.chars == 0 { 0.0 } else { self.word_chars as f32 / self.chars as f32 }
    }
}

/// Shorter runs of letters are read into any picture.
const WORD_LETTERS: u32 = 4;

/// Characters in runs of at least [`WORD_LETTERS`] letters.
fn chars_in_words(chars: impl Iterator<Item = char>) -> u32 {
    let (mut all, mut run) = (0, 0);
    for ch in chars.chain([' ']) {
        if ch.is_alphabetic() {
            run += 1;
            continue;
        }
        if run >= WORD_LETTERS {
            all += run;
        }
        run = 0;
    }
    all
}

/// A piece of text as the detector sees it: a rectangle that may lean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextBox {
    pub center_x: f32,
    pub center_y: f32,
    /// Length along the text's direction, which is within 45° of horizontal.
    pub width: f32,
    pub height: f32,
    /// Slope of the text's direction: pixels down for each pixel to the right.
    pub slope: f32,
}

impl TextBox {
    /// A box that does not lean.
    pub fn upright(bounds: Rect) -> Self {
        Self {
            center_x: bounds.center_x(),
            center_y: bounds.center_y(),
            width: bounds.width,
            height: bounds.height,
            slope: 0.0,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    #[error("cannot load the {model} model")]
    Load { model: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the {model} model does not have the expected shape: {problem}")]
    Shape { model: &'static str, problem: String },
    #[error("cannot run the {model} model")]
    Run { model: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

#[cfg(test)]
mod tests {
    use super::chars_in_words;

    #[test]
    fn short_runs_of_letters_are_no_words() {
        for (text, chars) in [
            ("Contrato de préstamo", 16),
            ("9 o a w e P II", 0),
            ("", 0),
            ("x1234 TAE", 0),
            ("uno", 0),
            ("cuatro", 6),
        ] {
            assert_eq!(chars_in_words(text.chars()), chars, "{text}");
        }
    }
}
