//! The reader behind [`Reader`]: detect on a small version, read lines on the full one.

use image::GrayImage;

use super::crop::{LineImage, cut_line};
use super::ctc::{DecodedChar, Frames, decode};
use super::detect::find_boxes;
use super::lines::{LinePiece, find_lines};
use super::models::{ModelFiles, Models};
use super::words::{without_noise, words_of};
use super::{Glance, Look, OcrError, Reader, TextBox, chars_in_words};
use crate::domain::Word;
use crate::raster::Pyramid;

/// Lines that a brief glance reads, and those of a thorough one.
const BRIEF_LINES: usize = 5;
const THOROUGH_LINES: usize = 24;
/// Lines so much higher than most are headings, pictures or two lines taken for one.
const HIGH_LINE: f32 = 1.4;
/// Columns of a frame.
const FRAME_COLUMNS: usize = 4;

/// Reads with the project's own models (`models/`), whose interface is that of the `ocrs` crate.
pub struct OcrsReader {
    models: Models,
}

impl std::fmt::Debug for OcrsReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("OcrsReader")
            .field("classes", &self.models.alphabet.len())
            .finish_non_exhaustive()
    }
}

impl OcrsReader {
    /// Prepares the models; takes some ten milliseconds.
    ///
    /// # Errors
    /// When a model cannot be parsed or is not of the expected interface.
    pub fn load(files: &ModelFiles<'_>) -> Result<Self, OcrError> {
        Ok(Self { models: Models::load(files)? })
    }

    fn read_lines(&self, page: &GrayImage, lines: &[LinePiece]) -> Result<Vec<Word>, OcrError> {
        let mut words = Vec::new();
        for (line, image, chars) in self.decode_lines(page, lines)? {
            words.extend(words_of(&chars, line, &image, &self.models.alphabet));
        }
        Ok(words)
    }

    /// One after the other: several at once take as long, and their paddings beside.
    fn decode_lines<'l>(
        &self,
        page: &GrayImage,
        lines: &'l [LinePiece],
    ) -> Result<Vec<ReadLine<'l>>, OcrError> {
        let mut pyramid = Pyramid::new(page);
        let read = |line| {
            let image = cut_line(&mut pyramid, line, self.models.line_height);
            let chars = self.decode_line(&image)?;
            Ok((line, image, chars))
        };
        lines.iter().map(read).collect()
    }

    /// The line, padded with black on the right.
    fn decode_line(&self, image: &LineImage) -> Result<Vec<DecodedChar>, OcrError> {
        let width = image.width.next_multiple_of(2 * FRAME_COLUMNS);
        let mut pixels = Vec::with_capacity(self.models.line_height * width);
        for row in image.pixels.chunks_exact(image.width) {
            pixels.extend_from_slice(row);
            pixels.resize(pixels.len() + width - image.width, -0.5);
        }
        let (frames, classes) = self.models.line_frames(pixels, width)?;
        Ok(decode(&Frames::new(&frames, classes, image.width.div_ceil(FRAME_COLUMNS))))
    }
}

/// A line piece, its picture and what it spells.
type ReadLine<'l> = (&'l LinePiece, LineImage, Vec<DecodedChar>);

impl Reader for OcrsReader {
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
        find_boxes(&self.models, image)
    }

    fn read_boxes(&self, page: &GrayImage, boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        let lines = find_lines(boxes);
        Ok(without_noise(self.read_lines(page, &lines)?))
    }

    fn glance(&self, image: &GrayImage, boxes: &[TextBox], look: Look) -> Result<Glance, OcrError> {
        let mut lines = telling_lines(find_lines(boxes.to_vec()));
        lines.truncate(match look {
            Look::Brief => BRIEF_LINES,
            Look::Thorough => THOROUGH_LINES,
        });
        let mut glance = Glance::default();
        for (_, _, chars) in self.decode_lines(image, &lines)? {
            glance.chars += chars.len() as u32;
            glance.sure_chars += chars.iter().map(|ch| ch.probability).sum::<f32>();
            let letters = chars.iter().filter_map(|ch| self.models.alphabet.get(ch.class.checked_sub(1)?));
            glance.word_chars += chars_in_words(letters.copied());
        }
        Ok(glance)
    }
}

/// Lines of the usual height or less, those first that tell most for their time.
fn telling_lines(mut lines: Vec<LinePiece>) -> Vec<LinePiece> {
    lines.retain(|line| line.right - line.left > 2.0 * line.height);
    let mut heights: Vec<f32> = lines.iter().map(|line| line.height).collect();
    heights.sort_by(f32::total_cmp);
    if let Some(usual) = heights.get(heights.len() / 2) {
        lines.retain(|line| line.height <= HIGH_LINE * usual);
    }
    lines.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.left.total_cmp(&b.left)));
    lines
}

/// A line of some twenty letters tells most for its time.
fn worth(line: &LinePiece) -> f32 {
    let letters = (line.right - line.left) / (0.5 * line.height.max(1.0));
    let length = if letters <= 24.0 { letters } else { (48.0 - letters).max(8.0) };
    length * line.height.min(60.0).sqrt()
}
