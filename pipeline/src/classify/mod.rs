//! Pages of a case's files become logical documents with types. Knows the anchor phrases of the
//! configuration, a linear model over words and the look of machine-readable zones, and nothing of fields.

mod evidence;
mod group;
mod phrases;
mod words;

pub use evidence::{PageEvidence, weigh};
pub use group::{LogicalDocument, PageOfFile, group};
pub use words::{WordModel, page_words};

#[cfg(test)]
mod testing {
    use crate::domain::{Page, Rect, TextSource};
    use crate::drawn;

    /// A born-digital page with these lines of text.
    pub(super) fn page(number: u32, lines: &[&str]) -> Page {
        let mut words = Vec::new();
        for (row, line) in (0u8..).zip(lines) {
            let mut left = 50.0;
            for text in line.split(' ') {
                #[expect(clippy::cast_precision_loss, reason = "a few characters")]
                let width = 5.0 * text.chars().count() as f32;
                let bounds = Rect::new(left, 40.0 + 14.0 * f32::from(row), width, 10.0);
                words.push(drawn::word(text, bounds));
                left += width + 3.0;
            }
        }
        Page { number, ..drawn::page(TextSource::Native, 595.0, 842.0, words) }
    }
}
