//! Pictures: single ones and the pages of a TIFF. Sizes are checked from the header before anything
//! is decoded.

mod camera;
mod ccitt;
mod density;
mod picture;
mod scale;
mod tiff;

pub(super) use picture::Picture;
pub(super) use tiff::TiffFile;

use super::RenderLimits;
use crate::domain::{Finding, FindingCode};

fn too_large(width: u32, height: u32, limits: RenderLimits) -> Finding {
    let megapixels = limits.max_source_pixels / 1_000_000;
    let message = format!(
        "The image has {width} × {height} pixels, more than the {megapixels} million that are read; send a smaller one."
    );
    Finding::new(FindingCode::TooLarge, message)
}

fn damaged(message: impl Into<String>) -> Finding {
    Finding::new(FindingCode::Damaged, message)
}
