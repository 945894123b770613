use image::GrayImage;

use crate::raster::resize;

/// Longest side of the picture in which lines are looked for: the letters of a page run together in it,
/// its lines do not.
const LOOK_SIDE: u32 = 480;
/// Side of the parts of which each tells by itself, so that columns and skew do no harm.
const PART: usize = 32;
/// One direction must show so many times what the other does; on cards both show about as much.
const CLEARLY: f32 = 1.35;

/// Which way the lines of a page run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Across,
    UpAndDown,
    Unclear,
}

/// Tells the direction of lines by the paper between them: going across lines the mean brightness steps up
/// and down more than going along them.
pub(super) fn direction(page: &GrayImage) -> Lines {
    let (width, height) = page.dimensions();
    let scale = (LOOK_SIDE as f32 / width.max(height).max(1) as f32).min(1.0);
    let size = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    let small = resize(page, size(width), size(height));
    let width = (small.width() as usize).max(1);
    let (mut down, mut along) = (0.0, 0.0);
    for rows in small.as_raw().chunks_exact(PART * width) {
        for left in (0..width - width % PART).step_by(PART) {
            let part: Vec<&[u8]> = rows.chunks_exact(width).map(|row| &row[left..left + PART]).collect();
            let of_row = |y: usize| part[y].iter().map(|value| f32::from(*value)).sum();
            let of_column = |x: usize| part.iter().map(|row| f32::from(row[x])).sum();
            down += steps(of_row);
            along += steps(of_column);
        }
    }
    if down > CLEARLY * along {
        Lines::Across
    } else if along > CLEARLY * down {
        Lines::UpAndDown
    } else {
        Lines::Unclear
    }
}

/// Squares of the differences between neighbours.
fn steps(value: impl Fn(usize) -> f32) -> f32 {
    (1..PART).map(|index| (value(index) - value(index - 1)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// Words of dark strokes in lines, as of a page of 200 dpi.
    fn page() -> GrayImage {
        GrayImage::from_fn(1600, 2200, |x, y| {
            let in_line = y % 36 < 16 && (100..1500).contains(&x) && (100..2100).contains(&y);
            let is_gap = (x / 24 + y / 36 * 5) % 7 == 0;
            let is_stroke = (x / 4 + y / 36 * 977).wrapping_mul(2_654_435_761) >> 30 == 0;
            Luma([if in_line && is_stroke && !is_gap { 20 } else { 245 }])
        })
    }

    #[test]
    fn lines_are_told_by_the_paper_between_them() {
        assert_eq!(direction(&page()), Lines::Across);
        assert_eq!(direction(&image::imageops::rotate90(&page())), Lines::UpAndDown);
        assert_eq!(direction(&image::imageops::rotate180(&page())), Lines::Across);
    }

    #[test]
    fn what_has_no_lines_says_nothing() {
        assert_eq!(direction(&GrayImage::from_pixel(900, 600, Luma([200]))), Lines::Unclear);
        assert_eq!(direction(&GrayImage::from_pixel(7, 3, Luma([0]))), Lines::Unclear);
        assert_eq!(direction(&GrayImage::new(0, 0)), Lines::Unclear);
        let checks =
            GrayImage::from_fn(960, 960, |x, y| Luma([if (x / 12 + y / 12) % 2 == 0 { 0 } else { 255 }]));
        assert_eq!(direction(&checks), Lines::Unclear);
    }
}
