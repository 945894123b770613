//! Blind review: a person judges a case that the machine decided, and is not shown how. Nothing of the
//! decision (outcome, reasons, outputs) may stand on these pages.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{Html, Redirect};
use dossier::domain::{Document, Value};
use dossier::review::{Expected, expected};
use dossier::store::{CaseFile, StoredCase};
use serde::Deserialize;

use super::reports::type_title;
use crate::server::access::Signed;
use crate::server::blind;
use crate::server::desk;
use crate::server::images;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::view::Page;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct BlindQuery {
    /// Set when the next sample was asked for and there was none.
    #[serde(default)]
    empty: bool,
    /// Set after a judgement.
    #[serde(default)]
    done: bool,
}

#[derive(Template)]
#[template(path = "blind.html")]
struct BlindPage<'a> {
    page: Page<'a>,
    query: BlindQuery,
    waiting: i64,
}

/// `GET /blind`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Query(query): Query<BlindQuery>,
) -> Result<Html<String>, Problem> {
    let waiting = blind::waiting(&state).await?;
    let page = BlindPage { page: Page::new(language, Some(&signed), "blind"), query, waiting };
    Ok(Html(page.render()?))
}

/// `POST /blind/next`: a sample for this user.
pub(crate) async fn next(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
) -> Result<Redirect, Problem> {
    let taken = blind::take(&state, &signed).await?;
    let target =
        taken.map_or_else(|| "/blind?empty=true".to_owned(), |taken| format!("/blind/{}", taken.case_id));
    Ok(Redirect::to(&target))
}

#[derive(Template)]
#[template(path = "blind_case.html")]
struct SamplePage<'a> {
    page: Page<'a>,
    case: &'a StoredCase,
    flow_title: String,
    declared: Vec<(String, String)>,
    documents: Vec<DocumentView>,
}

struct DocumentView {
    title: String,
    pages: Vec<PageView>,
    /// Name and value.
    fields: Vec<(String, String)>,
    /// Rows of a statement: date, description, amount, balance.
    rows: Vec<[String; 4]>,
}

struct PageView {
    file: String,
    page: u32,
    image: String,
}

/// `GET /blind/{id}`
pub(crate) async fn sample(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    blind::held(&state, &signed, &id).await?;
    images::record(&state, &signed, &id, 0, 0, "blind").await?;
    let case = desk::case(&state, &id).await?;
    let files = state.shop.store.files(&id).await?;
    let view = View { state: &state, page: Page::new(language, None, ""), case: &case, files: &files };
    let page = SamplePage {
        page: Page::new(language, Some(&signed), "blind"),
        flow_title: view.flow_title(),
        declared: view.declared(),
        documents: view.documents(),
        case: &case,
    };
    Ok(Html(page.render()?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct JudgementForm {
    /// `accept`, `reject` or `request_documents`.
    outcome: String,
    reason: String,
}

/// `POST /blind/{id}`
pub(crate) async fn judge(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<JudgementForm>,
) -> Result<Redirect, Problem> {
    blind::judge(&state, &signed, &id, &form.outcome, &form.reason).await?;
    Ok(Redirect::to("/blind?done=true"))
}

struct View<'a> {
    state: &'a AppState,
    page: Page<'a>,
    case: &'a StoredCase,
    files: &'a [CaseFile],
}

impl View<'_> {
    fn flow_title(&self) -> String {
        let flow = self.state.shop.engine.flow(&self.case.flow);
        let title = flow.map(|flow| flow.config.title.in_language(self.page.language.of_rules()).to_owned());
        title.unwrap_or_else(|| self.case.flow.clone())
    }

    /// What was declared, a line a value, in the words of the flow where it has some.
    fn declared(&self) -> Vec<(String, String)> {
        let flow = self.state.shop.engine.flow(&self.case.flow);
        let name = |path: &str| {
            let language = self.page.language.of_rules();
            flow.map_or_else(|| path.to_owned(), |flow| flow.declared_name(path, language))
        };
        let lines = declared(&self.case.declared).into_iter();
        lines.map(|(path, value)| (name(&path), self.declared_value(&path, value))).collect()
    }

    /// A declared value as people of the language write it; what is not known stays as it came.
    fn declared_value(&self, path: &str, value: String) -> String {
        let day = value.parse().ok().map(|day| self.page.day(&day));
        match path.rsplit('.').next() {
            Some("principal" | "amount_claimed") => self.page.money(&value),
            Some("type") => self.page.code("choice", &value),
            Some("channel") => self.page.code("channel", &value),
            _ => day.unwrap_or(value),
        }
    }

    fn documents(&self) -> Vec<DocumentView> {
        let documents = self.case.result.iter().flat_map(|result| &result.documents);
        documents.map(|document| self.document(document)).collect()
    }

    fn document(&self, document: &Document) -> DocumentView {
        let document_type = document.document_type.as_str();
        let flow = self.state.shop.engine.flow(&self.case.flow);
        let rules = self.page.language.of_rules();
        let name = |field: &str| {
            flow.map_or_else(|| field.to_owned(), |flow| flow.field_name(document_type, field, rules))
        };
        let config = self.state.shop.engine.understanding().document_type(document_type);
        let shown = |field: &str, value: &Value| {
            let kind = config.and_then(|config| expected(config, field));
            self.page.shown(value, &kind.unwrap_or(Expected::Text))
        };
        // In the order of the document type, as the review station shows them.
        let place =
            |name: &str| config.and_then(|config| config.fields.iter().position(|field| field.name == name));
        let mut plain: Vec<_> =
            document.fields.iter().filter(|(_, field)| field.value.as_transactions().is_none()).collect();
        plain.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        let rows = document.fields.values().filter_map(|field| field.value.as_transactions()).flatten();
        let pages = document.parts.iter().flat_map(|part| part.pages.iter().map(move |page| (part, *page)));
        DocumentView {
            title: type_title(self.state, self.page.language, document_type),
            fields: plain.into_iter().map(|(field, read)| (name(field), shown(field, &read.value))).collect(),
            rows: rows
                .map(|row| {
                    let money = |amount: &rust_decimal::Decimal| self.page.money(&format!("{amount:.2}"));
                    let balance = row.balance.as_ref().map(money).unwrap_or_default();
                    [self.page.day(&row.date), row.description.clone(), money(&row.amount), balance]
                })
                .collect(),
            pages: pages
                .filter_map(|(part, page)| {
                    let mut files = self.files.iter();
                    let file = files.find(|file| file.sha256 == part.sha256 && file.name == part.file)?;
                    let image = format!("/cases/{}/files/{}/pages/{page}.png", self.case.id, file.number);
                    Some(PageView { file: part.file.clone(), page, image })
                })
                .collect(),
        }
    }
}

/// Paths and values.
fn declared(value: &serde_json::Value) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    collect(value, String::new(), &mut lines);
    lines
}

fn collect(value: &serde_json::Value, path: String, lines: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(parts) => {
            for (name, part) in parts {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(part, path, lines);
            }
        }
        serde_json::Value::String(text) if text.is_empty() => {}
        serde_json::Value::String(text) => lines.push((path, text.clone())),
        serde_json::Value::Null => {}
        other => lines.push((path, other.to_string())),
    }
}
