//! A flat-bed or feeder scan: skew, toner, dust, JPEG; cards copied onto a sheet or cropped.

use anyhow::Result;
use image::{Rgb, RgbImage};

use crate::degrade::{grain, light, warp};
use crate::dice::Dice;
use crate::render::{Format, Original, Piece, Rendered, Rendering, bilevel, jpeg, paste, pdf, pixels};

/// What a scanner makes of a sheet.
pub fn sheet(page: RgbImage, dpi: u32, dice: &mut Dice) -> RgbImage {
    let scale = f64::from(dpi) / 300.0;
    let mut page = page;
    if dice.chance(0.5) {
        grain::uneven_toner(&mut page, dice.float(0.1, 0.42) as f32, dice);
    }
    let skew = if dice.chance(0.75) { dice.normal() * 0.8 } else { dice.float(-3.0, 3.0) }.clamp(-3.0, 3.0);
    let behind = if dice.chance(0.6) { 255 } else { dice.int(120, 245) as u8 };
    let mut page = warp::skew(&page, skew, [behind; 3]);
    let sigma = dice.float(0.35, 1.15) * scale.max(0.55);
    page = grain::blur(&page, sigma as f32);
    light::scanner(&mut page, dice);
    let count = if dice.chance(0.5) { dice.int(0, 60) } else { 0 };
    grain::specks(&mut page, count, 2.2 * scale.max(0.6), dice);
    grain::noise(&mut page, dice.float(1.0, 6.0) as f32, dice.float(0.0, 2.5) as f32, dice);
    if dice.chance(0.55) {
        grain::grey(&mut page);
    }
    page
}

pub fn scan(original: &Original<'_>, pdf_only: bool, dice: &mut Dice) -> Result<Rendered> {
    let dpi =
        *dice.pick(if original.card { &[200, 240, 300, 300] } else { &[150, 200, 200, 200, 240, 300, 300] });
    let sheets = if original.card { cards(original, dpi, dice) } else { pages(original, dpi, dice) };
    let turns = if dice.chance(0.1) { *dice.pick(&[1u8, 2, 3]) } else { 0 };
    let sheets: Vec<RgbImage> = sheets.into_iter().map(|s| warp::quarter_turns(&s, turns)).collect();
    let pieces = if pdf_only || dice.chance(0.55) {
        as_pdf(&sheets, dpi, dice)?
    } else {
        as_pictures(&sheets, dpi, original.card, dice)?
    };
    Ok(Rendered { rendering: Rendering::Scan, dpi: Some(dpi), pieces, texts: original.texts(sheets.len()) })
}

fn pages(original: &Original<'_>, dpi: u32, dice: &mut Dice) -> Vec<RgbImage> {
    original.chosen.iter().map(|page| sheet(original.pages.image(*page, f64::from(dpi)), dpi, dice)).collect()
}

/// Both sides copied onto one sheet, each side on its own sheet, or each cropped.
fn cards(original: &Original<'_>, dpi: u32, dice: &mut Dice) -> Vec<RgbImage> {
    let sides: Vec<RgbImage> =
        original.chosen.iter().map(|page| original.pages.image(*page, f64::from(dpi))).collect();
    match dice.int(0, 2) {
        0 | 1 => {
            let mut paper =
                RgbImage::from_pixel(pixels(210.0, dpi) as u32, pixels(297.0, dpi) as u32, Rgb([253; 3]));
            let mut y = pixels(dice.float(18.0, 40.0), dpi);
            for side in &sides {
                let x = pixels(dice.float(15.0, 70.0), dpi);
                paste(&mut paper, &framed(side, dpi), x as i64, y as i64);
                y += f64::from(side.height()) + pixels(dice.float(8.0, 30.0), dpi);
            }
            vec![sheet(paper, dpi, dice)]
        }
        _ => sides
            .iter()
            .map(|side| {
                let margin = pixels(dice.float(3.0, 8.0), dpi) as u32;
                let mut paper = RgbImage::from_pixel(
                    side.width() + 2 * margin,
                    side.height() + 2 * margin,
                    Rgb([250; 3]),
                );
                paste(&mut paper, &framed(side, dpi), i64::from(margin), i64::from(margin));
                sheet(paper, dpi, dice)
            })
            .collect(),
    }
}

/// The card with the grey line that its edge leaves in a copy.
fn framed(side: &RgbImage, dpi: u32) -> RgbImage {
    let mut side = side.clone();
    let line = (f64::from(dpi) / 150.0).max(1.0) as u32;
    let (width, height) = (side.width(), side.height());
    for (x, y, pixel) in side.enumerate_pixels_mut() {
        if x < line || y < line || x + line >= width || y + line >= height {
            pixel.0 = pixel.0.map(|v| v / 2 + 60);
        }
    }
    side
}

fn as_pdf(sheets: &[RgbImage], dpi: u32, dice: &mut Dice) -> Result<Vec<Piece>> {
    let quality = dice.int(55, 82) as u8;
    let mut pages = Vec::new();
    for sheet in sheets {
        pages.push((jpeg::encode(sheet, quality)?, sheet.width(), sheet.height()));
    }
    Ok(vec![Piece { bytes: pdf::of_jpegs(&pages, dpi)?, format: Format::Pdf, pages: sheets.len() }])
}

fn as_pictures(sheets: &[RgbImage], dpi: u32, card: bool, dice: &mut Dice) -> Result<Vec<Piece>> {
    let kind = dice.int(0, 9);
    if kind == 0 && !card {
        return Ok(vec![Piece {
            bytes: bilevel::tiff(&bilevel::threshold_all(sheets, dice), dpi, dpi),
            format: Format::Tiff,
            pages: sheets.len(),
        }]);
    }
    let quality = dice.int(58, 84) as u8;
    let mut pieces = Vec::new();
    for sheet in sheets {
        let small = u64::from(sheet.width()) * u64::from(sheet.height()) < 3_000_000;
        let (bytes, format) = if kind <= 2 && small {
            (jpeg::png(sheet, false)?, Format::Png)
        } else {
            (jpeg::encode(sheet, quality)?, Format::Jpeg)
        };
        pieces.push(Piece { bytes, format, pages: 1 });
    }
    Ok(pieces)
}
