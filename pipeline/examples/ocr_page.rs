//! Reads one picture as the pipeline would and draws what it saw: for people who work on the reader.
//!
//! `cargo run --example ocr_page -- PICTURE [OUT.png] [MODELS]`
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of one picture")]

use std::path::Path;
use std::time::Instant;

use dossier::layout::arrange;
use dossier::ocr::{ModelFiles, OcrsReader, Reader};
use dossier::upright::upright;
use image::Rgb;
use imageproc::drawing::draw_hollow_rect_mut;
use imageproc::rect::Rect;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let picture = arguments.get(1).ok_or("which picture?")?;
    let models = arguments.get(3).map_or("models", String::as_str);
    let detection = std::fs::read(Path::new(models).join("text-detection.rten"))?;
    let recognition = std::fs::read(Path::new(models).join("text-recognition.rten"))?;
    let alphabet = std::fs::read_to_string(Path::new(models).join("alphabet.txt"))?;
    let files = ModelFiles { detection: &detection, recognition: &recognition, alphabet: &alphabet };
    let reader = OcrsReader::load(&files)?;
    let image = image::open(picture)?.into_rgb8();
    if std::env::var_os("GLANCES").is_some() {
        let mut grey = image::imageops::grayscale(&image);
        for quarters in 0..4 {
            let glance = reader.glance(&grey)?;
            let (chars, sure) = (glance.chars, glance.mean_confidence());
            eprintln!("quarter {quarters}: {} boxes, {chars} characters, mean {sure:.3}", glance.boxes.len());
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
    let (words, rows) = arrange(words);
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
    eprintln!("{} words, {} rows, {elapsed:?}", words.len(), rows.len());
    if let Some(out) = arguments.get(2) {
        for word in &words {
            let colour = Rgb([(255.0 * (1.0 - word.confidence)) as u8, (160.0 * word.confidence) as u8, 60]);
            draw(&mut image, &word.bounds, colour);
        }
        for row in &rows {
            for segment in &row.segments {
                draw(&mut image, &grown(&segment.bounds), Rgb([40, 80, 255]));
            }
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
