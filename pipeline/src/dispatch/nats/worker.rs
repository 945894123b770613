//! The worker's side: takes a file, reads it in a child, sends what was read. Knows no database and no case.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt as _;
use tokio::task::JoinSet;

use super::link::{Link, LinkError, ask, progress_subject, result_subject};
use super::message::{Answer, Came, LONGEST_INLINE, Order, Pages, decode, encode, pack};
use crate::causes::with_causes;
use crate::dispatch::{Dispatch, FileToRead};
use crate::intake::hash_file;
use crate::read::{Progress, ReadOptions, counted};
use crate::store::BlobStore;

/// A file that so many workers ended over is not tried again: a worker parses nothing itself, so that one
/// that ends over a file is already rare.
const MOST_DELIVERIES: i64 = 6;
/// How long a question for a file stays open.
const ASKS_FOR: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_secs(2);
/// What was read is sent so often before it is left to be read again.
const SENDS: u32 = 10;
/// How often a server is told how many pages have been read.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Reads files for servers.
#[derive(Debug, Clone)]
pub struct Worker {
    pub link: Link,
    pub reader: Arc<dyn Dispatch>,
    pub options: ReadOptions,
    pub blobs: BlobStore,
    /// What it reads with. It gets files that are to be read with the same alone.
    pub version: String,
    /// Files at a time.
    pub parallel: usize,
}

impl Worker {
    /// Reads until `stop` is done, then finishes what is begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopper, stopped) = tokio::sync::watch::channel(false);
        let worker = Arc::new(self);
        let mut lanes = JoinSet::new();
        for _ in 0..worker.parallel.max(1) {
            lanes.spawn(Arc::clone(&worker).lane(stopped.clone()));
        }
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(Err(error)) = lanes.join_next() => {
                    tracing::error!(%error, "the reading of a file broke off; it comes again");
                    lanes.spawn(Arc::clone(&worker).lane(stopped.clone()));
                }
            }
        }
        stopper.send(true).ok();
        while lanes.join_next().await.is_some() {}
    }

    /// One file after the other.
    async fn lane(self: Arc<Self>, mut stopped: tokio::sync::watch::Receiver<bool>) {
        let mut told = false;
        while !*stopped.borrow() {
            let next = tokio::select! {
                next = self.next() => next,
                _ = stopped.wait_for(|stopped| *stopped) => return,
            };
            match next {
                Ok(Some(message)) => {
                    told = false;
                    if let Err(error) = self.serve(Arc::new(message)).await {
                        tracing::error!(error = %with_causes(&error), "a file could not be served; it comes again");
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    if !told {
                        tracing::warn!(error = %with_causes(&error), version = self.version, "no files can be had; it is tried again");
                        told = true;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next file, if one comes in a while.
    async fn next(&self) -> Result<Option<Message>, LinkError> {
        let Some(consumer) = self.link.read_consumer(&self.version).await else {
            let nobody = "no server has asked for files to be read with what this worker has";
            return Err(ask("take files")(nobody));
        };
        let mut batch =
            consumer.batch().max_messages(1).expires(ASKS_FOR).messages().await.map_err(ask("take files"))?;
        batch.next().await.transpose().map_err(|source| LinkError::Ask { doing: "take files", source })
    }

    async fn serve(&self, message: Arc<Message>) -> Result<(), LinkError> {
        let Ok(order) = decode::<Order>(&message.payload) else {
            tracing::error!("an order cannot be understood and is left out");
            return message
                .ack()
                .await
                .map_err(|source| LinkError::Ask { doing: "leave an order out", source });
        };
        let deliveries = message.info().map_or(1, |info| info.delivered);
        let came = if deliveries > MOST_DELIVERIES {
            Came::GivenUp(deliveries - 1)
        } else {
            // They end with the reading, however that ends.
            let (mut beside, pages) = (JoinSet::new(), Arc::new(Progress::default()));
            beside.spawn(say_progress(Arc::clone(&message), self.link.worker_patience / 3));
            beside.spawn(tell_pages(self.link.clone(), order.clone(), Arc::clone(&pages)));
            counted(pages, self.read(&order, deliveries)).await
        };
        self.send(&order, came, deliveries).await?;
        // Twice is no harm: what was read is taken once.
        message.ack().await.map_err(|source| LinkError::Ask { doing: "acknowledge an order", source })
    }

    async fn read(&self, order: &Order, deliveries: i64) -> Came {
        // Opened for as long as it is read, where it is sealed.
        let original = match self.blobs.local(&order.sha256).await {
            Ok(original) => original,
            Err(error) => {
                return Came::Failed(format!("the original cannot be read: {}", with_causes(&error)));
            }
        };
        match hash_file(original.path()).await {
            Ok(hash) if hash == order.sha256 => {}
            Ok(_) => return Came::Failed("the original is not what came in".to_owned()),
            Err(error) => return Came::Failed(format!("the original cannot be read: {error}")),
        }
        let file = FileToRead { path: original.path(), sha256: &order.sha256, options: &self.options };
        let packed = self.reader.read(file).await.map_err(|error| with_causes(&error)).and_then(|outcome| {
            pack(&outcome, self.blobs.keys().map(Arc::as_ref)).map_err(|error| error.to_string())
        });
        match packed {
            Ok(packed) if packed.len() <= LONGEST_INLINE => Came::Read(packed),
            Ok(packed) => match self.put_aside(order, deliveries, &packed).await {
                Ok(name) => Came::ReadAside(name),
                Err(error) => Came::Failed(with_causes(&error)),
            },
            Err(problem) => Came::Failed(problem),
        }
    }

    async fn put_aside(&self, order: &Order, deliveries: i64, packed: &[u8]) -> Result<String, LinkError> {
        // One that another worker put aside is not replaced: workers may take nothing away.
        let name = format!("{}/{deliveries}", order.id());
        let readings = self.link.readings().await?;
        let mut packed = packed;
        readings.put(name.as_str(), &mut packed).await.map_err(ask("put a long reading aside"))?;
        Ok(name)
    }

    async fn send(&self, order: &Order, came: Came, deliveries: i64) -> Result<(), LinkError> {
        let answer = Answer { job: order.job.clone(), generation: order.generation, came };
        let payload = encode(&answer).map_err(ask("write an answer"))?;
        let mut tries = 0;
        loop {
            let message = PublishMessage::build().payload(payload.clone().into());
            let message = message.message_id(format!("{}/{deliveries}", order.id()));
            let sent = match self.link.context.send_publish(result_subject(&order.server), message).await {
                Ok(receipt) => receipt.await.map(|_| ()),
                Err(error) => Err(error),
            };
            let Err(error) = sent else { return Ok(()) };
            tries += 1;
            if tries >= SENDS {
                return Err(ask("send what was read")(error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Tells that a file is being read for as long as it is, beside the reading and whatever holds that up.
async fn say_progress(message: Arc<Message>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        // Not heard, it is given to another worker.
        message.ack_with(AckKind::Progress).await.ok();
    }
}

/// Tells the server that asked how many pages have been read, when that has changed.
async fn tell_pages(link: Link, order: Order, progress: Arc<Progress>) {
    let mut told = (0, 0);
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        let (read, known) = progress.counts();
        if told == (read, known) {
            continue;
        }
        told = (read, known);
        if let Ok(payload) = encode(&Pages { job: order.job.clone(), known, read }) {
            // Not heard, it is told with the next pages.
            link.context.client().publish(progress_subject(&order.server), payload.into()).await.ok();
        }
    }
}
