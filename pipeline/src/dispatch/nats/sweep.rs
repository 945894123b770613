//! Looking after what was sent to workers: what NATS has lost is sent again.

use std::collections::HashSet;

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};

use super::link::ask;
use super::message::{Order, decode};
use super::server::{Trouble, Workers};
use crate::clock::Micros;
use crate::store::{ReadingJob, ReadingState};

/// Rows that nothing happened to for so long are of no use.
const FORGET_AFTER: Micros = 7 * 86_400_000_000;

impl Workers {
    /// Sends again what is neither with the workers nor came back: NATS has lost it.
    pub(super) async fn sweep(&self) -> Result<(), Trouble> {
        // What came while nobody listened is taken first.
        tokio::time::sleep(self.link.worker_patience).await;
        let mut missing: HashSet<(String, i64)> = HashSet::new();
        loop {
            // Whatever NATS has lost is there again.
            self.link.make_readings().await?;
            let consumer = self.link.make_read_consumer(&self.version).await?;
            self.link.result_consumer(&self.server).await?;
            let stream = self.link.read_stream().await?;
            let info = consumer.get_info().await.map_err(ask("look after what was sent"))?;
            let done_with = info.ack_floor.stream_sequence;
            let now = self.clock.now();
            // Nothing is to be looked at later than that, unless the clock was put back.
            let latest = now + 2 * self.look_after();
            let missing_before = std::mem::take(&mut missing);
            for job in self.store.readings_to_look_at(&self.server, now, latest, 1_000).await? {
                if is_there(&stream, &self.server, &job, done_with).await? {
                    self.store.reading_sent(&self.server, &job, now + self.look_after(), now).await?;
                    continue;
                }
                let order = (job.job.clone(), job.generation);
                if !missing_before.contains(&order) {
                    // It may just have been read, and its result is on the way.
                    missing.insert(order);
                    continue;
                }
                tracing::warn!(job = job.job, "a file that was sent to workers is lost; it is sent again");
                self.store.send_reading_again(&self.server, &job.job, ReadingState::Sent, now).await?;
                self.to_send.notify_one();
            }
            self.store.forget_readings(now - FORGET_AFTER).await?;
            let health = self.link.health(&self.version).await?;
            if health.waiting > 0 && health.idle == 0 && health.with_workers == 0 {
                let (waiting, version) = (health.waiting, &self.version);
                tracing::warn!(waiting, version, "no worker takes files: is one of this version running?");
            }
            tokio::time::sleep(self.link.worker_patience).await;
        }
    }
}

/// Whether the stream still has the order, and somebody will get it. Killed, NATS may have lost what it was sent and
/// know what was done with before: what is sent then gets the same numbers again, and nobody gets what is numbered up to
/// `done_with`.
async fn is_there(stream: &Stream, server: &str, job: &ReadingJob, done_with: u64) -> Result<bool, Trouble> {
    let sequence = u64::try_from(job.sequence).unwrap_or(0);
    let doing = "look after what was sent";
    let message = match stream.get_raw_message(sequence).await {
        Ok(message) => message,
        Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => return Ok(false),
        // The stream itself may be gone: making it anew is what comes next.
        Err(error) => return Err(ask(doing)(error).into()),
    };
    let is_it = decode::<Order>(&message.payload).is_ok_and(|order| {
        order.job == job.job && order.generation == job.generation && order.server == server
    });
    if is_it && sequence <= done_with {
        stream.delete_message(sequence).await.map_err(ask(doing))?;
        return Ok(false);
    }
    Ok(is_it)
}
