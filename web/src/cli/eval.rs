//! `dossier eval`: scores extraction and decisions against a labelled folder.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use dossier::connectors::Connectors;
use dossier::domain::CaseResult;
use dossier::eval::{Evaluation, Floors, TruthCase, evaluate, fit_model};
use dossier::intake::discover;
use dossier::process::Engine;
use futures_util::StreamExt as _;

use super::args::EvalArguments;
use super::installation::Installed;
use super::labelled::{count_losses, list_page_words};
use super::output::{complain, note, say};

/// Cases without a date of receipt are scored as of this day, so that scores do not change overnight.
const DEFAULT_RECEIVED_ON: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 16).expect("a day of the calendar");

type Results = BTreeMap<(String, String), CaseResult>;

pub(crate) async fn run(installed: &Installed, arguments: EvalArguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.folder;
    let truths = read_truths(&folder.join("truth"))?;
    let mut engine = installed.engine()?;
    if arguments.calibrate.is_some() {
        engine = engine.without_calibration();
    }
    if let Some(folder) = arguments.readings.clone() {
        engine = engine.with_cache(folder);
    }
    if arguments.losses {
        say(&count_losses(&engine, &folder.join("inbox"), &truths).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &arguments.page_words {
        let text = list_page_words(&engine, &folder.join("inbox"), &truths).await?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let records_folder = Some(folder.join("records")).filter(|records| records.is_dir());
    let records = installed.records(records_folder.as_deref())?;
    let results = process_all(engine, records, &folder.join("inbox")).await?;
    let evaluation = evaluate(&truths, &results);
    if let Some(path) = &arguments.calibrate {
        let model = fit_model(&evaluation.observations);
        let text = serde_json::to_string_pretty(&model)?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
        note(&format!("wrote the confidence model to {}", path.display()));
    }
    if let Some(path) = &arguments.observations {
        write_observations(path, &evaluation)?;
    }
    say(&if arguments.json {
        serde_json::to_string_pretty(&evaluation)? + "\n"
    } else {
        evaluation.to_string()
    })?;
    if arguments.errors {
        say(&list_mistakes(&evaluation))?;
    }
    let Some(path) = &arguments.floors else { return Ok(ExitCode::SUCCESS) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let floors: Floors = toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
    let broken = floors.broken_by(&evaluation);
    for line in &broken {
        complain(line);
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What each given value's evidence was and whether it was right; no values.
fn write_observations(path: &Path, evaluation: &Evaluation) -> anyhow::Result<()> {
    let mut text = String::from("field,rendering,layout,seen,score,passed,failed,repaired,right\n");
    for one in &evaluation.observations {
        let flags = [one.proof.passed, one.proof.failed, one.proof.repaired, one.right].map(u8::from);
        let [passed, failed, repaired, right] = flags;
        text.push_str(&format!(
            "{},{},{},{},{:.4},{passed},{failed},{repaired},{right}\n",
            one.key,
            one.rendering,
            one.layout,
            u8::from(one.seen),
            one.score
        ));
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn read_truths(folder: &Path) -> anyhow::Result<Vec<TruthCase>> {
    let mut paths = Vec::new();
    collect_json(folder, &mut paths).with_context(|| {
        format!("cannot read the labels in {}: is it a labelled folder?", folder.display())
    })?;
    paths.sort();
    if paths.is_empty() {
        bail!("there are no labels in {}", folder.display());
    }
    paths
        .iter()
        .map(|path| {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(TruthCase::parse(&path.display().to_string(), &bytes)?)
        })
        .collect()
}

fn collect_json(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_json(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    Ok(())
}

async fn process_all(engine: Engine, records: Connectors, inbox: &Path) -> anyhow::Result<Results> {
    let sources = discover(inbox, None, &engine.flow_names())?;
    let (engine, records, total) = (Arc::new(engine), Arc::new(records), sources.len());
    let mut work = futures_util::stream::iter(sources.into_iter().map(|source| {
        let (engine, records) = (Arc::clone(&engine), Arc::clone(&records));
        async move {
            let outcome = engine.process(&source, records.as_ref(), DEFAULT_RECEIVED_ON).await;
            (source.reference, outcome)
        }
    }))
    .buffer_unordered(4);
    let mut results = Results::new();
    let mut done = 0;
    while let Some((reference, outcome)) = work.next().await {
        done += 1;
        if std::io::stderr().is_terminal() || done % 10 == 0 {
            note(&format!("{done}/{total}"));
        }
        match outcome {
            Ok(processed) => {
                let result = processed.result;
                results.insert((result.flow.clone(), result.reference.clone()), result);
            }
            Err(error) => complain(&format!("{reference}: {:#}", anyhow::Error::from(error))),
        }
    }
    Ok(results)
}

fn list_mistakes(evaluation: &Evaluation) -> String {
    let mut text = String::from("\n");
    for line in &evaluation.outcome_mistakes {
        text.push_str(&format!("{line}\n"));
    }
    for mistake in &evaluation.mistakes {
        let show = |value: &Option<serde_json::Value>| {
            value.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
        };
        let confidence =
            mistake.confidence.map_or_else(String::new, |confidence| format!(" ({confidence:.3})"));
        text.push_str(&format!(
            "{} {} {} {}: read {}{confidence}, right is {}\n",
            mistake.case,
            mistake.layout,
            mistake.rendering,
            mistake.field,
            show(&mistake.read),
            show(&mistake.truth)
        ));
    }
    text
}
