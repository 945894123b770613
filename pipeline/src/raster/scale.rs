use image::GrayImage;

/// A grey image resized with a triangle filter that covers all source pixels.
pub(crate) fn resize(image: &GrayImage, width: u32, height: u32) -> GrayImage {
    let (width, height) = (width.max(1), height.max(1));
    if image.dimensions() == (width, height) || image.width() == 0 || image.height() == 0 {
        return image.clone();
    }
    let columns = weights(image.width() as usize, width as usize);
    let rows = weights(image.height() as usize, height as usize);
    let source_width = image.width() as usize;
    let narrow = |row: usize, line: &mut Vec<u16>| {
        let source = &image.as_raw()[row * source_width..(row + 1) * source_width];
        line.clear();
        line.extend(columns.iter().map(|taps| {
            let values = &source[taps.first..taps.first + taps.weights.len()];
            let sum: u32 = values.iter().zip(&taps.weights).map(|(v, w)| u32::from(*v) * u32::from(*w)).sum();
            // Four bits of fraction are kept for the second pass.
            (sum >> (WEIGHT_BITS - 4)) as u16
        }));
    };
    let mut lines = Lines { first: 0, kept: std::collections::VecDeque::new(), spare: Vec::new() };
    let mut sums = vec![0u32; width as usize];
    let mut pixels = Vec::with_capacity((width * height) as usize);
    for taps in &rows {
        lines.cover(taps.first, taps.first + taps.weights.len(), &narrow);
        sums.fill(1 << (WEIGHT_BITS + 3));
        for (line, weight) in lines.kept.iter().zip(&taps.weights) {
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum += u32::from(*value) * u32::from(*weight);
            }
        }
        pixels.extend(sums.iter().map(|sum| (sum >> (WEIGHT_BITS + 4)).min(255) as u8));
    }
    GrayImage::from_raw(width, height, pixels).unwrap_or_else(|| image.clone())
}

/// Weights sum to two to this power.
const WEIGHT_BITS: u32 = 14;

/// The source pixels of one target pixel.
struct Taps {
    first: usize,
    weights: Vec<u16>,
}

/// A triangle as wide as a target pixel's neighbours reach, in fixed point.
fn weights(source: usize, target: usize) -> Vec<Taps> {
    let step = source as f32 / target as f32;
    let reach = step.max(1.0);
    (0..target)
        .map(|place| {
            let center = (place as f32 + 0.5) * step - 0.5;
            let first = (center - reach).ceil().max(0.0) as usize;
            let last = ((center + reach).floor() as usize).min(source - 1).max(first);
            let shares: Vec<f32> =
                (first..=last).map(|at| (1.0 - (at as f32 - center).abs() / reach).max(0.0)).collect();
            let total: f32 = shares.iter().sum::<f32>().max(1e-6);
            let full = (1u32 << WEIGHT_BITS) as f32;
            let mut weights: Vec<u16> =
                shares.iter().map(|share| (share / total * full).round() as u16).collect();
            let excess = weights.iter().map(|weight| i32::from(*weight)).sum::<i32>() - (1 << WEIGHT_BITS);
            let middle = weights.len() / 2;
            weights[middle] = (i32::from(weights[middle]) - excess).max(0) as u16;
            Taps { first, weights }
        })
        .collect()
}

/// The narrowed lines that the next target line needs.
struct Lines {
    first: usize,
    kept: std::collections::VecDeque<Vec<u16>>,
    spare: Vec<Vec<u16>>,
}

impl Lines {
    fn cover(&mut self, first: usize, end: usize, narrow: &impl Fn(usize, &mut Vec<u16>)) {
        while self.first < first {
            match self.kept.pop_front() {
                Some(line) => self.spare.push(line),
                None => break,
            }
            self.first += 1;
        }
        self.first = first;
        while self.first + self.kept.len() < end {
            let mut line = self.spare.pop().unwrap_or_default();
            narrow(self.first + self.kept.len(), &mut line);
            self.kept.push_back(line);
        }
    }
}

/// An image and its halves, to sample any reduction of it without aliasing.
#[derive(Debug)]
pub(crate) struct Pyramid<'a> {
    full: &'a GrayImage,
    halves: Vec<GrayImage>,
}

impl<'a> Pyramid<'a> {
    pub(crate) fn new(full: &'a GrayImage) -> Self {
        Self { full, halves: Vec::new() }
    }

    /// The level to sample when `step` pixels of the full image become one, and its scale. Levels are
    /// made when first asked for.
    pub(crate) fn level(&mut self, step: f32) -> (&GrayImage, f32) {
        let wanted = if step < 1.6 { 0 } else { (step / 1.6).log2().floor() as usize + 1 };
        while self.halves.len() < wanted {
            let last = self.halves.last().unwrap_or(self.full);
            if last.width().min(last.height()) < 4 {
                break;
            }
            let half = resize(last, last.width() / 2, last.height() / 2);
            self.halves.push(half);
        }
        let level = wanted.min(self.halves.len());
        match level.checked_sub(1).and_then(|index| self.halves.get(index)) {
            Some(half) => (half, half.width() as f32 / self.full.width() as f32),
            None => (self.full, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing_keeps_flat_grey_and_averages_texture() {
        for size in [(37, 21), (200, 150), (9, 100)] {
            let flat = resize(&GrayImage::from_pixel(100, 60, image::Luma([201])), size.0, size.1);
            assert!(flat.as_raw().iter().all(|value| *value == 201), "{size:?}");
        }
        let stripes = GrayImage::from_fn(300, 300, |x, _| image::Luma([if x % 2 == 0 { 0 } else { 200 }]));
        let small = resize(&stripes, 60, 60);
        assert!((1..59).all(|x| (92..108).contains(&small.get_pixel(x, 30).0[0])));
        let step =
            resize(&GrayImage::from_fn(90, 10, |x, _| image::Luma([if x < 45 { 0 } else { 255 }])), 30, 10);
        assert!(step.get_pixel(13, 5).0[0] < 5 && step.get_pixel(16, 5).0[0] > 250);
    }

    #[test]
    fn a_level_is_never_much_finer_than_what_is_sampled() {
        let full = GrayImage::new(400, 300);
        let mut pyramid = Pyramid::new(&full);
        assert_eq!(pyramid.level(1.0).0.width(), 400);
        assert_eq!(pyramid.level(1.7).0.width(), 200);
        assert_eq!(pyramid.level(3.5).0.width(), 100);
        assert_eq!(pyramid.level(1.2).0.width(), 400);
    }
}
