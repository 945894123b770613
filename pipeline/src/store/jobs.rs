//! Which server processes a case that waits for the machine.
//!
//! A server takes a case under a lease that it keeps alive. What it wants to record is refused once the
//! generation of the lease has grown, so that of two who read a case one alone decides it. Whoever fails
//! gives the case back; a lease that nobody keeps alive lapses, and the sweep gives its case back. Each
//! failure that is the case's own is a strike: after some of them the case is taken by itself, and in the end
//! it is given up, which sends it to a person.

use std::collections::HashMap;

use super::connect::{Store, StoreError, sql};
use super::query::{Row, Transaction, query, query_scalar};
use crate::clock::Micros;

/// With so many strikes a case is no longer in work beside another such one, so that one which brings its
/// server down does not count against the others for long.
const SUSPECT_AT: i64 = 2;
/// With so many strikes a case is given up: an innocent one that is in work at every second power cut
/// comes so far once in 250 times.
const GIVEN_UP_AT: i64 = 8;
/// Waits between attempts double from the first to the last of these.
const FIRST_WAIT: Micros = 2_000_000;
const LONGEST_WAIT: Micros = 600_000_000;
/// No lease and no wait is so long: the clock was put back.
const IMPOSSIBLE: Micros = 2 * LONGEST_WAIT;

/// A case that a server has taken to process it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub case_id: String,
    /// Of the case when it was taken.
    pub revision: i64,
    pub server: String,
    /// Grows each time that the case is taken or given back.
    pub generation: i64,
    /// Failures that were the case's own.
    pub strikes: i64,
}

impl Job {
    /// It brought down what worked on it before, perhaps: it is taken by itself.
    pub fn is_suspect(&self) -> bool {
        self.strikes >= SUSPECT_AT
    }

    /// It is not tried again, but goes to a person as it is.
    pub fn is_given_up(&self) -> bool {
        self.strikes >= GIVEN_UP_AT
    }
}

/// Why the work on a case ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It said so. While no other case goes through either, the machine is what fails.
    Error,
    /// Its server ended in the middle.
    Lost,
}

