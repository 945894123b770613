//! The parent's side: starts children of the same binary, bounds their time, keeps what they sent.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::file::{PageTimings, ReadOptions};
use super::progress;
use super::stop::{Part, Stop};
use super::wire::{
    ChildLimits, MAX_MESSAGE_BYTES, Message, PageImage, Request, Source, Task, decode, encode,
};
use crate::domain::{FileReading, Finding, FindingCode};
use crate::intake::archive::ArchiveLimits;

/// What a child says when it dies is looked at to tell why, never shown or logged: it may hold what
/// was read.
const MAX_STDERR_BYTES: u64 = 4096;

/// Bounds on children from the outside.
#[derive(Debug, Clone, Copy)]
pub struct SandboxLimits {
    pub child: ChildLimits,
    /// Longest time without a word from a child. Processor time stops what spins; this stops what
    /// waits, and is long because a loaded machine is slow.
    pub silence: Duration,
    /// Longest time for one child altogether.
    pub task: Duration,
    /// Longer files are shared out among children in ranges of this many pages.
    pub pages_per_child: u32,
    /// How often reading goes on behind a page that stopped a child.
    pub restarts: u32,
    pub archive: ArchiveLimits,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self {
            child: ChildLimits::default(),
            silence: Duration::from_mins(3),
            task: Duration::from_mins(20),
            pages_per_child: 8,
            restarts: 3,
            archive: ArchiveLimits::default(),
        }
    }
}

/// The machine failed, not the file: trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot start the reader {executable}")]
    Start { executable: PathBuf, source: std::io::Error },
    #[error("cannot exchange data with the reader")]
    Exchange(#[source] std::io::Error),
    #[error("the reader failed: {problem}")]
    Reader { problem: String },
    #[error("cannot read or write {path}")]
    File { path: PathBuf, source: std::io::Error },
}

/// What reading a file gave.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct FileOutcome {
    /// Pages in order of their numbers.
    pub reading: FileReading,
    /// Pages that the file has, read or not; 0 when it could not be opened.
    pub page_count: u32,
    pub timings: PageTimings,
}

/// Reads files in children. Cheap to clone; clones share the number of children at a time.
#[derive(Debug, Clone)]
pub struct Sandbox {
    executable: PathBuf,
    models: Option<PathBuf>,
    pub(super) limits: SandboxLimits,
    permits: Arc<Semaphore>,
    /// Somebody waits before a screen for a picture: it does not queue behind a batch of readings.
    drawing: Arc<Semaphore>,
}

/// Pictures drawn at a time, beside the readings: more would only share the same cores.
const DRAWN_AT_A_TIME: usize = 1;

impl Sandbox {
    /// `executable` answers to the argument `read-child` by calling [`child::main`](super::child::main);
    /// `parallel` is the number of children that read at a time: one for each core. One more may draw a picture.
    pub fn new(executable: PathBuf, models: Option<PathBuf>, parallel: usize, limits: SandboxLimits) -> Self {
        let models = models.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
        Self {
            executable,
            models,
            limits,
            permits: Arc::new(Semaphore::new(parallel.max(1))),
            drawing: Arc::new(Semaphore::new(DRAWN_AT_A_TIME)),
        }
    }

