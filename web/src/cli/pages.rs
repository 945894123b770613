//! Page images with the boxes of what was read: words thin and grey, fields thick and coloured by
//! confidence.

use std::path::Path;

use anyhow::Context as _;
use dossier::domain::{Document, Page};
use dossier::process::{Engine, ReadFile};
use dossier::read::PageImage;
use image::{Rgb, RgbImage};
use imageproc::drawing::draw_hollow_rect_mut;
use imageproc::rect::Rect;

use super::output::note;

const WORD: Rgb<u8> = Rgb([150, 170, 200]);
/// From this confidence a field is drawn as sure; the shipped flows ask for about as much.
const SURE: f64 = 0.95;
const SURE_FIELD: Rgb<u8> = Rgb([0, 140, 60]);
const DOUBTFUL_FIELD: Rgb<u8> = Rgb([220, 90, 0]);

/// Writes one PNG for each page of the files into `folder`.
pub(crate) async fn draw(
    engine: &Engine,
    files: &[ReadFile],
    documents: &[Document],
    folder: &Path,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for file in files {
        for picture in engine.pictures(file).await? {
            let number = picture.page;
            let Some(mut image) = image_of(picture) else { continue };
            if let Some(page) = file.outcome.reading.pages.iter().find(|page| page.number == number) {
                draw_words(&mut image, page);
            }
            draw_fields(&mut image, documents, &file.name, number);
            let name = format!("{}-{number:03}.png", file.name.replace(['/', '\\'], "_"));
            let path = folder.join(name);
            image.save(&path).with_context(|| format!("cannot write {}", path.display()))?;
            note(&format!("drew {}", path.display()));
        }
    }
    Ok(())
}

fn image_of(picture: PageImage) -> Option<RgbImage> {
    RgbImage::from_raw(picture.width, picture.height, picture.rgb)
}

fn draw_words(image: &mut RgbImage, page: &Page) {
    for word in &page.words {
        frame(image, word.bounds.as_fractions(page.width, page.height), 1, WORD);
    }
}

fn draw_fields(image: &mut RgbImage, documents: &[Document], file: &str, page: u32) {
    for field in documents.iter().flat_map(|document| document.fields.values()) {
        let colour = if field.confidence >= SURE { SURE_FIELD } else { DOUBTFUL_FIELD };
        for row in field.value.as_transactions().unwrap_or_default() {
            if row.file == file && row.page == page {
                frame(image, row.bounds, 2, colour);
            }
        }
        if field.file == file && field.page == page {
            frame(image, field.bounds, 3, colour);
        }
    }
}

/// Draws a frame around fractions of the image.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of an image that exists")]
fn frame(image: &mut RgbImage, [left, top, width, height]: [f64; 4], thickness: i32, colour: Rgb<u8>) {
    let (full_width, full_height) = (f64::from(image.width()), f64::from(image.height()));
    let (x, y) = ((left * full_width) as i32, (top * full_height) as i32);
    let (w, h) = ((width * full_width) as i32, (height * full_height) as i32);
    for grow in 0..thickness {
        let rect =
            Rect::at(x - grow, y - grow).of_size((w + 2 * grow).max(1) as u32, (h + 2 * grow).max(1) as u32);
        draw_hollow_rect_mut(image, rect, colour);
    }
}
