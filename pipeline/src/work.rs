//! The worker: takes cases that wait for the machine, has them read and decided, records what came of
//! it. Everything it does can be done again: a case found half done at the start is processed anew,
//! and a case that changed while it was read is read once more.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use crate::causes::with_causes;
use crate::clock::{Clock, Micros};
use crate::deliver::{News, Occasion, Outbox};
use crate::domain::{CaseResult, Mode, Outcome};
use crate::intake::{CaseSource, SourceFile};
use crate::meters::Meters;
use crate::process::{Engine, ProcessError, Processed};
use crate::read::{Progress, counted};
use crate::report::Policies;
use crate::review::{
    amount_cents, carry_over, draft_request, falls_back, goal_and_deadline, hold_back, mode_after,
    quality_since, wanted_documents, working_time_used,
};
use crate::rules::{Flow, RECORDS_UNAVAILABLE, RecordSource, WhenUnavailable};
use crate::store::{
    ArrivedFile, BlobError, BlobStore, CaseFile, CaseState, Event, EventKind, Finished, NewFile, Store,
    StoreError, StoredCase, ToProcess,
};

/// Cases in work at the same time. Reading is bounded by the sandbox; this only keeps it fed.
const CASES_AHEAD: usize = 4;
/// How often waiting cases are looked for when nobody tells about new ones.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often those who wait are told how far reading is.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Waits between attempts double from the first to the last of these.
const FIRST_WAIT: Micros = 2_000_000;
const LONGEST_WAIT: Micros = 600_000_000;
/// How often a case that waits for records is tried again.
const RECORDS_AGAIN: Micros = 60_000_000;

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("cannot make a folder for the members of archives")]
    Scratch(#[source] std::io::Error),
    #[error("there is no flow {0}")]
    UnknownFlow(String),
}

/// Everything that the work needs; cheap to share.
pub struct Workshop {
    pub engine: Arc<Engine>,
    pub records: Arc<dyn RecordSource>,
    /// Who is told of decisions.
    pub outbox: Outbox,
    pub store: Store,
    pub blobs: BlobStore,
    pub clock: Arc<dyn Clock>,
    /// Told when a case waits.
    pub wake: Notify,
    pub board: Board,
    pub meters: Meters,
}

/// The cases that are being read, and how far that is.
#[derive(Debug, Default)]
pub struct Board(Mutex<HashMap<String, Arc<Progress>>>);

impl Board {
    /// Pages read and pages known of, while a case is read here.
    pub fn progress(&self, id: &str) -> Option<(u32, u32)> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.get(id).map(|progress| progress.counts())
    }

    fn enter(&self, id: &str) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.insert(id.to_owned(), Arc::clone(&progress));
        progress
    }

    fn leave(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn counts(&self) -> HashMap<String, (u32, u32)> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.iter().map(|(id, progress)| (id.clone(), progress.counts())).collect()
    }
}

impl Workshop {
    /// The flows' parameters that reports reckon with.
    pub fn policies(&self) -> Policies {
        let names = self.engine.flow_names().into_iter();
        Policies::of(names.filter_map(|name| self.engine.flow(name)))
    }
}

