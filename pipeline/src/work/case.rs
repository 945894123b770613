//! One case: its files are read, it is decided, and what came of it is recorded.

use tracing::Instrument as _;

use super::source::{closed_source, source_of};
use super::{WorkError, Workshop};
use crate::clock::Micros;
use crate::deliver::{News, Occasion};
use crate::domain::{CaseResult, Document, Mode, Outcome};
use crate::process::{Effort, Processed};
use crate::review::{
    amount_cents, carry_over, draft_request, falls_back, goal_and_deadline, hold_back, mode_after,
    quality_since, wanted_documents, working_time_used,
};
use crate::rules::{Flow, RECORDS_UNAVAILABLE, WhenUnavailable};
use crate::store::{CaseState, Event, EventKind, Finished, Job, StoredCase};

/// How often a case that waits for records is tried again.
pub(super) const RECORDS_AGAIN: Micros = 60_000_000;

/// Reads and decides a case and records what came of it.
pub(super) async fn process(shop: &Workshop, job: &Job) -> Result<(), WorkError> {
    let id = job.case_id.as_str();
    let case = shop.store.case(id).await?.filter(|case| case.state == CaseState::Processing);
    let Some(case) = case else { return Ok(shop.store.return_job(job).await?) };
    let scratch = shop.engine.scratch_folder().map_err(WorkError::Scratch)?;
    let today = case.received_on;
    let (before, declared) = (case.result.as_ref(), &case.declared);
    let carry = |documents: &mut Vec<Document>| {
        if let Some(before) = before.filter(|_| case.touched) {
            carry_over(before, documents);
        }
    };
    let processed = if job.is_given_up() {
        tracing::error!(case = id, strikes = job.strikes, "a case is given up and goes to a person");
        let source = closed_source(shop, &case, scratch.path()).await?;
        let records = shop.records.as_ref();
        let mut processed = shop.engine.process_with(&source, Effort::GivenUp, records, today, carry).await?;
        processed.events.insert(0, (EventKind::GivenUp, serde_json::json!({"strikes": job.strikes})));
        processed
    } else {
        let opening = tracing::info_span!("open");
        let source = source_of(shop, &case, scratch.path()).instrument(opening).await?;
        let records = shop.records.as_ref();
        let processed = shop.engine.process_with(&source, Effort::Read, records, today, carry).await?;
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
    let recording = tracing::info_span!("record", outcome = finished.result.outcome.as_str());
    if !shop.store.finish(finished, now).instrument(recording).await? {
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
pub(super) fn records_awaited_until(
    flow: &Flow,
    result: &CaseResult,
    history: &[Event],
    now: Micros,
) -> Option<Micros> {
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
