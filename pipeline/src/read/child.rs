//! The child's side: puts limits on itself, does one task on hostile bytes, tells its parent.
//!
//! Whatever happens here, the parent sees pages, findings, or the end of the pipe.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use image::{GrayImage, RgbImage};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::file::{PageTimings, ReadOptions, ReadSink, draw_pages, read_file};
use super::wire::{
    ChildLimits, MAX_REQUEST_BYTES, Message, PageImage, Request, Source, Task, read_frame, write_frame,
};
use crate::causes::with_causes;
use crate::config::Bundle;
use crate::domain::{Finding, FindingCode, Page, Word};
use crate::intake::archive::{ArchiveLimits, unpack};
use crate::ocr::{Glance, Look, ModelFiles, OcrError, OcrsReader, Reader, TextBox};

/// Parsers of nested forms are recursive; the main thread's 8 MB are not enough for honest files.
const STACK_BYTES: usize = 64 << 20;

/// Runs the task that comes over standard input; the answer goes to standard output.
pub fn main() -> ExitCode {
    // A panic's text may hold what was read, and standard error is the operator's.
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(request) = read_frame::<Request>(&mut io::stdin().lock(), MAX_REQUEST_BYTES) else {
        return ExitCode::from(2);
    };
    if restrict(&request).is_err() {
        return ExitCode::from(3);
    }
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || run(request));
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::from(4),
    }
}

fn run(request: Request) -> io::Result<()> {
    let mut parent = Parent { output: io::stdout(), limits: request.limits, pages: 0, broken: None };
    match request.task {
        Task::Read { source, options, models } => {
            let reader = LazyReader { models: models.map(PathBuf::from), loaded: OnceLock::new() };
            if let Some(bytes) = load(source, &mut parent)? {
                read(&bytes, &options, &reader, &mut parent);
            }
        }
        Task::Draw { source, options, models } => {
            let reader = LazyReader { models: models.map(PathBuf::from), loaded: OnceLock::new() };
            if let Some(bytes) = load(source, &mut parent)?
                && let Err(error) = draw_pages(&bytes, &options, &reader, &mut parent)
            {
                // Its causes are of models and machine, never of file content.
                parent.send(&Message::Failed { problem: with_causes(&error) });
            }
        }
        Task::Unpack { source, limits, scratch } => {
            if let Some(bytes) = load(source, &mut parent)? {
                unpack_to(&bytes, &limits, Path::new(&scratch), &mut parent)?;
            }
        }
    }
    parent.send(&Message::Done);
    parent.broken.map_or(Ok(()), Err)
}

/// The bytes; none when the machine failed, which the parent has been told. A file that is too large for the memory is
/// the file's own fault.
fn load(source: Source, parent: &mut Parent) -> io::Result<Option<Vec<u8>>> {
    let path = match source {
        Source::Path(path) => path,
        Source::Bytes(bytes) => return Ok(Some(bytes)),
    };
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => Err(error),
        Err(error) => {
            parent.send(&Message::Failed { problem: format!("the file is out of reach: {error}") });
            Ok(None)
        }
    }
}

/// Limits that the kernel keeps, whatever the parsers do. Reading writes no file at all.
fn restrict(request: &Request) -> rustix::io::Result<()> {
    let limits = request.limits;
    let (pages, largest_file) = match &request.task {
        Task::Read { options, .. } | Task::Draw { options, .. } => {
            (u64::from(options.page_count.min(options.max_pages)), 0)
        }
        Task::Unpack { limits, .. } => (0, limits.max_member_bytes + 1),
    };
    let both = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Core, both(0))?;
    setrlimit(Resource::As, both(limits.memory_bytes))?;
    setrlimit(Resource::Fsize, both(largest_file))?;
    setrlimit(Resource::Nofile, both(limits.open_files))?;
    let most = limits.cpu_seconds + limits.cpu_seconds_per_page * pages;
    setrlimit(Resource::Cpu, Rlimit { current: Some(limits.cpu_seconds), maximum: Some(most + 1) })
}

fn read(bytes: &[u8], options: &ReadOptions, reader: &dyn Reader, parent: &mut Parent) {
    if let Err(error) = read_file(bytes, options, reader, parent) {
        // Its causes are of models and machine, never of file content.
        parent.send(&Message::Failed { problem: with_causes(&error) });
    }
}

