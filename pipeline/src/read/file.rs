use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::mixed;
use super::timed::Timed;
use crate::domain::{FileReading, Finding, FindingCode, Page, TextSource};
use crate::layout::arrange_with_rules;
use crate::marks::{find_marks, without_boxes};
use crate::ocr::{OcrError, Reader};
use crate::render::{self, NativePage, OpenOptions, RenderedPage};
use crate::upright::{Upright, upright};

/// Resolution at which ink is looked for on a page with text of its own: 108 dpi, a stroke of a pen is
/// two pixels wide.
const MARK_PIXELS_PER_POINT: f32 = 1.5;

/// Resolution of the picture of a page with text of its own: 144 dpi, to be looked at.
const PICTURE_PIXELS_PER_POINT: f32 = 2.0;

/// How a file is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    pub open: OpenOptions,
    /// Pages beyond this many are not read, and a finding says so. Loan and claim documents have a
    /// few; a year of statements has about 60.
    pub max_pages: u32,
    /// The first page to read, from 1, and how many: a file of many pages is read by several
    /// children.
    pub first_page: u32,
    pub page_count: u32,
    /// Hand over the picture of every page as it was read, too.
    pub pictures: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            open: OpenOptions::default(),
            max_pages: 200,
            first_page: 1,
            page_count: u32::MAX,
            pictures: false,
        }
    }
}

/// Work on one page, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageTimings {
    /// Rendering, bringing upright, rows and marks.
    pub decode_us: u64,
    /// Finding and recognising text, looks at how the page lies included.
    pub ocr_us: u64,
}

impl std::ops::AddAssign for PageTimings {
    fn add_assign(&mut self, other: Self) {
        self.decode_us += other.decode_us;
        self.ocr_us += other.ocr_us;
    }
}

/// Gets told what is read, as it is read.
pub trait ReadSink {
    /// The file could be opened and has so many pages.
    fn opened(&mut self, page_count: u32);
    fn page(&mut self, page: Page, timings: PageTimings);
    /// The upright picture of a page, before the page itself, when the options ask for pictures.
    fn picture(&mut self, _page: u32, _picture: RgbImage) {}
    /// Why something could not be read; each page that is not handed over has one.
    fn finding(&mut self, finding: Finding);
}

/// Reads the pages that the options ask for, handing over each as it is done.
///
/// # Errors
/// When the models cannot be loaded: that says nothing about the file.
pub fn read_file(
    bytes: &[u8],
    options: &ReadOptions,
    reader: &dyn Reader,
    sink: &mut dyn ReadSink,
) -> Result<(), OcrError> {
    let opened = match render::open(bytes, &options.open) {
        Ok(opened) => opened,
        Err(finding) => {
            sink.finding(finding);
            return Ok(());
        }
    };
    let page_count = opened.page_count;
    sink.opened(page_count);
    for finding in &opened.findings {
        sink.finding(finding.clone());
    }
    if options.first_page == 1 && page_count > options.max_pages {
        sink.finding(too_many_pages(page_count, options.max_pages));
    }
    let last = options.first_page.saturating_sub(1).saturating_add(options.page_count);
    let last = last.min(page_count).min(options.max_pages);
    let pages = opened.pages();
    for number in options.first_page..=last {
        let started = Instant::now();
        let read = || read_page(&pages.page(number)?, reader, started, options.pictures);
        // A panic in a parser costs its page alone; the caches hold nothing half-made that matters.
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok((page, timings, picture))) => {
                if let Some(picture) = picture {
                    sink.picture(number, picture);
                }
                if page.words.is_empty() {
                    sink.finding(blank(number));
                }
                sink.page(page, timings);
            }
            Ok(Err(Unread::Finding(finding))) => sink.finding(Finding { page: Some(number), ..finding }),
            Ok(Err(Unread::Models(error))) => return Err(error),
            Err(_) => sink.finding(crashed(number)),
        }
    }
    Ok(())
}

/// Hands over the pictures of the pages that the options ask for, upright, without recognising words.
///
/// # Errors
/// When the models cannot be loaded: that says nothing about the file.
pub fn draw_pages(
    bytes: &[u8],
    options: &ReadOptions,
    reader: &dyn Reader,
    sink: &mut dyn ReadSink,
) -> Result<(), OcrError> {
    let Ok(opened) = render::open(bytes, &options.open) else { return Ok(()) };
    let last = options.first_page.saturating_sub(1).saturating_add(options.page_count);
    let last = last.min(opened.page_count).min(options.max_pages);
    let pages = opened.pages();
    for number in options.first_page..=last {
        let draw = || picture_of(&pages.page(number)?, reader);
        // What cannot be drawn has its finding from reading.
        match catch_unwind(AssertUnwindSafe(draw)) {
            Ok(Ok(Some(picture))) => sink.picture(number, picture),
            Ok(Err(Unread::Models(error))) => return Err(error),
            Ok(Ok(None) | Err(Unread::Finding(_))) | Err(_) => {}
        }
    }
    Ok(())
}

