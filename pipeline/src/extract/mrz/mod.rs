//! Machine-readable zones of identity documents (ICAO Doc 9303): cards (TD1, three lines of 30),
//! passports (TD3, two of 44) and the format between them (TD2, two of 36).
//!
//! Knows the standard and how recognisers misread OCR-B; knows nothing of what is printed elsewhere.

mod format;
mod lines;
mod decode;

pub use decode::Mrz;
pub use format::MrzFormat;

use crate::domain::Page;

/// The best machine-readable zone on the pages, if there is any.
pub fn find(pages: &[&Page]) -> Option<Mrz> {
    let mut best: Option<Mrz> = None;
    for (page_index, page) in pages.iter().enumerate() {
        for zone in lines::zones(page) {
            let Some(read) = decode::decode(&zone, page_index) else { continue };
            if best.as_ref().is_none_or(|known| read.score > known.score) {
                best = Some(read);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests;
