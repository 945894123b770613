//! Files that workers on other machines read: what is to be sent to them, what was sent, what became of it.
//!
//! This is the record; the streams are how it travels, and may be lost. A file is asked for by the server that
//! wants it, and each row is changed by that server alone.

use super::connect::{Store, StoreError, sql};
use super::query::{Row, query, query_scalar};
use crate::clock::Micros;

/// Where the reading of a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingState {
    /// To be sent.
    Waiting,
    /// With the workers.
    Sent,
    /// Read; what was read lies with the server.
    Done,
    /// A worker could not, and it may be asked for again.
    Failed,
    /// Given up: workers ended while they read it, again and again.
    Dead,
}

impl ReadingState {
    const ALL: [ReadingState; 5] = [Self::Waiting, Self::Sent, Self::Done, Self::Failed, Self::Dead];

    fn as_str(self) -> &'static str {
        match self {
            ReadingState::Waiting => "waiting",
            ReadingState::Sent => "sent",
            ReadingState::Done => "done",
            ReadingState::Failed => "failed",
            ReadingState::Dead => "dead",
        }
    }
}

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingJob {
    /// The hash of the bytes, and of what they are read with.
    pub job: String,
    pub sha256: String,
    /// Grows each time that it is sent.
    pub generation: i64,
    /// Of its message in the stream.
    pub sequence: i64,
}

impl Store {
    /// Asks for the reading of a file, unless that was done; one that failed is asked for again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_reading(
        &self,
        server: &str,
        job: &str,
        sha256: &str,
        now: Micros,
    ) -> Result<ReadingState, StoreError> {
        query(
            "insert into read_jobs (server, job, sha256, state, generation, changed_at)
             values ($1, $2, $3, 'waiting', 1, $4)
             on conflict (server, job) do update set state = 'waiting', generation = read_jobs.generation + 1,
                changed_at = excluded.changed_at
             where read_jobs.state = 'failed'",
        )
        .bind(server)
        .bind(job)
        .bind(sha256)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(sql("ask for the reading of a file"))?;
        self.reading_state(server, job).await
    }

    /// Where the reading of a file stands; one that nobody asked for counts as failed.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood.
    pub async fn reading_state(&self, server: &str, job: &str) -> Result<ReadingState, StoreError> {
        let found: Option<String> =
            query_scalar("select state from read_jobs where server = $1 and job = $2")
                .bind(server)
                .bind(job)
                .fetch_optional(&self.pool)
                .await
                .map_err(sql("look for the reading of a file"))?;
        let Some(found) = found else { return Ok(ReadingState::Failed) };
        let bad = || StoreError::BadData { table: "read_jobs", column: "state", row: job.to_owned() };
        ReadingState::ALL.into_iter().find(|state| state.as_str() == found).ok_or_else(bad)
    }

    /// The files of this server that are to be sent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn readings_to_send(&self, server: &str, limit: i64) -> Result<Vec<ReadingJob>, StoreError> {
        let doing = "find files to send to workers";
        let rows = query(
            "select job, sha256, generation, sequence from read_jobs
             where server = $1 and state = 'waiting' order by expires_at, job limit $2",
        )
        .bind(server)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(sql(doing))?;
        rows.iter().map(reading_job).collect()
    }

    /// Notes that a file was sent. One whose result came already stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reading_sent(
        &self,
        server: &str,
        sent: &ReadingJob,
        look_at: Micros,
        now: Micros,
    ) -> Result<(), StoreError> {
        query(
            "update read_jobs set state = 'sent', sequence = $4, expires_at = $5, changed_at = $6
             where server = $1 and job = $2 and generation = $3 and state in ('waiting', 'sent')",
        )
        .bind(server)
        .bind(&sent.job)
        .bind(sent.generation)
        .bind(sent.sequence)
        .bind(look_at)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(sql("note that a file was sent"))?;
        Ok(())
    }

    /// Notes what became of a file, once. What was read is right whichever time it was sent; that it could not
    /// be read is said of one time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_reading(
        &self,
        server: &str,
        job: &str,
        generation: i64,
        state: ReadingState,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let ended = query(
            "update read_jobs set state = $4, changed_at = $5
             where server = $1 and job = $2 and state in ('waiting', 'sent') and ($4 = 'done' or generation = $3)",
        )
        .bind(server)
        .bind(job)
        .bind(generation)
        .bind(state.as_str())
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(sql("note what became of a file"))?;
        Ok(ended == 1)
    }

    /// The files of this server that were sent a while ago: whether they are still with the workers is to be
    /// looked at. So are those for later than `latest`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn readings_to_look_at(
        &self,
        server: &str,
        now: Micros,
        latest: Micros,
        limit: i64,
    ) -> Result<Vec<ReadingJob>, StoreError> {
        let doing = "find files that were sent to workers";
        let rows = query(
            "select job, sha256, generation, sequence from read_jobs
             where server = $1 and state = 'sent' and (expires_at <= $2 or expires_at > $3)
             order by expires_at, job limit $4",
        )
        .bind(server)
        .bind(now)
        .bind(latest)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(sql(doing))?;
        rows.iter().map(reading_job).collect()
    }

    /// Has a file sent once more, unless it no longer stands where it `was` seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn send_reading_again(
        &self,
        server: &str,
        job: &str,
        was: ReadingState,
        now: Micros,
    ) -> Result<(), StoreError> {
        query(
            "update read_jobs set state = 'waiting', generation = generation + 1, changed_at = $3
             where server = $1 and job = $2 and state = $4",
        )
        .bind(server)
        .bind(job)
        .bind(now)
        .bind(was.as_str())
        .execute(&self.pool)
        .await
        .map_err(sql("send a file once more"))?;
        Ok(())
    }

    /// Forgets files that nothing happened to since then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_readings(&self, before: Micros) -> Result<(), StoreError> {
        query("delete from read_jobs where changed_at < $1")
            .bind(before)
            .execute(&self.pool)
            .await
            .map_err(sql("forget what was read"))?;
        Ok(())
    }
}

fn reading_job(row: &Row) -> Result<ReadingJob, StoreError> {
    let doing = "find files to be read";
    Ok(ReadingJob {
        job: row.try_get("job").map_err(sql(doing))?,
        sha256: row.try_get("sha256").map_err(sql(doing))?,
        generation: row.try_get("generation").map_err(sql(doing))?,
        sequence: row.try_get("sequence").map_err(sql(doing))?,
    })
}