/// Reads a whole file in this process: for tests and tools, not for bytes of strangers.
///
/// # Errors
/// When the models cannot be loaded.
pub fn read_whole(bytes: &[u8], options: &ReadOptions, reader: &dyn Reader) -> Result<FileReading, OcrError> {
    let mut reading = FileReading::default();
    read_file(bytes, options, reader, &mut reading)?;
    Ok(reading)
}

impl ReadSink for FileReading {
    fn opened(&mut self, _: u32) {}

    fn page(&mut self, page: Page, _: PageTimings) {
        self.pages.push(page);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Why a page was not read.
enum Unread {
    Finding(Finding),
    Models(OcrError),
}

impl From<Finding> for Unread {
    fn from(finding: Finding) -> Self {
        Unread::Finding(finding)
    }
}

impl From<OcrError> for Unread {
    fn from(error: OcrError) -> Self {
        match error {
            OcrError::Run { .. } => {
                let message = "The text recogniser failed on this page; look at it yourself.";
                Unread::Finding(Finding::new(FindingCode::ReaderCrashed, message))
            }
            error => Unread::Models(error),
        }
    }
}

/// A page, the work on it, and its picture when that was asked for.
type ReadPage = (Page, PageTimings, Option<RgbImage>);

fn read_page(
    rendered: &RenderedPage<'_>,
    reader: &dyn Reader,
    started: Instant,
    with_picture: bool,
) -> Result<ReadPage, Unread> {
    let timed = Timed::new(reader);
    let (page, picture) = if let Some(native) = &rendered.native {
        let page = from_native(rendered, native, &timed)?;
        (page, if with_picture { rendered.raster_at(PICTURE_PIXELS_PER_POINT) } else { None })
    } else {
        let (page, picture) = from_raster(rendered, rendered.raster()?, &timed)?;
        (page, with_picture.then_some(picture))
    };
    let ocr_us = timed.spent_us();
    Ok((page, PageTimings { decode_us: elapsed_us(started).saturating_sub(ocr_us), ocr_us }, picture))
}

fn picture_of(rendered: &RenderedPage<'_>, reader: &dyn Reader) -> Result<Option<RgbImage>, Unread> {
    if rendered.native.is_some() {
        return Ok(rendered.raster_at(PICTURE_PIXELS_PER_POINT));
    }
    Ok(Some(upright(rendered.raster()?, rendered.camera_hint, reader)?.image))
}

fn from_native(
    rendered: &RenderedPage<'_>,
    native: &NativePage,
    reader: &dyn Reader,
) -> Result<Page, Unread> {
    let mut words = native.words.clone();
    words.extend(mixed::words_in_pictures(rendered, native, reader)?);
    // Drawing the page costs more than reading it: only where there is something to find.
    let picture = native.has_drawings.then(|| rendered.raster_at(MARK_PIXELS_PER_POINT)).flatten();
    let marks = picture.map(|picture| find_marks(&picture, native.width, &words)).unwrap_or_default();
    let (words, rows) = arrange_with_rules(words, &native.rules);
    Ok(Page {
        number: rendered.number,
        width: native.width,
        height: native.height,
        source: TextSource::Native,
        words,
        rows,
        marks: marks.ink,
        rules: native.rules.clone(),
        boxes: marks.boxes,
        rotation_degrees: native.rotation_degrees as f32,
    })
}

fn from_raster(
    rendered: &RenderedPage<'_>,
    raster: RgbImage,
    reader: &dyn Reader,
) -> Result<(Page, RgbImage), Unread> {
    let Upright { image, source, rotation_degrees, boxes } = upright(raster, rendered.camera_hint, reader)?;
    let (width, height) = image.dimensions();
    let grey = image::imageops::grayscale(&image);
    let words = match boxes {
        Some(boxes) => reader.read_boxes(&grey, boxes)?,
        None => reader.read_words(&grey)?,
    };
    let marks = find_marks(&image, width as f32, &words);
    let words = without_boxes(words, &marks.boxes);
    let (words, rows) = arrange_with_rules(words, &marks.rules);
    let page = Page {
        number: rendered.number,
        width: width as f32,
        height: height as f32,
        source,
        words,
        rows,
        marks: marks.ink,
        rules: marks.rules,
        boxes: marks.boxes,
        rotation_degrees,
    };
    Ok((page, image))
}

pub(super) fn elapsed_us(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn too_many_pages(page_count: u32, max_pages: u32) -> Finding {
    let message = format!(
        "The file has {page_count} pages, of which the first {max_pages} were read; send what belongs to the case alone."
    );
    Finding::new(FindingCode::TooLarge, message)
}

fn blank(number: u32) -> Finding {
    Finding::on_page(FindingCode::BlankPage, number, "No text was found on this page; look at it yourself.")
}

fn crashed(number: u32) -> Finding {
    let message = "This page broke the reader; look at it yourself.";
    Finding::on_page(FindingCode::ReaderCrashed, number, message)
}
