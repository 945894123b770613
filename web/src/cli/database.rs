//! `dossier migrate`: the tables that cases are kept in.

use std::process::ExitCode;

use anyhow::Context as _;
use dossier::store::Store;

use super::installation::Installed;
use super::output::say;

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
