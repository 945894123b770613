//! Paper tone, lamps, shadows, and the desk below.

use image::{Rgb, RgbImage};

use crate::degrade::Field;
use crate::dice::Dice;

/// Multiplies the page by light that varies over it.
pub fn shine(page: &mut RgbImage, light: impl Fn(f32, f32) -> [f32; 3]) {
    let (width, height) = (page.width() as f32, page.height() as f32);
    for (x, y, pixel) in page.enumerate_pixels_mut() {
        let factors = light(x as f32 / width, y as f32 / height);
        for (channel, factor) in pixel.0.iter_mut().zip(factors) {
            *channel = (f32::from(*channel) * factor).clamp(0.0, 255.0) as u8;
        }
    }
}

/// A scanner's lamp on off-white paper, darker towards one edge.
pub fn scanner(page: &mut RgbImage, dice: &mut Dice) {
    let tone = [dice.float(0.95, 1.0) as f32, dice.float(0.94, 0.99) as f32, dice.float(0.90, 0.98) as f32];
    let tone = if dice.chance(0.5) { [tone[0]; 3] } else { tone };
    let edge = dice.int(0, 3);
    let depth = if dice.chance(0.5) { dice.float(0.08, 0.28) as f32 } else { 0.0 };
    let reach = dice.float(0.02, 0.08) as f32;
    shine(page, |x, y| {
        let distance = match edge {
            0 => x,
            1 => 1.0 - x,
            2 => y,
            _ => 1.0 - y,
        };
        let shadow = 1.0 - depth * (1.0 - distance / reach).max(0.0);
        tone.map(|t| t * shadow)
    });
}

/// A room's light in a photo: a slope, a soft patchiness, and maybe somebody's shadow.
pub fn room(page: &mut RgbImage, dice: &mut Dice) {
    let angle = dice.float(0.0, std::f64::consts::TAU) as f32;
    let slope = dice.float(0.05, 0.32) as f32;
    let level = dice.float(0.82, 1.0) as f32;
    let warmth = dice.float(-0.05, 0.07) as f32;
    let field = Field::new(dice, 4, 4);
    let shadow = dice.chance(0.45).then(|| Shadow::new(dice));
    shine(page, |x, y| {
        let along = ((x - 0.5) * angle.cos() + (y - 0.5) * angle.sin()) * slope;
        let mut light = level + along + 0.06 * (field.at(x, y) - 0.5);
        if let Some(shadow) = &shadow {
            light *= shadow.at(x, y);
        }
        [light * (1.0 + warmth), light, light * (1.0 - warmth)]
    });
}

/// The soft edge of a hand or telephone: a half-plane with a bent border.
struct Shadow {
    angle: f32,
    offset: f32,
    depth: f32,
    softness: f32,
    bend: f32,
}

impl Shadow {
    fn new(dice: &mut Dice) -> Self {
        Self {
            angle: dice.float(0.0, std::f64::consts::TAU) as f32,
            offset: dice.float(0.12, 0.42) as f32,
            depth: dice.float(0.15, 0.38) as f32,
            softness: dice.float(0.03, 0.12) as f32,
            bend: dice.float(-0.4, 0.4) as f32,
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - 0.5, y - 0.5);
        let across = dx * self.angle.cos() + dy * self.angle.sin();
        let along = dy * self.angle.cos() - dx * self.angle.sin();
        let inside = ((across + self.bend * along * along - self.offset) / self.softness).clamp(-1.0, 1.0);
        1.0 - self.depth * (0.5 + 0.5 * inside)
    }
}

/// A desk: wood, cloth, stone or plastic.
pub fn desk(width: u32, height: u32, dice: &mut Dice) -> RgbImage {
    let base = *dice.pick(&[
        [122, 86, 54],
        [84, 60, 42],
        [70, 74, 80],
        [46, 50, 58],
        [150, 128, 98],
        [60, 82, 104],
        [168, 160, 150],
        [98, 102, 96],
    ]);
    let wood = dice.chance(0.5);
    let coarse = Field::new(dice, if wood { 3 } else { 24 }, if wood { 60 } else { 24 });
    let fine = Field::new(dice, if wood { 12 } else { 90 }, 160);
    let turned = dice.chance(0.5);
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let (u, v) = if turned { (v, u) } else { (u, v) };
        let change = (coarse.at(u, v) - 0.5) * 30.0 + (fine.at(u, v) - 0.5) * 16.0;
        Rgb(base.map(|c: i32| (c as f32 + change).clamp(0.0, 255.0) as u8))
    })
}
