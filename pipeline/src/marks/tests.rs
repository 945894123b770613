use image::{Rgb, RgbImage};

use super::{Marks, find_marks, without_boxes};
use crate::domain::{CharReading, Rect, TickBox, Word};

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
    recognised("Firma", bounds)
}

fn recognised(text: &str, bounds: Rect) -> Word {
    let chars = text.chars().map(|ch| CharReading { ch, probability: 1.0, alternatives: vec![] });
    Word { text: text.to_owned(), bounds, confidence: 1.0, bold: false, chars: chars.collect() }
}

#[test]
fn a_signature_over_a_line_is_one_curved_blue_mark() {
    let mut image = page();
    line(&mut image, 610);
    sign(&mut image, 150.0, 600.0);
    let Marks { ink: marks, rules: lines, .. } = find_marks(&image, 800.0, &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].horizontal && lines[0].bounds.width > 590.0);
    let [mark] = marks.as_slice() else { panic!("{marks:?}") };
    assert!(mark.bounds.width > 180.0 && mark.bounds.height > 30.0, "{mark:?}");
    assert!(mark.scribble > 0.5 && mark.ink_ratio < 0.4, "{mark:?}");
    assert!(mark.colour[2] > mark.colour[0] + 40, "{mark:?}");
}

#[test]
fn the_gaps_between_light_letters_on_a_dark_band_are_no_lines() {
    let mut image = page();
    let mut fill = |left: u32, top: u32, right: u32, bottom: u32, colour: Rgb<u8>| {
        for (x, y) in (left..right).flat_map(|x| (top..bottom).map(move |y| (x, y))) {
            image.put_pixel(x, y, colour);
        }
    };
    fill(100, 200, 700, 254, Rgb([130, 60, 20]));
    for letter in 0..12 {
        fill(120 + 20 * letter, 212, 136 + 20 * letter, 242, PAPER);
    }
    fill(400, 320, 402, 460, Rgb([0, 0, 0]));
    let lines = find_marks(&image, 800.0, &[]).rules;
    assert_eq!(lines.iter().filter(|line| !line.horizontal).count(), 1, "{lines:?}");
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
    let marks = find_marks(&image, 800.0, &words).ink;
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
    let Marks { ink: marks, rules: lines, .. } = find_marks(&image, 800.0, &[word(bounds)]);
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
    let marks = find_marks(&image, 800.0, &[]).ink;
    assert!(marks.iter().all(|mark| mark.scribble < 0.3), "{marks:?}");
}

#[test]
fn results_are_in_page_units() {
    let mut image = page();
    sign(&mut image, 150.0, 600.0);
    let whole = find_marks(&image, 800.0, &[]).ink;
    let half = find_marks(&image, 400.0, &[]).ink;
    assert!((whole[0].bounds.left - 2.0 * half[0].bounds.left).abs() < 1.0);
}

/// The frame of a box, with the thickness of a thin line.
fn frame(image: &mut RgbImage, left: u32, top: u32, side: u32) {
    for along in 0..=side {
        for (x, y) in [(along, 0), (along, side), (0, along), (side, along)] {
            dot(image, (left + x) as f32, (top + y) as f32, 0, Rgb([60, 60, 60]));
        }
    }
}

fn stroke(image: &mut RgbImage, from: (f32, f32), to: (f32, f32)) {
    for step in 0..=100u8 {
        let t = f32::from(step) / 100.0;
        dot(image, from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t, 1, BLUE);
    }
}

#[test]
fn boxes_are_found_with_the_ink_that_is_in_them() {
    let mut image = page();
    for top in [200, 230, 260, 290] {
        frame(&mut image, 100, top, 16);
    }
    // A cross within, and a tick that leaves its box.
    stroke(&mut image, (103.0, 233.0), (113.0, 243.0));
    stroke(&mut image, (113.0, 233.0), (103.0, 243.0));
    stroke(&mut image, (104.0, 298.0), (108.0, 303.0));
    stroke(&mut image, (108.0, 303.0), (122.0, 282.0));
    // Beside them a word's letter and a table's cell are none.
    line(&mut image, 400);
    line(&mut image, 430);
    let words = [word(Rect::new(130.0, 198.0, 60.0, 14.0)), word(Rect::new(130.0, 228.0, 60.0, 14.0))];
    let boxes = find_marks(&image, 800.0, &words).boxes;
    let tops: Vec<f32> = boxes.iter().map(|found| (found.bounds.center_y() / 5.0).round() * 5.0).collect();
    assert_eq!(tops, [210.0, 240.0, 270.0, 300.0], "{boxes:?}");
    let ticked: Vec<bool> = boxes.iter().map(|found| found.ink_ratio > 0.2).collect();
    assert_eq!(ticked, [false, true, false, true], "{boxes:?}");
    assert!(boxes.iter().all(|found| (found.bounds.width - 17.0).abs() < 2.5), "{boxes:?}");
}

#[test]
fn a_circle_is_a_box_unless_it_is_a_letter() {
    let mut image = page();
    for centre in [200.0, 300.0f32] {
        for step in 0..400u16 {
            let angle = f32::from(step) / 400.0 * std::f32::consts::TAU;
            dot(&mut image, 110.0 + 8.0 * angle.cos(), centre + 8.0 * angle.sin(), 0, Rgb([40, 40, 40]));
        }
    }
    let words = [word(Rect::new(98.0, 292.0, 60.0, 16.0))];
    let boxes = find_marks(&image, 800.0, &words).boxes;
    let [circle] = boxes.as_slice() else { panic!("{boxes:?}") };
    assert!((circle.bounds.center_y() - 200.0).abs() < 1.5 && circle.ink_ratio < 0.05, "{circle:?}");
}

#[test]
fn letters_that_a_box_was_taken_for_are_cut_off() {
    let frame = |left: f32| TickBox { bounds: Rect::new(left, 10.0, 20.0, 20.0), ink_ratio: 0.0 };
    let at = |text: &str, left: f32, width: f32| recognised(text, Rect::new(left, 10.0, width, 20.0));
    let words = vec![
        at("EJColisión", 100.0, 106.0),
        at("DDaños", 300.0, 76.0),
        at("XJ", 500.0, 20.0),
        at("Otros", 524.0, 52.0),
        at("DNI", 700.0, 30.0),
    ];
    let boxes = [frame(100.0), frame(300.0), frame(500.0)];
    let rest = without_boxes(words, &boxes);
    let texts: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["Colisión", "Daños", "Otros", "DNI"]);
    assert!(rest[0].bounds.left > 120.0 && rest[0].chars.len() == 8);
}

#[test]
fn what_the_file_says_is_text_is_no_box() {
    let mut image = page();
    frame(&mut image, 100, 200, 16);
    let mut typed = recognised("ON", Rect::new(95.0, 198.0, 60.0, 20.0));
    typed.chars.clear();
    assert!(find_marks(&image, 800.0, &[typed]).boxes.is_empty());
}