    /// Reads a file. Whatever its bytes do, the answer is pages and findings.
    ///
    /// # Errors
    /// When no child can be started or the models cannot be loaded.
    pub async fn read(&self, path: &Path, options: &ReadOptions) -> Result<FileOutcome, SandboxError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.read_source(&Job { source: Source::Path(path.into_os_string()), options }).await
    }

    /// Reads bytes that are in no file.
    ///
    /// # Errors
    /// When no child can be started or the models cannot be loaded.
    pub async fn read_bytes(
        &self,
        bytes: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<FileOutcome, SandboxError> {
        self.read_source(&Job { source: Source::Bytes(bytes), options }).await
    }

    /// The upright pictures of a file's pages, as many as could be made.
    ///
    /// # Errors
    /// When no child can be started.
    pub async fn pictures(&self, path: &Path, options: &ReadOptions) -> Result<Vec<PageImage>, SandboxError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let options = ReadOptions { pictures: true, ..options.clone() };
        let models = self.models.clone().map(PathBuf::into_os_string);
        let task = Task::Read { source: Source::Path(path.into_os_string()), options, models };
        let mut pictures = Vec::new();
        let mut on_message = |message| {
            if let Message::Picture(picture) = message {
                pictures.push(picture);
            }
        };
        // A child that stops early has sent the pages before.
        self.run_child(task, &mut on_message).await?;
        Ok(pictures)
    }

    /// The upright picture of one page, without recognising its words; `None` when it cannot be made.
    ///
    /// # Errors
    /// When no child can be started.
    pub async fn picture(
        &self,
        path: &Path,
        page: u32,
        options: &ReadOptions,
    ) -> Result<Option<PageImage>, SandboxError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let options = ReadOptions { first_page: page, page_count: 1, ..options.clone() };
        let models = self.models.clone().map(PathBuf::into_os_string);
        let task = Task::Draw { source: Source::Path(path.into_os_string()), options, models };
        let mut found = None;
        let mut on_message = |message| {
            if let Message::Picture(picture) = message {
                found = Some(picture);
            }
        };
        self.run_child(task, &mut on_message).await?;
        Ok(found.filter(|picture| picture.page == page))
    }

    async fn read_source(&self, job: &Job<'_>) -> Result<FileOutcome, SandboxError> {
        let size = self.limits.pages_per_child.max(1);
        let (opened, page_count) = oneshot::channel();
        let first = self.read_range(job, 1, size, Some(opened));
        let others = async {
            let count = page_count.await.unwrap_or(0).min(job.options.max_pages);
            let mut ranges = Vec::new();
            let mut start = size + 1;
            while start <= count {
                ranges.push(self.read_range(job, start, size.min(count - start + 1), None));
                start += size;
            }
            futures_util::future::try_join_all(ranges).await
        };
        let (first, others) = tokio::try_join!(first, others)?;
        let page_count = first.page_count;
        let mut outcome = FileOutcome { page_count, ..FileOutcome::default() };
        for (index, part) in std::iter::once(first).chain(others).enumerate() {
            outcome.timings += part.timings;
            outcome.reading.pages.extend(part.pages);
            // Every child that opens the file notes what is wrong with the whole; once is enough.
            let news = part.findings.into_iter().filter(|finding| index == 0 || finding.page.is_some());
            outcome.reading.findings.extend(news);
        }
        outcome.reading.pages.sort_by_key(|page| page.number);
        outcome.reading.findings.sort_by_key(|finding| finding.page);
        Ok(outcome)
    }

    /// Reads a range of pages, going on behind a page that stops the child.
    async fn read_range(
        &self,
        job: &Job<'_>,
        first_page: u32,
        page_count: u32,
        mut opened: Option<oneshot::Sender<u32>>,
    ) -> Result<Part, SandboxError> {
        let mut part = Part::default();
        let last_page = first_page.saturating_add(page_count - 1);
        let mut next = first_page;
        for attempt in 0..=self.limits.restarts {
            let options =
                ReadOptions { first_page: next, page_count: last_page - next + 1, ..job.options.clone() };
            let models = self.models.clone().map(PathBuf::into_os_string);
            let task = Task::Read { source: job.source.clone(), options, models };
            let before = part.findings.len();
            let end = {
                let mut on_message = |message| {
                    count(&message, opened.is_some(), job.options.max_pages);
                    part.take(message, &mut opened);
                };
                self.run_child(task, &mut on_message).await?
            };
            if let Some(problem) = part.failed.take() {
                return Err(SandboxError::Reader { problem });
            }
            if attempt > 0 {
                part.drop_repeated_file_findings(before);
            }
            let Some(stop) = end else { break };
            if stop == Stop::Killed && attempt < self.limits.restarts {
                next = next.max(part.last_page.saturating_add(1));
                if part.page_count > 0 && next > last_page.min(part.page_count).min(job.options.max_pages) {
                    break;
                }
                continue;
            }
            let stopped_at = part.last_page.max(next.saturating_sub(1)).saturating_add(1);
            if part.page_count == 0 {
                part.findings.push(stop.finding(None));
                break;
            }
            part.findings.push(stop.finding(Some(stopped_at)));
            next = stopped_at.saturating_add(1);
            part.last_page = stopped_at;
            if next > last_page.min(part.page_count).min(job.options.max_pages) {
                break;
            }
            if attempt == self.limits.restarts {
                part.findings.push(given_up(next));
                break;
            }
        }
        Ok(part)
    }

    /// Runs one task to its end. `None` when the child finished it, else why it stopped.
    pub(super) async fn run_child(
        &self,
        task: Task,
        on_message: &mut (dyn FnMut(Message) + Send),
    ) -> Result<Option<Stop>, SandboxError> {
        let permits = if matches!(task, Task::Draw { .. }) { &self.drawing } else { &self.permits };
        let request = encode(&Request { limits: self.limits.child, task }).map_err(SandboxError::Exchange)?;
        // The semaphore is never closed, so there is always a permit to wait for.
        let _permit = permits.acquire().await.ok();
        // From here, since waiting for a free core is nobody's fault.
        let deadline = Instant::now() + self.limits.task;
        let mut child = self.start()?;
        let stderr = child.stderr.take();
        let said = tokio::spawn(async move {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                stderr.take(MAX_STDERR_BYTES).read_to_end(&mut text).await.ok();
            }
            text
        });
        let mut taken = true;
        if let Some(mut stdin) = child.stdin.take() {
            // A child that died before it had read all shows why by its exit.
            let until = deadline.min(Instant::now() + self.limits.silence);
            taken = timeout_at(until, stdin.write_all(&request)).await.is_ok();
        }
        drop(request);
        let finished = match child.stdout.take() {
            Some(stdout) if taken => self.listen(stdout, deadline, on_message).await,
            Some(_) => Listened::TooLong,
            None => Listened::Ended,
        };
        if matches!(finished, Listened::Done) {
            timeout(self.limits.silence, child.wait()).await.ok();
            return Ok(None);
        }
        if matches!(finished, Listened::TooLong) {
            child.kill().await.ok();
            return Ok(Some(Stop::Time));
        }
        let Ok(status) = timeout(Duration::from_secs(5), child.wait()).await else {
            child.kill().await.ok();
            return Ok(Some(Stop::Crash));
        };
        let status = status.map_err(SandboxError::Exchange)?;
        let said = said.await.unwrap_or_default();
        Ok(Some(Stop::from_exit(status, &said)))
    }

    fn start(&self) -> Result<Child, SandboxError> {
        Command::new(&self.executable)
            .arg("read-child")
            .env_clear()
            // One page, one core: the parent runs as many children as there are cores.
            .env("RAYON_NUM_THREADS", "1")
            .env("RTEN_NUM_THREADS", "1")
            // Each arena reserves address space, which is limited.
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SandboxError::Start { executable: self.executable.clone(), source })
    }

    async fn listen(
        &self,
        mut stdout: ChildStdout,
        deadline: Instant,
        on_message: &mut (dyn FnMut(Message) + Send),
    ) -> Listened {
        loop {
            let until = deadline.min(Instant::now() + self.limits.silence);
            match timeout_at(until, next_message(&mut stdout)).await {
                Ok(Some(Message::Done)) => return Listened::Done,
                Ok(Some(message)) => on_message(message),
                Ok(None) => return Listened::Ended,
                Err(_) => return Listened::TooLong,
            }
        }
    }
}

struct Job<'a> {
    source: Source,
    options: &'a ReadOptions,
}

enum Listened {
    Done,
    Ended,
    TooLong,
}

async fn next_message(stdout: &mut ChildStdout) -> Option<Message> {
    let length = stdout.read_u32_le().await.ok()? as usize;
    if length > MAX_MESSAGE_BYTES {
        return None;
    }
    let mut payload = vec![0; length];
    stdout.read_exact(&mut payload).await.ok()?;
    decode(&payload).ok()
}

/// Tells how far reading is. Every child that opens a file says how long it is, and the first counts.
fn count(message: &Message, is_first: bool, max_pages: u32) {
    match message {
        Message::Opened { page_count } if is_first => progress::opened((*page_count).min(max_pages)),
        Message::Page(..) => progress::page_read(),
        _ => {}
    }
}

fn given_up(next: u32) -> Finding {
    let message = format!("Reading stopped the reader too often; the pages from {next} on were not read.");
    Finding::new(FindingCode::LimitReached, message)
}
