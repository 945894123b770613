//! Time of each stage on one core, on the committed samples: `cargo bench -p dossier`.

use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use dossier::classify::WordModel;
use dossier::confidence::ConfidenceModel;
use dossier::config::{Bundle, load_document_types};
use dossier::domain::{Case, Document, FileReading, TextSource, Timings};
use dossier::ocr::OcrsReader;
use dossier::read::child::load_reader;
use dossier::read::{ReadOptions, read_whole};
use dossier::rules::{CsvRecords, Flow, decide};
use dossier::understand::{FilePages, Understanding};

fn sample_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample_docs/inbox")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the samples are there") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension != "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The first sample file whose first page comes from such a source, with what was read in it.
fn first_of(source: TextSource, reader: &OcrsReader) -> Option<(Vec<u8>, FileReading)> {
    let options = ReadOptions { page_count: 1, ..ReadOptions::default() };
    sample_files().into_iter().find_map(|path| {
        let bytes = std::fs::read(path).ok()?;
        let reading = read_whole(&bytes, &options, reader).ok()?;
        let fits = reading.pages.first().is_some_and(|page| page.source == source && page.words.len() > 100);
        fits.then_some((bytes, reading))
    })
}

fn stages(criterion: &mut Criterion) {
    let reader = load_reader(None).expect("the models load");
    let rules = Bundle::embedded_rules();
    let types = load_document_types(&rules).expect("the document types load");
    let understanding = Understanding::new(types, WordModel::default(), ConfidenceModel::identity());
    let options = ReadOptions { page_count: 1, ..ReadOptions::default() };
    for (name, source) in
        [("born_digital", TextSource::Native), ("scan", TextSource::Scan), ("photo", TextSource::Photo)]
    {
        let Some((bytes, reading)) = first_of(source, &reader) else { continue };
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("read_page", |bencher| bencher.iter(|| read_whole(&bytes, &options, &reader)));
        let file = FilePages { name: "sample", sha256: "", reading: &reading };
        group.bench_function("understand", |bencher| {
            bencher.iter(|| understanding.documents(&[file], &mut Timings::default()));
        });
        group.finish();
    }
    let flow = Flow::load(&rules, "consumer_loan").expect("the flow loads");
    let records = CsvRecords::from_bundle(&rules);
    let case = case_of(&understanding, &reader);
    criterion.bench_function("decide", |bencher| bencher.iter(|| decide(&flow, &case, &records)));
}

/// A case of every born-digital sample document: more than any real one has.
fn case_of(understanding: &Understanding, reader: &OcrsReader) -> Case {
    let mut documents: Vec<Document> = Vec::new();
    for path in sample_files()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "pdf"))
        .take(6)
    {
        let bytes = std::fs::read(path).expect("a readable sample");
        let Ok(reading) = read_whole(&bytes, &ReadOptions::default(), reader) else { continue };
        let file = FilePages { name: "sample", sha256: "", reading: &reading };
        documents.extend(understanding.documents(&[file], &mut Timings::default()));
    }
    Case {
        reference: "bench".to_owned(),
        flow: "consumer_loan".to_owned(),
        received_on: chrono::NaiveDate::from_ymd_opt(2026, 3, 14).expect("a day"),
        declared: serde_json::json!({}),
        documents,
        unreadable: vec![],
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
