//! How much of a page's time goes into finding and recognising text, wherever that is asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use image::GrayImage;

use super::file::elapsed_us;
use crate::domain::Word;
use crate::ocr::{Glance, Look, OcrError, Reader, TextBox};

/// A reader that counts the time that it is at work.
pub(super) struct Timed<'a> {
    reader: &'a dyn Reader,
    spent_us: AtomicU64,
}

impl<'a> Timed<'a> {
    pub(super) fn new(reader: &'a dyn Reader) -> Self {
        Self { reader, spent_us: AtomicU64::new(0) }
    }

    /// Microseconds in all calls so far.
    pub(super) fn spent_us(&self) -> u64 {
        self.spent_us.load(Ordering::Relaxed)
    }

    fn counted<T>(&self, work: impl FnOnce(&dyn Reader) -> Result<T, OcrError>) -> Result<T, OcrError> {
        let started = Instant::now();
        let done = work(self.reader);
        self.spent_us.fetch_add(elapsed_us(started), Ordering::Relaxed);
        done
    }
}

impl Reader for Timed<'_> {
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
        self.counted(|reader| reader.find_text(image))
    }

    fn read_boxes(&self, page: &GrayImage, boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        self.counted(|reader| reader.read_boxes(page, boxes))
    }

    fn glance(&self, image: &GrayImage, boxes: &[TextBox], look: Look) -> Result<Glance, OcrError> {
        self.counted(|reader| reader.glance(image, boxes, look))
    }
}
