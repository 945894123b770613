//! `dossier report`: how much went end to end, and why the rest did not.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dossier::clock::{Clock as _, SystemClock};
use dossier::report::{GroupBy, Policies, ReportFormat, ReportQuery, render};
use dossier::rules::Flow;

use super::args::{By, Format, ReportArguments};
use super::installation::Installed;
use super::output::write_all;

pub(crate) async fn run(installed: &Installed, arguments: ReportArguments) -> anyhow::Result<ExitCode> {
    let policies = policies(installed)?;
    let store = installed.existing_store().await?;
    let query = ReportQuery {
        from: arguments.from,
        to: arguments.to,
        flow: arguments.flow,
        by: group_of(arguments.by),
    };
    let now = SystemClock.now();
    store.count_anew(&policies, i64::MAX, now).await?;
    let report = store.report(&query, &policies, now).await?;
    store.close().await;
    let sheets = report.sheets();
    if let Some(name) = arguments.table.as_deref()
        && !sheets.iter().any(|sheet| sheet.code == name)
    {
        let names: Vec<&str> = sheets.iter().map(|sheet| sheet.code).collect();
        bail!("there is no table {name}; known are {}", names.join(", "));
    }
    write_all(&render(&report, format_of(arguments.format), arguments.table.as_deref())?)?;
    Ok(ExitCode::SUCCESS)
}

fn policies(installed: &Installed) -> anyhow::Result<Policies> {
    let bundle = installed.rules()?;
    let names = Flow::names(&bundle);
    let flows: Result<Vec<Flow>, _> = names.iter().map(|name| Flow::load(&bundle, name)).collect();
    Ok(Policies::of(&flows.context("the configuration is not usable")?))
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
