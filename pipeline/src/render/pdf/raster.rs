//! Pages drawn as pictures.

use std::rc::Rc;

use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use image::{RgbImage, imageops};

use crate::domain::{Finding, FindingCode};
use crate::render::RenderLimits;

/// 300 dots an inch, which OCR is trained around; PDF lengths are in 1/72 inch.
const READING_SCALE: f32 = 300.0 / 72.0;
/// Longer sides gain nothing for OCR; A4 at 300 dpi is 3508.
const MAX_LONG_SIDE: f32 = 4000.0;
/// Small pages (a card's copy cut out) are drawn larger, so that their small print is legible.
const MIN_LONG_SIDE: f32 = 1800.0;
/// A picture that is the page is drawn at its own resolution, but not below 100 dpi.
const MIN_SCAN_SCALE: f32 = 100.0 / 72.0;

/// A page that can be drawn.
pub(in crate::render) struct PageRaster<'p> {
    pub(super) page: &'p Page<'p>,
    pub(super) cache: Rc<RenderCache<'p>>,
    pub(super) settings: InterpreterSettings,
    pub(super) limits: RenderLimits,
    /// Pixels for each point of the picture that is the page.
    pub(super) scan: Option<f32>,
    /// Clockwise turns that bring the page's own text upright.
    pub(super) quarter_turns: u32,
}

impl PageRaster<'_> {
    /// At the resolution that suits OCR.
    pub(in crate::render) fn for_reading(&self) -> Result<RgbImage, Finding> {
        self.at_scale(self.reading_scale())
    }

    fn reading_scale(&self) -> f32 {
        let (width, height) = self.page.render_dimensions();
        let long_side = width.max(height).max(1.0);
        let wanted = match self.scan {
            Some(density) => density.max(MIN_SCAN_SCALE),
            None => READING_SCALE.max(MIN_LONG_SIDE / long_side),
        };
        wanted.min(MAX_LONG_SIDE / long_side)
    }

    /// At so many pixels for each point, less if that would be more pixels than the limit.
    pub(in crate::render) fn at_scale(&self, pixels_per_point: f32) -> Result<RgbImage, Finding> {
        let (width, height) = self.page.render_dimensions();
        let pixels = f64::from(width) * f64::from(height) * f64::from(pixels_per_point).powi(2);
        let shrink = (self.limits.max_raster_pixels as f64 / pixels.max(1.0)).sqrt().min(1.0);
        let scale = (f64::from(pixels_per_point) * shrink) as f32;
        let fits = |side: f32| side * scale < f32::from(u16::MAX) && side * scale >= 1.0;
        if !(fits(width) && fits(height)) {
            let message = "The page has an impossible size, so it cannot be drawn; ask for it again.";
            return Err(Finding::new(FindingCode::TooLarge, message));
        }
        let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
        let pixmap =
            hayro::render(self.page, &self.cache, &self.settings, &RenderSettings::default(), &settings);
        let (columns, rows) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
        let rgb = pixmap.data().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
        let image = RgbImage::from_raw(columns, rows, rgb).unwrap_or_default();
        Ok(match self.quarter_turns {
            1 => imageops::rotate90(&image),
            2 => imageops::rotate180(&image),
            3 => imageops::rotate270(&image),
            _ => image,
        })
    }
}
