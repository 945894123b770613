//! A reviewer's work over the API: what the station's script calls.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use dossier::clock::Micros;
use dossier::domain::Part;
use dossier::review::{Change, Judgement, Place};
use dossier::store::StoredCase;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::cases::body_of;
use super::{Body, Query, shapes};
use crate::server::access::Signed;
use crate::server::desk::{self, Grip};
use crate::server::problem::Problem;
use crate::server::state::AppState;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NextQuery {
    flow: Option<String>,
}

/// `POST /api/v1/queue/next`: a lease, or nothing (204) when there is no case to do.
#[utoipa::path(
    post,
    path = "/api/v1/queue/next",
    tag = "review",
    params(NextQuery),
    responses((status = 200, description = "A case in your hands", body = shapes::Lease), (status = 204, description = "There is none"))
)]
pub(crate) async fn next(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Query(query): Query<NextQuery>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let lease = desk::claim_next(&state, &signed, query.flow.as_deref()).await?;
    let status = if lease.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
    Ok((status, Json(json!(lease))))
}

/// `POST /api/v1/cases/{id}/lease`: takes this case, or keeps it for longer.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/lease",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, description = "The case is in your hands", body = shapes::Lease))
)]
pub(crate) async fn claim(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(desk::claim(&state, &signed, &id).await?)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    generation: i64,
}

