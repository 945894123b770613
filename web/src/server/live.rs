//! What happens now, for pages that are open: server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use tokio::sync::broadcast;

use super::state::AppState;

/// Something changed. Carries no data of the case: who may see it asks for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Change {
    pub(crate) case_id: String,
    /// `received`, `unchanged`, `reading`, `processed`, `claimed`, `released`, `changed` or `decided`.
    pub(crate) what: &'static str,
}

#[derive(Debug, Clone)]
pub(crate) struct Live(broadcast::Sender<Change>);

impl Live {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(256).0)
    }

    pub(crate) fn tell(&self, case_id: &str, what: &'static str) {
        // Nobody listening is fine.
        self.0.send(Change { case_id: case_id.to_owned(), what }).ok();
    }
}

/// `GET /events`: `case` events with `case_id` and `what`; `missed` when some were lost.
pub(crate) async fn events(
    State(state): State<AppState>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = state.live.0.subscribe();
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let event = match receiver.recv().await {
            Ok(change) => {
                let data = serde_json::to_string(&change).unwrap_or_default();
                Event::default().event("case").data(data)
            }
            Err(broadcast::error::RecvError::Lagged(_)) => Event::default().event("missed").data("{}"),
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((Ok(event), receiver))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
