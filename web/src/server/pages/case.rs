//! One case: why it is here, its documents with their fields, the pictures of its pages, and the forms
//! whose answers [`super::acts`] takes. Works without scripts.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Html;
use dossier::domain::{Document, Field, Transaction, Value};
use dossier::review::{Expected, draft_request, expected};
use dossier::rules::Flow;
use dossier::store::{CaseFile, CaseState, DocumentRequest, Lease, Note, StoredCase};
use rust_decimal::Decimal;

use crate::server::access::Signed;
use crate::server::desk;
use crate::server::images;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::view::{Page, as_input};

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    page: Page<'a>,
    case: &'a StoredCase,
    flow_title: String,
    reasons: Vec<ReasonView>,
    documents: Vec<DocumentView>,
    files: &'a [CaseFile],
    notes: Vec<Note>,
    requests: Vec<DocumentRequest>,
    /// The lease of this user, while it lasts.
    lease: Option<&'a Lease>,
    /// Who else holds it.
    held_by: Option<String>,
    complaint: Option<String>,
    wanted: Vec<(String, String)>,
    draft: String,
    first_outcome: Option<&'static str>,
}

struct ReasonView {
    code: String,
    message: String,
    /// Fields to look at: address of the field's row and what people call it.
    fields: Vec<(String, String)>,
}

struct DocumentView {
    index: usize,
    type_title: String,
    type_confidence: f64,
    pages: Vec<PageView>,
    fields: Vec<FieldView>,
    /// Fields that it has not, by name and title.
    absent: Vec<FieldView>,
}

/// A page of a document and where its picture is.
struct PageView {
    file: String,
    page: u32,
    image: String,
}

pub(crate) struct FieldView {
    name: String,
    title: String,
    kind: &'static str,
    choices: Vec<String>,
    /// As a form takes it.
    input: String,
    shown: String,
    /// Rows of a statement.
    lines: Vec<LineView>,
    field: Option<Field>,
    /// A rule that could change the outcome waits for it.
    is_asked: bool,
}

/// A row of a statement, as it is shown.
struct LineView {
    date: String,
    description: String,
    amount: String,
    balance: String,
}

impl FieldView {
    /// It was read, and nobody has confirmed it yet.
    fn may_confirm(&self) -> bool {
        self.field.as_ref().is_some_and(|field| !field.confirmed)
    }
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
    let case = desk::case(state, id).await?;
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
    let flow = state.shop.engine.flow(&case.flow);
    let view = View { state, language, case: &case, files: &files };
    let page = CasePage {
        page: Page::new(language, Some(signed), "case"),
        flow_title: flow.map_or_else(
            || case.flow.clone(),
            |flow| flow.config.title.in_language(language.of_rules()).to_owned(),
        ),
        reasons: view.reasons(),
        documents: view.documents(),
        wanted: flow.map(|flow| view.wanted(flow)).unwrap_or_default(),
        draft: view.draft(flow),
        first_outcome: case.first_opinion.as_ref().map(|(_, outcome)| outcome.as_str()),
        files: &files,
        notes,
        requests,
        lease: own,
        held_by,
        complaint,
        case: &case,
    };
    Ok(page.render()?)
}

struct View<'a> {
    state: &'a AppState,
    language: Language,
    case: &'a StoredCase,
    files: &'a [CaseFile],
}