/// `PUT /api/v1/cases/{id}/lease`: keeps the case in hand.
#[utoipa::path(
    put,
    path = "/api/v1/cases/{id}/lease",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Held,
    responses((status = 200, description = "It stays there", body = shapes::Kept))
)]
pub(crate) async fn heartbeat(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(body): Body<Held>,
) -> Result<Json<Value>, Problem> {
    let until = desk::heartbeat(&state, &signed, &id, body.generation).await?;
    Ok(Json(json!({"expires_at": until})))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReleaseQuery {
    generation: Option<i64>,
}

/// `DELETE /api/v1/cases/{id}/lease`: gives the case back; without a generation a senior takes it from others.
#[utoipa::path(
    delete,
    path = "/api/v1/cases/{id}/lease",
    tag = "review",
    params(("id" = String, Path, description = "The case"), ReleaseQuery),
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn release(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Query(query): Query<ReleaseQuery>,
) -> Result<StatusCode, Problem> {
    desk::release(&state, &signed, &id, query.generation).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Postponement {
    generation: i64,
    /// Microseconds since 1970 UTC.
    until: Micros,
}

/// `POST /api/v1/cases/{id}/postponement`: sets the case aside.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/postponement",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Postponement,
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn postpone(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(body): Body<Postponement>,
) -> Result<StatusCode, Problem> {
    desk::postpone(&state, &signed, &id, body.generation, body.until).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handover {
    generation: i64,
    /// Login; the seniors when absent.
    to: Option<String>,
    note: String,
}

/// `POST /api/v1/cases/{id}/handover`: hands the case to somebody, or to the seniors.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/handover",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Handover,
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn hand_over(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(body): Body<Handover>,
) -> Result<StatusCode, Problem> {
    desk::hand_over(&state, &signed, &id, body.generation, body.to.as_deref(), &body.note).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change of what was read, as the API takes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum WantedChange {
    Correct {
        document: usize,
        field: String,
        value: Value,
        #[serde(default)]
        place: Option<WantedPlace>,
    },
    Confirm {
        document: usize,
        field: String,
    },
    Remove {
        document: usize,
        field: String,
    },
    Retype {
        document: usize,
        #[serde(rename = "type")]
        document_type: String,
    },
    Split {
        document: usize,
        into: Vec<WantedPart>,
    },
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedPlace {
    file: String,
    page: u32,
    #[serde(rename = "box")]
    bounds: [f64; 4],
    #[serde(default)]
    raw: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WantedPart {
    #[serde(rename = "type")]
    document_type: String,
    #[schema(value_type = Vec<shapes::Part>)]
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Correction {
    generation: i64,
    revision: i64,
    #[serde(flatten)]
    change: WantedChange,
}

/// `POST /api/v1/cases/{id}/corrections`: the case with what is decided now.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/corrections",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Correction,
    responses((status = 200, description = "The case as it is now", body = shapes::Case))
)]
pub(crate) async fn correct(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(body): Body<Correction>,
) -> Result<Json<Value>, Problem> {
    let case = desk::case(&state, &id).await?;
    let change = change_of(&state, &case, body.change).await?;
    let grip = Grip { generation: body.generation, revision: body.revision };
    Ok(Json(body_of(&desk::apply(&state, &signed, &id, grip, change).await?)))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Preview {
    #[serde(flatten)]
    change: WantedChange,
}

/// `POST /api/v1/cases/{id}/preview`: what would be decided after a change; nothing is recorded.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/preview",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Preview,
    responses((status = 200, description = "What would be decided", body = shapes::CaseResult))
)]
pub(crate) async fn preview(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Body(body): Body<Preview>,
) -> Result<Json<Value>, Problem> {
    let case = desk::current(&state, &id).await?;
    let change = change_of(&state, &case, body.change).await?;
    Ok(Json(json!(desk::preview(&state, &case, change).await?)))
}

async fn change_of(state: &AppState, case: &StoredCase, wanted: WantedChange) -> Result<Change, Problem> {
    Ok(match wanted {
        WantedChange::Correct { document, field, value, place } => {
            let place = place.map(|place| Place {
                file: place.file,
                page: place.page,
                bounds: place.bounds,
                raw: place.raw,
            });
            // Texts stand for themselves; tables and numbers come as JSON.
            let input = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Change::Correct { document, field, input, place }
        }
        WantedChange::Confirm { document, field } => Change::Confirm { document, field },
        WantedChange::Remove { document, field } => Change::Remove { document, field },
        WantedChange::Retype { document, document_type } => {
            let parts = parts_of(case, document)?;
            let reread = desk::reread(state, case, &document_type, &parts).await?;
            Change::Retype { document, reread: Box::new(reread) }
        }
        WantedChange::Split { document, into } => {
            let own = parts_of(case, document)?;
            if !covers(&own, &into) {
                let detail = "the new documents must have every page of the old one exactly once";
                return Err(Problem::invalid(detail).about("into"));
            }
            let mut parts = Vec::new();
            for part in into {
                parts.push(desk::reread(state, case, &part.document_type, &part.parts).await?);
            }
            Change::Split { document, parts }
        }
    })
}

fn parts_of(case: &StoredCase, document: usize) -> Result<Vec<Part>, Problem> {
    let documents = case.result.as_ref().map(|result| result.documents.as_slice()).unwrap_or_default();
    let found = documents.get(document);
    Ok(found.ok_or_else(|| Problem::invalid(format!("the case has no document {document}")))?.parts.clone())
}

/// Whether the pages of the new documents are those of the old one, and each has some.
fn covers(own: &[Part], into: &[WantedPart]) -> bool {
    let pages = |parts: &mut dyn Iterator<Item = &Part>| {
        let one = |part: &Part, page: u32| (part.file.clone(), part.sha256.clone(), page);
        let mut pages: Vec<_> =
            parts.flat_map(|part| part.pages.iter().map(move |page| one(part, *page))).collect();
        pages.sort();
        pages
    };
    let has_pages = |part: &WantedPart| part.parts.iter().any(|part| !part.pages.is_empty());
    into.len() > 1
        && into.iter().all(has_pages)
        && pages(&mut own.iter()) == pages(&mut into.iter().flat_map(|part| &part.parts))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    generation: i64,
    revision: i64,
    /// `accept`, `reject` or `request_documents`.
    outcome: String,
    reason: String,
    #[serde(default)]
    wanted: Vec<String>,
    #[serde(default)]
    message: String,
}

/// `POST /api/v1/cases/{id}/decision`: decides the case and says what came of it.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/decision",
    tag = "review",
    params(("id" = String, Path, description = "The case")),
    request_body = Decision,
    responses((status = 200, description = "What came of it", body = shapes::Decided))
)]
pub(crate) async fn decide(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(body): Body<Decision>,
) -> Result<Json<Value>, Problem> {
    let judgement = match body.outcome.as_str() {
        "accept" => Judgement::Accept,
        "reject" => Judgement::Reject,
        "request_documents" => Judgement::RequestDocuments { wanted: body.wanted, message: body.message },
        _ => {
            let detail = "the outcome must be accept, reject or request_documents";
            return Err(Problem::invalid(detail).about("outcome"));
        }
    };
    let grip = Grip { generation: body.generation, revision: body.revision };
    let effect = desk::decide(&state, &signed, &id, grip, judgement, &body.reason).await?;
    let what = desk::effect_name(&effect);
    Ok(Json(json!({"effect": what, "case": body_of(&desk::case(&state, &id).await?)})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(file: &str, pages: &[u32]) -> Part {
        Part { file: file.to_owned(), sha256: "00".to_owned(), pages: pages.to_vec() }
    }

    fn wanted(parts: &[Part]) -> WantedPart {
        WantedPart { document_type: "payslip".to_owned(), parts: parts.to_vec() }
    }

    #[test]
    fn a_split_keeps_every_page_once_and_leaves_no_document_empty() {
        let own = [part("a.pdf", &[1, 2])];
        let [first, second] = [wanted(&[part("a.pdf", &[1])]), wanted(&[part("a.pdf", &[2])])];
        let all = || wanted(&own);
        assert!(covers(&own, &[first, second]));
        assert!(!covers(&own, &[all()]), "that is no split");
        assert!(!covers(&own, &[all(), wanted(&[])]), "a document without pages");
        assert!(!covers(&own, &[all(), wanted(&[part("a.pdf", &[2])])]), "a page twice");
        assert!(
            !covers(&own, &[wanted(&[part("a.pdf", &[1])]), wanted(&[part("b.pdf", &[2])])]),
            "another file"
        );
    }
}
