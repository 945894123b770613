use image::RgbImage;

/// Bilinear sample of a colour; beyond the image its edge goes on.
pub(crate) fn sample_colour(image: &RgbImage, x: f32, y: f32) -> [u8; 3] {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    // Eight bits of fraction are finer than a grey level of eight bits.
    let (part_x, part_y) = (((x - left as f32) * 256.0) as u32, ((y - top as f32) * 256.0) as u32);
    let raw = image.as_raw();
    let corners =
        [(top, left), (top, right), (bottom, left), (bottom, right)].map(|(y, x)| (y * width + x) * 3);
    let weights =
        [(256 - part_x) * (256 - part_y), part_x * (256 - part_y), (256 - part_x) * part_y, part_x * part_y];
    [0, 1, 2].map(|channel| {
        let sum: u32 = corners
            .iter()
            .zip(weights)
            .map(|(corner, weight)| u32::from(raw[corner + channel]) * weight)
            .sum();
        ((sum + (1 << 15)) >> 16) as u8
    })
}
