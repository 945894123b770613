//! `dossier doctor`: what is configured, reachable and missing.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dossier::store::Store;

use super::installation::{Installed, open_store};
use super::output::say;

/// A thing that is looked at, and what was found: `Ok` with a description, or what is wrong.
type Finding = (&'static str, anyhow::Result<String>);

pub(crate) async fn run(installed: &Installed) -> anyhow::Result<ExitCode> {
    let findings = [
        ("configuration", Ok(configuration(installed))),
        ("rules", rules(installed)),
        ("models", models(installed)),
        ("engine", engine(installed)),
        ("records", records(installed).await),
        ("originals", originals(installed).await),
        ("delivery", delivery(installed).await),
        ("store", store(installed).await),
        ("sandbox", sandbox(installed)),
        ("nats", nats(installed).await),
        ("traces", Ok(traces(installed))),
        ("sign-in", super::sign_in::examined(&installed.settings)),
    ];
    let healthy = findings.iter().all(|(_, finding)| finding.is_ok());
    for finding in findings {
        say(&line(finding))?;
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn line((name, finding): Finding) -> String {
    match finding {
        Ok(found) => format!("ok       {name:14} {found}\n"),
        Err(error) => format!("MISSING  {name:14} {error:#}\n"),
    }
}

fn configuration(installed: &Installed) -> String {
    installed
        .config
        .as_ref()
        .map_or_else(|| "none; the defaults hold".to_owned(), |path| path.display().to_string())
}

fn rules(installed: &Installed) -> anyhow::Result<String> {
    let rules = installed.rules()?;
    Ok(format!("{}, {}", rules.origin(), rules.version()))
}

fn models(installed: &Installed) -> anyhow::Result<String> {
    let models = installed.models()?;
    for name in ["text-recognition.rten", "text-detection.rten", "alphabet.txt"] {
        models.bytes(name)?;
    }
    let curves =
        if models.find("calibration.json").is_some() { "calibrated" } else { "without confidence curves" };
    Ok(format!("{}, {curves}, {}", models.origin(), models.version()))
}

fn engine(installed: &Installed) -> anyhow::Result<String> {
    let engine = installed.engine()?;
    Ok(format!("flows {}", engine.flow_names().join(", ")))
}

async fn records(installed: &Installed) -> anyhow::Result<String> {
    let records = installed.records(None)?;
    let mut problems = records.problems();
    let examined = records.examine().await;
    let connected = examined.len();
    for (flow, table, answer) in examined {
        problems.extend(answer.err().map(|problem| format!("{table} of {flow}: {problem}")));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }
    Ok(match connected {
        0 => "every table can be looked up".to_owned(),
        _ => format!("every table can be looked up, {connected} through connectors that answer"),
    })
}

async fn originals(installed: &Installed) -> anyhow::Result<String> {
    let keys = installed.settings.blobs.keyring()?;
    let sealed = keys.map_or_else(
        || "unsealed: [blobs] of the configuration has no key".to_owned(),
        |keys| format!("sealed with the key {}", keys.present()),
    );
    let Some(bucket) = &installed.settings.blobs.bucket else { return Ok(sealed) };
    // Looking makes no folders where the server will.
    let folder = tempfile::tempdir()?;
    installed.blobs(folder.path())?.examine().await?;
    Ok(format!("in the bucket {}, {sealed}", bucket.name))
}

async fn delivery(installed: &Installed) -> anyhow::Result<String> {
    let outbox = installed.outbox()?;
    let mut problems = Vec::new();
    for (name, answer) in outbox.examine().await {
        problems.extend(answer.err().map(|problem| format!("{name}: {problem}")));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }
    let destinations = outbox.destinations();
    let told: Vec<String> = destinations.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    Ok(if told.is_empty() { "nobody is told of decisions".to_owned() } else { told.join(", ") })
}

async fn store(installed: &Installed) -> anyhow::Result<String> {
    let db = installed.db();
    if let Some(file) = db.file().filter(|file| !file.is_file()) {
        // Looking makes none. Folders are made by the server; one that is named must be reachable.
        let parent = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = parent.filter(|_| installed.settings.db.is_some()) {
            std::fs::metadata(folder)
                .with_context(|| format!("cannot reach the folder of {}", file.display()))?;
        }
        return Ok(format!("{db}, to be made; `process` keeps cases only where --db is given"));
    }
    let (found, needed) = Store::versions(&db).await.with_context(|| format!("cannot use the store {db}"))?;
    if db.file().is_some() && found < needed {
        return Ok(format!("{db}, of version {found}, brought to {needed} when it is opened"));
    }
    let store = open_store(&db).await?;
    let engine = store.engine().await?;
    let cases = store.counts().await?;
    store.close().await;
    let cases = cases.processing + cases.waiting_documents + cases.in_review + cases.decided;
    Ok(format!("{db}, {engine}, {cases} cases"))
}

fn sandbox(installed: &Installed) -> anyhow::Result<String> {
    installed.sandbox()?;
    Ok(format!("{} files at a time", installed.parallel()))
}

fn traces(installed: &Installed) -> String {
    let traces = installed.settings.traces.as_ref();
    traces.map_or_else(|| "nobody is told".to_owned(), |traces| format!("go to {}", traces.endpoint))
}

async fn nats(installed: &Installed) -> anyhow::Result<String> {
    let Some(link) = installed.nats("dossier doctor", false).await? else {
        return Ok("none configured; files are read by `dossier serve` itself".to_owned());
    };
    let version = installed.reading_version()?;
    let health = link.health(&version).await?;
    Ok(format!(
        "version {}, {} files wait for workers of version {version}, {} are with workers, {} readers are idle",
        health.version, health.waiting, health.with_workers, health.idle
    ))
}
