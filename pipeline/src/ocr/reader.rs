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

/// Most lines that are read together.
const MAX_BATCH: usize = 12;
/// Most columns of a batch, paddings included: bounds the memory of one run.
const MAX_BATCH_COLUMNS: usize = 6000;
/// A line joins a batch when it is at least this part of its longest.
const MIN_FILL: f32 = 0.92;
/// The detector's view for reading, and that for a brief glance: letters can just be told.
const READING_DETAIL: f32 = 1.0;
const GLANCE_DETAIL: f32 = 0.6;
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

    fn decode_lines<'l>(
        &self,
        page: &GrayImage,
        lines: &'l [LinePiece],
    ) -> Result<Vec<ReadLine<'l>>, OcrError> {
        let mut pyramid = Pyramid::new(page);
        let mut images: Vec<(usize, LineImage)> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| (index, cut_line(&mut pyramid, line, self.models.line_height)))
            .collect();
        images.sort_by_key(|(index, image)| (image.width, *index));
        let mut decoded = Vec::with_capacity(lines.len());
        while !images.is_empty() {
            let batch = images.split_off(images.len() - batch_size(&images));
            let chars = self.decode_batch(&batch)?;
            decoded.extend(batch.into_iter().zip(chars).map(|((index, image), chars)| (index, image, chars)));
        }
        decoded.sort_by_key(|entry| entry.0);
        Ok(decoded.into_iter().map(|(index, image, chars)| (&lines[index], image, chars)).collect())
    }

    /// Lines of similar width, each padded with black on the right.
    fn decode_batch(&self, batch: &[(usize, LineImage)]) -> Result<Vec<Vec<DecodedChar>>, OcrError> {
        let rows = self.models.line_height;
        let widest = batch.iter().map(|(_, image)| image.width).max().unwrap_or(0);
        let width = widest.next_multiple_of(2 * FRAME_COLUMNS);
        let mut pixels = Vec::with_capacity(batch.len() * rows * width);
        for (_, image) in batch {
            for row in image.pixels.chunks_exact(image.width) {
                pixels.extend_from_slice(row);
                pixels.resize(pixels.len() + width - image.width, -0.5);
            }
        }
        let (frames, classes) = self.models.line_frames(pixels, batch.len(), width)?;
        let decode_item = |(item, (_, image)): (usize, &(usize, LineImage))| {
            let count = image.width.div_ceil(FRAME_COLUMNS);
            decode(&Frames::of_batch(&frames, batch.len(), classes, item, count))
        };
        Ok(batch.iter().enumerate().map(decode_item).collect())
    }
}

/// A line piece, its picture and what it spells.
type ReadLine<'l> = (&'l LinePiece, LineImage, Vec<DecodedChar>);

/// How many of the last (widest) images make the next batch.
fn batch_size(sorted: &[(usize, LineImage)]) -> usize {
    let Some((_, widest)) = sorted.last() else { return 0 };
    let room = (MAX_BATCH_COLUMNS / widest.width.max(1)).clamp(1, MAX_BATCH);
    let alike = |entry: &&(usize, LineImage)| entry.1.width as f32 >= MIN_FILL * widest.width as f32;
    sorted.iter().rev().take(room).take_while(alike).count().max(1)
}

impl Reader for OcrsReader {
    fn read_words(&self, page: &GrayImage) -> Result<Vec<Word>, OcrError> {
        let boxes = find_boxes(&self.models, page, READING_DETAIL)?;
        self.read_boxes(page, boxes)
    }

    fn read_boxes(&self, page: &GrayImage, boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        let lines = find_lines(boxes);
        Ok(without_noise(self.read_lines(page, &lines)?))
    }

    fn glance(&self, image: &GrayImage, look: Look) -> Result<Glance, OcrError> {
        let (detail, count) = match look {
            Look::First => (READING_DETAIL, BRIEF_LINES),
            Look::Brief => (GLANCE_DETAIL, BRIEF_LINES),
            Look::Thorough => (READING_DETAIL, THOROUGH_LINES),
        };
        let boxes = find_boxes(&self.models, image, detail)?;
        let mut lines = telling_lines(find_lines(boxes.clone()));
        lines.truncate(count);
        let mut glance = Glance { boxes, is_complete: look != Look::Brief, ..Glance::default() };
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
