//! Changed files of every form that is taken in, on their whole way: archives opened and pages read in the sandboxed
//! child, with OCR, then understood and decided in this process. `DOSSIER_SOAK=1` reads 5 000 of each form.
//!
//! By hand: `DOSSIER_TEST_FORM=png` reads files of that form alone, `DOSSIER_TEST_FROM=3000` those from that number on (of a
//! run that was broken off); `DOSSIER_TEST_READER` names another build of the program for the children, since an
//! optimised one reads five times as fast.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use dossier::config::Bundle;
use dossier::domain::{CaseResult, FindingCode, Outcome};
use dossier::intake::{CaseSource, SourceFile};
use dossier::process::Engine;
use dossier::read::{ChildLimits, ReadOptions, Sandbox, SandboxLimits};
use dossier::rules::CsvRecords;
use futures_util::{StreamExt as _, stream};
use nix::sys::resource::{UsageWho, getrusage};

use crate::mutators::mutated;

const FORMS: [&str; 10] = ["pdf", "scanned", "locked", "jpeg", "png", "tiff", "webp", "bmp", "zip", "eml"];
/// Files of each form, among the tests and in the soak.
const FEW: u64 = 16;
const MANY: u64 = 5_000;
/// Slower than what any of these files may take, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(90);

fn seeds(form: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/seeds").join(form);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    paths.into_iter().map(named).collect()
}

/// As in earnest, but for the processor time.
fn limits() -> SandboxLimits {
    let child = ChildLimits { cpu_seconds: 15, cpu_seconds_per_page: 10, ..ChildLimits::default() };
    SandboxLimits { child, silence: LONGEST / 2, task: LONGEST, ..SandboxLimits::default() }
}

struct Bench {
    engine: Engine,
    records: CsvRecords,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let reader = std::env::var_os("DOSSIER_TEST_READER").map(PathBuf::from);
        let reader = reader.unwrap_or_else(|| env!("CARGO_BIN_EXE_dossier").into());
        let rules = Bundle::embedded_rules();
        let sandbox = Sandbox::new(reader, None, 2, limits());
        let engine =
            Engine::load(&rules, &Bundle::embedded_models(), sandbox, ReadOptions::default()).unwrap();
        Self { engine, records: CsvRecords::from_bundle(&rules), folder: tempfile::tempdir().unwrap() }
    }

    /// A case of this one file, read, understood and decided.
    async fn decide(&self, name: &str, bytes: &[u8]) -> CaseResult {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let source = CaseSource {
            reference: "M-1".to_owned(),
            flow: Some("consumer_loan".to_owned()),
            files: vec![SourceFile { name: name.to_owned(), path: path.clone() }],
            application: None,
            findings: Vec::new(),
        };
        let today = NaiveDate::from_ymd_opt(2026, 3, 14).unwrap();
        let processed = self.engine.process(&source, &self.records, today).await.unwrap();
        std::fs::remove_file(path).unwrap();
        processed.result
    }
}

/// What became of the files of a form.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    with_pages: u64,
    findings: BTreeMap<String, u64>,
    slowest: Duration,
}

impl Tally {
    fn add(&mut self, result: &CaseResult, took: Duration) {
        self.files += 1;
        self.with_pages += u64::from(result.pages > 0);
        let of_pages = result.documents.iter().flat_map(|document| &document.findings);
        for finding in result.findings.iter().map(|found| &found.finding).chain(of_pages) {
            assert!(finding.message.ends_with('.') && finding.message.len() > 20, "{finding:?}");
            *self.findings.entry(format!("{:?}", finding.code)).or_default() += 1;
        }
        self.slowest = self.slowest.max(took);
    }

    fn told(&self) -> String {
        let mut text = format!(
            "{} files, {} with pages, slowest {:.1} s;",
            self.files,
            self.with_pages,
            self.slowest.as_secs_f32()
        );
        for (code, count) in &self.findings {
            write!(text, " {code} {count}").unwrap();
        }
        text
    }
}

/// The most memory that a child of this process ever held, in bytes.
fn largest_child() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    u64::try_from(usage.max_rss()).unwrap() << 10
}

/// Where a file is put that something is wrong with.
fn keep(form: &str, number: u64, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutated");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{form}-{number}"));
    std::fs::write(&path, bytes).unwrap();
    path
}

async fn read_form(bench: &Arc<Bench>, form: &'static str, numbers: Range<u64>) -> Tally {
    let seeds: Arc<Vec<Vec<u8>>> = Arc::new(seeds(form).into_iter().map(|(_, bytes)| bytes).collect());
    let read = |number: u64| {
        let (bench, seeds) = (Arc::clone(bench), Arc::clone(&seeds));
        async move {
            let bytes = mutated(form, &seeds, number);
            let (begun, held) = (Instant::now(), bytes.clone());
            // What breaks off on this side of the sandbox breaks a task, as it does in the server.
            let task = tokio::spawn(async move { bench.decide(&format!("{form}-{number}"), &held).await });
            let result = task
                .await
                .unwrap_or_else(|error| panic!("{error}: {}", keep(form, number, &bytes).display()));
            let took = begun.elapsed();
            let kept = || keep(form, number, &bytes);
            assert!(
                result.pages > 0 || !result.findings.is_empty(),
                "neither read nor told of: {}",
                kept().display()
            );
            assert_ne!(result.outcome, Outcome::Accept, "{}", kept().display());
            let stopped = |code| result.findings.iter().any(|found| found.finding.code == code);
            if stopped(FindingCode::ReaderCrashed) {
                eprintln!("{form} {number} broke the reader: {}", kept().display());
            }
            // A file takes at most its parts in turn, each restarted a few times.
            assert!(took < 8 * LONGEST, "{took:?}: {}", kept().display());
            (result, took)
        }
    };
    let mut tally = Tally::default();
    let mut results = stream::iter(numbers.map(read)).buffer_unordered(4);
    while let Some((result, took)) = results.next().await {
        tally.add(&result, took);
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unchanged_seeds_are_read() {
    let bench = Bench::new();
    for form in FORMS {
        for (name, bytes) in seeds(form) {
            let result = bench.decide(&name, &bytes).await;
            let codes: Vec<FindingCode> = result.findings.iter().map(|found| found.finding.code).collect();
            match (form, name.as_str()) {
                ("locked", "password.pdf") => assert_eq!(codes, [FindingCode::PasswordNeeded]),
                ("eml", "mail.eml") => {
                    assert_eq!(codes, [FindingCode::RefusedMember], "the mail in the mail");
                }
                _ => assert_eq!(codes, [], "{form}/{name}"),
            }
            assert!(result.pages > 0 || name == "password.pdf", "{form}/{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_files_of_every_form_are_read_or_told_of() {
    let many = if std::env::var_os("DOSSIER_SOAK").is_some() { MANY } else { FEW };
    let only = std::env::var("DOSSIER_TEST_FORM").ok();
    let first = std::env::var("DOSSIER_TEST_FROM").map_or(0, |from| from.parse().unwrap());
    let bench = Arc::new(Bench::new());
    for form in FORMS.into_iter().filter(|form| only.as_deref().is_none_or(|only| only == *form)) {
        let begun = Instant::now();
        let tally = read_form(&bench, form, first..many).await;
        assert_eq!(tally.files, many - first);
        let largest = largest_child();
        eprintln!(
            "{form}: {} ({} s, largest child {} MB)",
            tally.told(),
            begun.elapsed().as_secs(),
            largest >> 20
        );
        assert!(largest <= limits().child.memory_bytes, "a child held {largest} bytes");
    }
}
