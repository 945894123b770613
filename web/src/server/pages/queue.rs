//! The queue, the most urgent first.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use dossier::clock::Micros;
use dossier::store::{CaseFilter, CaseSummary, Counts, SlaState};
use serde::Deserialize;

use super::given;
use crate::server::access::Signed;
use crate::server::api::list::cut;
use crate::server::desk;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::session::escape;
use crate::server::state::AppState;
use crate::server::view::Page;

/// Cases on one page of the queue.
const PAGE_SIZE: i64 = 50;
const HOUR: Micros = 3_600_000_000;

#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct QueueQuery {
    flow: Option<String>,
    reason: Option<String>,
    sla: Option<String>,
    /// In the queue for at least so many hours.
    hours: Option<String>,
    text: Option<String>,
    page: Option<u32>,
    /// What came of the decision that was just taken.
    done: Option<String>,
    /// Set when *Next case* found none.
    #[serde(default)]
    empty: bool,
}

impl QueueQuery {
    fn filter(&self, now: Micros) -> CaseFilter {
        let hours: Option<i64> = self.hours.as_deref().and_then(|hours| hours.trim().parse().ok());
        CaseFilter {
            flow: given(self.flow.clone()),
            reason: given(self.reason.clone()),
            text: given(self.text.clone()),
            sla: self.sla.as_deref().and_then(SlaState::parse),
            queued_before: hours.map(|hours| now - hours.clamp(0, 100_000) * HOUR),
            ..CaseFilter::default()
        }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        let own = match name {
            "reason" => &self.reason,
            "sla" => &self.sla,
            _ => &self.flow,
        };
        own.as_deref() == Some(value)
    }

    /// The same query on another page.
    fn on_page(&self, page: u32) -> String {
        let parts = [
            ("flow", &self.flow),
            ("reason", &self.reason),
            ("sla", &self.sla),
            ("hours", &self.hours),
            ("text", &self.text),
        ];
        let mut query = format!("/queue?page={page}");
        for (name, value) in parts {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={}", escape(value)));
            }
        }
        query
    }
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage<'a> {
    page: Page<'a>,
    query: &'a QueueQuery,
    flows: Vec<(String, String)>,
    reasons: Vec<(String, i64)>,
    cases: Vec<Line>,
    counts: Counts,
    previous: Option<String>,
    following: Option<String>,
}

struct Line {
    case: CaseSummary,
    flow_title: String,
    sla: &'static str,
    /// Until then nobody gets it.
    is_postponed: bool,
}

/// `GET /queue`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Query(query): Query<QueueQuery>,
) -> Result<Html<String>, Problem> {
    let now = state.now();
    let number = query.page.unwrap_or(1).max(1);
    let offset = i64::from(number - 1) * PAGE_SIZE;
    let mut cases = state.shop.store.queue(&query.filter(now), now, PAGE_SIZE + 1, offset).await?;
    let has_more = cut(&mut cases, PAGE_SIZE);
    let flows = flow_titles(&state, language);
    let line = |case: CaseSummary| Line {
        flow_title: title_of(&flows, &case.flow),
        sla: case.sla_state(now).map_or("", SlaState::as_str),
        is_postponed: case.postponed_until.is_some_and(|until| until > now),
        case,
    };
    let page = QueuePage {
        page: Page::new(language, Some(&signed), "queue"),
        cases: cases.into_iter().map(line).collect(),
        reasons: state.shop.store.queue_reasons().await?,
        counts: state.shop.store.counts().await?,
        previous: (number > 1).then(|| query.on_page(number - 1)),
        following: has_more.then(|| query.on_page(number + 1)),
        query: &query,
        flows,
    };
    Ok(Html(page.render()?))
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NextForm {
    flow: Option<String>,
}

/// `POST /queue/next`: the most urgent case that this user may do.
pub(crate) async fn next(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Form(form): Form<NextForm>,
) -> Result<Response, Problem> {
    let lease = desk::claim_next(&state, &signed, given(form.flow).as_deref()).await?;
    let target =
        lease.map_or_else(|| "/queue?empty=true".to_owned(), |lease| format!("/cases/{}", lease.case_id));
    Ok(Redirect::to(&target).into_response())
}

/// Names and titles of the flows.
pub(crate) fn flow_titles(state: &AppState, language: Language) -> Vec<(String, String)> {
    let engine = &state.shop.engine;
    let flows = engine.flow_names().into_iter().filter_map(|name| engine.flow(name));
    flows
        .map(|flow| (flow.name.clone(), flow.config.title.in_language(language.of_rules()).to_owned()))
        .collect()
}

pub(crate) fn title_of(flows: &[(String, String)], name: &str) -> String {
    flows.iter().find(|(flow, _)| flow == name).map_or_else(|| name.to_owned(), |(_, title)| title.clone())
}
