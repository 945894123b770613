//! All cases, the newest first.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Html;
use dossier::clock::Micros;
use dossier::store::{CaseFilter, CaseState, CaseSummary, SlaState};
use serde::Deserialize;

use super::given;
use super::queue::{flow_titles, title_of};
use crate::server::access::{Permission, Signed};
use crate::server::api::cases::outcome_of;
use crate::server::api::list::{Cursor, cut};
use crate::server::filter::{aged, decided_on};
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
    decided_from: Option<String>,
    decided_to: Option<String>,
    sla: Option<String>,
    /// Days in the queue, such as `1-3`.
    age: Option<String>,
    /// What a report counted the case under.
    mark: Option<String>,
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
    let by_blind_reviewer = signed.may(Permission::Review);
    let filter = CaseFilter { by_blind_reviewer, ..query.filter(state.now())? };
    let after = Cursor::parse(query.after.as_deref())?;
    let mut cases = state.shop.store.cases(&filter, state.now(), after, PAGE_SIZE + 1).await?;
    let has_more = cut(&mut cases, PAGE_SIZE);
    let last = cases.last().filter(|_| has_more);
    let following = last.map(|last| query.after_case(&Cursor::new(last.created_at, &last.id)));
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
    fn filter(&self, now: Micros) -> Result<CaseFilter, Problem> {
        let mut filter = CaseFilter {
            flow: given(self.flow.clone()),
            state: self.state.as_deref().and_then(CaseState::parse),
            outcome: self.outcome.as_deref().and_then(outcome_of),
            sla: self.sla.as_deref().and_then(SlaState::parse),
            mode: given(self.mode.clone()),
            reason: given(self.reason.clone()),
            text: given(self.text.clone()),
            mark: given(self.mark.clone()),
            ..CaseFilter::default()
        };
        let (from, to) = (given(self.decided_from.clone()), given(self.decided_to.clone()));
        decided_on(&mut filter, from.as_deref(), to.as_deref())
            .ok_or_else(|| Problem::bad_request("a day is written YYYY-MM-DD").about("decided_from"))?;
        if let Some(age) = given(self.age.clone()) {
            aged(&mut filter, &age, now)
                .ok_or_else(|| Problem::bad_request("there is no such age").about("age"))?;
        }
        Ok(filter)
    }

    /// A figure of a report, or a part of the filter that the form does not show, led here.
    fn is_counted(&self) -> bool {
        [&self.mark, &self.age, &self.sla, &self.reason].into_iter().any(|part| given(part.clone()).is_some())
    }

    /// Parts of the filter that the form does not show, by name.
    fn hidden(&self) -> Vec<(&'static str, &str)> {
        let parts = [("mark", &self.mark), ("age", &self.age), ("sla", &self.sla), ("reason", &self.reason)];
        parts.into_iter().filter_map(|(name, part)| Some((name, part.as_deref()?))).collect()
    }

    fn after_case(&self, cursor: &Cursor) -> String {
        let mut target = format!("/cases?after={}", escape(&cursor.to_string()));
        let parts = [
            ("flow", &self.flow),
            ("state", &self.state),
            ("outcome", &self.outcome),
            ("mode", &self.mode),
            ("reason", &self.reason),
            ("text", &self.text),
            ("decided_from", &self.decided_from),
            ("decided_to", &self.decided_to),
            ("sla", &self.sla),
            ("age", &self.age),
            ("mark", &self.mark),
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
