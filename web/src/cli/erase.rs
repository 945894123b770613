//! `dossier erase` and `dossier blobs`: what becomes of originals and personal data.

use std::process::ExitCode;

use anyhow::bail;
use dossier::clock::{Clock as _, SystemClock};
use dossier::erasure::{erase_case, take_originals_away};
use dossier::report::Policies;
use dossier::rules::Flow;
use dossier::store::{Erased, Store};

use super::database::blobs;
use super::installation::Installed;
use super::output::say;

/// Whom the history names.
const OPERATOR: &str = "operator";

pub(crate) async fn run(installed: &Installed, case: &str) -> anyhow::Result<ExitCode> {
    let blobs = blobs(installed)?;
    let rules = installed.rules()?;
    let names = Flow::names(&rules);
    let flows: Vec<Flow> = names.iter().map(|name| Flow::load(&rules, name)).collect::<Result<_, _>>()?;
    let store = installed.existing_store().await?;
    let id = id_of(&store, case).await?;
    let done = erase_case(&store, &Policies::of(&flows), &id, OPERATOR, SystemClock.now()).await?;
    let left = take_originals_away(&store, &blobs).await?;
    store.close().await;
    let told = match done {
        Erased::Done => format!("{case} is erased"),
        Erased::Already => format!("{case} was erased before"),
        Erased::NoCase => bail!("there is no case {case}: name its id, or FLOW/REFERENCE"),
        Erased::NotFinal => bail!("{case} is not decided yet: decide it first"),
        Erased::NotCounted => bail!("{case} has just changed: try again"),
    };
    let later = match left {
        0 => String::new(),
        left => format!("; the server takes {left} originals away that came just now"),
    };
    say(&format!("{told}{later}\n"))?;
    Ok(ExitCode::SUCCESS)
}

async fn id_of(store: &Store, case: &str) -> anyhow::Result<String> {
    let Some((flow, reference)) = case.split_once('/') else { return Ok(case.to_owned()) };
    Ok(store.case_id(flow, reference).await?.unwrap_or_else(|| case.to_owned()))
}

pub(crate) async fn rotate(installed: &Installed) -> anyhow::Result<ExitCode> {
    let blobs = blobs(installed)?;
    let Some(keys) = blobs.keys() else {
        bail!("there is no key: name one under [blobs] of the configuration");
    };
    let key = keys.present();
    let done = blobs.rotate().await?;
    say(&format!(
        "{} originals were sealed with the key {key}, {} had been already\n",
        done.sealed_anew, done.unchanged
    ))?;
    Ok(ExitCode::SUCCESS)
}
