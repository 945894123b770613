use image::{GrayImage, RgbImage};

use crate::raster::{closed, resize};

/// Side of the picture in which the light is measured.
const LOOK_SIDE: u32 = 320;
/// Half the width of the writing that is not paper, in that picture.
const TEXT_REACH: u32 = 6;
/// Paper is brought to this grey, so that what is brighter still shows.
const PAPER: f32 = 244.0;
/// Paper may be this much darker than the page's brightest; darker areas are printed so.
const DARKEST_PAPER: f32 = 0.38;
/// Light that differs more than this over a page does not come from a scanner.
const UNEVEN: f32 = 0.2;

/// The picture is compared in so many blocks across and down.
const ACROSS: usize = 8;

/// Whether the paper's brightness changes over the picture as only a camera sees it.
pub(super) fn is_uneven(image: &RgbImage) -> bool {
    let paper = paper_light(image);
    let (width, height) = (paper.width() as usize, paper.height() as usize);
    let mut blocks: Vec<u8> = Vec::new();
    for row in 0..ACROSS {
        for column in 0..ACROSS {
            let mut values: Vec<u8> = Vec::new();
            for y in row * height / ACROSS..(row + 1) * height / ACROSS {
                let line = &paper.as_raw()[y * width..(y + 1) * width];
                values.extend(&line[column * width / ACROSS..(column + 1) * width / ACROSS]);
            }
            values.sort_unstable();
            blocks.extend(values.get(values.len() * 4 / 5).copied());
        }
    }
    blocks.sort_unstable();
    let at =
        |part: f32| blocks.get((part * blocks.len() as f32) as usize).map_or(0.0, |value| f32::from(*value));
    // Scans have steps (a dark band, a picture); light has slopes: much of the page is in between.
    at(0.95) > 0.0
        && (at(0.95) - at(0.25)) / at(0.95) > UNEVEN * 0.5
        && (at(0.95) - at(0.08)) / at(0.95) > UNEVEN
}

/// Whether a picture is all but black and white, as a fax: there is no light to even and no
/// background to cut away, and dithered areas look like both.
pub(super) fn is_bilevel(image: &RgbImage) -> bool {
    const STEP: usize = 7;
    let values = || image.as_raw().iter().step_by(STEP);
    let between = values().filter(|value| (24..=231).contains(*value)).count();
    between * 50 < values().count()
}

/// Divides by the paper's brightness, so that paper is the same light grey everywhere and ink keeps
/// its contrast to it; balances the paper's colour to grey.
pub(super) fn even_out(image: &mut RgbImage) {
    let paper = paper_light(image);
    let balance = colour_balance(image, &paper);
    let brightest = percentile(paper.as_raw(), 0.95).max(1.0);
    let floor = (brightest * DARKEST_PAPER).max(20.0);
    let paper = blurred(&paper);
    let gains: Vec<f32> = paper.as_raw().iter().map(|value| PAPER / f32::from(*value).max(floor)).collect();
    let (columns, rows) = (paper.width() as usize, paper.height() as usize);
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut line = vec![0.0f32; columns];
    for (y, pixels) in image.chunks_exact_mut(width * 3).enumerate() {
        let (above, below, part) = neighbours(y, height, rows);
        for (column, gain) in line.iter_mut().enumerate() {
            let (upper, lower) = (gains[above * columns + column], gains[below * columns + column]);
            *gain = upper + (lower - upper) * part;
        }
        for (x, pixel) in pixels.chunks_exact_mut(3).enumerate() {
            let (left, right, part) = neighbours(x, width, columns);
            let gain = line[left] + (line[right] - line[left]) * part;
            for (value, balance) in pixel.iter_mut().zip(balance) {
                *value = (f32::from(*value) * gain * balance).min(255.0) as u8;
            }
        }
    }
}

/// The two small pixels that a large one lies between, and how far from the first.
fn neighbours(place: usize, large: usize, small: usize) -> (usize, usize, f32) {
    let exact = ((place as f32 + 0.5) * small as f32 / large as f32 - 0.5).clamp(0.0, (small - 1) as f32);
    let first = exact as usize;
    (first, (first + 1).min(small - 1), exact - first as f32)
}

