//! Black and white only: faxes and office scanners, as TIFF files of CCITT group 4 pages.

use anyhow::Result;
use fax::encoder::Encoder;
use fax::{Color, VecWriter};
use image::{RgbImage, imageops};

use crate::degrade::{grain, warp};
use crate::dice::Dice;
use crate::render::{Format, Original, Piece, Rendered, Rendering};

/// A page of black (true) and white.
#[derive(Debug)]
pub struct Bits {
    width: u32,
    height: u32,
    black: Vec<bool>,
}

/// Standard fine resolution (204 × 196); some pages come in the coarse 204 × 98.
pub fn fax(original: &Original<'_>, dice: &mut Dice) -> Result<Rendered> {
    let skew = dice.normal() * 0.5;
    let coarse = dice.chance(0.06);
    let mut pages = Vec::new();
    for index in &original.chosen {
        let page = original.pages.image(*index, 204.0);
        let page = grain::blur(&warp::skew(&page, skew, [255; 3]), 0.6);
        let page = if coarse {
            imageops::resize(&page, page.width(), page.height() / 2, imageops::FilterType::Triangle)
        } else {
            page
        };
        let mut bits = threshold(&page, dice);
        if dice.chance(0.4) {
            lost_lines(&mut bits, dice);
        }
        pages.push(bits);
    }
    let bytes = tiff(&pages, 204, if coarse { 98 } else { 196 });
    let piece = Piece { bytes, format: Format::Tiff, pages: pages.len() };
    Ok(Rendered {
        rendering: Rendering::Fax,
        dpi: Some(204),
        pieces: vec![piece],
        texts: original.texts(original.chosen.len()),
    })
}

/// Black where darker than a level that wavers a little.
fn threshold(page: &RgbImage, dice: &mut Dice) -> Bits {
    let level = dice.float(150.0, 190.0);
    let rough = dice.float(4.0, 22.0);
    let black = page
        .pixels()
        .map(|pixel| {
            let [r, g, b] = pixel.0.map(f64::from);
            0.3 * r + 0.59 * g + 0.11 * b < level + (dice.unit() - 0.5) * rough
        })
        .collect();
    let mut bits = Bits { width: page.width(), height: page.height(), black };
    for _ in 0..dice.int(0, 90) {
        let (x, y) = (dice.int(0, i64::from(bits.width) - 2), dice.int(0, i64::from(bits.height) - 2));
        let at = (y * i64::from(bits.width) + x) as usize;
        bits.black[at] = true;
        bits.black[at + 1] = true;
    }
    bits
}

pub fn threshold_all(pages: &[RgbImage], dice: &mut Dice) -> Vec<Bits> {
    pages.iter().map(|page| threshold(page, dice)).collect()
}

/// A few rows lost on the telephone line: they repeat the row above.
fn lost_lines(bits: &mut Bits, dice: &mut Dice) {
    let width = bits.width as usize;
    for _ in 0..dice.int(1, 5) {
        let row = dice.int(1, i64::from(bits.height) - 1) as usize;
        bits.black.copy_within((row - 1) * width..row * width, row * width);
    }
}

fn group4(page: &Bits) -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    for row in page.black.chunks(page.width as usize) {
        let pels = row.iter().map(|black| if *black { Color::Black } else { Color::White });
        let Ok(()) = encoder.encode_line(pels, page.width);
    }
    let Ok(writer) = encoder.finish();
    writer.finish()
}

/// A little-endian TIFF (revision 6.0) with one strip a page.
pub fn tiff(pages: &[Bits], dpi_across: u32, dpi_down: u32) -> Vec<u8> {
    let mut out: Vec<u8> = b"II\x2a\0\0\0\0\0".to_vec();
    let mut link_at = 4;
    for page in pages {
        let strip = group4(page);
        let strip_at = out.len() as u32;
        out.extend(&strip);
        if out.len() % 2 == 1 {
            out.push(0);
        }
        let rationals_at = out.len() as u32;
        for value in [dpi_across, 1, dpi_down, 1] {
            out.extend(value.to_le_bytes());
        }
        let directory_at = out.len() as u32;
        out[link_at..link_at + 4].copy_from_slice(&directory_at.to_le_bytes());
        let entries: [(u16, u16, u32); 13] = [
            (254, 4, 2),
            (256, 4, page.width),
            (257, 4, page.height),
            (258, 3, 1),
            (259, 3, 4),
            (262, 3, 0),
            (266, 3, 1),
            (273, 4, strip_at),
            (277, 3, 1),
            (278, 4, page.height),
            (279, 4, strip.len() as u32),
            (282, 5, rationals_at),
            (283, 5, rationals_at + 8),
        ];
        out.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, value) in entries {
            out.extend(tag.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(1u32.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        link_at = out.len();
        out.extend([0; 4]);
    }
    out
}
