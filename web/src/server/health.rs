//! For those who operate the server.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::state::AppState;

/// `GET /health/live`: the process answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /health/ready`: the store answers too.
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    match state.shop.store.counts().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}

/// `GET /metrics`: Prometheus text.
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let counts = state.shop.store.counts().await?;
    let mut text =
        String::from("# HELP dossier_cases Cases by where they stand.\n# TYPE dossier_cases gauge\n");
    let states = [
        ("processing", counts.processing),
        ("waiting_documents", counts.waiting_documents),
        ("in_review", counts.in_review),
        ("final", counts.decided),
    ];
    for (name, cases) in states {
        // Writing to a string cannot fail.
        writeln!(text, "dossier_cases{{state=\"{name}\"}} {cases}").ok();
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
