//! The audit trail of a case: its events with the state of their chain, and who looked at documents.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Html;
use dossier::store::{Access, Event, StoredCase, verify_chain};

use crate::server::access::Signed;
use crate::server::desk;
use crate::server::images;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::view::Page;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage<'a> {
    page: Page<'a>,
    case: &'a StoredCase,
    events: Vec<(Event, String)>,
    accesses: Vec<(Access, String)>,
    /// The first event that does not fit the chain.
    broken_at: Option<i64>,
}

/// `GET /cases/{id}/history`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let case = desk::case(&state, &id).await?;
    images::record(&state, &signed, &id, 0, 0, "history").await?;
    let store = &state.shop.store;
    let (events, accesses, users) =
        (store.events(&id).await?, store.accesses(&id).await?, store.users().await?);
    let name = |id: &str| {
        users.iter().find(|user| user.id == id).map_or_else(|| id.to_owned(), |user| user.name.clone())
    };
    let page = HistoryPage {
        page: Page::new(language, Some(&signed), "history"),
        case: &case,
        broken_at: verify_chain(&id, &events).err().map(|broken| broken.sequence),
        events: events
            .into_iter()
            .map(|event| {
                let name = name(&event.actor);
                (event, name)
            })
            .collect(),
        accesses: accesses
            .into_iter()
            .map(|access| {
                let name = name(&access.user_id);
                (access, name)
            })
            .collect(),
    };
    Ok(Html(page.render()?))
}
