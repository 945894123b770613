//! What paper, scanners and telephones do to a page of pixels. Nothing here knows what is on the page.

pub mod grain;
pub mod light;
pub mod warp;

use crate::dice::Dice;

/// A smooth random field over a page: values in 0..1 on a coarse grid, interpolated between.
#[derive(Debug)]
pub struct Field {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
}

impl Field {
    pub fn new(dice: &mut Dice, columns: usize, rows: usize) -> Self {
        Self { columns, rows, values: (0..columns * rows).map(|_| dice.unit() as f32).collect() }
    }

    /// At `x`, `y` in 0..1.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (fx, fy) =
            (x.clamp(0.0, 0.9999) * (self.columns - 1) as f32, y.clamp(0.0, 0.9999) * (self.rows - 1) as f32);
        let (column, row) = (fx as usize, fy as usize);
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (tx, ty) = (ease(fx - column as f32), ease(fy - row as f32));
        let value = |c: usize, r: usize| self.values[r * self.columns + c];
        let top = value(column, row) * (1.0 - tx) + value(column + 1, row) * tx;
        let bottom = value(column, row + 1) * (1.0 - tx) + value(column + 1, row + 1) * tx;
        top * (1.0 - ty) + bottom * ty
    }
}
