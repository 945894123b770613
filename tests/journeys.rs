//! The sample cases on their whole way: what is decided, that it is always the same, what is reported.

use std::path::Path;
use std::process::Output;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{dossier, results, run, samples, stdout};

/// One run over all samples, shared by the tests: reading scans takes seconds.
static SAMPLES: LazyLock<(tempfile::TempDir, Output)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = process(folder.path(), &["--out", "results", "--db", "cases.db"]);
    (folder, output)
});

fn process(folder: &Path, options: &[&str]) -> Output {
    run(dossier(folder)
        .arg("process")
        .arg(samples().join("inbox"))
        .arg("--json")
        .arg("--records")
        .arg(samples().join("records"))
        .args(options))
}

#[test]
fn every_sample_case_gets_the_result_on_record() {
    let (_, output) = &*SAMPLES;
    assert!(output.status.success());
    let summaries: Vec<Value> = results(output).iter().map(summary).collect();
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("sample_cases", summaries);
    });
}

/// What must not change unseen; times, versions and the last digits of confidence may.
fn summary(result: &Value) -> Value {
    let codes: Vec<&Value> =
        result["reasons"].as_array().into_iter().flatten().map(|reason| &reason["code"]).collect();
    let documents: Vec<Value> = result["documents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|document| {
            let fields = document["fields"].as_object().into_iter().flatten();
            let values: serde_json::Map<String, Value> =
                fields.map(|(name, field)| (name.clone(), value_of(field))).collect();
            let parts: Vec<Value> = document["parts"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|part| json!([part["file"], part["pages"]]))
                .collect();
            json!({"type": document["type"], "parts": parts, "fields": values})
        })
        .collect();
    json!({
        "case": format!("{}/{}", result["flow"].as_str().unwrap_or_default(), result["reference"].as_str().unwrap_or_default()),
        "outcome": result["outcome"], "mode": result["mode"], "codes": codes, "outputs": result["outputs"], "documents": documents,
    })
}

fn value_of(field: &Value) -> Value {
    match field["value"].as_array() {
        Some(rows) => json!(
            rows.iter()
                .map(|row| format!("{} {} {}", row["date"], row["amount"], row["balance"]))
                .collect::<Vec<_>>()
        ),
        None => field["value"].clone(),
    }
}

#[test]
fn a_second_run_gives_the_same_bytes() {
    let (folder, _) = &*SAMPLES;
    let again = tempfile::tempdir().unwrap();
    assert!(process(again.path(), &["--out", "results"]).status.success());
    let mut compared = 0;
    for flow in std::fs::read_dir(folder.path().join("results")).unwrap() {
        let flow = flow.unwrap().file_name();
        for file in std::fs::read_dir(folder.path().join("results").join(&flow)).unwrap() {
            let name = file.unwrap().file_name();
            let read = |root: &Path| {
                without_times(&std::fs::read(root.join("results").join(&flow).join(&name)).unwrap())
            };
            assert_eq!(read(folder.path()), read(again.path()), "{}", name.display());
            compared += 1;
        }
    }
    assert!(compared >= 8, "only {compared} results were written");
}

fn without_times(bytes: &[u8]) -> String {
    let mut result: Value = serde_json::from_slice(bytes).unwrap();
    result.as_object_mut().unwrap().remove("timings_ms");
    result.to_string()
}

#[test]
fn a_report_after_the_run_counts_the_same_cases() {
    let (folder, output) = &*SAMPLES;
    let report = run(dossier(folder.path()).args(["report", "--db", "cases.db", "--format", "json"]));
    assert!(report.status.success());
    let report: Value = serde_json::from_str(&stdout(&report)).unwrap();
    let results = results(output);
    let e2e = results.iter().filter(|result| result["mode"] == "e2e").count();
    assert_eq!(report["total"]["cases"], results.len());
    assert_eq!(report["total"]["e2e"], e2e);
    for format in ["table", "csv", "html", "xlsx"] {
        let report =
            run(dossier(folder.path())
                .args(["report", "--db", "cases.db", "--by", "reason", "--format", format]));
        assert!(report.status.success() && !report.stdout.is_empty(), "{format}");
    }
}

#[test]
fn the_samples_are_left_as_they_were() {
    let before = names_under(&samples().join("inbox"));
    LazyLock::force(&SAMPLES);
    assert_eq!(before, names_under(&samples().join("inbox")));
}

fn names_under(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            names.push(format!("{} {}", entry.path().display(), entry.metadata().unwrap().len()));
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    names.sort();
    names
}
