//! How a document reaches the lender: as the issuer's PDF, scanned, photographed or faxed.

pub mod bilevel;
pub mod jpeg;
pub mod pdf;
pub mod photo;
pub mod scan;

use anyhow::Result;
use image::RgbImage;

use crate::dice::Dice;
use crate::typeset::Pages;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Rendering {
    BornDigital,
    Scan,
    Photo,
    Fax,
    Mixed,
}

impl Rendering {
    pub fn name(self) -> &'static str {
        match self {
            Self::BornDigital => "born_digital",
            Self::Scan => "scan",
            Self::Photo => "photo",
            Self::Fax => "fax",
            Self::Mixed => "mixed",
        }
    }

    fn weight(self) -> f64 {
        match self {
            Self::BornDigital => 0.36,
            Self::Scan => 0.30,
            Self::Photo => 0.20,
            Self::Fax => 0.07,
            Self::Mixed => 0.16,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pdf,
    Jpeg,
    Png,
    Tiff,
}

impl Format {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Tiff => "tif",
        }
    }
}

/// One file's worth of a document.
#[derive(Debug, Clone)]
pub struct Piece {
    pub bytes: Vec<u8>,
    pub format: Format,
    pub pages: usize,
}

#[derive(Debug)]
pub struct Rendered {
    pub rendering: Rendering,
    /// None for documents without pixels.
    pub dpi: Option<u32>,
    pub pieces: Vec<Piece>,
    /// What each page of the pieces says.
    pub texts: Vec<String>,
}

/// What of the paper there is to render.
#[derive(Debug)]
pub struct Original<'a> {
    pub pages: &'a Pages,
    /// The pages handed in, from 0.
    pub chosen: Vec<usize>,
    /// Small stock: identity cards and passports.
    pub card: bool,
    /// For the PDF's identity.
    pub name: String,
}

impl Original<'_> {
    /// What each of so many sheets says: one a page, or both sides of a card on one.
    pub fn texts(&self, sheets: usize) -> Vec<String> {
        let pages: Vec<String> = self.chosen.iter().map(|page| self.pages.text(*page)).collect();
        if sheets == 1 { vec![pages.concat()] } else { pages }
    }
}

/// Chooses among the wanted ones what suits the paper.
pub fn choose(wanted: &[Rendering], original: &Original<'_>, pdf_only: bool, dice: &mut Dice) -> Rendering {
    let suits = |r: &Rendering| match r {
        Rendering::BornDigital => !original.card,
        Rendering::Scan => true,
        Rendering::Photo => original.chosen.len() <= 4 && !pdf_only,
        Rendering::Fax => !original.card && !pdf_only,
        Rendering::Mixed => !original.card && original.chosen.len() >= 2,
    };
    let choices: Vec<Rendering> = wanted.iter().copied().filter(suits).collect();
    if choices.is_empty() {
        return if original.card { Rendering::Scan } else { Rendering::BornDigital };
    }
    let mut left = dice.unit() * choices.iter().map(|r| r.weight()).sum::<f64>();
    for choice in &choices {
        left -= choice.weight();
        if left <= 0.0 {
            return *choice;
        }
    }
    choices[0]
}

pub fn render(
    original: &Original<'_>,
    rendering: Rendering,
    pdf_only: bool,
    dice: &mut Dice,
) -> Result<Rendered> {
    match rendering {
        Rendering::BornDigital => born_digital(original, pdf_only, dice),
        Rendering::Scan => scan::scan(original, pdf_only, dice),
        Rendering::Photo => photo::photo(original, dice),
        Rendering::Fax => bilevel::fax(original, dice),
        Rendering::Mixed => mixed(original, dice),
    }
}

fn born_digital(original: &Original<'_>, pdf_only: bool, dice: &mut Dice) -> Result<Rendered> {
    let mut bytes = original.pages.pdf(&original.name)?;
    if !pdf_only && dice.chance(0.08) {
        bytes = pdf::encrypted(&bytes, &original.name)?;
    }
    let piece = Piece { bytes, format: Format::Pdf, pages: original.chosen.len() };
    Ok(Rendered {
        rendering: Rendering::BornDigital,
        dpi: None,
        pieces: vec![piece],
        texts: original.texts(original.chosen.len()),
    })
}

/// Some pages as letters, the others scanned: a signed page put back into the file that was sent.
fn mixed(original: &Original<'_>, dice: &mut Dice) -> Result<Rendered> {
    let letters = original.pages.pdf(&original.name)?;
    let dpi = *dice.pick(&[150, 200, 300]);
    let scanned_at = dice.int(0, original.chosen.len() as i64 - 1) as usize;
    let mut parts = Vec::new();
    for (place, page) in original.chosen.iter().enumerate() {
        if place == scanned_at {
            let sheet = scan::sheet(original.pages.image(*page, f64::from(dpi)), dpi, dice);
            parts.push((
                pdf::of_jpegs(&[(jpeg::encode(&sheet, 82)?, sheet.width(), sheet.height())], dpi)?,
                1,
            ));
        } else {
            parts.push((letters.clone(), page + 1));
        }
    }
    let bytes = pdf::pages_of(&parts)?;
    let piece = Piece { bytes, format: Format::Pdf, pages: original.chosen.len() };
    Ok(Rendered {
        rendering: Rendering::Mixed,
        dpi: Some(dpi),
        pieces: vec![piece],
        texts: original.texts(original.chosen.len()),
    })
}

/// Millimetres to pixels.
fn pixels(millimetres: f64, dpi: u32) -> f64 {
    millimetres / 25.4 * f64::from(dpi)
}

/// Puts `small` on `sheet` with its top left at `x`, `y`.
fn paste(sheet: &mut RgbImage, small: &RgbImage, x: i64, y: i64) {
    image::imageops::overlay(sheet, small, x, y);
}
