//! Deliveries over the API: what others were told of cases, what was given up, and sending it again.

use axum::Json;
use axum::extract::{Path, State};
use dossier::store::DeliveryState;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::list::{Cursor, cut, wanted};
use super::{Query, shapes};
use crate::server::problem::Problem;
use crate::server::state::AppState;

#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryQuery {
    /// `waiting`, `delivered` or `dead`.
    state: Option<String>,
    /// Id of a case.
    case: Option<String>,
    /// `next` of the list before.
    after: Option<String>,
    limit: Option<i64>,
}

/// `GET /api/v1/deliveries`: what is or was to be delivered, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    tag = "deliveries",
    params(DeliveryQuery),
    responses((status = 200, description = "Deliveries", body = shapes::DeliveryList))
)]
pub(crate) async fn list(
    State(app): State<AppState>,
    Query(query): Query<DeliveryQuery>,
) -> Result<Json<Value>, Problem> {
    let state = query.state.as_deref().map(|name| {
        DeliveryState::parse(name)
            .ok_or_else(|| Problem::bad_request("the state is waiting, delivered or dead").about("state"))
    });
    let (state, after) = (state.transpose()?, Cursor::parse(query.after.as_deref())?);
    let limit = wanted(query.limit);
    let mut found = app.shop.store.deliveries(state, query.case.as_deref(), after, limit + 1).await?;
    let has_more = cut(&mut found, limit);
    let next =
        found.last().filter(|_| has_more).map(|last| Cursor::new(last.created_at, &last.id).to_string());
    Ok(Json(json!({"deliveries": found, "next": next})))
}

/// `POST /api/v1/deliveries/{id}/attempt`: has a dead letter sent again.
#[utoipa::path(
    post,
    path = "/api/v1/deliveries/{id}/attempt",
    tag = "deliveries",
    params(("id" = String, Path, description = "The delivery")),
    responses((status = 202, description = "It is sent again"))
)]
pub(crate) async fn resend(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<axum::http::StatusCode, Problem> {
    if state.shop.store.resend(Some(&id), state.now()).await? == 0 {
        return Err(Problem::conflict("not_dead", "there is no dead letter with this id"));
    }
    Ok(axum::http::StatusCode::ACCEPTED)
}