/// The brightness of the paper behind the writing, small.
fn paper_light(image: &RgbImage) -> GrayImage {
    let step = (image.width().max(image.height()) / (LOOK_SIDE * 3)).max(1);
    let (columns, rows) = ((image.width() / step).max(1), (image.height() / step).max(1));
    let picked = GrayImage::from_fn(columns, rows, |x, y| {
        let [red, green, blue] = image.get_pixel(x * step, y * step).0.map(u32::from);
        image::Luma([((red + 2 * green + blue) / 4) as u8])
    });
    let scale = LOOK_SIDE as f32 / columns.max(rows) as f32;
    let size = |side: u32| ((side as f32 * scale.min(1.0)).round() as u32).max(1);
    closed(&resize(&picked, size(columns), size(rows)), TEXT_REACH)
}

/// Gains of the three channels that make the paper grey; at most a quarter either way.
fn colour_balance(image: &RgbImage, paper: &GrayImage) -> [f32; 3] {
    let bright = percentile(paper.as_raw(), 0.5);
    let mut sums = [0.0f32; 3];
    let mut count = 0.0f32;
    for y in 0..paper.height() {
        for x in 0..paper.width() {
            let pixel =
                image.get_pixel(x * image.width() / paper.width(), y * image.height() / paper.height()).0;
            let light = (f32::from(pixel[0]) + 2.0 * f32::from(pixel[1]) + f32::from(pixel[2])) / 4.0;
            if light > 0.92 * bright {
                count += 1.0;
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += f32::from(value);
                }
            }
        }
    }
    let mean = (sums[0] + 2.0 * sums[1] + sums[2]) / 4.0;
    if count < 1.0 {
        return [1.0; 3];
    }
    sums.map(|sum| (mean / sum.max(1.0)).clamp(0.8, 1.25))
}

fn percentile(values: &[u8], part: f32) -> f32 {
    let mut counts = [0usize; 256];
    for value in values {
        counts[usize::from(*value)] += 1;
    }
    let wanted = (part * values.len() as f32) as usize;
    let mut seen = 0;
    for (value, count) in counts.into_iter().enumerate() {
        seen += count;
        if seen > wanted {
            return value as f32;
        }
    }
    255.0
}

fn blurred(image: &GrayImage) -> GrayImage {
    const REACH: u32 = 3;
    imageproc::filter::box_filter(image, REACH, REACH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// A page with lines of strokes under light that falls off to the right.
    fn shaded(falloff: f32) -> RgbImage {
        RgbImage::from_fn(800, 1000, |x, y| {
            let light = 230.0 * (1.0 - falloff * x as f32 / 800.0);
            let ink = (y % 40) < 12 && x % 14 < 4 && x > 60 && x < 740;
            let value = if ink { light * 0.3 } else { light };
            Rgb([value as u8, value as u8, (value * 0.9) as u8])
        })
    }

    #[test]
    fn light_is_evened_and_ink_stays_dark() {
        let mut image = shaded(0.5);
        even_out(&mut image);
        for x in [30, 400, 770] {
            let paper = image.get_pixel(x, 30).0;
            assert!(paper.iter().all(|value| (228..=255).contains(value)), "{paper:?} at {x}");
        }
        let ink = image.get_pixel(5 * 14 + 1, 45).0;
        assert!(ink.iter().all(|value| *value < 110), "{ink:?}");
    }

    #[test]
    fn a_fax_is_black_and_white() {
        assert!(is_bilevel(&RgbImage::from_fn(90, 90, |x, y| Rgb(if (x + y) % 3 == 0 {
            [0; 3]
        } else {
            [255; 3]
        }))));
        assert!(!is_bilevel(&shaded(0.0)));
    }

    #[test]
    fn a_scanner_is_even_and_a_lamp_is_not() {
        assert!(!is_uneven(&shaded(0.0)));
        assert!(!is_uneven(&shaded(0.08)));
        assert!(is_uneven(&shaded(0.5)));
    }
}
