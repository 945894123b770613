//! The API for other systems and for the pages' scripts: `/api/v1`.

pub(super) mod list;
pub(super) mod cases;
pub(super) mod review;
pub(super) mod reports;
pub(super) mod blind;
pub(super) mod deliveries;
pub(super) mod upload;
mod shapes;
pub(super) mod document;

use axum::Json;
use axum::extract::{Extension, FromRequest, FromRequestParts};
use axum::http::request::Parts;

use super::access::Signed;
use super::problem::Problem;

/// A JSON body; what cannot be understood is a problem that says where.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::<T>::from_request(request, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Body(body))
    }
}

/// The query of an address; what cannot be understood is a problem.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let query = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Query(query.0))
    }
}

/// `GET /api/v1/me`: who asks.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "me",
    responses((status = 200, description = "Who asks", body = shapes::Me))
)]
pub(crate) async fn me(Extension(signed): Extension<Signed>) -> Json<serde_json::Value> {
    Json(serde_json::json!({"login": signed.user.login, "name": signed.user.name, "role": signed.user.role}))
}
