//! Reads one picture as the pipeline would and draws what it saw: for people who work on the reader.
//!
//! `cargo run --example ocr_page -- PICTURE [OUT.png] [MODELS]`
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixel coordinates and colours")]

use std::path::Path;
use std::time::Instant;

use dossier::config::Bundle;
use dossier::layout::arrange_with_rules;
use dossier::marks::find_marks;
use dossier::ocr::{Look, ModelFiles, OcrsReader, Reader};
use dossier::upright::upright;
use image::Rgb;
use imageproc::drawing::draw_hollow_rect_mut;
use imageproc::rect::Rect;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let picture = arguments.get(1).ok_or("which picture?")?;
    let models = arguments.get(3).map_or("models", String::as_str);
    let bundle = Bundle::from_directory(Path::new(models))?;
    let files = ModelFiles::from_bundle(&bundle)?;
    let reader = OcrsReader::load(&files)?;
    let image = image::open(picture)?.into_rgb8();
    if std::env::var_os("GLANCES").is_some() {
        let mut grey = image::imageops::grayscale(&image);
        for quarters in 0..4 {
            let boxes = reader.find_text(&grey)?;
            for look in [Look::Brief, Look::Thorough] {
                let glance = reader.glance(&grey, &boxes, look)?;
                let (boxes, chars, sure) = (boxes.len(), glance.chars, glance.mean_confidence());
                eprintln!("quarter {quarters}, {look:?}: {boxes} boxes, {chars} characters, mean {sure:.3}");
            }
            grey = image::imageops::rotate90(&grey);
        }
        return Ok(());
    }
    let started = Instant::now();
    let upright = upright(image, false, &reader)?;
    let (mut image, source) = (upright.image, upright.source);
    eprintln!(
        "{source:?}, turned {}°, {:?}, {:?}",
        upright.rotation_degrees,
        image.dimensions(),
        started.elapsed()
    );
    let started = Instant::now();
    let words = reader.read_words(&image::imageops::grayscale(&image))?;
    let elapsed = started.elapsed();
    let marks = find_marks(&image, image.width() as f32, &words);
    let (words, rows) = arrange_with_rules(words, &marks.rules);
    for row in &rows {
        let line: Vec<String> = row
            .segments
            .iter()
            .map(|segment| {
                words[segment.first..segment.end]
                    .iter()
                    .map(|word| word.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        eprintln!("{}", line.join("  |  "));
    }
    let sure: f32 = words.iter().map(|word| word.confidence).sum::<f32>() / words.len().max(1) as f32;
    eprintln!("{} words of mean confidence {sure:.4}, {} rows, {elapsed:?}", words.len(), rows.len());
    for word in words.iter().filter(|word| word.confidence < 0.7) {
        eprintln!("doubtful: {} {:.2} {:?}", word.text, word.confidence, word.bounds);
    }
    if let Some(out) = arguments.get(2).filter(|out| !out.is_empty()) {
        for word in &words {
            let colour = Rgb([(255.0 * (1.0 - word.confidence)) as u8, (160.0 * word.confidence) as u8, 60]);
            draw(&mut image, &word.bounds, colour);
        }
        for row in &rows {
            for segment in &row.segments {
                draw(&mut image, &grown(&segment.bounds), Rgb([40, 80, 255]));
            }
        }
        for mark in marks.ink.iter().filter(|mark| mark.bounds.area() > 400.0) {
            draw(&mut image, &mark.bounds, Rgb([230, 0, (255.0 * (1.0 - mark.scribble)) as u8]));
        }
        for rule in &marks.rules {
            draw(&mut image, &rule.bounds, Rgb([0, 200, 200]));
        }
        image.save(out)?;
    }
    Ok(())
}

fn grown(bounds: &dossier::domain::Rect) -> dossier::domain::Rect {
    dossier::domain::Rect::new(bounds.left - 2.0, bounds.top - 2.0, bounds.width + 4.0, bounds.height + 4.0)
}

fn draw(image: &mut image::RgbImage, bounds: &dossier::domain::Rect, colour: Rgb<u8>) {
    let size = (bounds.width.max(1.0) as u32, bounds.height.max(1.0) as u32);
    draw_hollow_rect_mut(
        image,
        Rect::at(bounds.left as i32, bounds.top as i32).of_size(size.0, size.1),
        colour,
    );
}
