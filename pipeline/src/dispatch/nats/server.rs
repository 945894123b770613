//! The server's side: sends what is to be read, takes what was read, looks after what was sent.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Notify, watch};

use super::link::{Link, LinkError, ask, progress_subject, read_subject};
use super::message::{Answer, Came, Order, Pages, decode, encode, unpack};
use crate::causes::with_causes;
use crate::clock::{Clock, Micros};
use crate::dispatch::{Dispatch, DispatchError, FileToRead, given_up};
use crate::read::{FileOutcome, ReadOptions, ReadingCache, count_more};
use crate::store::{ReadingJob, ReadingState, Store, StoreError};

/// Files sent before their receipt is waited for.
const SENT_TOGETHER: i64 = 100;
/// What is to be sent and what came is looked for so often when nobody tells.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a question for answers stays open, and how soon it shows that NATS has forgotten it.
const ASKS_FOR: Duration = Duration::from_secs(20);
const HEARTBEAT: Duration = Duration::from_secs(3);
/// A long reading comes in pieces, and a connection that breaks stays silent.
const FETCHED_IN: Duration = Duration::from_mins(2);
/// After a failure of NATS.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot keep what was read")]
    Keep(#[source] io::Error),
    #[error("cannot understand a message")]
    Message(#[source] io::Error),
    #[error("storing a reading was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// What those who wait for a file are told.
#[derive(Debug, Default)]
struct Waiter {
    /// Something became of it.
    done: Notify,
    /// Pages known of, and pages read.
    pages: watch::Sender<(u32, u32)>,
}

/// Has files read by workers.
pub struct Workers {
    pub link: Link,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    /// Who asks.
    pub server: String,
    /// What files are to be read with.
    pub version: String,
    /// Where what was read is kept: the same as the engine's.
    pub cache: ReadingCache,
    pub options: ReadOptions,
    pub cases_ahead: usize,
    waiters: Mutex<HashMap<String, Arc<Waiter>>>,
    pub(super) to_send: Notify,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Workers").field("server", &self.server).finish_non_exhaustive()
    }
}

#[async_trait]
impl Dispatch for Workers {
    fn cases_ahead(&self) -> usize {
        self.cases_ahead
    }

    /// What was asked for is read whoever waits for it.
    fn outlives_its_asker(&self) -> bool {
        true
    }

    async fn read(&self, file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        let job = self.job_of(file.sha256);
        let waiter = self.waiter(&job);
        let outcome = self.wait_for(file, &job, &waiter).await;
        self.forget(&job, waiter);
        outcome
    }
}

impl Workers {
    #[expect(clippy::too_many_arguments, reason = "each is another thing, named at the one place that calls")]
    pub fn new(
        link: Link,
        store: Store,
        clock: Arc<dyn Clock>,
        server: String,
        version: String,
        cache: ReadingCache,
        options: ReadOptions,
        cases_ahead: usize,
    ) -> Self {
        Self {
            link,
            store,
            clock,
            server,
            version,
            cache,
            options,
            cases_ahead,
            waiters: Mutex::default(),
            to_send: Notify::new(),
        }
    }

    /// Sends, receives and looks after what was sent, until `stop` is done. What fails is tried again.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let sending = self.again_and_again("send files to workers", || self.send());
        let receiving = self.again_and_again("receive what workers read", || self.receive());
        let sweeping = self.again_and_again("look after what was sent to workers", || self.sweep());
        let listening = self.again_and_again("hear how far workers are", || self.listen());
        tokio::select! {
            () = stop => {}
            _ = Box::pin(futures_util::future::join4(sending, receiving, sweeping, listening)) => {}
        }
    }

    async fn again_and_again<F: Future<Output = Result<(), Trouble>>>(
        &self,
        doing: &str,
        work: impl Fn() -> F,
    ) {
        loop {
            if let Err(error) = work().await {
                tracing::warn!(error = %with_causes(&error), "cannot {doing}; it is tried again");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn wait_for(
        &self,
        file: FileToRead<'_>,
        job: &str,
        waiter: &Waiter,
    ) -> Result<FileOutcome, DispatchError> {
        let mut asked = false;
        let mut counted = (0, 0);
        loop {
            // Before looking, so that nothing is missed between the look and the wait.
            let told = waiter.done.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            let state = if asked {
                self.store.reading_state(&self.server, job).await?
            } else {
                self.store.ask_reading(&self.server, job, file.sha256, self.clock.now()).await?
            };
            match state {
                ReadingState::Waiting => self.to_send.notify_one(),
                ReadingState::Sent => {}
                ReadingState::Done => {
                    if let Some(outcome) = self.cache.find(file.sha256, &self.options) {
                        let all = u32::try_from(outcome.reading.pages.len()).unwrap_or(u32::MAX);
                        count_up(&mut counted, (all, all));
                        return Ok(outcome);
                    }
                    // What was kept is gone.
                    self.store.send_reading_again(&self.server, job, state, self.clock.now()).await?;
                    self.to_send.notify_one();
                }
                ReadingState::Failed => return Err(DispatchError::Worker),
                ReadingState::Dead => return Ok(given_up()),
            }
            asked = true;
            let mut pages = waiter.pages.subscribe();
            let hear = async {
                loop {
                    count_up(&mut counted, *pages.borrow_and_update());
                    if pages.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            };
            tokio::select! {
                () = told => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = hear => {}
            }
        }
    }

    /// A file as this server has it read.
    fn job_of(&self, sha256: &str) -> String {
        format!("{sha256}-{}", self.version)
    }

    /// The file of a job, unless that is to be read with what this server had before, models or program. Nobody waits for
    /// such a job any more, and what comes of it may not be taken for what would be read now.
    fn file_of<'job>(&self, job: &'job str) -> Option<&'job str> {
        job.split_once('-').filter(|(_, version)| *version == self.version).map(|(sha256, _)| sha256)
    }

    /// Whether what was sent is still there is looked at as often as a worker is missed.
    pub(super) fn look_after(&self) -> Micros {
        i64::try_from(self.link.worker_patience.as_micros()).unwrap_or(Micros::MAX / 2)
    }

    fn waiter(&self, job: &str) -> Arc<Waiter> {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(waiters.entry(job.to_owned()).or_default())
    }

    fn forget(&self, job: &str, waiter: Arc<Waiter>) {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        // Ours and the map's.
        if Arc::strong_count(&waiter) == 2 {
            waiters.remove(job);
        }
    }

    fn tell(&self, job: &str) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiter) = waiters.get(job) {
            waiter.done.notify_waiters();
        }
    }

    async fn send(&self) -> Result<(), Trouble> {
        self.link.make_readings().await?;
        self.link.make_read_consumer(&self.version).await?;
        loop {
            let jobs = self.store.readings_to_send(&self.server, SENT_TOGETHER).await?;
            let mut receipts = Vec::with_capacity(jobs.len());
            for job in jobs {
                if self.file_of(&job.job).is_none() {
                    let (failed, now) = (ReadingState::Failed, self.clock.now());
                    self.store.end_reading(&self.server, &job.job, job.generation, failed, now).await?;
                    continue;
                }
                let receipt = self.publish(&job).await?;
                receipts.push((job, receipt));
            }
            let none = receipts.is_empty();
            for (job, receipt) in receipts {
                let receipt = receipt.await.map_err(ask("send a file to workers"))?;
                let sequence = i64::try_from(receipt.sequence).unwrap_or(i64::MAX);
                let now = self.clock.now();
                let sent = ReadingJob { sequence, ..job };
                self.store.reading_sent(&self.server, &sent, now + self.look_after(), now).await?;
            }
            if none {
                tokio::select! {
                    () = self.to_send.notified() => {}
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        }
    }

    async fn publish(&self, job: &ReadingJob) -> Result<jetstream::context::PublishAckFuture, Trouble> {
        let order = Order {
            server: self.server.clone(),
            job: job.job.clone(),
            sha256: job.sha256.clone(),
            generation: job.generation,
        };
        let payload = encode(&order).map_err(Trouble::Message)?;
        let message = PublishMessage::build().payload(payload.into()).message_id(order.id());
        let sent = self.link.context.send_publish(read_subject(&self.version), message).await;
        Ok(sent.map_err(ask("send a file to workers"))?)
    }

    /// Hears how far workers are. Nobody repeats what is missed.
    async fn listen(&self) -> Result<(), Trouble> {
        let told = self.link.context.client().subscribe(progress_subject(&self.server)).await;
        let mut told = told.map_err(ask("hear how far workers are"))?;
        while let Some(message) = told.next().await {
            let Ok(told) = decode::<Pages>(&message.payload) else { continue };
            let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(waiter) = waiters.get(&told.job) {
                waiter.pages.send_replace((told.known, told.read));
            }
        }
        Ok(())
    }

    async fn receive(&self) -> Result<(), Trouble> {
        let consumer = self.link.result_consumer(&self.server).await?;
        let messages = consumer.stream().expires(ASKS_FOR).heartbeat(HEARTBEAT).messages().await;
        let mut messages = messages.map_err(ask("receive what workers read"))?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(ask("receive what workers read"))?;
            match self.take(&message.payload).await {
                Ok(()) => {}
                // It will be no better the next time; what was sent is sent again by the sweep.
                Err(error @ Trouble::Message(_)) => {
                    tracing::error!(error = %with_causes(&error), "an answer of a worker is left out");
                }
                Err(error) => return Err(error),
            }
            message.ack().await.map_err(ask("acknowledge what workers read"))?;
        }
        Ok(())
    }

    /// What came of a file is kept before it is noted, and noted before it is acknowledged.
    async fn take(&self, payload: &[u8]) -> Result<(), Trouble> {
        let answer: Answer = decode(payload).map_err(Trouble::Message)?;
        let state = match (answer.came, self.file_of(&answer.job)) {
            (Came::Read(packed), Some(sha256)) => self.keep(sha256, packed).await?,
            (Came::ReadAside(name), Some(sha256)) => match self.fetch(&name).await? {
                Some(packed) => self.keep(sha256, packed).await?,
                // Lost on the way.
                None => ReadingState::Failed,
            },
            (Came::Read(_) | Came::ReadAside(_), None) => {
                tracing::warn!(
                    job = answer.job,
                    "what was read with other models or by another version is left out"
                );
                ReadingState::Failed
            }
            (Came::Failed(problem), _) => {
                tracing::error!(job = answer.job, problem, "a worker could not read a file");
                ReadingState::Failed
            }
            (Came::GivenUp(times), _) => {
                tracing::error!(
                    job = answer.job,
                    times,
                    "a file is given up: workers ended while they read it"
                );
                ReadingState::Dead
            }
        };
        let now = self.clock.now();
        self.store.end_reading(&self.server, &answer.job, answer.generation, state, now).await?;
        self.tell(&answer.job);
        Ok(())
    }

    async fn keep(&self, sha256: &str, packed: Vec<u8>) -> Result<ReadingState, Trouble> {
        let (cache, options, sha256) = (self.cache.clone(), self.options.clone(), sha256.to_owned());
        let work = move || {
            let outcome = unpack(&packed, cache.keys()).map_err(Trouble::Message)?;
            cache.keep(&sha256, &options, &outcome).map_err(Trouble::Keep)
        };
        tokio::task::spawn_blocking(work).await.map_err(Trouble::Interrupted)??;
        Ok(ReadingState::Done)
    }

    async fn fetch(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let readings = self.link.readings().await?;
        let Ok(mut object) = readings.get(name).await else { return Ok(None) };
        let mut packed = Vec::new();
        let fetched = tokio::time::timeout(FETCHED_IN, object.read_to_end(&mut packed)).await;
        match fetched.map_err(ask("fetch a long reading"))? {
            Ok(_) => {}
            Err(_) => return Ok(None),
        }
        // It would go by itself some time.
        readings.delete(name).await.ok();
        Ok(Some(packed))
    }
}

/// Counts pages up to these; a worker that begins anew takes none back.
fn count_up(counted: &mut (u32, u32), now: (u32, u32)) {
    count_more(now.0.saturating_sub(counted.0), now.1.saturating_sub(counted.1));
    *counted = (now.0.max(counted.0), now.1.max(counted.1));
}
