//! Which of a case's documents count: copies and older ones aside, fronts and backs together, and what
//! is missing or could not be read.

use std::collections::BTreeMap;

use super::flow::NeededDocuments;
use crate::domain::{Case, Check, Document, Field, Finding};

/// The documents of a case in the order of preference.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    documents: Vec<Document>,
    /// By position: the other side of the card did not come.
    missing_side: Vec<Option<Side>>,
    /// Findings that keep a file from being trusted, with the file's name.
    pub(super) unreadable: Vec<(String, Finding)>,
}

/// A side of an identity card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Front,
    Back,
}

/// What a case lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// As the flow names it, `id_card|passport`; the type that came when only a side is missing.
    pub(super) needed: String,
    /// Only this side of a card that is there.
    pub(super) side: Option<Side>,
}

impl Prepared {
    pub(super) fn new(case: &Case, needed: &NeededDocuments) -> Self {
        let mut documents = case.documents.clone();
        for card in &needed.two_sided {
            join_sides(&mut documents, card);
        }
        sort_by_preference(&mut documents, needed);
        drop_copies(&mut documents, needed);
        let missing_side = documents.iter().map(|document| missing_side(document, needed)).collect();
        Self { documents, missing_side, unreadable: unreadable(case, needed) }
    }

    pub(super) fn document(&self, index: usize) -> &Document {
        &self.documents[index]
    }

    pub(super) fn is_incomplete(&self, index: usize) -> bool {
        self.missing_side[index].is_some()
    }

    /// The document of one of these types that counts: a complete one, then the most preferred.
    pub(super) fn chosen(&self, types: &str) -> Option<usize> {
        let candidates = |complete: bool| {
            types
                .split('|')
                .filter_map(move |name| self.all(name).find(|index| self.is_incomplete(*index) != complete))
        };
        candidates(true).next().or_else(|| candidates(false).next())
    }

    /// All documents of a type, the preferred first.
    pub(super) fn all(&self, document_type: &str) -> impl Iterator<Item = usize> {
        let is_of_type = move |document: &Document| document.document_type.as_str() == document_type;
        self.documents
            .iter()
            .enumerate()
            .filter(move |(_, document)| is_of_type(document))
            .map(|(index, _)| index)
    }

    /// What of the needed documents is not there.
    pub(super) fn missing(&self, needed: &NeededDocuments) -> Vec<Missing> {
        let missing = |types: &String| match self.chosen(types) {
            None => Some(Missing { needed: types.clone(), side: None }),
            Some(index) => {
                let found = self.documents[index].document_type.as_str().to_owned();
                self.missing_side[index].map(|side| Missing { needed: found, side: Some(side) })
            }
        };
        needed.needed.iter().filter_map(missing).collect()
    }
}

fn unreadable(case: &Case, needed: &NeededDocuments) -> Vec<(String, Finding)> {
    let of_documents = case.documents.iter().flat_map(|document| {
        let file = document.parts.first().map(|part| part.file.clone()).unwrap_or_default();
        document.findings.iter().map(move |finding| (file.clone(), finding.clone()))
    });
    let all = case.unreadable.iter().cloned().chain(of_documents);
    all.filter(|(_, finding)| !needed.harmless_findings.contains(&finding.code)).collect()
}

/// The newest first; of equally old ones the one with more fields, then the surer one.
fn sort_by_preference(documents: &mut [Document], needed: &NeededDocuments) {
    documents.sort_by(|left, right| {
        let date = |document: &Document| {
            let field = needed.newest_by.get(document.document_type.as_str())?;
            document.fields.get(field)?.value.as_date()
        };
        let same_type = left.document_type.cmp(&right.document_type);
        let newest = date(right).cmp(&date(left));
        let fullest = right.fields.len().cmp(&left.fields.len());
        let surest = mean_confidence(right).total_cmp(&mean_confidence(left));
        same_type.then(newest).then(fullest).then(surest)
    });
}

