//! `dossier process`: cases in, decisions out, then the split.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use dossier::clock::{Clock as _, SystemClock};
use dossier::domain::CaseResult;
use dossier::intake::{CaseSource, discover};
use dossier::process::Processed;
use dossier::report::{GroupBy, Policies, ReportQuery, split_text};
use dossier::store::StoreAddress;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::args::ProcessArguments;
use super::installation::{Installed, open_store};
use super::output::{complain, note, say};

/// Cases in work at the same time. Reading is bounded by the sandbox; this only keeps it fed.
const CASES_AHEAD: usize = 4;

pub(crate) async fn run(installed: &Installed, arguments: ProcessArguments) -> anyhow::Result<ExitCode> {
    let engine = Arc::new(installed.engine()?);
    let records = Arc::new(installed.records(arguments.records.as_deref())?);
    let today = arguments.received_on.unwrap_or_else(|| SystemClock.today());
    let policies = Policies::of(engine.flow_names().into_iter().filter_map(|name| engine.flow(name)));
    let Some(sources) = find_cases(&engine.flow_names(), &arguments) else { return Ok(ExitCode::from(1)) };
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let in_passing = || StoreAddress::Sqlite(temporary.path().join("cases.db"));
    let db = installed.settings.db.clone().unwrap_or_else(in_passing);
    let store = open_store(&db).await?;

    let progress = Progress::of(sources.len());
    let (sender, mut finished) = mpsc::channel(CASES_AHEAD);
    let permits = Arc::new(tokio::sync::Semaphore::new(CASES_AHEAD));
    let feeder = tokio::spawn(async move {
        for (index, source) in sources.into_iter().enumerate() {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
            let (engine, records, sender) = (Arc::clone(&engine), Arc::clone(&records), sender.clone());
            tokio::spawn(async move {
                let outcome = engine.process(&source, records.as_ref(), today).await;
                drop(permit);
                sender.send((index, source, outcome)).await.ok();
            });
        }
    });

    let mut results = Results::new(&arguments);
    while let Some((index, source, outcome)) = finished.recv().await {
        match outcome {
            Ok(processed) => {
                progress.done(&source, processed.result.outcome.as_str());
                let id = uuid::Uuid::now_v7().to_string();
                store.record(&id, &processed.result, processed.events.clone(), SystemClock.now()).await?;
                results.take(index, processed)?;
            }
            Err(error) => {
                progress.done(&source, "failed");
                complain(&format!("{}: {:#}", name_of(&source), anyhow::Error::from(error)));
                results.failed += 1;
            }
        }
    }
    feeder.await.context("the work stopped early")?;
    progress.finish();
    results.print_rest()?;
    let all = ReportQuery { from: None, to: None, flow: None, by: GroupBy::Flow };
    let now = SystemClock.now();
    store.count_anew(&policies, i64::MAX, now).await?;
    let split = split_text(&store.report(&all, &policies, now).await?);
    if arguments.json {
        note(&split);
    } else {
        say(&format!("\n{split}"))?;
    }
    store.close().await;
    Ok(if results.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The cases under all paths; `None` when a path is of no use, which has been said then.
fn find_cases(flows: &[&str], arguments: &ProcessArguments) -> Option<Vec<CaseSource>> {
    if let Some(flow) = arguments.flow.as_deref().filter(|flow| !flows.contains(flow)) {
        complain(&format!("there is no flow {flow}; known are {}", flows.join(", ")));
        return None;
    }
    let mut sources = Vec::new();
    for path in &arguments.paths {
        match discover(path, arguments.flow.as_deref(), flows) {
            Ok(found) => sources.extend(found),
            Err(error) => {
                complain(&format!("{:#}", anyhow::Error::from(error)));
                return None;
            }
        }
    }
    Some(sources)
}

fn name_of(source: &CaseSource) -> String {
    format!("{}/{}", source.flow.as_deref().unwrap_or("?"), source.reference)
}

/// Results in the order in which the cases were found, whatever order they finish in.
struct Results<'a> {
    arguments: &'a ProcessArguments,
    waiting: std::collections::BTreeMap<usize, Processed>,
    failed: usize,
}

impl<'a> Results<'a> {
    fn new(arguments: &'a ProcessArguments) -> Self {
        Self { arguments, waiting: std::collections::BTreeMap::new(), failed: 0 }
    }

    fn take(&mut self, index: usize, processed: Processed) -> anyhow::Result<()> {
        if let Some(folder) = &self.arguments.out {
            write_result(folder, &processed.result)?;
        }
        self.waiting.insert(index, processed);
        Ok(())
    }

    fn print_rest(&mut self) -> anyhow::Result<()> {
        for processed in std::mem::take(&mut self.waiting).into_values() {
            let result = processed.result;
            if self.arguments.json {
                say(&(serde_json::to_string(&result)? + "\n"))?;
            } else {
                say(&describe(&result, self.arguments.timings))?;
            }
        }
        Ok(())
    }
}

/// Writes the result beside its final name first, so that nobody reads half of one.
fn write_result(folder: &Path, result: &CaseResult) -> anyhow::Result<()> {
    let folder = folder.join(&result.flow);
    let path = folder.join(format!("{}.json", result.reference));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        serde_json::to_writer_pretty(&mut file, result)?;
        std::io::Write::write_all(&mut file, b"\n")?;
        file.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write the result {}", path.display()))
}

fn describe(result: &CaseResult, timings: bool) -> String {
    let mut text = format!("{}/{}  {}\n", result.flow, result.reference, result.outcome.as_str());
    for reason in &result.reasons {
        text.push_str(&format!("    {}  {}", reason.code, reason.message));
        if !reason.fields.is_empty() {
            text.push_str(&format!("  [{}]", reason.fields.join(", ")));
        }
        text.push('\n');
    }
    for (name, value) in &result.outputs {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&format!("    {name} = {value}\n"));
    }
    for finding in &result.findings {
        text.push_str(&format!("    {}: {}\n", finding.file, finding.finding.message));
    }
    if timings {
        let spent = result.timings_ms;
        text.push_str(&format!(
            "    {} pages; ms: decode {}, ocr {}, classify {}, extract {}, decide {}, total {}\n",
            result.pages, spent.decode, spent.ocr, spent.classify, spent.extract, spent.decide, spent.total
        ));
    }
    text
}

/// A bar on a terminal, a line a case elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
    done: std::cell::Cell<usize>,
}

impl Progress {
    fn of(total: usize) -> Self {
        let bar = (std::io::stderr().is_terminal() && total > 1).then(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}");
            ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, total, done: std::cell::Cell::new(0) }
    }

    fn done(&self, source: &CaseSource, outcome: &str) {
        self.done.set(self.done.get() + 1);
        match &self.bar {
            Some(bar) => {
                bar.set_message(name_of(source));
                bar.inc(1);
            }
            None if !std::io::stderr().is_terminal() => {
                note(&format!("{}/{} {} {outcome}", self.done.get(), self.total, name_of(source)));
            }
            None => {}
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
