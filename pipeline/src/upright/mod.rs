//! From the raster of a page, however it was scanned or photographed, to an upright flat picture:
//! the page cut out of its background and squared, light evened, text running left to right.
//!
//! Must not know files, nor what the text says: only whether it reads well.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixel coordinates are far below 2^24, and clamped where they may be negative"
)]

mod boundary;
mod direction;
mod light;
mod quarter;
mod turn;
mod warp;

use image::RgbImage;

use self::turn::Turned;
use crate::domain::TextSource;
use crate::ocr::{OcrError, Reader, TextBox};

pub use boundary::{Corners, find_page};

/// A page as it should be read and shown.
#[derive(Debug, Clone)]
pub struct Upright {
    pub image: RgbImage,
    pub source: TextSource,
    /// Clockwise degrees by which the raster was turned: quarter turns and the skew. The squaring of
    /// a photo is not in it.
    pub rotation_degrees: f32,
    /// Where text stands in the image, as the look at how it lies found it; `None` when it must be found anew.
    pub boxes: Option<Vec<TextBox>>,
}

/// Longest side of an upright page: A4 at 300 dpi has 3508. More costs time and reads no better.
const MAX_SIDE: u32 = 3600;

/// A page that covers more than this of an evenly lit picture was scanned with a dark edge beside it.
const MAX_SCANNED_PAGE: f32 = 0.88;

/// Brings a raster upright. `camera` says that the file itself calls it a photo.
///
/// # Errors
/// When the reader's models cannot be run.
pub fn upright(image: RgbImage, camera: bool, reader: &dyn Reader) -> Result<Upright, OcrError> {
    let image = warp::shrunk_to(image, MAX_SIDE);
    let (image, source) = flat(image, camera);
    let Turned { image, rotation_degrees, boxes } = turn::turn_upright(image, reader)?;
    Ok(Upright { image, source, rotation_degrees, boxes })
}

/// Cuts a photographed page out, squares it and evens its light; leaves a flat scan as it is.
fn flat(image: RgbImage, camera: bool) -> (RgbImage, TextSource) {
    if !camera && light::is_bilevel(&image) {
        return (image, TextSource::Scan);
    }
    let uneven = light::is_uneven(&image);
    let is_small_part = |corners: &Corners| corners.area() < MAX_SCANNED_PAGE * area_of(&image);
    // A scanned sheet of a usual format is the page, whatever coloured panel stands on it.
    let cuts_sheet = |corners: &Corners| !camera && whole(&image).is_paper() && !corners.is_paper();
    let corners = find_page(&image)
        .filter(|corners| camera || uneven || is_small_part(corners))
        .filter(|corners| !cuts_sheet(corners));
    if !camera && corners.is_none() && !uneven {
        return (image, TextSource::Scan);
    }
    let mut image = match corners {
        Some(corners) => warp::squared(&image, &corners, MAX_SIDE),
        None => image,
    };
    light::even_out(&mut image);
    (image, TextSource::Photo)
}

fn whole(image: &RgbImage) -> Corners {
    let (width, height) = (image.width() as f32, image.height() as f32);
    Corners([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
}

fn area_of(image: &RgbImage) -> f32 {
    image.width() as f32 * image.height() as f32
}

#[cfg(test)]
mod tests;
