//! `dossier doctor`: what is configured, reachable and missing.

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::installation::Installed;
use super::output::say;

/// A thing that is looked at, and what was found: `Ok` with a description, or what is wrong.
type Finding = (&'static str, anyhow::Result<String>);

pub(crate) fn run(installed: &Installed) -> anyhow::Result<ExitCode> {
    let findings = [
        ("configuration", Ok(configuration(installed))),
        ("rules", rules(installed)),
        ("models", models(installed)),
        ("engine", engine(installed)),
        ("records", records(installed)),
        ("store", store(installed)),
        ("sandbox", sandbox(installed)),
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

fn records(installed: &Installed) -> anyhow::Result<String> {
    let problems = installed.records(None)?.problems();
    if !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }
    Ok("every table can be looked up".to_owned())
}

fn store(installed: &Installed) -> anyhow::Result<String> {
    match &installed.settings.db {
        None => Ok("none configured; `process` uses a temporary one unless --db is given".to_owned()),
        Some(path) => {
            let folder = path.parent().unwrap_or(std::path::Path::new("."));
            std::fs::metadata(folder)
                .with_context(|| format!("cannot reach the folder of {}", path.display()))?;
            Ok(path.display().to_string())
        }
    }
}

fn sandbox(installed: &Installed) -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    installed.sandbox()?;
    Ok(format!("{} files at a time", installed.settings.parallel.unwrap_or(cores)))
}
