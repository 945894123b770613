//! A case as the review station shows it: texts and numbers in the person's language, and which fields
//! need a look. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use dossier::domain::{CaseResult, Document, Field, Outcome, Reason, Transaction, Value};
use dossier::review::{Expected, Link, draft_request, expected, linked, wanted_documents};
use dossier::rules::Flow;
use dossier::store::{CaseFile, StoredCase};
use rust_decimal::Decimal;

use crate::server::language::Language;
use crate::server::state::AppState;
use crate::server::view::Page;

/// The reason of a rule that could not be evaluated for want of a certain field.
const UNCERTAIN_FIELD: &str = "UNCERTAIN_FIELD";

/// A field that a person is asked about.
pub(super) struct Question {
    /// Address of the field's row; empty when the document has no place for it.
    pub(super) target: String,
    pub(super) document: String,
    pub(super) title: String,
    /// Confidence where it was read; absent otherwise.
    pub(super) confidence: Option<f64>,
    pub(super) message: String,
}

pub(super) struct ReasonView {
    pub(super) code: String,
    pub(super) message: String,
    /// Fields to look at: address of the field's row and what people call it.
    pub(super) fields: Vec<(String, String)>,
}

pub(super) struct DocumentView {
    pub(super) index: usize,
    pub(super) document_type: String,
    pub(super) type_title: String,
    pub(super) type_confidence: f64,
    pub(super) pages: Vec<PageView>,
    /// Those that were read, then those that were not found.
    pub(super) fields: Vec<FieldView>,
    /// Fields that need a person.
    pub(super) open: usize,
    pub(super) findings: Vec<String>,
}

/// A page of a document and where its picture is.
pub(super) struct PageView {
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) page: u32,
    /// `/cases/{id}/files/{number}/pages/{page}`; `.png` gives the picture, `/words` the words.
    pub(super) address: String,
}

/// Why a person should look at a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// A failing check rests on it.
    Named,
    /// A rule that could change the outcome waits for it.
    Asked,
}

pub(super) struct FieldView {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) choices: Vec<String>,
    /// As a form takes it, in the language's notation.
    pub(super) input: String,
    pub(super) shown: String,
    /// Rows of a statement.
    pub(super) lines: Vec<LineView>,
    pub(super) field: Option<Field>,
    /// Name and whether it passed.
    pub(super) checks: Vec<(String, bool)>,
    pub(super) need: Option<Need>,
}

/// A row of a statement, as it is shown and edited.
pub(super) struct LineView {
    pub(super) number: usize,
    pub(super) date: String,
    pub(super) description: String,
    pub(super) amount: String,
    pub(super) balance: String,
    /// What the form does not show and gives back, as JSON.
    pub(super) rest: String,
}

/// A value that several documents carry.
pub(super) struct LinkView {
    pub(super) title: String,
    pub(super) agreement: &'static str,
    pub(super) mentions: Vec<MentionView>,
}

pub(super) struct MentionView {
    pub(super) target: String,
    pub(super) document: String,
    pub(super) text: String,
    pub(super) agreement: &'static str,
}

/// A document that can be asked for.
pub(super) struct WantedView {
    pub(super) types: String,
    pub(super) name: String,
    /// Its line in the message to the applicant.
    pub(super) line: String,
    pub(super) is_missing: bool,
}

impl FieldView {
    /// It was read, and nobody has confirmed it yet.
    pub(super) fn may_confirm(&self) -> bool {
        self.field.as_ref().is_some_and(|field| !field.confirmed)
    }

    pub(super) fn need_name(&self) -> &'static str {
        match self.need {
            Some(Need::Asked) => "asked",
            Some(Need::Named) => "named",
            None => "",
        }
    }

    /// It stands somewhere on a page.
    pub(super) fn has_box(&self) -> bool {
        self.field.as_ref().is_some_and(|field| field.bounds[2] > 0.0 && field.bounds[3] > 0.0)
    }
}

