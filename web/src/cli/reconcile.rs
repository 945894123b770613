//! `dossier reconcile`: whether everything that came in is accounted for.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use dossier::reconcile::{Reconciled, parse_manifest, reconcile};
use dossier::store::CaseState;

use super::installation::Installed;
use super::output::say;

pub(crate) async fn run(installed: &Installed, manifest: Option<&Path>) -> anyhow::Result<ExitCode> {
    let dropped = match manifest {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            let text = text.with_context(|| format!("cannot read the manifest {}", file.display()))?;
            parse_manifest(&text).with_context(|| format!("cannot use the manifest {}", file.display()))?
        }
        None => Vec::new(),
    };
    let store = installed.existing_store().await?;
    let blobs = installed.blobs(&installed.data())?;
    let found = reconcile(&store, &blobs, &installed.inbox(), &dropped).await;
    store.close().await;
    let found = found?;
    say(&told(&found, dropped.len()))?;
    Ok(if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn told(found: &Reconciled, dropped: usize) -> String {
    let standing = |state| found.states.get(&state).copied().unwrap_or(0);
    let mut text = format!(
        "{} cases: {} decided, {} in review, {} wait for documents, {} are processed; {} events in their histories\n\
         {} originals are kept with them, {} files were moved aside, {} wait in the inbox\n",
        found.cases,
        standing(CaseState::Final),
        standing(CaseState::InReview),
        standing(CaseState::WaitingDocuments),
        standing(CaseState::Processing),
        found.events,
        found.originals,
        found.rejected,
        found.waiting,
    );
    if dropped > 0 {
        let [held, aside, waiting] = found.accounted;
        text += &format!(
            "of {dropped} files in the manifest {held} are with their cases, {aside} were moved aside and {waiting} \
             wait in the inbox\n"
        );
    }
    for problem in &found.problems {
        text += &format!("{problem}\n");
    }
    text += match found.problems.len() {
        0 => "everything is accounted for\n",
        _ => "not everything is accounted for\n",
    };
    text
}
