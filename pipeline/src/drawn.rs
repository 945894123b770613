//! Pages for tests: words put in their places.

use crate::domain::{Page, Rect, TextSource, Word};
use crate::layout::arrange;

/// A word that is certain.
pub(crate) fn word(text: &str, bounds: Rect) -> Word {
    Word { text: text.to_owned(), bounds, confidence: 1.0, bold: false, chars: vec![] }
}

/// The first page of a file, so wide and high, with these words in their rows and nothing else.
pub(crate) fn page(source: TextSource, width: f32, height: f32, words: Vec<Word>) -> Page {
    let (words, rows) = arrange(words);
    Page {
        number: 1,
        width,
        height,
        source,
        words,
        rows,
        marks: vec![],
        rules: vec![],
        boxes: vec![],
        rotation_degrees: 0.0,
    }
}