pub(super) struct View<'a> {
    state: &'a AppState,
    language: Language,
    case: &'a StoredCase,
    files: &'a [CaseFile],
    flow: Option<&'a Flow>,
    needs: BTreeMap<&'a str, Need>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        state: &'a AppState,
        language: Language,
        case: &'a StoredCase,
        files: &'a [CaseFile],
    ) -> Self {
        let flow = state.shop.engine.flow(&case.flow);
        let needs = case.result.as_ref().map(needs_of).unwrap_or_default();
        Self { state, language, case, files, flow, needs }
    }

    pub(super) fn flow_title(&self) -> String {
        let title = |flow: &Flow| flow.config.title.in_language(self.language.of_rules()).to_owned();
        self.flow.map_or_else(|| self.case.flow.clone(), title)
    }

    fn result_documents(&self) -> &'a [Document] {
        self.case.result.as_ref().map(|result| result.documents.as_slice()).unwrap_or_default()
    }

    fn all_reasons(&self) -> impl Iterator<Item = &'a Reason> {
        self.case.result.iter().flat_map(|result| &result.reasons)
    }

    pub(super) fn questions(&self) -> Vec<Question> {
        let asked = self.all_reasons().filter(|reason| reason.code == UNCERTAIN_FIELD);
        let questions = asked.flat_map(|reason| reason.fields.iter().map(move |path| (reason, path)));
        questions
            .map(|(reason, path)| {
                let (document_type, field) = path.split_once('.').unwrap_or(("", path));
                let place = self.place_of(path);
                let documents = self.result_documents();
                let found = place.and_then(|(index, field)| documents.get(index)?.fields.get(field));
                Question {
                    target: place.map(target).unwrap_or_default(),
                    document: self.type_title(document_type),
                    title: self.field_title(document_type, field),
                    confidence: found.map(|field| field.confidence),
                    message: reason.message.clone(),
                }
            })
            .collect()
    }

    /// Why the case stands as it does, the questions aside.
    pub(super) fn reasons(&self) -> Vec<ReasonView> {
        let said = self.all_reasons().filter(|reason| reason.code != UNCERTAIN_FIELD);
        said.map(|reason| ReasonView {
            code: reason.code.clone(),
            message: reason.message.clone(),
            fields: reason.fields.iter().map(|path| self.named(path)).collect(),
        })
        .collect()
    }

    /// Address and name of a field of a reason.
    fn named(&self, path: &str) -> (String, String) {
        let (document_type, field) = path.split_once('.').unwrap_or(("", path));
        let address = self.place_of(path).map(target).unwrap_or_default();
        let name = match document_type {
            "records" => self.record_title(field),
            "declared" | "" => self.field_title(document_type, field),
            _ => format!("{}: {}", self.type_title(document_type), self.field_title(document_type, field)),
        };
        (address, name)
    }

    /// The document and field of `document_type.field`: of several documents the one whose field is
    /// still open, else the first.
    fn place_of<'b>(&self, path: &'b str) -> Option<(usize, &'b str)> {
        let (document_type, field) = path.split_once('.')?;
        self.types_config(document_type)?.field(field)?;
        let documents = self.result_documents().iter().enumerate();
        let mut own: Vec<_> =
            documents.filter(|(_, document)| document.document_type.as_str() == document_type).collect();
        let is_settled =
            |document: &Document| document.fields.get(field).is_some_and(|found| found.confirmed);
        own.sort_by_key(|(_, document)| is_settled(document));
        own.first().map(|(index, _)| (*index, field))
    }

    fn types_config(&self, document_type: &str) -> Option<&'a dossier::config::DocumentTypeConfig> {
        self.state.shop.engine.understanding().document_type(document_type)
    }

    fn type_title(&self, document_type: &str) -> String {
        let title = self.types_config(document_type).map(|config| match self.language {
            Language::Spanish => config.title.es.clone(),
            Language::English => config.title.en.clone(),
        });
        title.unwrap_or_else(|| self.language.text("document.unknown").to_owned())
    }

    fn record_title(&self, table: &str) -> String {
        let title = |flow: &Flow| flow.document_name(table, self.language.of_rules());
        self.flow.map_or_else(|| table.to_owned(), title)
    }

    fn field_title(&self, document_type: &str, field: &str) -> String {
        let title = |flow: &Flow| flow.field_name(document_type, field, self.language.of_rules());
        self.flow.map_or_else(|| field.to_owned(), title)
    }

    pub(super) fn document_types(&self) -> Vec<(String, String)> {
        let types = self.state.shop.engine.understanding().types().iter();
        let names = types.map(|config| config.document_type.as_str());
        let all = names.chain(std::iter::once("unknown"));
        all.map(|name| (name.to_owned(), self.type_title(name))).collect()
    }

    pub(super) fn outputs(&self) -> Vec<(String, String)> {
        let page = Page::new(self.language, None, "");
        let outputs = self.case.result.iter().flat_map(|result| &result.outputs);
        outputs
            .map(|(name, value)| {
                let title = |flow: &Flow| flow.output_name(name, self.language.of_rules());
                let text = value.as_str().map_or_else(|| value.to_string(), |text| page.money(text));
                (self.flow.map_or_else(|| name.clone(), title), text)
            })
            .collect()
    }

    pub(super) fn links(&self) -> Vec<LinkView> {
        let types = self.state.shop.engine.understanding().types();
        let links = linked(types, self.result_documents(), &self.case.declared);
        links.iter().map(|link| self.link(link)).collect()
    }

    fn link(&self, link: &Link) -> LinkView {
        let key = format!("link.{}", link.kin.as_str());
        let title = self.language.text(&key);
        let title = if title == key { self.field_title("", link.kin.as_str()) } else { title.to_owned() };
        let document_title = |index: usize| {
            let document = self.result_documents().get(index);
            document.map(|document| self.type_title(document.document_type.as_str())).unwrap_or_default()
        };
        let mentions = link.mentions.iter().map(|mention| MentionView {
            target: mention.document.map(|index| target((index, mention.field.as_str()))).unwrap_or_default(),
            document: mention
                .document
                .map_or_else(|| self.language.text("link.declared").to_owned(), document_title),
            text: mention.text.clone(),
            agreement: mention.agreement.as_str(),
        });
        LinkView { title, agreement: link.agreement().as_str(), mentions: mentions.collect() }
    }

    pub(super) fn documents(&self) -> Vec<DocumentView> {
        let documents = self.result_documents().iter().enumerate();
        documents.map(|(index, document)| self.document(index, document)).collect()
    }

    fn document(&self, index: usize, document: &Document) -> DocumentView {
        let document_type = document.document_type.as_str();
        let config = self.types_config(document_type);
        let all = config.map(|config| config.fields.as_slice()).unwrap_or_default();
        let views = all.iter().filter_map(|field| {
            let kind = expected(config?, &field.name)?;
            Some(self.field(document, &field.name, kind))
        });
        let (mut fields, absent): (Vec<_>, Vec<_>) = views.partition(|view| view.field.is_some());
        fields.extend(absent);
        DocumentView {
            index,
            document_type: document_type.to_owned(),
            type_title: self.type_title(document_type),
            type_confidence: document.type_confidence,
            pages: self.pages(document),
            open: fields.iter().filter(|view| view.need.is_some()).count(),
            findings: document.findings.iter().map(|finding| finding.message.clone()).collect(),
            fields,
        }
    }

    fn field(&self, document: &Document, name: &str, kind: Expected) -> FieldView {
        let document_type = document.document_type.as_str();
        let field = document.fields.get(name).cloned();
        let page = Page::new(self.language, None, "");
        let rows = field.as_ref().and_then(|field| field.value.as_transactions()).unwrap_or_default();
        let lines = rows.iter().enumerate().map(|(index, row)| self.line(index + 1, row)).collect();
        let is_settled = field.as_ref().is_some_and(|field| field.confirmed);
        let need = self.needs.get(format!("{document_type}.{name}").as_str()).copied();
        let checks = field.iter().flat_map(|field| &field.checks);
        FieldView {
            need: need.filter(|_| !is_settled),
            input: field.as_ref().map(|field| page.input(&field.value, &kind)).unwrap_or_default(),
            shown: field.as_ref().map(|field| page.shown(&field.value, &kind)).unwrap_or_default(),
            checks: checks.map(|check| (self.check_title(&check.name), check.passed)).collect(),
            kind: kind.as_str(),
            choices: if let Expected::Choice(values) = kind { values } else { Vec::new() },
            name: name.to_owned(),
            title: self.field_title(document_type, name),
            lines,
            field,
        }
    }

    fn check_title(&self, check: &str) -> String {
        let title = |flow: &Flow| flow.check_name(check, self.language.of_rules());
        self.flow.map_or_else(|| check.to_owned(), title)
    }

    fn line(&self, number: usize, row: &Transaction) -> LineView {
        let page = Page::new(self.language, None, "");
        let money = |amount: Decimal| page.input(&Value::money(amount), &Expected::Money);
        let rest = serde_json::json!({
            "value_date": row.value_date, "confidence": row.confidence, "page": row.page, "file": row.file,
            "box": row.bounds,
        });
        LineView {
            number,
            date: page.input(&Value::date(row.date), &Expected::Date),
            description: row.description.clone(),
            amount: money(row.amount),
            balance: row.balance.map(money).unwrap_or_default(),
            rest: rest.to_string(),
        }
    }

    fn pages(&self, document: &Document) -> Vec<PageView> {
        let pages = document.parts.iter().flat_map(|part| part.pages.iter().map(move |page| (part, *page)));
        pages
            .filter_map(|(part, page)| {
                let mut files = self.files.iter();
                let file = files.find(|file| file.sha256 == part.sha256 && file.name == part.file)?;
                let address = format!("/cases/{}/files/{}/pages/{page}", self.case.id, file.number);
                Some(PageView { file: part.file.clone(), sha256: part.sha256.clone(), page, address })
            })
            .collect()
    }

    /// Documents to ask for: what the flow needs, those that are missing marked.
    pub(super) fn wanted(&self) -> Vec<WantedView> {
        let Some((flow, result)) = self.flow.zip(self.case.result.as_ref()) else { return Vec::new() };
        let missing: BTreeSet<String> = wanted_documents(flow, result).into_iter().collect();
        let needed = flow.config.documents.needed.iter();
        needed
            .map(|types| WantedView {
                types: types.clone(),
                name: flow.document_name(types, self.language.of_rules()),
                line: format!("- {}", flow.document_name(types, flow.config.language)),
                is_missing: missing.contains(types),
            })
            .collect()
    }

    /// The message to the applicant, in the flow's language, whatever the reviewer's is.
    pub(super) fn draft(&self) -> String {
        let drafted = self.flow.zip(self.case.result.as_ref());
        drafted.map(|(flow, result)| draft_request(flow, result, flow.config.language)).unwrap_or_default()
    }
}

/// `document_type.field` of every field that a reason rests on. Those of an accept need nobody.
fn needs_of(result: &CaseResult) -> BTreeMap<&str, Need> {
    let mut needs = BTreeMap::new();
    if matches!(result.outcome, Outcome::Accept) {
        return needs;
    }
    for reason in &result.reasons {
        let need = if reason.code == UNCERTAIN_FIELD { Need::Asked } else { Need::Named };
        for path in &reason.fields {
            let known = needs.entry(path.as_str()).or_insert(need);
            *known = need.max(*known);
        }
    }
    needs
}

/// Address of a field's row.
fn target((index, field): (usize, &str)) -> String {
    format!("#d{index}-{field}")
}
