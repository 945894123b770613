//! Cases over the API.

use axum::Json;
use axum::extract::{Extension, Path, State};
use dossier::clock::Micros;
use dossier::domain::Outcome;
use dossier::store::{CaseFilter, CaseState, CaseSummary, SlaState, StoredCase};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::list::{Cursor, cut, wanted};
use super::{Query, shapes};
use crate::server::access::{Permission, Signed};
use crate::server::desk;
use crate::server::filter::{aged, decided_on};
use crate::server::images;
use crate::server::problem::Problem;
use crate::server::state::AppState;

pub(crate) fn outcome_of(name: &str) -> Option<Outcome> {
    [Outcome::Accept, Outcome::Reject, Outcome::RequestDocuments, Outcome::Review]
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    flow: Option<String>,
    state: Option<String>,
    outcome: Option<String>,
    mode: Option<String>,
    reason: Option<String>,
    reference: Option<String>,
    sla: Option<String>,
    decided_from: Option<String>,
    decided_to: Option<String>,
    /// Days in the queue, such as `1-3`.
    age: Option<String>,
    /// What a report counted the case under.
    mark: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

impl ListQuery {
    fn filter(&self, now: Micros) -> Result<CaseFilter, Problem> {
        let mut filter = CaseFilter {
            flow: self.flow.clone(),
            state: known("state", self.state.as_deref(), CaseState::parse)?,
            outcome: known("outcome", self.outcome.as_deref(), outcome_of)?,
            sla: known("sla", self.sla.as_deref(), SlaState::parse)?,
            mode: self.mode.clone(),
            reason: self.reason.clone(),
            text: self.reference.clone(),
            mark: self.mark.clone(),
            ..CaseFilter::default()
        };
        decided_on(&mut filter, self.decided_from.as_deref(), self.decided_to.as_deref())
            .ok_or_else(|| Problem::bad_request("a day is written YYYY-MM-DD").about("decided_from"))?;
        if let Some(age) = &self.age {
            aged(&mut filter, age, now)
                .ok_or_else(|| Problem::bad_request("there is no such age").about("age"))?;
        }
        Ok(filter)
    }
}

fn known<T>(
    name: &'static str,
    value: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let parsed = parse(value);
    parsed.map(Some).ok_or_else(|| Problem::bad_request(format!("there is no such {name}")).about(name))
}

/// `GET /api/v1/cases`: the newest first; `after` goes on where the last answer's `next` says. To people
/// who judge blind, cases that may be drawn come `sealed`, without outcome and reasons.
#[utoipa::path(
    get,
    path = "/api/v1/cases",
    tag = "cases",
    params(ListQuery),
    responses((status = 200, description = "A stretch of the list", body = shapes::CaseList))
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let by_blind_reviewer = signed.may(Permission::Review);
    let filter = CaseFilter { by_blind_reviewer, ..query.filter(state.now())? };
    let after = Cursor::parse(query.after.as_deref())?;
    let limit = wanted(query.limit);
    let mut cases = state.shop.store.cases(&filter, state.now(), after, limit + 1).await?;
    let has_more = cut(&mut cases, limit);
    let next =
        cases.last().filter(|_| has_more).map(|last| Cursor::new(last.created_at, &last.id).to_string());
    Ok(Json(json!({"cases": cases, "next": next})))
}

/// `GET /api/v1/queue`: the most urgent first.
#[utoipa::path(
    get,
    path = "/api/v1/queue",
    tag = "review",
    params(ListQuery),
    responses((status = 200, description = "The first of the queue", body = shapes::Queue))
)]
pub(crate) async fn queue(
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let now = state.now();
    let cases = state.shop.store.queue(&query.filter(now)?, now, wanted(query.limit), 0).await?;
    let with_sla = |case: &CaseSummary| {
        let mut value = serde_json::to_value(case).unwrap_or_default();
        value["sla"] = json!(case.sla_state(now));
        value
    };
    Ok(Json(json!({"cases": cases.iter().map(with_sla).collect::<Vec<_>>()})))
}

/// `GET /api/v1/cases/{id}`: the result (contract, section 5) with where the case stands beside it.
#[utoipa::path(
    get,
    path = "/api/v1/cases/{id}",
    tag = "cases",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, description = "The case", body = shapes::Case))
)]
pub(crate) async fn read(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let case = desk::current(&state, &id).await?;
    images::record(&state, &signed, &id, 0, 0, "result").await?;
    let files = state.shop.store.files(&id).await?;
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({"number": file.number, "name": file.name, "sha256": file.sha256, "pages": file.page_count,
                   "size_bytes": file.size_bytes, "archive": file.archive, "unpacked": file.unpacked})
        })
        .collect();
    let lease = state.shop.store.lease(&id, state.now()).await?;
    let mut body = body_of(&case);
    body["files"] = json!(files);
    body["lease"] = json!(lease);
    Ok(Json(body))
}

/// A case as the API shows it: the result's keys, and `id`, `state`, `revision` beside them.
pub(crate) fn body_of(case: &StoredCase) -> Value {
    let mut body = match &case.result {
        Some(result) => serde_json::to_value(result).unwrap_or_default(),
        None => json!({"reference": case.reference, "flow": case.flow, "outcome": null, "mode": null,
                       "received_on": case.received_on, "reasons": [], "outputs": {}, "documents": []}),
    };
    body["id"] = json!(case.id);
    body["state"] = json!(case.state);
    body["revision"] = json!(case.revision);
    body["priority"] = json!(case.priority);
    body["due_at"] = json!(case.due_at);
    body["goal_at"] = json!(case.goal_at);
    body["escalated"] = json!(case.escalated);
    body
}

/// `GET /api/v1/cases/{id}/events`: the audit trail.
#[utoipa::path(
    get,
    path = "/api/v1/cases/{id}/events",
    tag = "cases",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, description = "The events, the oldest first", body = shapes::Trail))
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    desk::case(&state, &id).await?;
    images::record(&state, &signed, &id, 0, 0, "history").await?;
    let events = state.shop.store.events(&id).await?;
    let intact = dossier::store::verify_chain(&id, &events).is_ok();
    let events: Vec<Value> = events
        .iter()
        .map(|event| {
            json!({"sequence": event.sequence, "kind": event.kind, "at": event.at, "actor": event.actor,
                   "detail": event.detail, "previous_hash": event.previous_hash, "hash": event.hash})
        })
        .collect();
    Ok(Json(json!({"intact": intact, "events": events})))
}
