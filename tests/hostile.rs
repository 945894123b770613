//! Files made to harm the reader: each gets a finding within its limits, and the others go on.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier::domain::FindingCode;
use dossier::intake::discover;
use dossier::read::{ChildLimits, FileOutcome, Progress, ReadOptions, Sandbox, SandboxLimits, counted};

use crate::forged;
use crate::support::{dossier, results, run, stderr};

/// Less of everything than in earnest, so that the tests are quick. The address space holds the
/// program itself, which is large with its symbols.
fn limits() -> SandboxLimits {
    SandboxLimits {
        child: ChildLimits { memory_bytes: 1 << 30, cpu_seconds: 8, ..ChildLimits::default() },
        ..SandboxLimits::default()
    }
}

fn sandbox(limits: SandboxLimits) -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_dossier").into(), None, 2, limits)
}

async fn read(bytes: Vec<u8>) -> FileOutcome {
    sandbox(limits()).read_bytes(bytes, &ReadOptions::default()).await.unwrap()
}

fn codes(outcome: &FileOutcome) -> Vec<(FindingCode, Option<u32>)> {
    outcome.reading.findings.iter().map(|finding| (finding.code, finding.page)).collect()
}

#[tokio::test]
async fn an_honest_file_is_read() {
    let progress = Arc::new(Progress::default());
    let outcome = counted(Arc::clone(&progress), read(forged::letter(forged::TEXT, 3, 3))).await;
    assert_eq!(codes(&outcome), []);
    assert_eq!(progress.counts(), (3, 3));
    let numbers: Vec<u32> = outcome.reading.pages.iter().map(|page| page.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn fourteen_kilobytes_that_inflate_to_eight_gigabytes() {
    let bomb = forged::inflating_page(8 << 30);
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let outcome = read(bomb).await;
    assert_eq!(codes(&outcome), [(FindingCode::LimitReached, Some(1))]);
}

#[tokio::test]
async fn forms_in_forms_stop_at_the_processor_limit_and_the_next_page_is_read() {
    let mut limits = limits();
    limits.child.cpu_seconds = 1;
    let bytes = forged::nested_forms_then_text();
    let outcome = sandbox(limits).read_bytes(bytes, &ReadOptions::default()).await.unwrap();
    assert_eq!(codes(&outcome), [(FindingCode::LimitReached, Some(1))]);
    assert_eq!(outcome.reading.pages.len(), 1);
    assert_eq!(outcome.reading.pages[0].number, 2);
}

#[tokio::test]
async fn a_lying_count_and_five_thousand_pages() {
    let outcome = read(forged::letter(forged::TEXT, 1, 2_000_000_000)).await;
    assert_eq!((outcome.page_count, outcome.reading.pages.len()), (1, 1));

    let options = ReadOptions { max_pages: 20, ..ReadOptions::default() };
    let bytes = forged::letter(forged::TEXT, 5000, 5000);
    let outcome = sandbox(limits()).read_bytes(bytes, &options).await.unwrap();
    assert_eq!(codes(&outcome), [(FindingCode::TooLarge, None)]);
    assert!(outcome.reading.findings[0].message.contains("5000"));
    let numbers: Vec<u32> = outcome.reading.pages.iter().map(|page| page.number).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<u32>>(), "from several children, in order");
}

#[tokio::test]
async fn a_child_that_says_nothing_is_ended() {
    let mute = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/mute-child.sh");
    let limits = SandboxLimits { silence: Duration::from_millis(300), ..limits() };
    let begun = Instant::now();
    let sandbox = Sandbox::new(mute.into(), None, 2, limits);
    // More than a pipe holds.
    let outcome = sandbox.read_bytes(vec![b' '; 1 << 20], &ReadOptions::default()).await.unwrap();
    assert_eq!(codes(&outcome), [(FindingCode::LimitReached, None)]);
    assert!(outcome.reading.findings[0].message.contains("longer"));
    assert!(begun.elapsed() < Duration::from_secs(30), "it was not waited for: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reader_that_cannot_start_is_an_error_and_no_finding() {
    let sandbox = Sandbox::new("/nowhere/dossier".into(), None, 1, limits());
    assert!(sandbox.read_bytes(vec![1], &ReadOptions::default()).await.is_err());
}

#[tokio::test]
async fn archives_are_unpacked_under_caps() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("consumer_loan/B-2.zip");
    std::fs::create_dir_all(archive.parent().unwrap()).unwrap();
    std::fs::write(&archive, forged::archive()).unwrap();
    let case = discover(&archive, None, &["consumer_loan"]).unwrap().remove(0);
    let case = sandbox(limits()).expand(case, folder.path()).await.unwrap();
    let names: Vec<&str> = case.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["B-2.zip/papers/letter.pdf"]);
    assert_eq!(case.application.unwrap()["channel"], "branch");
    let found: Vec<(&str, FindingCode)> =
        case.findings.iter().map(|(name, finding)| (name.as_str(), finding.code)).collect();
    assert_eq!(
        found,
        [
            ("B-2.zip/zeros.bmp", FindingCode::TooLarge),
            ("B-2.zip/inner.zip", FindingCode::RefusedMember),
            ("B-2.zip/../../escape.pdf", FindingCode::RefusedMember),
        ]
    );
    assert!(!folder.path().parent().unwrap().join("escape.pdf").exists());
}

#[test]
fn a_case_with_hostile_files_goes_to_review_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, bytes: &[u8]| {
        let path = folder.path().join("inbox/energy_claim").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("E-1/empty.pdf", b"");
    put("E-1/form.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    put("E-1/huge.png", &forged::huge_png());
    put("E-2/letter.jpg", &forged::letter(forged::TEXT, 1, 1));
    let output = run(dossier(Path::new(folder.path())).args(["process", "inbox", "--json"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let results = results(&output);
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["outcome"], "review");
    assert_eq!(results[0]["findings"].as_array().map(Vec::len), Some(3));
    assert_eq!(results[1]["pages"], 1, "a wrong extension does not matter");
}
