//! `dossier worker`: reads files for servers on other machines.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use dossier::dispatch::Local;
use dossier::dispatch::nats::Worker;

use super::installation::Installed;
use super::output::{note, say};
use super::serve::{asked_to_stop, make_private};

pub(crate) async fn run(installed: &Installed) -> anyhow::Result<ExitCode> {
    let link = installed.nats("dossier worker", true).await?;
    let link = link.context("a worker needs the section [nats] in dossier.toml")?;
    let data = installed.data();
    make_private(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    let worker = Worker {
        link,
        reader: Arc::new(Local(installed.sandbox()?)),
        options: installed.read_options(),
        blobs: installed.blobs(&data)?,
        version: installed.reading_version()?,
        parallel: installed.parallel(),
    };
    say(&format!("dossier reads {} files at a time, version {}\n", worker.parallel, worker.version))?;
    let stop = async {
        asked_to_stop().await;
        note("dossier stops: it finishes the files that it has begun");
    };
    worker.run(stop).await;
    Ok(ExitCode::SUCCESS)
}
