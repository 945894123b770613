//! Bytes to pages: text with positions where a page carries its own, otherwise a picture to read.
//!
//! Every byte here may be hostile, so this runs in the sandboxed child ([`crate::read`]). Limits are
//! checked before anything is allocated by a number that a file claims. Must not know what text
//! means, and does no OCR.

mod limits;
mod pdf;
mod image;
#[cfg(test)]
mod tests;

use ::image::RgbImage;

pub use limits::{OpenOptions, RenderLimits};

use crate::domain::{Finding, FindingCode, RuleLine, Word};
use crate::intake::{Format, sniff};

/// A file whose pages can be asked for.
pub struct OpenedFile<'b> {
    pub format: Format,
    /// Pages that were really found, never a count that the file claims.
    pub page_count: u32,
    /// What a reader of the file should know although its pages can be read.
    pub findings: Vec<Finding>,
    content: Content<'b>,
}

enum Content<'b> {
    Pdf(pdf::PdfFile),
    Picture(image::Picture<'b>),
    Tiff(image::TiffFile<'b>),
}

/// One page, before OCR.
pub struct RenderedPage<'p> {
    /// From 1.
    pub number: u32,
    /// The page's own text, where it has enough that can be trusted.
    pub native: Option<NativePage>,
    /// The picture is likely to come from a camera.
    pub camera_hint: bool,
    raster: Raster<'p>,
}

/// A page that carries its text, upright, in points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NativePage {
    pub width: f32,
    pub height: f32,
    /// In the order of the content; visible words only.
    pub words: Vec<Word>,
    pub rules: Vec<RuleLine>,
    /// Areas of pictures large enough to hold text of their own.
    pub pictures: Vec<crate::domain::Rect>,
    /// There is ink beside text and ruled lines: pictures, curves, signatures.
    pub has_drawings: bool,
    /// Clockwise turn that brought the text upright, beyond what the page itself asks for.
    pub rotation_degrees: u32,
}

enum Raster<'p> {
    Pdf(pdf::PageRaster<'p>),
    Picture(&'p image::Picture<'p>),
    Tiff(&'p image::TiffFile<'p>, u32),
}

/// Opens a document; archives are [`crate::intake::archive`]'s.
///
/// # Errors
/// A finding when it is of no accepted form, broken, locked or too large.
pub fn open<'b>(bytes: &'b [u8], options: &OpenOptions) -> Result<OpenedFile<'b>, Finding> {
    if bytes.len() as u64 > options.limits.max_file_bytes {
        let megabytes = options.limits.max_file_bytes >> 20;
        let message = format!("The file is larger than {megabytes} MB; send it in parts.");
        return Err(Finding::new(FindingCode::TooLarge, message));
    }
    let format = sniff(bytes)?;
    let mut findings = Vec::new();
    let (content, page_count) = match format {
        Format::Pdf => {
            let (file, notes) = pdf::PdfFile::open(bytes, options)?;
            findings.extend(notes);
            let count = file.page_count();
            (Content::Pdf(file), count)
        }
        Format::Tiff => {
            let file = image::TiffFile::open(bytes, options.limits)?;
            findings.extend(file.cut_short());
            let count = file.page_count();
            (Content::Tiff(file), count)
        }
        Format::Jpeg | Format::Png | Format::WebP | Format::Bmp => {
            let picture = image::Picture::open(bytes, format, options.limits)?;
            findings.extend(picture.cut_short());
            (Content::Picture(picture), 1)
        }
        Format::Zip | Format::Eml => {
            let message = "An archive inside an archive is not opened; send its documents themselves.";
            return Err(Finding::new(FindingCode::RefusedMember, message));
        }
    };
    Ok(OpenedFile { format, page_count, findings, content })
}

impl OpenedFile<'_> {
    /// The pages, sharing what they have in common (fonts, decoded forms) while it is alive.
    pub fn pages(&self) -> PageSource<'_> {
        match &self.content {
            Content::Pdf(file) => PageSource(Pages::Pdf(Box::new(file.pages()))),
            Content::Picture(picture) => PageSource(Pages::Picture(picture)),
            Content::Tiff(file) => PageSource(Pages::Tiff(file)),
        }
    }
}

impl std::fmt::Debug for OpenedFile<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("OpenedFile")
            .field("format", &self.format)
            .field("page_count", &self.page_count)
            .finish_non_exhaustive()
    }
}

/// Gives the pages of an [`OpenedFile`] in any order.
pub struct PageSource<'p>(Pages<'p>);

enum Pages<'p> {
    Pdf(Box<pdf::PdfPages<'p>>),
    Picture(&'p image::Picture<'p>),
    Tiff(&'p image::TiffFile<'p>),
}

impl std::fmt::Debug for PageSource<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PageSource")
    }
}

impl<'p> PageSource<'p> {
    /// The page of this number, from 1.
    ///
    /// # Errors
    /// A finding when there is no such page.
    pub fn page(&self, number: u32) -> Result<RenderedPage<'p>, Finding> {
        match &self.0 {
            Pages::Pdf(pages) => {
                let (native, raster) = pages.page(number)?;
                Ok(RenderedPage { number, native, camera_hint: false, raster: Raster::Pdf(raster) })
            }
            Pages::Picture(picture) => Ok(RenderedPage {
                number,
                native: None,
                camera_hint: picture.camera_hint(),
                raster: Raster::Picture(picture),
            }),
            Pages::Tiff(file) => {
                let raster = Raster::Tiff(file, number);
                Ok(RenderedPage { number, native: None, camera_hint: false, raster })
            }
        }
    }
}

impl RenderedPage<'_> {
    /// The page as a picture at a resolution that suits OCR, turned as the file asks.
    ///
    /// # Errors
    /// A finding when it cannot be decoded or is larger than the limits.
    pub fn raster(&self) -> Result<RgbImage, Finding> {
        let image = match &self.raster {
            Raster::Pdf(page) => page.for_reading(),
            Raster::Picture(picture) => picture.decode(),
            Raster::Tiff(file, number) => file.decode(*number),
        };
        image.map_err(|finding| Finding { page: Some(self.number), ..finding })
    }

    /// The page as a picture at so many pixels for each point, upright as [`NativePage`] is: for
    /// finding ink on a page that carries its own text. `None` for what is no PDF page.
    pub fn raster_at(&self, pixels_per_point: f32) -> Option<RgbImage> {
        match &self.raster {
            Raster::Pdf(page) => page.at_scale(pixels_per_point).ok(),
            Raster::Picture(_) | Raster::Tiff(..) => None,
        }
    }
}

impl std::fmt::Debug for RenderedPage<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RenderedPage")
            .field("number", &self.number)
            .field("native", &self.native.is_some())
            .field("camera_hint", &self.camera_hint)
            .finish_non_exhaustive()
    }
}
