use image::{GrayImage, Rgb, RgbImage};

use super::*;
use crate::domain::Word;
use crate::ocr::{Glance, Look, TextBox};

/// A reader that "reads" well when the picture's dark mark is in its top left quarter, and sees text
/// along the longer direction of its stripes.
#[derive(Default)]
struct CornerReader {
    /// Only a thorough look tells anything.
    needs_time: bool,
}

impl Reader for CornerReader {
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
        let (width, height) = image.dimensions();
        let (long, short) = if height > width { (80.0, 20.0) } else { (20.0, 80.0) };
        Ok(vec![TextBox { center_x: 0.0, center_y: 0.0, width: long, height: short, slope: 0.0 }; 5])
    }

    fn read_boxes(&self, _page: &GrayImage, _boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        Ok(Vec::new())
    }

    fn glance(&self, image: &GrayImage, _boxes: &[TextBox], look: Look) -> Result<Glance, OcrError> {
        let (width, height) = image.dimensions();
        let is_dark = |x: u32, y: u32| image.get_pixel(x, y).0[0] < 100;
        let dark_in = |left: u32, top: u32| {
            (0..height / 2)
                .flat_map(|y| (0..width / 2).map(move |x| (x, y)))
                .filter(|(x, y)| is_dark(left + x, top + y))
                .count()
        };
        let best =
            [(0, 0), (width / 2, 0), (0, height / 2), (width / 2, height / 2)].map(|(x, y)| dark_in(x, y));
        let reads = best[0] == best.into_iter().max().unwrap_or(0);
        let confidence = match (reads, look) {
            (_, Look::Brief) if self.needs_time => 0.55,
            (true, _) => 0.95,
            (false, _) => 0.5,
        };
        Ok(Glance { chars: 40, sure_chars: 40.0 * confidence, word_chars: 30 })
    }
}

fn page() -> RgbImage {
    RgbImage::from_fn(300, 420, |x, y| {
        Rgb(if (30..90).contains(&x) && (40..100).contains(&y) { [10; 3] } else { [250; 3] })
    })
}

#[test]
fn every_quarter_turn_is_undone() {
    let upright_page = page();
    let turned = [
        (page(), 0.0),
        (image::imageops::rotate90(&page()), 270.0),
        (image::imageops::rotate180(&page()), 180.0),
        (image::imageops::rotate270(&page()), 90.0),
    ];
    for (image, degrees) in turned {
        let result = upright(image, false, &CornerReader::default()).unwrap();
        assert_eq!(result.image, upright_page, "turned by {degrees}");
        assert!((result.rotation_degrees - degrees).abs() < 1e-6);
        assert_eq!(result.source, TextSource::Scan);
    }
}

/// A reader that finds no text, and tells which pictures it was given.
#[derive(Default)]
struct BlindReader(std::sync::Mutex<Vec<(u32, u32)>>);

impl Reader for BlindReader {
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
        self.0.lock().unwrap().push(image.dimensions());
        Ok(Vec::new())
    }

    fn read_boxes(&self, _page: &GrayImage, _boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        Ok(Vec::new())
    }

    fn glance(&self, _image: &GrayImage, _boxes: &[TextBox], _look: Look) -> Result<Glance, OcrError> {
        Ok(Glance::default())
    }
}

#[test]
fn a_blank_page_is_looked_at_once() {
    let reader = BlindReader::default();
    let blank = RgbImage::from_pixel(300, 420, Rgb([250; 3]));
    let result = upright(blank.clone(), false, &reader).unwrap();
    assert_eq!((result.image, result.boxes), (blank, Some(Vec::new())));
    assert_eq!(*reader.0.lock().unwrap(), [(300, 420)]);
}

#[test]
fn what_a_brief_look_leaves_open_a_thorough_one_tells() {
    let reader = CornerReader { needs_time: true };
    let result = upright(image::imageops::rotate180(&page()), false, &reader).unwrap();
    assert_eq!(result.image, page());
}

#[test]
fn a_camera_picture_without_a_found_page_is_kept_whole() {
    let result = upright(page(), true, &CornerReader::default()).unwrap();
    assert_eq!(result.source, TextSource::Photo);
    assert_eq!(result.image.dimensions(), (300, 420));
}

#[test]
fn huge_pictures_are_made_smaller() {
    let result =
        upright(RgbImage::from_pixel(4000, 5000, Rgb([250; 3])), false, &CornerReader::default()).unwrap();
    assert_eq!(result.image.dimensions(), (2880, 3600));
}
