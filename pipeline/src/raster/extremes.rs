use image::GrayImage;

/// Each pixel the brightest within `reach` pixels across and down.
pub(crate) fn dilated(image: &GrayImage, reach: u32) -> GrayImage {
    filtered(image, reach, u8::max)
}

/// Each pixel the darkest within `reach` pixels across and down.
pub(crate) fn eroded(image: &GrayImage, reach: u32) -> GrayImage {
    filtered(image, reach, u8::min)
}

/// Dark details up to `2 · reach` wide vanish, edges of larger areas stay in place.
pub(crate) fn closed(image: &GrayImage, reach: u32) -> GrayImage {
    eroded(&dilated(image, reach), reach)
}

fn filtered(image: &GrayImage, reach: u32, pick: fn(u8, u8) -> u8) -> GrayImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let reach = reach as usize;
    let mut across = vec![0u8; width * height];
    for (row, target) in image.as_raw().chunks_exact(width.max(1)).zip(across.chunks_exact_mut(width.max(1)))
    {
        for (x, value) in target.iter_mut().enumerate() {
            let window = &row[x.saturating_sub(reach)..(x + reach + 1).min(width)];
            *value = window.iter().copied().reduce(pick).unwrap_or(0);
        }
    }
    let mut down = across.clone();
    for y in 0..height {
        for near in y.saturating_sub(reach)..(y + reach + 1).min(height) {
            let (target, source) =
                (&mut down[y * width..(y + 1) * width], &across[near * width..(near + 1) * width]);
            for (value, other) in target.iter_mut().zip(source) {
                *value = pick(*value, *other);
            }
        }
    }
    GrayImage::from_raw(image.width(), image.height(), down).unwrap_or_else(|| image.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;

    #[test]
    fn closing_drops_letters_and_keeps_edges() {
        let image = GrayImage::from_fn(60, 20, |x, y| {
            Luma([if x >= 40 || (x % 9 < 2 && x > 3 && x < 30 && y > 3 && y < 15) { 20 } else { 200 }])
        });
        let closed = closed(&image, 3);
        assert!((0..39).all(|x| closed.get_pixel(x, 10).0[0] == 200));
        assert!((41..60).all(|x| closed.get_pixel(x, 10).0[0] == 20));
    }
}