/// Members go to files named by their number alone.
fn unpack_to(bytes: &[u8], limits: &ArchiveLimits, scratch: &Path, parent: &mut Parent) -> io::Result<()> {
    let mut written = 0;
    let mut failure = None;
    let findings = unpack(bytes, limits, &mut |member| {
        let file = format!("{written:04}");
        written += 1;
        match std::fs::write(scratch.join(&file), &member.bytes) {
            Ok(()) => parent.send(&Message::Member { name: member.name, file }),
            Err(error) => failure = Some(error),
        }
    });
    for (name, finding) in findings {
        parent.send(&Message::MemberFinding { name, finding: finding.into() });
    }
    match failure {
        None => Ok(()),
        // A member that lied about its length.
        Some(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(error),
        Some(error) => {
            parent.send(&Message::Failed { problem: format!("a member cannot be written: {error}") });
            Ok(())
        }
    }
}

struct Parent {
    output: io::Stdout,
    limits: ChildLimits,
    pages: u64,
    broken: Option<io::Error>,
}

impl Parent {
    fn send(&mut self, message: &Message) {
        if self.broken.is_none() {
            let mut output = self.output.lock();
            self.broken = write_frame(&mut output, message).and_then(|()| output.flush()).err();
        }
    }

    /// Honest long files get the time that their pages need; a file that hangs does not.
    fn extend_processor_time(&mut self) {
        self.pages += 1;
        let soft = self.limits.cpu_seconds + self.limits.cpu_seconds_per_page * self.pages;
        let hard = rustix::process::getrlimit(Resource::Cpu).maximum;
        let limit = Rlimit { current: Some(soft.min(hard.unwrap_or(soft))), maximum: hard };
        // When it fails the old, smaller limit stays, which is the safe side.
        setrlimit(Resource::Cpu, limit).ok();
    }
}

impl ReadSink for Parent {
    fn opened(&mut self, page_count: u32) {
        self.send(&Message::Opened { page_count });
    }

    fn page(&mut self, page: Page, timings: PageTimings) {
        self.send(&Message::Page(Box::new(page), timings));
        self.extend_processor_time();
    }

    fn picture(&mut self, page: u32, picture: RgbImage) {
        let (width, height) = picture.dimensions();
        self.send(&Message::Picture(PageImage { page, width, height, rgb: picture.into_raw() }));
        self.extend_processor_time();
    }

    fn finding(&mut self, finding: Finding) {
        if finding.page.is_some() && finding.code != FindingCode::BlankPage {
            self.extend_processor_time();
        }
        self.send(&Message::Finding(finding.into()));
    }
}

/// Loads the models when the first picture comes: born-digital files need none.
struct LazyReader {
    models: Option<PathBuf>,
    loaded: OnceLock<Result<OcrsReader, OcrError>>,
}

impl LazyReader {
    fn get(&self) -> Result<&OcrsReader, OcrError> {
        let loaded = self.loaded.get_or_init(|| load_reader(self.models.as_deref()));
        loaded.as_ref().map_err(|error| OcrError::Load { model: "text", source: with_causes(error).into() })
    }
}

impl Reader for LazyReader {
    fn find_text(&self, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
        self.get()?.find_text(image)
    }

    fn read_boxes(&self, page: &GrayImage, boxes: Vec<TextBox>) -> Result<Vec<Word>, OcrError> {
        self.get()?.read_boxes(page, boxes)
    }

    fn glance(&self, image: &GrayImage, boxes: &[TextBox], look: Look) -> Result<Glance, OcrError> {
        self.get()?.glance(image, boxes, look)
    }
}

/// The reader over the models in a folder, or over those that the binary carries.
///
/// # Errors
/// When a model is missing or cannot be loaded.
pub fn load_reader(models: Option<&Path>) -> Result<OcrsReader, OcrError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| OcrError::Load { model: "text", source };
    let bundle = match models {
        Some(folder) => Bundle::from_directory(folder).map_err(|error| failed(error.into()))?,
        None => Bundle::embedded_models(),
    };
    let files = ModelFiles {
        detection: bundle.bytes("text-detection.rten").map_err(|error| failed(error.into()))?,
        recognition: bundle.bytes("text-recognition.rten").map_err(|error| failed(error.into()))?,
        alphabet: bundle.text("alphabet.txt").map_err(|error| failed(error.into()))?,
    };
    OcrsReader::load(&files)
}
