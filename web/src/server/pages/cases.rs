//! All cases, the newest first.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Html;
use dossier::store::{CaseFilter, CaseState, CaseSummary};
use serde::Deserialize;

use super::given;
use super::queue::{flow_titles, title_of};
use crate::server::access::Signed;
use crate::server::api::cases::{Cursor, outcome_of};
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::session::escape;
use crate::server::state::AppState;
use crate::server::view::Page;

const PAGE_SIZE: i64 = 50;

/// The filter in the address; reports link here with it.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct CasesQuery {
    flow: Option<String>,
    state: Option<String>,
    outcome: Option<String>,
    mode: Option<String>,
    reason: Option<String>,
    text: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage<'a> {
    page: Page<'a>,
    query: &'a CasesQuery,
    flows: Vec<(String, String)>,
    cases: Vec<(CaseSummary, String)>,
    following: Option<String>,
}

/// `GET /cases`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Query(query): Query<CasesQuery>,
) -> Result<Html<String>, Problem> {
    let filter = CaseFilter {
        flow: given(query.flow.clone()),
        state: query.state.as_deref().and_then(CaseState::parse),
        outcome: query.outcome.as_deref().and_then(outcome_of),
        mode: given(query.mode.clone()),
        reason: given(query.reason.clone()),
        text: given(query.text.clone()),
        ..CaseFilter::default()
    };
    let after = query.after.as_deref().map(Cursor::parse).transpose()?;
    let mut cases =
        state.shop.store.cases(&filter, state.now(), after.map(Cursor::into_pair), PAGE_SIZE + 1).await?;
    let size = usize::try_from(PAGE_SIZE).unwrap_or(50);
    let has_more = cases.len() > size;
    cases.truncate(size);
    let following = cases.last().filter(|_| has_more).map(|last| query.after_case(&Cursor::of(last)));
    let flows = flow_titles(&state, language);
    let page = CasesPage {
        page: Page::new(language, Some(&signed), "cases"),
        cases: cases
            .into_iter()
            .map(|case| {
                let title = title_of(&flows, &case.flow);
                (case, title)
            })
            .collect(),
        query: &query,
        flows,
        following,
    };
    Ok(Html(page.render()?))
}

impl CasesQuery {
    fn after_case(&self, cursor: &Cursor) -> String {
        let mut target = format!("/cases?after={}", escape(&cursor.to_string()));
        let parts = [
            ("flow", &self.flow),
            ("state", &self.state),
            ("outcome", &self.outcome),
            ("mode", &self.mode),
            ("reason", &self.reason),
            ("text", &self.text),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                target.push_str(&format!("&{name}={}", escape(value)));
            }
        }
        target
    }

    fn has(&self, name: &str, value: &str) -> bool {
        let own = match name {
            "state" => &self.state,
            "outcome" => &self.outcome,
            "mode" => &self.mode,
            _ => &self.flow,
        };
        own.as_deref() == Some(value)
    }
}
