//! One case at the review station: why it is here, what the rules say now, its documents with their
//! fields beside the pages they stand on, and the forms whose answers [`super::acts`] takes. What the
//! station's scripts (`static/station/`) change goes through the API; single fields and decisions work
//! without scripts.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Html;
use dossier::store::{CaseFile, CaseState, DocumentRequest, Lease, Note, StoredCase};
use serde_json::json;

use super::case_view::{DocumentView, LinkView, Question, ReasonView, View, WantedView};
use crate::server::access::Signed;
use crate::server::desk;
use crate::server::images;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::view::Page;

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    page: Page<'a>,
    case: &'a StoredCase,
    user: &'a str,
    flow_title: String,
    /// Fields that a rule which could change the outcome waits for.
    questions: Vec<Question>,
    reasons: Vec<ReasonView>,
    outputs: Vec<(String, String)>,
    links: Vec<LinkView>,
    documents: Vec<DocumentView>,
    /// Names and titles of the document types.
    types: Vec<(String, String)>,
    files: &'a [CaseFile],
    notes: Vec<Note>,
    requests: Vec<DocumentRequest>,
    /// The lease of this user, while it lasts.
    lease: Option<&'a Lease>,
    /// Who else holds it.
    held_by: Option<String>,
    complaint: Option<String>,
    wanted: Vec<WantedView>,
    draft: String,
    first_outcome: Option<&'static str>,
    /// Pages read and to be read, while the machine is at it.
    progress: Option<(u32, u32)>,
    /// What the scripts say, as JSON.
    texts: String,
}

/// `GET /cases/{id}`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    images::record(&state, &signed, &desk::case(&state, &id).await?.id, 0, 0, "case").await?;
    Ok(Html(render(&state, &signed, language, &id, None).await?))
}

pub(super) async fn render(
    state: &AppState,
    signed: &Signed,
    language: Language,
    id: &str,
    complaint: Option<String>,
) -> Result<String, Problem> {
    let case = desk::current(state, id).await?;
    let store = &state.shop.store;
    let (files, notes, requests) =
        (store.files(id).await?, store.notes(id).await?, store.document_requests(id).await?);
    let lease = store.lease(id, state.now()).await?;
    let own = lease.as_ref().filter(|lease| lease.user_id == signed.user.id);
    let other = lease.as_ref().filter(|lease| lease.user_id != signed.user.id);
    let held_by = match other {
        Some(lease) => {
            let users = store.users().await?;
            users.into_iter().find(|user| user.id == lease.user_id).map(|user| user.name)
        }
        None => None,
    };
    let view = View::new(state, language, &case, &files);
    let page = CasePage {
        page: Page::new(language, Some(signed), "case"),
        user: &signed.user.id,
        flow_title: view.flow_title(),
        questions: view.questions(),
        reasons: view.reasons(),
        outputs: view.outputs(),
        links: view.links(),
        documents: view.documents(),
        types: view.document_types(),
        wanted: view.wanted(),
        draft: view.draft(),
        first_outcome: case.first_opinion.as_ref().map(|(_, outcome)| outcome.as_str()),
        texts: texts(language),
        files: &files,
        notes,
        requests,
        lease: own,
        held_by,
        complaint,
        progress: state.shop.board.progress(&case.id).filter(|(_, pages)| *pages > 0),
        case: &case,
    };
    Ok(page.render()?)
}

/// The sentences of the scripts, and the names of what they get from the API.
fn texts(language: Language) -> String {
    json!({
        "say": language.family("station.say"), "outcome": language.family("outcome"),
        "problem": language.family("problem"), "kind": language.family("kind"),
        "column": language.family("column"),
    })
    .to_string()
}

impl CasePage<'_> {
    /// What several documents say of the same thing is worth a look.
    fn links_differ(&self) -> bool {
        self.links.iter().any(|link| link.agreement != "same")
    }

    fn in_review(&self) -> bool {
        self.case.state == CaseState::InReview
    }

    fn is_waiting_for_the_machine(&self) -> bool {
        self.case.state == CaseState::Processing
    }
}
