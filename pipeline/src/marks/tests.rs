use image::{Rgb, RgbImage};

use super::find_marks;
use crate::domain::{CharReading, Rect, Word};

const PAPER: Rgb<u8> = Rgb([250, 248, 244]);
const BLUE: Rgb<u8> = Rgb([40, 60, 150]);

fn page() -> RgbImage {
    RgbImage::from_pixel(800, 1100, PAPER)
}

fn dot(image: &mut RgbImage, x: f32, y: f32, radius: i32, ink: Rgb<u8>) {
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            let (x, y) = (x as i32 + dx, y as i32 + dy);
            if x >= 0 && y >= 0 && (x as u32) < image.width() && (y as u32) < image.height() {
                image.put_pixel(x as u32, y as u32, ink);
            }
        }
    }
}

/// A wavy pen stroke, 200 pixels wide.
fn sign(image: &mut RgbImage, left: f32, top: f32) {
    for step in 0..2000u16 {
        let t = f32::from(step) / 2000.0;
        let x = left + 200.0 * t + 12.0 * (t * 40.0).sin();
        let y = top + 25.0 * (t * 29.0).sin() * (1.0 - 0.5 * t);
        dot(image, x, y, 1, BLUE);
    }
}

fn line(image: &mut RgbImage, top: u32) {
    for x in 100..700 {
        for y in top..top + 2 {
            image.put_pixel(x, y, Rgb([0, 0, 0]));
        }
    }
}

fn word(bounds: Rect) -> Word {
    Word { text: "Firma".to_owned(), bounds, confidence: 1.0, bold: false, chars: vec![] }
}

#[test]
fn a_signature_over_a_line_is_one_curved_blue_mark() {
    let mut image = page();
    line(&mut image, 610);
    sign(&mut image, 150.0, 600.0);
    let (marks, lines) = find_marks(&image, 800.0, &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].horizontal && lines[0].bounds.width > 590.0);
    let [mark] = marks.as_slice() else { panic!("{marks:?}") };
    assert!(mark.bounds.width > 180.0 && mark.bounds.height > 30.0, "{mark:?}");
    assert!(mark.scribble > 0.5 && mark.ink_ratio < 0.4, "{mark:?}");
    assert!(mark.colour[2] > mark.colour[0] + 40, "{mark:?}");
}

/// A hand that the recogniser read as `//` with ease, twice as high as the text, stays in the picture.
#[test]
fn a_scrawl_that_was_read_as_strokes_stays_a_mark() {
    let mut image = page();
    sign(&mut image, 150.0, 600.0);
    let chars = |text: &str| {
        text.chars().map(|ch| CharReading { ch, probability: 0.99, alternatives: vec![] }).collect()
    };
    let read = |text: &str, bounds| Word { text: text.to_owned(), chars: chars(text), ..word(bounds) };
    let mut words: Vec<Word> =
        (0..5).map(|line| read("saldo", Rect::new(100.0, 100.0 + 30.0 * line as f32, 60.0, 16.0))).collect();
    words.push(read("//", Rect::new(140.0, 570.0, 220.0, 60.0)));
    let (marks, _) = find_marks(&image, 800.0, &words);
    assert_eq!(marks.len(), 1, "{marks:?}");
    assert!(marks[0].scribble > 0.5, "{marks:?}");
}

#[test]
fn words_lines_and_empty_boxes_leave_no_mark() {
    let mut image = page();
    line(&mut image, 300);
    line(&mut image, 400);
    let bounds = Rect::new(120.0, 320.0, 60.0, 14.0);
    for x in 120..180 {
        for y in 320..334 {
            if (x + y) % 3 == 0 {
                image.put_pixel(x, y, Rgb([0, 0, 0]));
            }
        }
    }
    let (marks, lines) = find_marks(&image, 800.0, &[word(bounds)]);
    assert_eq!(marks.len(), 0, "{marks:?}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_solid_block_is_no_scribble() {
    let mut image = page();
    for x in 200..300 {
        for y in 200..240 {
            image.put_pixel(x, y, Rgb([10, 10, 10]));
        }
    }
    let (marks, _) = find_marks(&image, 800.0, &[]);
    assert!(marks.iter().all(|mark| mark.scribble < 0.3), "{marks:?}");
}

#[test]
fn results_are_in_page_units() {
    let mut image = page();
    sign(&mut image, 150.0, 600.0);
    let (whole, _) = find_marks(&image, 800.0, &[]);
    let (half, _) = find_marks(&image, 400.0, &[]);
    assert!((whole[0].bounds.left - 2.0 * half[0].bounds.left).abs() < 1.0);
}
