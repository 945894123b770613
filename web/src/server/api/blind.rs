//! Blind reviews over the API: a case without what the machine decided.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Body, shapes};
use crate::server::access::Signed;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::{blind, desk, images};

/// `POST /api/v1/blind/next`: takes a sample, if there is one.
#[utoipa::path(
    post,
    path = "/api/v1/blind/next",
    tag = "blind",
    responses((status = 200, description = "A sample in your hands", body = shapes::Sample), (status = 204, description = "There is none"))
)]
pub(crate) async fn next(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
) -> Result<Response, Problem> {
    match blind::take(&state, &signed).await? {
        Some(taken) => Ok(Json(sample(&state, &signed, &taken.case_id).await?).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// `GET /api/v1/blind/{id}`: the sample in this user's hands.
#[utoipa::path(
    get,
    path = "/api/v1/blind/{id}",
    tag = "blind",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, description = "The sample", body = shapes::Sample))
)]
pub(crate) async fn read(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(sample(&state, &signed, &id).await?))
}

/// What was sent in and read; no outcome, reason or output.
async fn sample(state: &AppState, signed: &Signed, id: &str) -> Result<Value, Problem> {
    let held = blind::held(state, signed, id).await?;
    images::record(state, signed, id, 0, 0, "blind").await?;
    let case = desk::case(state, id).await?;
    let files = state.shop.store.files(id).await?;
    let files: Vec<Value> = files
        .iter()
        .map(|file| json!({"number": file.number, "name": file.name, "pages": file.page_count}))
        .collect();
    let documents = case.result.map(|result| result.documents).unwrap_or_default();
    Ok(json!({"id": case.id, "flow": case.flow, "reference": case.reference, "received_on": case.received_on,
              "declared": case.declared, "documents": documents, "files": files,
              "held_until": held.taken_until}))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judgement {
    outcome: String,
    reason: String,
}

/// `POST /api/v1/blind/{id}/judgement`: what a person decides who has not seen what the machine did.
#[utoipa::path(
    post,
    path = "/api/v1/blind/{id}/judgement",
    tag = "blind",
    params(("id" = String, Path, description = "The case")),
    request_body = Judgement,
    responses((status = 204, description = "Done"))
)]
pub(crate) async fn judge(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Body(judgement): Body<Judgement>,
) -> Result<StatusCode, Problem> {
    blind::judge(&state, &signed, &id, &judgement.outcome, &judgement.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
