//! `dossier report`: how much went end to end, and why the rest did not.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dossier::report::{GroupBy, ReportFormat, SplitReport, render};
use dossier::store::SqliteStore;

use super::args::{By, Format, ReportArguments};
use super::installation::Installed;
use super::output::write_all;

pub(crate) async fn run(installed: &Installed, arguments: ReportArguments) -> anyhow::Result<ExitCode> {
    let Some(db) = arguments.db.or_else(|| installed.settings.db.clone()) else {
        bail!("no store is named: give --db FILE, as to `dossier process --db FILE`");
    };
    let store = open(&db).await?;
    let cases = store.decided(arguments.from, arguments.to).await?;
    let report = SplitReport::of(&cases, group_of(arguments.by));
    write_all(&render(&report, format_of(arguments.format))?)?;
    Ok(ExitCode::SUCCESS)
}

async fn open(db: &Path) -> anyhow::Result<SqliteStore> {
    if !db.is_file() {
        bail!(
            "there is no store at {}: `dossier process PATH --db {}` makes one",
            db.display(),
            db.display()
        );
    }
    SqliteStore::open(db).await.with_context(|| format!("cannot use the store {}", db.display()))
}

fn group_of(by: By) -> GroupBy {
    match by {
        By::Flow => GroupBy::Flow,
        By::Day => GroupBy::Day,
        By::Week => GroupBy::Week,
        By::Month => GroupBy::Month,
        By::Reviewer => GroupBy::Reviewer,
        By::Reason => GroupBy::Reason,
    }
}

fn format_of(format: Format) -> ReportFormat {
    match format {
        Format::Table => ReportFormat::Table,
        Format::Json => ReportFormat::Json,
        Format::Csv => ReportFormat::Csv,
        Format::Xlsx => ReportFormat::Xlsx,
        Format::Html => ReportFormat::Html,
    }
}
