//! What the worker reads and writes: cases to process, and what came of them.

use super::arrival::{ArrivedFile, insert_files};
use super::cases::{CaseState, bad_case};
use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::jobs::{Job, complete, release};
use super::outbox::{NewDelivery, insert_deliveries};
use super::query::{query, query_scalar};
use super::record::{append, encode, write_reasons};
use crate::clock::Micros;
use crate::domain::{CaseResult, Finding};

/// A member that was unpacked from an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Name of the archive among the case's files.
    pub archive: String,
    pub file: ArrivedFile,
}

/// What processing gave.
#[derive(Debug, Clone)]
pub struct Finished {
    pub case_id: String,
    /// As it was when the work began.
    pub revision: i64,
    /// The lease under which it was processed; nothing is recorded when it was lost.
    pub job: Option<Job>,
    pub result: CaseResult,
    pub events: Vec<(EventKind, serde_json::Value)>,
    pub amount_cents: i64,
    /// Goal and deadline, where the case goes to a person.
    pub goal_at: Option<Micros>,
    pub due_at: Option<Micros>,
    /// Types that were asked for and the message to the applicant, where documents are missing.
    pub request: Option<(Vec<String>, String)>,
    /// Pages by file hash.
    pub page_counts: Vec<(String, u32)>,
    /// What others are told of it.
    pub deliveries: Vec<NewDelivery>,
}

impl Store {
    /// Records the members of an archive, so that they can be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_members(
        &self,
        case_id: &str,
        members: &[NewFile],
        archives: &[String],
        declared: Option<&serde_json::Value>,
        findings: &[(String, Finding)],
        at: Micros,
    ) -> Result<(), StoreError> {
        let doing = "record the members of an archive";
        let mut transaction = self.begin_on(case_id).await?;
        let known: String = query_scalar("select intake_findings from cases where id = $1")
            .bind(case_id)
            .fetch_one(&mut transaction)
            .await
            .map_err(sql(doing))?;
        let mut all: Vec<(String, Finding)> =
            serde_json::from_str(&known).map_err(|_| bad_case("intake_findings", case_id))?;
        all.extend(findings.iter().cloned());
        query("update cases set intake_findings = $2, declared = coalesce($3, declared) where id = $1")
            .bind(case_id)
            .bind(encode("findings", &all)?)
            .bind(declared.map(ToString::to_string))
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        for member in members {
            insert_files(&mut transaction, case_id, std::slice::from_ref(&member.file), at).await?;
            query(
                "update case_files set archive =
                    (select min(number) from case_files where case_id = $1 and name = $2 and archive is null)
                 where case_id = $1 and sha256 = $3 and name = $4",
            )
            .bind(case_id)
            .bind(&member.archive)
            .bind(&member.file.sha256)
            .bind(&member.file.name)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        }
        for archive in archives {
            query("update case_files set unpacked = 1 where case_id = $1 and name = $2 and archive is null")
                .bind(case_id)
                .bind(archive)
                .execute(&mut transaction)
                .await
                .map_err(sql(doing))?;
        }
        transaction.commit().await.map_err(sql(doing))
    }

    /// Records what processing gave, unless the case has changed since it began or was lost to another server:
    /// then `false`, and it is to be looked at again.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn finish(&self, finished: Finished, at: Micros) -> Result<bool, StoreError> {
        self.finish_from("processing", finished, at).await
    }

    /// Records what came of a case that is in this state.
    pub(super) async fn finish_from(
        &self,
        before: &'static str,
        finished: Finished,
        at: Micros,
    ) -> Result<bool, StoreError> {
        let doing = "record a processed case";
        let mut transaction = self.begin_on(&finished.case_id).await?;
        let result = &finished.result;
        let state = CaseState::after(result.outcome);
        let changed = query(
            "update cases set state = $3, revision = revision + 1, result = $4, received_on = $5, decided_at = $6,
                    outcome = $7, mode = $8, pages = $9, rules_version = $10, models_version = $11,
                    amount_cents = $12, attempts = 0,
                    machine_result = case when touched = 1 then $4 else null end,
                    first_response_at = case when $3 in ('final', 'waiting_documents')
                        then coalesce(first_response_at, $6) else first_response_at end,
                    queued_at = case when $3 = 'in_review' then coalesce(queued_at, $6) else queued_at end,
                    goal_at = case when $3 = 'in_review' then $13 else null end,
                    due_at = case when $3 = 'in_review' then $14 else null end,
                    waiting_since = case when $3 = 'waiting_documents' then $6 else null end,
                    final_at = case when $3 = 'final' then $6 else null end,
                    first_reviewer = null, first_outcome = null, postponed_until = null
             where id = $1 and revision = $2 and state = $15",
        )
        .bind(&finished.case_id)
        .bind(finished.revision)
        .bind(state.as_str())
        .bind(encode("a result", result)?)
        .bind(result.received_on.to_string())
        .bind(at)
        .bind(result.outcome.as_str())
        .bind(result.mode.map(crate::domain::Mode::as_str))
        .bind(i64::from(result.pages))
        .bind(&result.rules.version)
        .bind(&result.models.version)
        .bind(finished.amount_cents)
        .bind(finished.goal_at)
        .bind(finished.due_at)
        .bind(before)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if changed == 0 {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        if let Some(job) = &finished.job
            && !complete(&mut transaction, job, at).await?
        {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        for (sha256, pages) in &finished.page_counts {
            query("update case_files set page_count = $3 where case_id = $1 and sha256 = $2")
                .bind(&finished.case_id)
                .bind(sha256)
                .bind(i64::from(*pages))
                .execute(&mut transaction)
                .await
                .map_err(sql(doing))?;
        }
        write_reasons(&mut transaction, &finished.case_id, result).await?;
        let mut events = finished.events;
        if let Some((wanted, message)) = &finished.request {
            super::review::insert_request(
                &mut transaction,
                &finished.case_id,
                "machine",
                wanted,
                message,
                at,
            )
            .await?;
            events.push((EventKind::DocumentsRequested, serde_json::json!({"wanted": wanted})));
        }
        if state == CaseState::InReview {
            let detail = serde_json::json!({"goal_at": finished.goal_at, "due_at": finished.due_at});
            events.push((EventKind::Queued, detail));
        }
        insert_deliveries(&mut transaction, &finished.case_id, &finished.deliveries, at).await?;
        append(&mut transaction, &finished.case_id, "machine", events, at).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(true)
    }

    /// Gives a case back that waits for records, without anything having failed, to be tried again at `next`. That
    /// it begins to wait, and until when at the longest, is told by `until`. A case that has changed since this
    /// revision is looked at again at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn await_records(
        &self,
        job: &Job,
        revision: i64,
        next: Micros,
        until: Option<Micros>,
        now: Micros,
    ) -> Result<(), StoreError> {
        let doing = "have a case wait for records";
        let mut transaction = self.begin_on(&job.case_id).await?;
        if !release(&mut transaction, job).await? {
            return transaction.rollback().await.map_err(sql(doing));
        }
        let changed = query(
            "update cases set next_attempt_at = $3 where id = $1 and revision = $2 and state = 'processing'",
        )
        .bind(&job.case_id)
        .bind(revision)
        .bind(next)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if let Some(until) = until.filter(|_| changed == 1) {
            let event = (EventKind::RecordsAwaited, serde_json::json!({"until": until}));
            append(&mut transaction, &job.case_id, "machine", vec![event], now).await?;
        }
        transaction.commit().await.map_err(sql(doing))
    }
}