fn mean_confidence(document: &Document) -> f64 {
    let sum: f64 = document.fields.values().map(|field| field.confidence).sum();
    #[expect(clippy::cast_precision_loss, reason = "a document has some tens of fields")]
    let count = document.fields.len().max(1) as f64;
    sum / count
}

/// Keeps the preferred one of several copies of a document.
fn drop_copies(documents: &mut Vec<Document>, needed: &NeededDocuments) {
    let mut kept: Vec<Document> = Vec::with_capacity(documents.len());
    for document in documents.drain(..) {
        let is_copy = needed
            .copies_agree_on
            .get(document.document_type.as_str())
            .is_some_and(|fields| kept.iter().any(|other| is_copy(&document, other, fields)));
        if !is_copy {
            kept.push(document);
        }
    }
    *documents = kept;
}

fn is_copy(document: &Document, other: &Document, fields: &[String]) -> bool {
    let value =
        |document: &Document, name: &String| document.fields.get(name).map(|field| field.value.clone());
    document.document_type == other.document_type
        && fields.iter().all(|name| {
            value(document, name).is_some_and(|found| value(other, name).as_ref() == Some(&found))
        })
}

/// Fields that the front of an identity card prints.
const FRONT_FIELDS: [&str; 6] =
    ["document_number", "given_names", "surnames", "birth_date", "expiry_date", "support_number"];

/// Which side of a two-sided card did not come. The machine-readable zone stands on the back; every
/// field that is printed away from it is on the front. A card of two pages has both sides.
fn missing_side(document: &Document, needed: &NeededDocuments) -> Option<Side> {
    if !needed.two_sided.iter().any(|name| name == document.document_type.as_str())
        || page_count(document) >= 2
    {
        return None;
    }
    let printed = || FRONT_FIELDS.iter().filter_map(|name| document.fields.get(*name));
    let Some(zone) = document.fields.get("mrz") else {
        return printed().next().map(|_| Side::Back);
    };
    let on_front = printed().filter(|field| !stands_in(field, zone)).count();
    // One stray reading on the back is no front.
    if on_front >= 2 { None } else { Some(Side::Front) }
}

fn page_count(document: &Document) -> usize {
    document.parts.iter().map(|part| part.pages.len()).sum()
}

/// Whether most of the field's box lies at the height of the zone.
fn stands_in(field: &Field, zone: &Field) -> bool {
    if field.file != zone.file || field.page != zone.page {
        return false;
    }
    let [_, top, _, height] = field.bounds;
    let [_, zone_top, _, zone_height] = zone.bounds;
    let shared = (top + height).min(zone_top + zone_height) - top.max(zone_top);
    height <= 0.0 && top >= zone_top && top <= zone_top + zone_height || shared > height / 2.0
}

/// Joins a front and a back that came as two documents.
fn join_sides(documents: &mut Vec<Document>, card: &str) {
    let needed = NeededDocuments {
        needed: Vec::new(),
        two_sided: vec![card.to_owned()],
        newest_by: BTreeMap::new(),
        copies_agree_on: BTreeMap::new(),
        harmless_findings: Vec::new(),
    };
    let find = |documents: &[Document], side: Side| {
        documents.iter().position(|document| missing_side(document, &needed) == Some(side))
    };
    let (Some(front), Some(back)) = (find(documents, Side::Back), find(documents, Side::Front)) else {
        return;
    };
    let back_side = documents[back].clone();
    let front_side = &mut documents[front];
    front_side.parts.extend(back_side.parts);
    front_side.findings.extend(back_side.findings);
    for (name, field) in back_side.fields {
        match front_side.fields.get_mut(&name) {
            Some(printed) => {
                let agree = printed.value == field.value;
                printed.checks.push(Check::new("sides_agree", agree || !is_decisive(&name)));
            }
            None => {
                front_side.fields.insert(name, field);
            }
        }
    }
    documents.remove(back);
}

/// Names may be cut or transcribed in the zone; numbers and dates may not differ.
fn is_decisive(field: &str) -> bool {
    matches!(field, "document_number" | "birth_date" | "expiry_date" | "support_number")
}
