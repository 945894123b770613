//! What a person does with a case, as forms send it.

use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use dossier::clock::Micros;
use dossier::review::{Change, Judgement, wanted_documents};
use serde::Deserialize;

use super::case::render;
use super::given;
use crate::server::access::Signed;
use crate::server::desk::{self, Grip};
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;

const HOUR: Micros = 3_600_000_000;

fn back(id: &str) -> Response {
    Redirect::to(&format!("/cases/{id}")).into_response()
}

/// `POST /cases/{id}/claim`
pub(crate) async fn claim(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    desk::claim(&state, &signed, &id).await?;
    Ok(back(&id))
}

#[derive(Debug, Deserialize)]
pub(crate) struct GenerationForm {
    generation: Option<i64>,
}

/// `POST /cases/{id}/release`
pub(crate) async fn release(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<GenerationForm>,
) -> Result<Redirect, Problem> {
    desk::release(&state, &signed, &id, form.generation).await?;
    Ok(Redirect::to("/queue"))
}

#[derive(Debug, Deserialize)]
pub(crate) struct PostponeForm {
    generation: i64,
    hours: i64,
}

/// `POST /cases/{id}/postpone`
pub(crate) async fn postpone(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<PostponeForm>,
) -> Result<Redirect, Problem> {
    let until = state.now() + form.hours.clamp(1, 720) * HOUR - 1;
    desk::postpone(&state, &signed, &id, form.generation, until).await?;
    Ok(Redirect::to("/queue"))
}

#[derive(Debug, Deserialize)]
pub(crate) struct HandoverForm {
    generation: i64,
    /// Login; the seniors when empty.
    to: Option<String>,
    note: String,
}

/// `POST /cases/{id}/handover`
pub(crate) async fn hand_over(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<HandoverForm>,
) -> Result<Redirect, Problem> {
    let to = given(form.to);
    desk::hand_over(&state, &signed, &id, form.generation, to.as_deref(), &form.note).await?;
    Ok(Redirect::to("/queue"))
}

#[derive(Debug, Deserialize)]
pub(crate) struct FieldForm {
    generation: i64,
    revision: i64,
    document: usize,
    field: String,
    #[serde(default)]
    value: String,
    /// `correct`, `confirm` or `remove`.
    action: String,
}

/// `POST /cases/{id}/fields`
pub(crate) async fn correct(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    Form(form): Form<FieldForm>,
) -> Result<Response, Problem> {
    let grip = Grip { generation: form.generation, revision: form.revision };
    let target = format!("/cases/{id}#d{}-{}", form.document, form.field);
    let change = match form.action.as_str() {
        "confirm" => Change::Confirm { document: form.document, field: form.field },
        "remove" => Change::Remove { document: form.document, field: form.field },
        _ => Change::Correct { document: form.document, field: form.field, input: form.value, place: None },
    };
    match desk::apply(&state, &signed, &id, grip, change).await {
        Ok(_) => Ok(Redirect::to(&target).into_response()),
        Err(problem) if problem.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let body = render(&state, &signed, language, &id, Some(problem.detail)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(body)).into_response())
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct DecisionForm {
    generation: i64,
    revision: i64,
    /// `accept`, `reject` or `request_documents`.
    outcome: String,
    reason: String,
    #[serde(default)]
    message: String,
    /// Document types, joined by commas: forms cannot send lists.
    #[serde(default)]
    wanted: String,
}

/// `POST /cases/{id}/decision`
pub(crate) async fn decide(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<DecisionForm>,
) -> Result<Redirect, Problem> {
    let case = desk::case(&state, &id).await?;
    let judgement = match form.outcome.as_str() {
        "accept" => Judgement::Accept,
        "reject" => Judgement::Reject,
        "request_documents" => {
            let flow = state.shop.engine.flow(&case.flow);
            let wanted: Vec<String> = form
                .wanted
                .split(',')
                .map(str::trim)
                .filter(|types| !types.is_empty())
                .map(str::to_owned)
                .collect();
            let missing = flow.zip(case.result.as_ref()).map(|(flow, result)| wanted_documents(flow, result));
            let wanted = if wanted.is_empty() { missing.unwrap_or_default() } else { wanted };
            Judgement::RequestDocuments { wanted, message: form.message }
        }
        _ => return Err(Problem::invalid("the outcome must be accept, reject or request_documents")),
    };
    let grip = Grip { generation: form.generation, revision: form.revision };
    let effect = desk::decide(&state, &signed, &id, grip, judgement, &form.reason).await?;
    Ok(Redirect::to(&format!("/queue?done={}", desk::effect_name(&effect))))
}

#[derive(Debug, Deserialize)]
pub(crate) struct PriorityForm {
    priority: i64,
}

/// `POST /cases/{id}/priority`
pub(crate) async fn prioritise(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<PriorityForm>,
) -> Result<Response, Problem> {
    if !(-1..=9).contains(&form.priority) {
        return Err(Problem::invalid("the priority must be between -1 and 9").about("priority"));
    }
    desk::case(&state, &id).await?;
    state.shop.store.prioritise(&id, &signed.user.id, form.priority, state.now()).await?;
    Ok(back(&id))
}
