//! The worker: takes cases that wait for the machine, has them read and decided, records what came of
//! it. Everything it does can be done again: each case is taken under a lease, and when its server ends
//! in the middle another one, or the same after a restart, processes it anew. A case that changed while
//! it was read is read once more.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, Id, JoinSet};

use crate::causes::with_causes;
use crate::clock::{Clock, Micros};
use crate::deliver::{News, Occasion, Outbox};
use crate::domain::{CaseResult, Mode, Outcome};
use crate::intake::pressure::Pressure;
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
    ArrivedFile, BlobError, BlobStore, CaseFile, CaseState, Event, EventKind, Failure, Finished, Job,
    NewFile, Store, StoreError, StoredCase,
};

/// How often waiting cases are looked for when nobody tells about new ones.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often those who wait are told how far reading is.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// Without a word from its server for so long, a case is another one's: far longer than a pause in which
/// a loaded machine gets nothing done.
const LEASE: Micros = 60_000_000;
/// How often leases are kept alive.
const KEEP_EVERY: Duration = Duration::from_secs(15);
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
    /// Who this is, in leases.
    pub server: String,
    /// Under it nothing more is taken in.
    pub pressure: Arc<Pressure>,
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

/// The cases in work, by the task of each.
#[derive(Default)]
struct InWork {
    tasks: JoinSet<()>,
    begun: HashMap<Id, Begun>,
}

struct Begun {
    job: Job,
    at: Micros,
    task: AbortHandle,
}

impl InWork {
    fn begin(&mut self, shop: &Arc<Workshop>, job: Job) {
        let at = shop.clock.now();
        let (shop, of_task) = (Arc::clone(shop), job.clone());
        let task = self.tasks.spawn(async move { attempt(&shop, &of_task).await });
        self.begun.insert(task.id(), Begun { job, at, task });
    }

    fn has_suspect(&self) -> bool {
        self.begun.values().any(|work| work.job.is_suspect())
    }

