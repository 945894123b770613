//! `dossier read`: what is read in files; no case, no rules.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dossier::domain::{Document, Timings, Value};
use dossier::intake::{CaseSource, SourceFile};
use dossier::process::{Engine, ReadFile};
use dossier::understand::DocumentRivals;

use serde_json::json;

use super::args::ReadArguments;
use super::installation::Installed;
use super::output::say;

pub(crate) async fn run(installed: &Installed, arguments: ReadArguments) -> anyhow::Result<ExitCode> {
    let engine = installed.engine()?;
    for path in &arguments.files {
        if !path.is_file() {
            bail!("there is no file at {}", path.display());
        }
    }
    for path in &arguments.files {
        read_one(&engine, path, &arguments)
            .await
            .with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn read_one(engine: &Engine, path: &Path, arguments: &ReadArguments) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let case = engine.read(&source_of(path), scratch.path()).await?;
    let pages: Vec<_> = case.files.iter().map(ReadFile::pages).collect();
    let documents = engine.understanding().documents(&pages, &mut Timings::default());
    if let Some(folder) = &arguments.pages {
        super::pages::draw(engine, &case.files, &documents, folder).await?;
    }
    if arguments.json {
        let pages: Vec<_> = case.files.iter().map(pages_as_json).collect();
        let findings: Vec<_> = case
            .source
            .findings
            .iter()
            .map(|(file, finding)| json!({"file": file, "finding": finding}))
            .collect();
        say(&(serde_json::to_string(
            &json!({"file": path, "files": pages, "findings": findings, "documents": documents}),
        )? + "\n"))?;
    } else if arguments.text {
        for (file, finding) in &case.source.findings {
            say(&format!("{file}: {}\n", finding.message))?;
        }
        for reading in &case.files {
            say(&text_of(reading))?;
        }
    } else {
        for (file, finding) in &case.source.findings {
            say(&format!("{file}: {}\n", finding.message))?;
        }
        for reading in &case.files {
            for finding in &reading.outcome.reading.findings {
                say(&format!("{}: {}\n", reading.name, finding.message))?;
            }
        }
        for document in &documents {
            say(&describe(document))?;
        }
        if arguments.rivals {
            say(&describe_rivals(&engine.understanding().rivals(&pages)))?;
        }
    }
    Ok(())
}

fn source_of(path: &Path) -> CaseSource {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let file = SourceFile { name: name.clone(), path: path.to_owned() };
    CaseSource { reference: name, flow: None, files: vec![file], application: None, findings: Vec::new() }
}

fn pages_as_json(reading: &ReadFile) -> serde_json::Value {
    let pages: Vec<_> = reading
        .outcome
        .reading
        .pages
        .iter()
        .map(|page| {
            json!({"page": page.number, "source": page.source, "width": page.width, "height": page.height, "text": page.text()})
        })
        .collect();
    let timings = reading.outcome.timings;
    json!({
        "name": reading.name, "sha256": reading.sha256, "pages": pages, "findings": reading.outcome.reading.findings,
        "timings_ms": {"decode": timings.decode_us / 1000, "ocr": timings.ocr_us / 1000},
    })
}

fn text_of(reading: &ReadFile) -> String {
    let mut text = String::new();
    for finding in &reading.outcome.reading.findings {
        text.push_str(&format!("{}: {}\n", reading.name, finding.message));
    }
    for page in &reading.outcome.reading.pages {
        text.push_str(&format!("--- {} page {}\n{}", reading.name, page.number, page.text()));
    }
    text
}

fn describe(document: &Document) -> String {
    let parts: Vec<String> =
        document.parts.iter().map(|part| format!("{} {}", part.file, pages_as_text(&part.pages))).collect();
    let mut text = format!(
        "{} ({:.3})  {}\n",
        document.document_type.as_str(),
        document.type_confidence,
        parts.join(", ")
    );
    for (name, field) in &document.fields {
        let checks: Vec<String> = field
            .checks
            .iter()
            .map(|check| format!("{} {}", check.name, if check.passed { "passed" } else { "FAILED" }))
            .collect();
        text.push_str(&format!(
            "    {:.3}  {name} = {}  {}\n",
            field.confidence,
            value_as_text(&field.value),
            checks.join(", ")
        ));
    }
    text
}

/// At most this many values of a field are shown.
const MOST_RIVALS: usize = 6;

fn describe_rivals(documents: &[DocumentRivals]) -> String {
    let mut text = String::new();
    for document in documents {
        text.push_str(&format!("\n{}: possible values by label\n", document.document_type));
        for (name, claims) in document.fields.iter().filter(|(_, claims)| !claims.is_empty()) {
            text.push_str(&format!("    {name}\n"));
            for claim in claims.iter().take(MOST_RIVALS) {
                let value = value_as_text(&claim.value);
                text.push_str(&format!("        {:.3}  {value}  (page {})\n", claim.score, claim.page + 1));
            }
        }
    }
    text
}

fn pages_as_text(pages: &[u32]) -> String {
    let numbers: Vec<String> = pages.iter().map(u32::to_string).collect();
    format!("p. {}", numbers.join(" "))
}

fn value_as_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.replace('\n', " ⏎ "),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Transactions(rows) => {
            let mut text = format!("{} rows", rows.len());
            for row in rows {
                let balance = row.balance.map_or_else(String::new, |balance| balance.to_string());
                text.push_str(&format!(
                    "\n        {:.3}  {}  {:>12} {balance:>12}  {}",
                    row.confidence, row.date, row.amount, row.description
                ));
            }
            text
        }
    }
}