impl View<'_> {
    fn documents(&self) -> Vec<DocumentView> {
        let documents =
            self.case.result.as_ref().map(|result| result.documents.as_slice()).unwrap_or_default();
        let asked = self.asked_fields();
        documents.iter().enumerate().map(|(index, document)| self.document(index, document, &asked)).collect()
    }

    /// `document_type.field` of every field that a reason names.
    fn asked_fields(&self) -> BTreeSet<&str> {
        let reasons = self.case.result.iter().flat_map(|result| &result.reasons);
        let asked = reasons.filter(|reason| reason.code == "UNCERTAIN_FIELD");
        asked.flat_map(|reason| &reason.fields).map(String::as_str).collect()
    }

    fn document(&self, index: usize, document: &Document, asked: &BTreeSet<&str>) -> DocumentView {
        let document_type = document.document_type.as_str();
        let config = self.state.shop.engine.understanding().document_type(document_type);
        let all = config.map(|config| config.fields.as_slice()).unwrap_or_default();
        let views = all.iter().filter_map(|field| {
            let kind = expected(config?, &field.name)?;
            Some(self.field(document, &field.name, kind, asked))
        });
        let (fields, absent) = views.partition(|view: &FieldView| view.field.is_some());
        let title = config.map(|config| match self.language {
            Language::Spanish => config.title.es.clone(),
            Language::English => config.title.en.clone(),
        });
        DocumentView {
            index,
            type_title: title.unwrap_or_else(|| self.language.text("document.unknown").to_owned()),
            type_confidence: document.type_confidence,
            pages: self.pages(document),
            fields,
            absent,
        }
    }

    fn field(&self, document: &Document, name: &str, kind: Expected, asked: &BTreeSet<&str>) -> FieldView {
        let document_type = document.document_type.as_str();
        let field = document.fields.get(name).cloned();
        let flow = self.state.shop.engine.flow(&self.case.flow);
        let title = flow.map_or_else(
            || name.to_owned(),
            |flow| flow.field_name(document_type, name, self.language.of_rules()),
        );
        let rows = field.as_ref().and_then(|field| field.value.as_transactions()).unwrap_or_default();
        let lines = rows.iter().map(|row| self.line(row)).collect();
        FieldView {
            is_asked: asked.contains(format!("{document_type}.{name}").as_str()),
            input: field.as_ref().map(|field| as_input(&field.value)).unwrap_or_default(),
            shown: field.as_ref().map(|field| self.shown(&field.value, &kind)).unwrap_or_default(),
            kind: kind.as_str(),
            choices: if let Expected::Choice(values) = kind { values } else { Vec::new() },
            name: name.to_owned(),
            title,
            lines,
            field,
        }
    }

    fn shown(&self, value: &Value, kind: &Expected) -> String {
        let page = Page::new(self.language, None, "");
        match (value, kind) {
            (Value::Text(text), Expected::Money | Expected::Decimal) => page.money(text),
            (Value::Text(text), Expected::Date) => match value.as_date() {
                Some(day) if self.language == Language::Spanish => day.format("%d/%m/%Y").to_string(),
                _ => text.clone(),
            },
            (Value::Boolean(truth), _) => {
                self.language.text(if *truth { "value.yes" } else { "value.no" }).to_owned()
            }
            (value, _) => as_input(value),
        }
    }

    fn line(&self, row: &Transaction) -> LineView {
        let page = Page::new(self.language, None, "");
        let money = |amount: Decimal| page.money(&format!("{amount:.2}"));
        LineView {
            date: self.shown(&Value::date(row.date), &Expected::Date),
            description: row.description.clone(),
            amount: money(row.amount),
            balance: row.balance.map(money).unwrap_or_default(),
        }
    }

    fn pages(&self, document: &Document) -> Vec<PageView> {
        let pages = document.parts.iter().flat_map(|part| part.pages.iter().map(move |page| (part, *page)));
        pages
            .filter_map(|(part, page)| {
                let mut files = self.files.iter();
                let file = files.find(|file| file.sha256 == part.sha256 && file.name == part.file)?;
                let image = format!("/cases/{}/files/{}/pages/{page}.png", self.case.id, file.number);
                Some(PageView { file: part.file.clone(), page, image })
            })
            .collect()
    }

    fn reasons(&self) -> Vec<ReasonView> {
        let Some(result) = &self.case.result else { return Vec::new() };
        let flow = self.state.shop.engine.flow(&self.case.flow);
        let name = |path: &String| {
            let (document_type, field) = path.split_once('.').unwrap_or(("", path));
            let name = |flow: &Flow| flow.field_name(document_type, field, self.language.of_rules());
            let index =
                result.documents.iter().position(|document| document.document_type.as_str() == document_type);
            let target = index.map_or_else(String::new, |index| format!("#d{index}-{field}"));
            (target, flow.map_or_else(|| path.clone(), name))
        };
        let reasons = result.reasons.iter();
        reasons
            .map(|reason| ReasonView {
                code: reason.code.clone(),
                message: reason.message.clone(),
                fields: reason.fields.iter().map(name).collect(),
            })
            .collect()
    }

    /// Needed documents to ask for: what the flow calls them, with their names.
    fn wanted(&self, flow: &Flow) -> Vec<(String, String)> {
        let needed = flow.config.documents.needed.iter();
        needed.map(|types| (types.clone(), flow.document_name(types, self.language.of_rules()))).collect()
    }

    fn draft(&self, flow: Option<&Flow>) -> String {
        // Applicants get the flow's language, whatever the reviewer's is.
        let drafted = flow.zip(self.case.result.as_ref());
        drafted.map(|(flow, result)| draft_request(flow, result, flow.config.language)).unwrap_or_default()
    }
}

impl CasePage<'_> {
    fn is_missing(&self, types: &str) -> bool {
        let documents = self.case.result.iter().flat_map(|result| &result.documents);
        let mut found = documents.map(|document| document.document_type.as_str());
        !found.any(|document| types.split('|').any(|name| name == document))
    }

    fn in_review(&self) -> bool {
        self.case.state == CaseState::InReview
    }
}