    /// The next case that is done with, and whether its work broke off.
    async fn next(&mut self) -> Option<(Job, bool)> {
        let (task, broken) = match self.tasks.join_next_with_id().await? {
            Ok((task, ())) => (task, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        self.begun.remove(&task).map(|work| (work.job, broken))
    }
}

/// Works until `stop` is done, then finishes what is begun. `on_done` hears the id of each case, `on_progress`
/// that more of its pages have been read.
///
/// # Errors
/// When the store fails at the start; later it is tried again.
pub async fn work(
    shop: &Arc<Workshop>,
    on_done: impl Fn(&str) + Send,
    on_progress: impl Fn(&str) + Send,
    stop: impl Future<Output = ()>,
) -> Result<(), StoreError> {
    let begun_before = shop.store.begin_jobs(&shop.server, shop.clock.now()).await?;
    if begun_before > 0 {
        tracing::info!(cases = begun_before, "cases that were being processed are taken up again");
    }
    let (sender, mut kept) = mpsc::channel(1);
    let keeping = tokio::spawn(keep(Arc::clone(shop), sender));
    work_on(shop, on_done, on_progress, stop, &mut kept).await;
    keeping.abort();
    Ok(())
}

async fn work_on(
    shop: &Arc<Workshop>,
    on_done: impl Fn(&str) + Send,
    on_progress: impl Fn(&str) + Send,
    stop: impl Future<Output = ()>,
    kept: &mut mpsc::Receiver<Kept>,
) {
    tokio::pin!(stop);
    let mut in_work = InWork::default();
    let mut told: HashMap<String, (u32, u32)> = HashMap::new();
    let mut tell = tokio::time::interval(TELL_EVERY);
    let mut stopping = false;
    loop {
        if !stopping {
            if let Err(error) = fill(shop, &mut in_work).await {
                tracing::error!(error = %with_causes(&error), "no case can be taken; it is tried again");
            }
        } else if in_work.begun.is_empty() {
            return;
        }
        tokio::select! {
            () = &mut stop, if !stopping => {
                stopping = true;
                if shop.engine.reads_without_askers() {
                    return return_all(shop, in_work).await;
                }
            }
            Some((job, broken)) = in_work.next() => {
                if broken {
                    tracing::error!(case = job.case_id, "the work on a case broke off");
                    note_failure(shop, &job).await;
                }
                shop.board.leave(&job.case_id);
                on_done(&job.case_id);
            }
            Some(kept) = kept.recv() => leave_lost(&mut in_work, &kept),
            () = shop.wake.notified() => {}
            _ = tell.tick(), if !in_work.begun.is_empty() => {
                let counts = shop.board.counts();
                counts.iter().filter(|(id, now)| told.get(*id) != Some(*now)).for_each(|(id, _)| on_progress(id));
                told = counts;
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Gives all cases back: what was asked for their files is there for whoever takes them next.
async fn return_all(shop: &Workshop, mut in_work: InWork) {
    in_work.tasks.shutdown().await;
    for work in in_work.begun.values() {
        if let Err(error) = shop.store.return_job(&work.job).await {
            // The lease lapses.
            tracing::error!(case = work.job.case_id, error = %with_causes(&error), "a case could not be given back");
        }
    }
}

/// Takes as many cases as are worth having in work.
async fn fill(shop: &Arc<Workshop>, in_work: &mut InWork) -> Result<(), StoreError> {
    while in_work.begun.len() < shop.engine.cases_ahead() {
        let now = shop.clock.now();
        let suspects = !in_work.has_suspect();
        let Some(job) = shop.store.claim_job(&shop.server, suspects, now, now + LEASE).await? else { break };
        in_work.begin(shop, job);
    }
    Ok(())
}

/// Leases that were there at a moment, by case.
struct Kept {
    asked_at: Micros,
    generations: HashMap<String, i64>,
}

/// Keeps the leases alive, beside the work and whatever holds that up.
async fn keep(shop: Arc<Workshop>, sender: mpsc::Sender<Kept>) {
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let now = shop.clock.now();
        match shop.store.keep_jobs(&shop.server, now, now + LEASE).await {
            Ok(generations) => {
                if sender.send(Kept { asked_at: now, generations }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(error = %with_causes(&error), "cases in work could not be kept; it is tried again");
            }
        }
    }
}

/// What another server has taken meanwhile is no longer worked on.
fn leave_lost(in_work: &mut InWork, kept: &Kept) {
    let is_lost = |work: &&Begun| {
        let generation = kept.generations.get(&work.job.case_id);
        work.at < kept.asked_at && generation != Some(&work.job.generation)
    };
    for work in in_work.begun.values().filter(is_lost) {
        // Or what came of it was recorded just now; then this ends nothing.
        tracing::info!(case = work.job.case_id, "a case is no longer this server's");
        work.task.abort();
    }
}

/// Processes one case; a failure is noted and the case tried again later.
async fn attempt(shop: &Workshop, job: &Job) {
    let progress = shop.board.enter(&job.case_id);
    let processed = counted(progress, Box::pin(process(shop, job))).await;
    if let Err(error) = processed {
        let (case, strikes) = (&job.case_id, job.strikes);
        tracing::error!(case, strikes, error = %with_causes(&error), "a case could not be processed");
        note_failure(shop, job).await;
    }
}

async fn note_failure(shop: &Workshop, job: &Job) {
    shop.meters.failed();
    if let Err(error) = shop.store.fail_job(job, Failure::Error, shop.clock.now()).await {
        // The lease lapses, and that is noted.
        tracing::error!(case = job.case_id, error = %with_causes(&error), "a failure could not be noted");
    }
}

/// Reads and decides a case and records what came of it.
async fn process(shop: &Workshop, job: &Job) -> Result<(), WorkError> {
    let id = job.case_id.as_str();
    let case = shop.store.case(id).await?.filter(|case| case.state == CaseState::Processing);
    let Some(case) = case else { return Ok(shop.store.return_job(job).await?) };
    let scratch = shop.engine.scratch_folder().map_err(WorkError::Scratch)?;
    let today = case.received_on;
    let (before, declared) = (case.result.as_ref(), &case.declared);
    let carry = |documents: &mut Vec<crate::domain::Document>| {
        if let Some(before) = before.filter(|_| case.touched) {
            carry_over(before, documents);
        }
    };
    let processed = if job.is_given_up() {
        tracing::error!(case = id, strikes = job.strikes, "a case is given up and goes to a person");
        let source = closed_source(shop, &case, scratch.path()).await?;
        let mut processed = shop.engine.give_up(&source, shop.records.as_ref(), today, carry).await?;
        processed.events.insert(0, (EventKind::GivenUp, serde_json::json!({"strikes": job.strikes})));
        processed
    } else {
        let source = source_of(shop, &case, scratch.path()).await?;
        let processed = shop.engine.process_with(&source, shop.records.as_ref(), today, carry).await?;
        if awaits_records(shop, job, &case, &processed.result).await? {
            return Ok(());
        }
        processed
    };
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
    let finished = Finished { events, page_counts, job: Some(job.clone()), ..finished };
    if !shop.store.finish(finished, now).await? {
        tracing::info!(case = id, "a case changed while it was read; it is looked at again");
        shop.store.return_job(job).await?;
    }
    Ok(())
}

/// Sets a case aside whose records cannot be consulted, where its flow wants it to wait and it has not
/// waited too long. Whether it did.
async fn awaits_records(
    shop: &Workshop,
    job: &Job,
    case: &StoredCase,
    result: &CaseResult,
) -> Result<bool, WorkError> {
    let Some(flow) = shop.engine.flow(&case.flow) else { return Ok(false) };
    let now = shop.clock.now();
    let history = shop.store.events(&case.id).await?;
    let Some(until) = records_awaited_until(flow, result, &history, now) else { return Ok(false) };
    let next = now + RECORDS_AGAIN.min(until - now);
    let is_new = waits_since(&history).is_none();
    shop.store.await_records(job, case.revision, next, is_new.then_some(until), now).await?;
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
        job: None,
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
    let mut declared = declared_of(case);
    let packed = CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files: local_files(shop, files.iter().filter(|file| is_packed(file)), scratch).await?,
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

/// The case's files as they came in, archives closed: of a case that is given up, perhaps because they cannot be
/// opened or are not there.
async fn closed_source(shop: &Workshop, case: &StoredCase, scratch: &Path) -> Result<CaseSource, WorkError> {
    let mut files = Vec::new();
    for file in shop.store.files(&case.id).await?.iter().filter(|file| is_packed(file)) {
        let opened = shop.blobs.local_in(&file.sha256, scratch).await;
        let path = opened.unwrap_or_else(|_| shop.blobs.path(&file.sha256));
        files.push(SourceFile { name: file.name.clone(), path });
    }
    Ok(CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files,
        application: declared_of(case),
        findings: shop.store.intake_findings(&case.id).await?,
    })
}

/// It came in as it is and was not unpacked.
fn is_packed(file: &CaseFile) -> bool {
    file.archive.is_none() && !file.unpacked
}

fn declared_of(case: &StoredCase) -> Option<serde_json::Value> {
    (case.declared != serde_json::json!({})).then(|| case.declared.clone())
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
#[path = "work_tests.rs"]
mod tests;
