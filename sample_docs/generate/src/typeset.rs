//! From a layout and its data to pages: as PDF, or as pixels.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow};
use image::{Rgb, RgbImage};
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Smart, Value};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::{LazyHash, Scalar};
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;

/// Fonts and sources, read once.
pub struct Press {
    root: PathBuf,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    sources: Mutex<HashMap<FileId, Source>>,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press")
            .field("root", &self.root)
            .field("fonts", &self.fonts.len())
            .finish_non_exhaustive()
    }
}

impl Press {
    /// Takes the fonts of `folders` and those that typst brings.
    pub fn open(layouts: &Path, folders: &[PathBuf]) -> Result<Self> {
        let mut fonts: Vec<Font> = Vec::new();
        for folder in folders {
            let mut files = Vec::new();
            font_files(folder, &mut files)?;
            files.sort();
            for file in files {
                fonts.extend(Font::iter(Bytes::new(fs::read(&file)?)));
            }
        }
        for data in typst_assets::fonts() {
            fonts.extend(Font::iter(Bytes::new(data)));
        }
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        Ok(Self { root: layouts.to_owned(), book, fonts, sources: Mutex::new(HashMap::new()) })
    }

    /// Whether a family of this name was found.
    pub fn has_family(&self, family: &str) -> bool {
        self.book.contains_family(&family.to_lowercase())
    }

    pub fn typeset(&self, path: &str, data: &serde_json::Value) -> Result<Pages> {
        let mut inputs = Dict::new();
        inputs.insert("data".into(), Value::Str(data.to_string().into()));
        let job = Job {
            press: self,
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            main: file_id(path)?,
        };
        let made = typst::compile::<PagedDocument>(&job).output;
        let document = made.map_err(|errors| {
            let first = errors.first().map(|e| e.message.to_string()).unwrap_or_default();
            anyhow!("typesetting {path}: {first}")
        })?;
        Ok(Pages { document })
    }
}

fn font_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading fonts in {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            font_files(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "ttf" || e == "otf" || e == "TTF" || e == "OTF") {
            files.push(path);
        }
    }
    Ok(())
}

fn file_id(path: &str) -> Result<FileId> {
    let virtual_path = VirtualPath::new(path).map_err(|e| anyhow!("{path}: {e:?}"))?;
    Ok(RootedPath::new(VirtualRoot::Project, virtual_path).intern())
}

struct Job<'a> {
    press: &'a Press,
    library: LazyHash<Library>,
    main: FileId,
}

impl World for Job<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.press.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let mut sources = self.press.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(source) = sources.get(&id) {
            return Ok(source.clone());
        }
        let path = self.press.root.join(id.get().vpath().get_without_slash());
        let text = fs::read_to_string(&path).map_err(|e| FileError::from_io(e, &path))?;
        let source = Source::new(id, text);
        sources.insert(id, source.clone());
        Ok(source)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = self.press.root.join(id.get().vpath().get_without_slash());
        Ok(Bytes::new(fs::read(&path).map_err(|e| FileError::from_io(e, &path))?))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.press.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Datetime::from_ymd(2026, 1, 1)
    }
}

/// A typeset document.
pub struct Pages {
    document: PagedDocument,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("count", &self.count()).finish()
    }
}

impl Pages {
    pub fn count(&self) -> usize {
        self.document.pages().len()
    }

    /// What page `index` (from 0) says, a row a line.
    pub fn text(&self, index: usize) -> String {
        crate::text::of_page(&self.document.pages()[index].frame)
    }

    /// A PDF with text, as the issuer's system would make it.
    pub fn pdf(&self, identity: &str) -> Result<Vec<u8>> {
        let options = typst_pdf::PdfOptions {
            ident: Smart::Custom(identity.to_owned()),
            creator: Smart::Custom(Some("Document Composer".to_owned())),
            tagged: false,
            ..Default::default()
        };
        typst_pdf::pdf(&self.document, &options)
            .map_err(|errors| anyhow!("writing the PDF: {:?}", errors.first().map(|e| e.message.to_string())))
    }

    /// The pixels of page `index` (from 0) on white paper.
    pub fn image(&self, index: usize, dpi: f64) -> RgbImage {
        let options =
            typst_render::RenderOptions { pixel_per_pt: Scalar::new(dpi / 72.0), ..Default::default() };
        let pixmap = typst_render::render(&self.document.pages()[index], &options);
        let mut out = RgbImage::new(pixmap.width(), pixmap.height());
        for (pixel, color) in out.pixels_mut().zip(pixmap.pixels()) {
            let rest = 255 - color.alpha();
            *pixel = Rgb([color.red() + rest, color.green() + rest, color.blue() + rest]);
        }
        out
    }
}
