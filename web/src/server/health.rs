//! For those who operate the server.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use dossier::store::CaseState;

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
    text.push_str(
        "# HELP dossier_longest_wait_seconds Since when the case waits that waits the longest.\n\
         # TYPE dossier_longest_wait_seconds gauge\n",
    );
    let (waits, now) = (state.shop.store.longest_waits().await?, state.now());
    for waiting in [CaseState::Processing, CaseState::WaitingDocuments, CaseState::InReview] {
        let since = waits.iter().find(|(found, _)| *found == waiting).map_or(now, |(_, since)| *since);
        let (name, seconds) = (waiting.as_str(), (now - since).max(0) / 1_000_000);
        writeln!(text, "dossier_longest_wait_seconds{{state=\"{name}\"}} {seconds}").ok();
    }
    text.push_str(
        "# HELP dossier_deliveries Deliveries by where they stand.\n# TYPE dossier_deliveries gauge\n",
    );
    for (delivery, number) in state.shop.store.delivery_counts().await? {
        writeln!(text, "dossier_deliveries{{state=\"{}\"}} {number}", delivery.as_str()).ok();
    }
    text.push_str(&state.shop.meters.text());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
