//! A telephone's photo of a sheet or card on a desk.

use anyhow::Result;
use image::RgbImage;

use crate::degrade::warp::{self, Point};
use crate::degrade::{grain, light};
use crate::dice::Dice;
use crate::render::{Format, Original, Piece, Rendered, Rendering, jpeg};

pub fn photo(original: &Original<'_>, dice: &mut Dice) -> Result<Rendered> {
    let mut pieces = Vec::new();
    let dpi = if original.card { 420 } else { 260 };
    let landscape_sensor = dice.chance(0.3);
    let lying = if dice.chance(0.12) { *dice.pick(&[1u8, 2, 3]) } else { 0 };
    for page in &original.chosen {
        let paper = original.pages.image(*page, f64::from(dpi));
        let shot = shoot(&paper, original.card, dice);
        let quality = dice.int(60, 82) as u8;
        let bytes = if landscape_sensor {
            // The sensor's rows run along the phone's side: upright only by the EXIF tag.
            jpeg::with_orientation(&jpeg::encode(&warp::quarter_turns(&shot, 3), quality)?, 6)
        } else {
            jpeg::encode(&warp::quarter_turns(&shot, lying), quality)?
        };
        pieces.push(Piece { bytes, format: Format::Jpeg, pages: 1 });
    }
    Ok(Rendered {
        rendering: Rendering::Photo,
        dpi: Some(dpi),
        pieces,
        texts: original.texts(original.chosen.len()),
    })
}

/// One shot: the paper fills most of the picture, seen a little from the side.
fn shoot(paper: &RgbImage, card: bool, dice: &mut Dice) -> RgbImage {
    let tall = paper.height() >= paper.width();
    let long = if card { dice.int(1700, 2200) } else { dice.int(2900, 3300) } as u32;
    let short = (f64::from(long) * if card { 0.72 } else { 0.75 }) as u32;
    let (width, height) = if tall { (short, long) } else { (long, short) };
    let mut shot = light::desk(width, height, dice);
    warp::lay(paper, &mut shot, corners(paper, width, height, card, dice));
    light::room(&mut shot, dice);
    let sigma = dice.float(0.45, 1.1) as f32;
    shot = grain::blur(&shot, sigma);
    grain::noise(&mut shot, dice.float(1.5, 6.5) as f32, dice.float(0.5, 3.0) as f32, dice);
    shot
}

fn corners(paper: &RgbImage, width: u32, height: u32, card: bool, dice: &mut Dice) -> [Point; 4] {
    let (w, h) = (f64::from(width), f64::from(height));
    let aspect = f64::from(paper.width()) / f64::from(paper.height());
    let fill = if card { dice.float(0.72, 0.88) } else { dice.float(0.88, 0.95) };
    let (half_w, half_h) = {
        let wide = (w * fill).min(h * fill * aspect);
        (wide / 2.0, wide / aspect / 2.0)
    };
    let angle = (dice.normal() * 2.2).clamp(-6.0, 6.0).to_radians();
    let shrink = 1.0 - angle.abs() * 0.55;
    let lean = dice.float(0.0, 0.055) * half_w;
    let jitter = |dice: &mut Dice| (dice.normal() * lean * 0.5).clamp(-lean, lean);
    let (cx, cy) = (w / 2.0 + dice.normal() * w * 0.01, h / 2.0 + dice.normal() * h * 0.01);
    // Seen from below or above, one edge is the shorter.
    let tilt = dice.float(-0.05, 0.05);
    [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(sx, sy)| {
        let narrowing = 1.0 - tilt.abs() + tilt * sy;
        let (x, y) = (sx * half_w * shrink * narrowing + jitter(dice), sy * half_h * shrink + jitter(dice));
        let (x, y) = (cx + x * angle.cos() - y * angle.sin(), cy + x * angle.sin() + y * angle.cos());
        (x.clamp(4.0, w - 5.0), y.clamp(4.0, h - 5.0))
    })
}
