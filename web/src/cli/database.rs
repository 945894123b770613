//! `dossier migrate`, `db`, `backup`, `restore` and `audit`: what cases are kept in, as a whole.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dossier::store::{BlobStore, Store, StoreAddress, back_up, copy_store};

use super::args::DbCommand;
use super::installation::{Installed, open_store};
use super::output::{note, say};
use super::serve::make_private;

pub(crate) async fn migrate(installed: &Installed) -> anyhow::Result<ExitCode> {
    let db = installed.db();
    let migrated = Store::migrate(&db).await.with_context(|| format!("cannot migrate {db}"))?;
    let (before, now) = (migrated.before, migrated.now);
    say(&match before {
        0 => format!("the tables of {db} were made, version {now}\n"),
        before if before == now => format!("the tables of {db} are up to date, version {now}\n"),
        before => format!("the tables of {db} were brought from version {before} to {now}\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn backup(installed: &Installed, file: &Path) -> anyhow::Result<ExitCode> {
    let store = installed.existing_store().await?;
    let written = back_up(&store, &blobs(installed)?, file).await;
    store.close().await;
    let written = written?;
    say(&format!("{} holds {} cases and {} originals\n", file.display(), written.cases, written.originals))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(installed: &Installed, file: &Path) -> anyhow::Result<ExitCode> {
    let StoreAddress::Sqlite(db) = installed.db() else {
        bail!("a backup is restored to a SQLite file: `dossier db copy` moves it on to PostgreSQL");
    };
    let blobs = blobs(installed)?;
    let restored = dossier::store::restore(file, &db, &blobs).await?;
    say(&format!(
        "{} cases and {} originals were restored to {}\n",
        restored.cases,
        restored.originals,
        db.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn blobs(installed: &Installed) -> anyhow::Result<BlobStore> {
    let data = installed.data();
    make_private(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    installed.blobs(&data)
}

pub(crate) async fn verify(installed: &Installed) -> anyhow::Result<ExitCode> {
    let store = installed.existing_store().await?;
    let verified = store.verify_histories().await;
    store.close().await;
    let verified = verified?;
    if let Some((case_id, sequence)) = verified.broken {
        say(&match sequence {
            0 => format!("the history of case {case_id} is gone\n"),
            _ => format!("the history of case {case_id} is broken at event {sequence}\n"),
        })?;
        return Ok(ExitCode::from(1));
    }
    let erased = match verified.erased {
        0 => String::new(),
        erased => format!("; the documents and personal data of {erased} are erased"),
    };
    let (cases, events) = (verified.cases, verified.events);
    say(&format!("the histories of {cases} cases with {events} events are intact{erased}\n"))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn run(command: DbCommand) -> anyhow::Result<ExitCode> {
    let DbCommand::Copy { from, to } = command;
    if !from.is_file() {
        bail!("there is no store at {}: name the SQLite file of the installation", from.display());
    }
    let to: StoreAddress = to.parse()?;
    if to.file().is_some() {
        bail!("a SQLite store is copied as a file: the target of this command is postgres://…");
    }
    // Brings an older file up to date too: both sides then have the same tables.
    let source = open_store(&StoreAddress::Sqlite(from.clone())).await?;
    let target = open_store(&to).await?;
    let copied = copy_store(&source, &target, |table, rows| note(&format!("{table}: {rows} rows"))).await;
    source.close().await;
    target.close().await;
    let copied = copied.with_context(|| format!("nothing was copied from {} to {to}", from.display()))?;
    say(&format!(
        "copied {} rows of {} tables; the histories of {} cases are intact\n",
        copied.rows, copied.tables, copied.histories
    ))?;
    Ok(ExitCode::SUCCESS)
}
