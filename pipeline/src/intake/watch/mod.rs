//! The watched inbox: one folder per flow, in it a folder or a file per case.
//!
//! What the system tells about changes only says that it is time to look, and which folders were
//! renamed into place as a whole; a look at everything at the start and every minute is what
//! guarantees. A case is taken when its writer is done (contract, section 2).

mod look;
mod hints;
mod take;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::intake::pressure::Pressure;
use crate::store::{BlobStore, Store};

pub use hints::Hints;
pub use look::{Candidate, Fingerprint, look};
pub use take::{TakeError, Took};

/// Cases taken at the same time: each waits for the disk, which makes several durable in the time of one.
const TAKEN_TOGETHER: usize = 8;

/// How the inbox is watched.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    pub inbox: PathBuf,
    /// A case without a mark of its writer is taken when nothing in it changed for so long.
    pub quiet: Duration,
    /// A file under a name of unfinished ones that nobody wrote to for so long holds nothing up.
    pub patience: Duration,
    /// Everything is looked at so often, whatever the system tells.
    pub rescan: Duration,
    /// Under it everything stays in the inbox.
    pub pressure: Arc<Pressure>,
}

impl WatchOptions {
    pub fn new(inbox: PathBuf) -> Self {
        Self {
            inbox,
            quiet: Duration::from_secs(2),
            patience: Duration::from_mins(10),
            rescan: Duration::from_mins(1),
            pressure: Arc::default(),
        }
    }
}

/// Remembers since when each case in the inbox has been still.
#[derive(Debug)]
pub struct Inbox {
    options: WatchOptions,
    flows: Vec<String>,
    still: HashMap<PathBuf, (Fingerprint, Instant)>,
}

impl Inbox {
    /// # Errors
    /// When the folders cannot be made.
    pub fn new(options: WatchOptions, flows: Vec<String>) -> std::io::Result<Self> {
        for flow in &flows {
            std::fs::create_dir_all(options.inbox.join(flow))?;
        }
        Ok(Self { options, flows, still: HashMap::new() })
    }

    /// The cases whose writers are done. `moved_in` are paths that were renamed into place as a whole.
    ///
    /// # Errors
    /// When the inbox cannot be read.
    pub fn ready(&mut self, moved_in: &[PathBuf], now: Instant) -> std::io::Result<Vec<Candidate>> {
        let found = look(&self.options.inbox, &self.flows, self.options.patience)?;
        let mut still = HashMap::new();
        let mut ready = Vec::new();
        for candidate in found {
            let since = match self.still.get(&candidate.path) {
                Some((before, since)) if *before == candidate.fingerprint => *since,
                _ => now,
            };
            let whole = candidate.marked_ready || moved_in.contains(&candidate.path);
            if whole || (!candidate.unfinished && now.duration_since(since) >= self.options.quiet) {
                ready.push(candidate);
            } else {
                still.insert(candidate.path.clone(), (candidate.fingerprint, since));
            }
        }
        self.still = still;
        Ok(ready)
    }

    /// Whether something waits to become still.
    pub fn is_waiting(&self) -> bool {
        !self.still.is_empty()
    }
}

/// What became of a look at the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A case came in or went on; the worker has something to do.
    Taken { flow: String, reference: String, case_id: String },
    /// All of it was known already; the copies are gone from the inbox.
    Known { flow: String, reference: String, case_id: String },
    /// Something could not be taken and was moved aside.
    Rejected { flow: String, reference: String, why: String },
}

/// Watches until `stop` is done. `on_event` hears what was taken.
///
/// # Errors
/// When the inbox cannot be watched at all; failures on single cases are told and tried again.
pub async fn watch(
    options: WatchOptions,
    flows: Vec<String>,
    store: &Store,
    blobs: &BlobStore,
    clock: &dyn Clock,
    mut on_event: impl FnMut(Event),
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let rescan = options.rescan;
    let quiet = options.quiet;
    let mut inbox = Inbox::new(options.clone(), flows)?;
    let mut hints = Hints::of(&options.inbox);
    tokio::pin!(stop);
    let mut moved_in = Vec::new();
    let mut held_up = false;
    loop {
        match inbox.ready(&moved_in, Instant::now()) {
            Ok(ready) => {
                for together in ready.chunks(TAKEN_TOGETHER) {
                    if stop.as_mut().now_or_never().is_some() {
                        return Ok(());
                    }
                    // It was ready and will be again; what was renamed into place is still then.
                    if is_full(&options.pressure, store, clock, &mut held_up).await {
                        break;
                    }
                    let taking = together
                        .iter()
                        .map(|candidate| take::take(&options.inbox, store, blobs, clock, candidate));
                    for (candidate, took) in together.iter().zip(join_all(taking).await) {
                        match took {
                            Ok(took) => tell(candidate, took, &mut on_event),
                            Err(error) => {
                                tracing::warn!(flow = candidate.flow, error = %error, "a case could not be taken yet");
                            }
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the inbox could not be looked at"),
        }
        // Stillness is looked for more often than the quiet period is long.
        let pause =
            if held_up || inbox.is_waiting() { (quiet / 4).max(Duration::from_millis(50)) } else { rescan };
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(pause) => moved_in = hints.drain(),
            () = hints.wait() => moved_in = hints.drain(),
        }
    }
}

/// Whether nothing more can be taken now; told when that changes.
async fn is_full(pressure: &Pressure, store: &Store, clock: &dyn Clock, held_up: &mut bool) -> bool {
    // When it cannot be told, taking a case says what is wrong.
    let full = pressure.is_full(store, clock.now()).await.unwrap_or_default();
    if full != *held_up {
        if full {
            tracing::warn!("too many cases wait for the machine: the inbox waits too");
        } else {
            tracing::info!("cases are taken out of the inbox again");
        }
        *held_up = full;
    }
    full
}

fn tell(candidate: &Candidate, took: Took, on_event: &mut impl FnMut(Event)) {
    let (flow, reference) = (candidate.flow.clone(), candidate.reference.clone());
    match took {
        Took::Case(case_id) => on_event(Event::Taken { flow, reference, case_id }),
        Took::Known(case_id) => on_event(Event::Known { flow, reference, case_id }),
        Took::Nothing => {}
        Took::Rejected(why) => on_event(Event::Rejected { flow, reference, why }),
    }
}