impl Store {
    /// Takes the case that has waited longest for the machine. Without `suspects`, one that has not failed
    /// before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_job(
        &self,
        server: &str,
        suspects: bool,
        now: Micros,
        expires_at: Micros,
    ) -> Result<Option<Job>, StoreError> {
        let doing = "take a case to process";
        let mut transaction = self.begin().await?;
        while let Some((case_id, revision, strikes)) = first(&mut transaction, suspects, now).await? {
            let generation: Option<i64> = query_scalar(
                "insert into jobs (case_id, server, generation, expires_at) values ($1, $2, 1, $3)
                 on conflict (case_id) do update set server = excluded.server,
                    generation = jobs.generation + 1, expires_at = excluded.expires_at
                 where jobs.server is null
                 returning generation",
            )
            .bind(&case_id)
            .bind(server)
            .bind(expires_at)
            .fetch_optional(&mut transaction)
            .await
            .map_err(sql(doing))?;
            // Another server took it between our look and our lock; the next look sees that.
            let Some(generation) = generation else { continue };
            transaction.commit().await.map_err(sql(doing))?;
            return Ok(Some(Job { case_id, revision, server: server.to_owned(), generation, strikes }));
        }
        transaction.rollback().await.map_err(sql(doing))?;
        Ok(None)
    }

    /// Keeps the leases of a server alive. Generations by case of those that it still has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_jobs(
        &self,
        server: &str,
        now: Micros,
        expires_at: Micros,
    ) -> Result<HashMap<String, i64>, StoreError> {
        let doing = "keep the cases that are processed";
        query("update jobs set expires_at = $3 where server = $1 and expires_at > $2")
            .bind(server)
            .bind(now)
            .bind(expires_at)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        let rows = query("select case_id, generation from jobs where server = $1 and expires_at > $2")
            .bind(server)
            .bind(now)
            .fetch_all(&self.pool)
            .await
            .map_err(sql(doing))?;
        let one = |row: &Row| {
            Ok((row.try_get("case_id").map_err(sql(doing))?, row.try_get("generation").map_err(sql(doing))?))
        };
        rows.iter().map(one).collect()
    }

    /// Gives a case back that is to be processed once more, without anything having failed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn return_job(&self, job: &Job) -> Result<(), StoreError> {
        let doing = "give a case back";
        let mut transaction = self.begin().await?;
        release(&mut transaction, job).await?;
        transaction.commit().await.map_err(sql(doing))
    }

    /// Notes that the work on a case failed, and gives it back for a later attempt.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fail_job(&self, job: &Job, failure: Failure, now: Micros) -> Result<bool, StoreError> {
        let doing = "note a failed attempt";
        let mut transaction = self.begin_on(&job.case_id).await?;
        // One that fails while others go through fails by itself.
        let ended = query(
            "update jobs set server = null, expires_at = 0, generation = generation + 1, failed_at = $4,
                strikes = strikes + case when $5 = 1 or failed_at is null
                    or exists (select 1 from jobs other where other.finished_at > jobs.failed_at)
                    then 1 else 0 end
             where case_id = $1 and server = $2 and generation = $3",
        )
        .bind(&job.case_id)
        .bind(&job.server)
        .bind(job.generation)
        .bind(now)
        .bind(failure == Failure::Lost)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if ended == 0 {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        let attempts: Option<i64> = query_scalar(
            "update cases set attempts = attempts + 1 where id = $1 and state = 'processing' returning attempts",
        )
        .bind(&job.case_id)
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if let Some(attempts) = attempts {
            query("update cases set next_attempt_at = $2 where id = $1")
                .bind(&job.case_id)
                .bind(now + wait_after(attempts, failure))
                .execute(&mut transaction)
                .await
                .map_err(sql(doing))?;
        }
        transaction.commit().await.map_err(sql(doing))?;
        Ok(true)
    }

    /// Gives back the cases whose servers let their leases lapse. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_jobs(&self, now: Micros) -> Result<usize, StoreError> {
        let doing = "find cases that nobody processes any more";
        let lapsed = query(
            "select case_id, server, generation from jobs
             where server is not null and (expires_at <= $1 or expires_at > $2)",
        )
        .bind(now)
        .bind(now + IMPOSSIBLE);
        let ended = self.lose(lapsed.fetch_all(&self.reader).await.map_err(sql(doing))?, now).await?;
        query("update cases set next_attempt_at = 0 where state = 'processing' and next_attempt_at > $1")
            .bind(now + IMPOSSIBLE)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        Ok(ended)
    }

    /// What a server does first: the cases that it had when it ended are given back, and those that wait
    /// after a failure are tried at once, since the reason may be gone. How many cases it had.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_jobs(&self, server: &str, now: Micros) -> Result<usize, StoreError> {
        let doing = "give back the cases that were processed before";
        let own = query("select case_id, server, generation from jobs where server = $1").bind(server);
        let ended = self.lose(own.fetch_all(&self.pool).await.map_err(sql(doing))?, now).await?;
        query(
            "update cases set next_attempt_at = 0 where state = 'processing' and next_attempt_at > 0
                and not exists (select 1 from jobs j where j.case_id = cases.id and j.strikes >= $1)",
        )
        .bind(SUSPECT_AT)
        .execute(&self.pool)
        .await
        .map_err(sql(doing))?;
        Ok(ended)
    }

    /// Cases that wait for the machine or are processed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_waiting(&self) -> Result<u64, StoreError> {
        let count: i64 = query_scalar("select count(*) from cases where state = 'processing'")
            .fetch_one(&self.reader)
            .await
            .map_err(sql("count the cases that wait for the machine"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn lose(&self, rows: Vec<Row>, now: Micros) -> Result<usize, StoreError> {
        let doing = "read the lease of a case";
        let mut ended = 0;
        for row in rows {
            let job = Job {
                case_id: row.try_get("case_id").map_err(sql(doing))?,
                revision: 0,
                server: row.try_get("server").map_err(sql(doing))?,
                generation: row.try_get("generation").map_err(sql(doing))?,
                strikes: 0,
            };
            ended += usize::from(self.fail_job(&job, Failure::Lost, now).await?);
        }
        Ok(ended)
    }
}

/// The case to take next: its id, revision and strikes.
async fn first(
    transaction: &mut Transaction,
    suspects: bool,
    now: Micros,
) -> Result<Option<(String, i64, i64)>, StoreError> {
    let doing = "find a case to process";
    let row = query(
        "select c.id, c.revision, coalesce(j.strikes, 0) as strikes from cases c
         left join jobs j on j.case_id = c.id
         where c.state = 'processing' and c.next_attempt_at <= $1 and j.server is null
           and ($2 = 1 or coalesce(j.strikes, 0) < $3)
         order by c.next_attempt_at, c.id limit 1 for update of c skip locked",
    )
    .bind(now)
    .bind(suspects)
    .bind(SUSPECT_AT)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(sql(doing))?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((
        row.try_get("id").map_err(sql(doing))?,
        row.try_get("revision").map_err(sql(doing))?,
        row.try_get("strikes").map_err(sql(doing))?,
    )))
}

/// Ends the lease under which a case was processed, in the transaction that records what came of it;
/// `false` when it was lost.
pub(super) async fn complete(
    transaction: &mut Transaction,
    job: &Job,
    at: Micros,
) -> Result<bool, StoreError> {
    let ended = query(
        "update jobs set server = null, expires_at = 0, generation = generation + 1, strikes = 0,
            failed_at = null, finished_at = $4
         where case_id = $1 and server = $2 and generation = $3",
    )
    .bind(&job.case_id)
    .bind(&job.server)
    .bind(job.generation)
    .bind(at)
    .execute(transaction)
    .await
    .map_err(sql("end the work on a case"))?;
    Ok(ended == 1)
}

/// Gives a case back without anything having failed; `false` when it was lost.
pub(super) async fn release(transaction: &mut Transaction, job: &Job) -> Result<bool, StoreError> {
    let ended = query(
        "update jobs set server = null, expires_at = 0, generation = generation + 1
         where case_id = $1 and server = $2 and generation = $3",
    )
    .bind(&job.case_id)
    .bind(&job.server)
    .bind(job.generation)
    .execute(transaction)
    .await
    .map_err(sql("give a case back"))?;
    Ok(ended == 1)
}

/// What comes in new deserves new attempts.
pub(super) async fn forgive(transaction: &mut Transaction, case_id: &str) -> Result<(), StoreError> {
    query("update jobs set strikes = 0, failed_at = null where case_id = $1")
        .bind(case_id)
        .execute(transaction)
        .await
        .map_err(sql("forget failed attempts"))?;
    Ok(())
}

/// After the loss of a server the first attempt is made at once: it says little of the case.
fn wait_after(attempts: i64, failure: Failure) -> Micros {
    let doublings = match failure {
        Failure::Error => attempts - 1,
        Failure::Lost if attempts <= 1 => return 0,
        Failure::Lost => attempts - 2,
    };
    let doublings = u32::try_from(doublings).unwrap_or(0).min(20);
    (FIRST_WAIT << doublings).min(LONGEST_WAIT)
}
