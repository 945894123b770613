//! PDF files: structure and encryption, text with positions, rasters.

mod device;
mod glyphs;
mod words;
mod usable;
mod raster;

use std::rc::Rc;

use hayro::RenderCache;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect as KurboRect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use super::{NativePage, OpenOptions, RenderLimits};
use crate::domain::{Finding, FindingCode};

pub(super) use raster::PageRaster;

/// A PDF that could be opened. The page list is walked, so lying counts have no effect.
pub(super) struct PdfFile {
    pdf: Pdf,
    limits: RenderLimits,
}

impl PdfFile {
    /// Opens with the empty password, then with each of the configured ones.
    pub(super) fn open(bytes: &[u8], options: &OpenOptions) -> Result<(Self, Vec<Finding>), Finding> {
        let pdf = load(bytes, &options.passwords)?;
        let file = Self { pdf, limits: options.limits };
        if file.page_count() == 0 {
            return Err(damaged("The PDF has no page that can be read; ask for it again."));
        }
        let mut notes = Vec::new();
        if !ends_properly(bytes) {
            notes.push(damaged("The PDF is cut short or broken; what could be recovered of it was read."));
        }
        Ok((file, notes))
    }

    pub(super) fn page_count(&self) -> u32 {
        let counted = u32::try_from(self.pdf.pages().len()).unwrap_or(u32::MAX);
        counted.min(self.limits.max_counted_pages)
    }

    pub(super) fn pages(&self) -> PdfPages<'_> {
        PdfPages {
            file: self,
            interpreter: InterpreterCache::new(),
            renderer: Rc::new(RenderCache::new()),
            settings: InterpreterSettings::default(),
        }
    }
}

/// The pages of a PDF with the fonts that they share.
pub(super) struct PdfPages<'p> {
    file: &'p PdfFile,
    interpreter: InterpreterCache<'p>,
    renderer: Rc<RenderCache<'p>>,
    settings: InterpreterSettings,
}

impl<'p> PdfPages<'p> {
    pub(super) fn page(&self, number: u32) -> Result<(Option<NativePage>, PageRaster<'p>), Finding> {
        let index = usize::try_from(number).unwrap_or(usize::MAX).wrapping_sub(1);
        let Some(page) = self.file.pdf.pages().get(index) else {
            return Err(Finding::on_page(FindingCode::Damaged, number, "The PDF has no such page."));
        };
        let (width, height) = page.render_dimensions();
        let transform = Affine::new(page.initial_transform(true).as_coeffs());
        let bounds = KurboRect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut context =
            Context::new(transform, bounds, &self.interpreter, page.xref(), self.settings.clone());
        let mut device = device::TextDevice::new(width, height);
        interpret_page(page, &mut context, &mut device);
        let content = device.finish();
        let raster = PageRaster {
            page,
            cache: Rc::clone(&self.renderer),
            settings: self.settings.clone(),
            limits: self.file.limits,
            scan: content.scan(),
            quarter_turns: if content.is_usable() { content.quarter_turns() } else { 0 },
        };
        let native = content.is_usable().then(|| content.into_native());
        Ok((native, raster))
    }
}

fn load(bytes: &[u8], passwords: &[String]) -> Result<Pdf, Finding> {
    let candidates = std::iter::once("").chain(passwords.iter().map(String::as_str));
    for password in candidates {
        match Pdf::new_with_password(bytes.to_vec(), password) {
            Ok(pdf) => return Ok(pdf),
            Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => {}
            Err(LoadPdfError::Decryption(_)) => {
                let message =
                    "The PDF is encrypted in a way that cannot be opened; ask for an unlocked copy.";
                return Err(Finding::new(FindingCode::PasswordNeeded, message));
            }
            Err(LoadPdfError::Invalid) => {
                return Err(damaged("The PDF is broken and cannot be read; ask for it again."));
            }
        }
    }
    let message = "The PDF is locked with a password; ask for an unlocked copy.";
    Err(Finding::new(FindingCode::PasswordNeeded, message))
}

fn damaged(message: &str) -> Finding {
    Finding::new(FindingCode::Damaged, message)
}

/// A whole PDF ends with `%%EOF`, after which only a little padding is usual.
fn ends_properly(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(2048)..).unwrap_or(bytes);
    tail.windows(5).any(|window| window == b"%%EOF")
}
