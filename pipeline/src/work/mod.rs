//! The worker: takes cases that wait for the machine, has them read and decided, records what came of
//! it. Everything it does can be done again: each case is taken under a lease, and when its server ends
//! in the middle another one, or the same after a restart, processes it anew. A case that changed while
//! it was read is read once more.

mod board;
mod case;
mod source;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, Id, JoinSet};
use tracing::Instrument as _;

use crate::causes::with_causes;
use crate::clock::{Clock, Micros};
use crate::deliver::Outbox;
use crate::intake::pressure::Pressure;
use crate::meters::Meters;
use crate::process::{Engine, ProcessError};
use crate::read::counted;
use crate::report::Policies;
use crate::rules::RecordSource;
use crate::store::{BlobError, BlobStore, Failure, Job, Store, StoreError};

use case::process;

pub use board::Board;

/// How often waiting cases are looked for when nobody tells about new ones.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often those who wait are told how far reading is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Without a word from its server for so long, a case is another one's: far longer than a pause in which
/// a loaded machine gets nothing done.
const LEASE: Micros = 60_000_000;

/// How often leases are kept alive.
const KEEP_EVERY: Duration = Duration::from_secs(15);

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
            Some(kept) = kept.recv() => {
                leave_lost(&mut in_work, &kept);
                give_back_forgotten(shop, &in_work, &kept).await;
            }
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

/// Gives back what is this server's and nobody here works on: the database failed when its end was to be noted, or
/// when it was taken, and it would be kept for ever.
async fn give_back_forgotten(shop: &Workshop, in_work: &InWork, kept: &Kept) {
    for (case_id, &generation) in &kept.generations {
        let is_it = |work: &Begun| work.job.case_id == *case_id && work.job.generation == generation;
        if in_work.begun.values().any(is_it) {
            continue;
        }
        let (case_id, server) = (case_id.clone(), shop.server.clone());
        // What was recorded meanwhile has another generation; then this ends nothing.
        note_failure(shop, &Job { case_id, revision: 0, server, generation, strikes: 0 }).await;
    }
}

/// Processes one case; a failure is noted and the case tried again later.
async fn attempt(shop: &Workshop, job: &Job) {
    let progress = shop.board.enter(&job.case_id);
    // Neither its reference nor anything that was sent: traces leave the machine.
    let span = tracing::info_span!("case", case = job.case_id, strikes = job.strikes);
    let processed = counted(progress, Box::pin(process(shop, job))).instrument(span).await;
    if let Err(error) = processed {
        let (case, strikes) = (&job.case_id, job.strikes);
        tracing::error!(case, strikes, error = %with_causes(&error), "a case could not be processed");
        note_failure(shop, job).await;
    }
}

async fn note_failure(shop: &Workshop, job: &Job) {
    shop.meters.failed();
    if let Err(error) = shop.store.fail_job(job, Failure::Error, shop.clock.now()).await {
        // When leases are kept the next time, it is given back.
        tracing::error!(case = job.case_id, error = %with_causes(&error), "a failure could not be noted");
    }
}

#[cfg(test)]
mod tests;