impl std::fmt::Debug for Workshop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Workshop").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// Works until `stop` is done, then finishes what is begun. `on_done` hears the id of each case, `on_progress`
/// that more of its pages have been read.
///
/// # Errors
/// When the store fails to tell what waits.
pub async fn work(
    shop: &Arc<Workshop>,
    on_done: impl Fn(&str) + Send,
    on_progress: impl Fn(&str) + Send,
    stop: impl Future<Output = ()>,
) -> Result<(), StoreError> {
    shop.store.retry_all().await?;
    tokio::pin!(stop);
    let (sender, mut finished) = mpsc::channel::<String>(CASES_AHEAD);
    let mut in_work: HashSet<String> = HashSet::new();
    let mut told: HashMap<String, (u32, u32)> = HashMap::new();
    let mut tell = tokio::time::interval(TELL_EVERY);
    loop {
        let limit = i64::try_from(CASES_AHEAD * 2).unwrap_or(8);
        for waiting in shop.store.to_process(shop.clock.now(), limit).await? {
            if in_work.len() >= CASES_AHEAD {
                break;
            }
            if in_work.insert(waiting.id.clone()) {
                let (shop, sender) = (Arc::clone(shop), sender.clone());
                tokio::spawn(async move {
                    attempt(&shop, &waiting).await;
                    sender.send(waiting.id).await.ok();
                });
            }
        }
        tokio::select! {
            () = &mut stop => break,
            Some(id) = finished.recv() => {
                in_work.remove(&id);
                on_done(&id);
            }
            () = shop.wake.notified() => {}
            _ = tell.tick(), if !in_work.is_empty() => {
                let counts = shop.board.counts();
                counts.iter().filter(|(id, now)| told.get(*id) != Some(*now)).for_each(|(id, _)| on_progress(id));
                told = counts;
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    while !in_work.is_empty() {
        let Some(id) = finished.recv().await else { break };
        in_work.remove(&id);
        on_done(&id);
    }
    Ok(())
}

/// Processes one case; a failure of infrastructure is noted and the case tried again later.
async fn attempt(shop: &Workshop, waiting: &ToProcess) {
    let progress = shop.board.enter(&waiting.id);
    let processed = counted(progress, process(shop, &waiting.id)).await;
    shop.board.leave(&waiting.id);
    match processed {
        Ok(()) => {}
        Err(error) => {
            shop.meters.failed();
            tracing::error!(case = waiting.id, attempts = waiting.attempts, error = %with_causes(&error), "a case could not be processed");
            let doublings = u32::try_from(waiting.attempts).unwrap_or(u32::MAX).min(20);
            let wait = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
            let next = shop.clock.now() + wait;
            if let Err(error) = shop.store.failed(&waiting.id, waiting.revision, next).await {
                tracing::error!(case = waiting.id, error = %with_causes(&error), "a failure could not be noted");
            }
        }
    }
}

/// Reads and decides a case and records what came of it.
async fn process(shop: &Workshop, id: &str) -> Result<(), WorkError> {
    let Some(case) = shop.store.case(id).await? else { return Ok(()) };
    if case.state != CaseState::Processing {
        return Ok(());
    }
    let scratch = tempfile::tempdir().map_err(WorkError::Scratch)?;
    let source = source_of(shop, &case, scratch.path()).await?;
    let today = case.received_on;
    let (before, declared) = (case.result.as_ref(), &case.declared);
    let carry = |documents: &mut Vec<crate::domain::Document>| {
        if let Some(before) = before.filter(|_| case.touched) {
            carry_over(before, documents);
        }
    };
    let processed = shop.engine.process_with(&source, shop.records.as_ref(), today, carry).await?;
    if awaits_records(shop, &case, &processed.result).await? {
        return Ok(());
    }
    shop.meters.processed(&processed.result);
    let Processed { mut result, mut events, page_counts } = processed;
    // Its coming in is on record since it was accepted.
    events.retain(|(kind, _)| *kind != EventKind::Received);
    result.reference.clone_from(&case.reference);
    if case.touched && result.mode.is_some() {
        result.mode = Some(mode_after(&result));
    }
    let history = shop.store.events(id).await?;
    let now = shop.clock.now();
    watch_quality(shop, &mut result, &mut events, now).await?;
    let finished = route(shop, &case, result, declared, &history, now)?;
    let finished = Finished { events, page_counts, ..finished };
    if !shop.store.finish(finished, now).await? {
        tracing::info!(case = id, "a case changed while it was read; it is read again");
        shop.wake.notify_one();
    }
    Ok(())
}

/// Sets a case aside whose records cannot be consulted, where its flow wants it to wait and it has not
/// waited too long. Whether it did.
async fn awaits_records(shop: &Workshop, case: &StoredCase, result: &CaseResult) -> Result<bool, WorkError> {
    let Some(flow) = shop.engine.flow(&case.flow) else { return Ok(false) };
    let now = shop.clock.now();
    let history = shop.store.events(&case.id).await?;
    let Some(until) = records_awaited_until(flow, result, &history, now) else { return Ok(false) };
    let next = now + RECORDS_AGAIN.min(until - now);
    let is_new = waits_since(&history).is_none();
    shop.store.await_records(&case.id, case.revision, next, is_new.then_some(until), now).await?;
    Ok(true)
}

/// How long a case still waits for records; `None` when it does not (any more).
fn records_awaited_until(flow: &Flow, result: &CaseResult, history: &[Event], now: Micros) -> Option<Micros> {
    let policy = flow.config.records;
    let is_open = result.reasons.iter().any(|reason| reason.code == RECORDS_UNAVAILABLE);
    if policy.when_unavailable != WhenUnavailable::Wait || !is_open {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most a year, in microseconds")]
    let longest = (policy.longest_wait_hours * 3_600_000_000.0) as Micros;
    let until = waits_since(history).unwrap_or(now) + longest;
    (until > now).then_some(until)
}

/// When the case's records were first found unavailable since it last came in or was decided.
fn waits_since(history: &[Event]) -> Option<Micros> {
    let ends = |event: &&Event| !matches!(event.kind, EventKind::Received | EventKind::Decided);
    let recent = history.iter().rev().take_while(ends);
    recent.filter(|event| event.kind == EventKind::RecordsAwaited).map(|event| event.at).last()
}

/// A decision of a flow that was found wrong too often goes to a person.
async fn watch_quality(
    shop: &Workshop,
    result: &mut CaseResult,
    events: &mut [(EventKind, serde_json::Value)],
    now: Micros,
) -> Result<(), WorkError> {
    let Some(flow) = shop.engine.flow(&result.flow) else { return Ok(()) };
    let quality = &flow.config.quality;
    if result.mode != Some(Mode::E2e) || quality.largest_wrong_rate.is_none() {
        return Ok(());
    }
    let (judged, wrong) = shop.store.blind_record(&flow.name, quality_since(quality, now)).await?;
    if falls_back(quality, judged, wrong) {
        tracing::warn!(flow = flow.name, judged, wrong, "the flow falls back to review");
        hold_back(flow, result, events);
    }
    Ok(())
}

/// Where the decided case goes and what that needs.
fn route(
    shop: &Workshop,
    case: &StoredCase,
    result: CaseResult,
    declared: &serde_json::Value,
    history: &[Event],
    now: Micros,
) -> Result<Finished, WorkError> {
    let flow = shop.engine.flow(&case.flow).ok_or_else(|| WorkError::UnknownFlow(case.flow.clone()))?;
    let (goal_at, due_at) = goal_and_deadline(flow, now, working_time_used(flow, history, now));
    let in_review = result.outcome == Outcome::Review;
    let request = (result.outcome == Outcome::RequestDocuments)
        .then(|| (wanted_documents(flow, &result), draft_request(flow, &result, flow.config.language)));
    let occasion = Occasion::of(result.outcome);
    let message = request.as_ref().map_or("", |(_, message)| message);
    let deliveries = shop.outbox.letters(flow, News { occasion, result: &result, declared, message });
    Ok(Finished {
        case_id: case.id.clone(),
        revision: case.revision,
        amount_cents: amount_cents(flow, &result, declared),
        goal_at: in_review.then_some(goal_at),
        due_at: in_review.then_some(due_at),
        request,
        events: Vec::new(),
        page_counts: Vec::new(),
        deliveries,
        result,
    })
}

/// The case's files out of the blob store, with the members of its archives recorded as files of
/// their own, so that they can be looked at.
async fn source_of(shop: &Workshop, case: &StoredCase, scratch: &Path) -> Result<CaseSource, WorkError> {
    let mut files = shop.store.files(&case.id).await?;
    let mut findings = shop.store.intake_findings(&case.id).await?;
    let mut declared = (case.declared != serde_json::json!({})).then(|| case.declared.clone());
    let originals = files.iter().filter(|file| file.archive.is_none() && !file.unpacked);
    let packed = CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files: local_files(shop, originals, scratch).await?,
        application: None,
        findings: Vec::new(),
    };
    let before: HashSet<String> = packed.files.iter().map(|file| file.name.clone()).collect();
    let unpacked = shop.engine.expand(&packed, scratch).await?;
    findings.extend(unpacked.findings.clone());
    declared = declared.or(unpacked.application.clone());
    let kept: HashSet<&str> = unpacked.files.iter().map(|file| file.name.as_str()).collect();
    let archives: Vec<String> = before.iter().filter(|name| !kept.contains(name.as_str())).cloned().collect();
    if !archives.is_empty() {
        let mut members = Vec::new();
        for file in unpacked.files.iter().filter(|file| !before.contains(&file.name)) {
            let stored = shop.blobs.put_file(file.path.clone()).await?;
            let archive = archives.iter().find(|name| file.name.starts_with(&format!("{name}/")));
            members.push(NewFile {
                archive: archive.cloned().unwrap_or_default(),
                file: ArrivedFile {
                    name: file.name.clone(),
                    sha256: stored.sha256,
                    size_bytes: stored.size_bytes,
                },
            });
        }
        shop.store
            .add_members(
                &case.id,
                &members,
                &archives,
                declared.as_ref(),
                &unpacked.findings,
                shop.clock.now(),
            )
            .await?;
        files = shop.store.files(&case.id).await?;
    }
    let documents = files.iter().filter(|file| !file.unpacked);
    Ok(CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files: local_files(shop, documents, scratch).await?,
        application: declared,
        findings,
    })
}

/// Files with their plain bytes: where they lie, or opened into `scratch`.
async fn local_files<'f>(
    shop: &Workshop,
    files: impl Iterator<Item = &'f CaseFile>,
    scratch: &Path,
) -> Result<Vec<SourceFile>, BlobError> {
    let mut found = Vec::new();
    for file in files {
        let path = shop.blobs.local_in(&file.sha256, scratch).await?;
        found.push(SourceFile { name: file.name.clone(), path });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bundle;

    const HOUR: Micros = 3_600_000_000;

    fn flow(records: &str) -> Flow {
        let shipped = Bundle::embedded_rules();
        let files = ["energy_claim/flow.toml", "energy_claim/rules.rhai", "wording.toml"].map(|name| {
            let text = shipped.text(name).unwrap();
            let more = if name.ends_with("flow.toml") { records } else { "" };
            (name.to_owned(), format!("{text}\n{more}").into_bytes())
        });
        Flow::load(&Bundle::from_files(files), "energy_claim").unwrap()
    }

    fn event(kind: EventKind, at: Micros) -> Event {
        let (actor, detail) = ("machine".to_owned(), serde_json::json!({}));
        let (previous_hash, hash) = (String::new(), String::new());
        Event { sequence: 1, kind, at, actor, detail, previous_hash, hash }
    }

    #[test]
    fn a_case_waits_for_records_as_long_as_its_flow_says() {
        let waiting = flow("[records]\nwhen_unavailable = \"wait\"\nlongest_wait_hours = 2\n");
        let mut result = crate::store::testing::plain_result("E-1", Outcome::Review);
        let received = event(EventKind::Received, 0);
        let until = |flow: &Flow, result: &CaseResult, history: &[Event], now| {
            records_awaited_until(flow, result, history, now)
        };
        let history = [received.clone()];
        assert_eq!(until(&waiting, &result, &history, HOUR), None, "its records were found");
        result.reasons[0].code = RECORDS_UNAVAILABLE.to_owned();
        assert_eq!(until(&flow(""), &result, &history, HOUR), None, "a person looks at once");
        assert_eq!(until(&waiting, &result, &history, HOUR), Some(3 * HOUR));
        let history = [received.clone(), event(EventKind::RecordsAwaited, HOUR)];
        assert_eq!(until(&waiting, &result, &history, 2 * HOUR), Some(3 * HOUR));
        assert_eq!(until(&waiting, &result, &history, 3 * HOUR), None, "it has waited too long");
        let history = [received, event(EventKind::RecordsAwaited, HOUR), event(EventKind::Decided, 2 * HOUR)];
        assert_eq!(
            until(&waiting, &result, &history, 9 * HOUR),
            Some(11 * HOUR),
            "it waits for the first time"
        );
    }
}
