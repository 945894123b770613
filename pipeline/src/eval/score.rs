//! Counting: which documents, fields, rows and decisions were right.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::compare::{Verdict, fold, judge};
use super::truth::{TruthCase, TruthDocument};
use crate::confidence::{Proof, field_key, row_key};
use crate::domain::{CaseResult, Document, Field, Outcome, TextSource};

/// Confidence from which a value counts as surely given.
const SURE: f64 = 0.95;

/// Right, wrong and missed values. `wrong` counts what was given and is not right, whether or not
/// the document carries the field; `missed` counts labels without a right value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FieldTally {
    pub right: u32,
    pub wrong: u32,
    pub missed: u32,
    pub sure: u32,
    pub sure_wrong: u32,
}

impl FieldTally {
    /// Right values among the labels; 1 without labels.
    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missed)
    }

    /// Right values among those given; 1 when none was given.
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    fn add(&mut self, other: &FieldTally) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
        self.sure += other.sure;
        self.sure_wrong += other.sure_wrong;
    }
}

/// Rows of statements: a row is right when its date and signed amount are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RowTally {
    pub right: u32,
    pub given: u32,
    pub labelled: u32,
}

impl RowTally {
    pub fn f1(&self) -> f64 {
        share(2 * self.right, self.given + self.labelled)
    }
}

fn share(part: u32, full: u32) -> f64 {
    if full == 0 { 1.0 } else { f64::from(part) / f64::from(full) }
}

/// One given value, for fitting confidence: what was claimed, and whether it was right.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// See [`field_key`].
    pub key: String,
    pub rendering: String,
    pub layout: String,
    pub seen: bool,
    /// The confidence given, which without a model is the score.
    pub score: f64,
    pub proof: Proof,
    pub right: bool,
}

impl Observation {
    pub fn source(&self) -> TextSource {
        match self.rendering.as_str() {
            "born_digital" => TextSource::Native,
            "photo" => TextSource::Photo,
            _ => TextSource::Scan,
        }
    }
}

/// A wrong or missed value, to be looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    pub case: String,
    pub layout: String,
    pub rendering: String,
    pub field: String,
    pub truth: Option<Value>,
    pub read: Option<Value>,
    pub confidence: Option<f64>,
}

/// Documents, fields, rows by group; decisions over all.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluation {
    pub groups: BTreeMap<String, GroupScore>,
    /// How often documents of one type were taken for another: `split/right read as given`.
    pub confusions: BTreeMap<String, u32>,
    /// By `split/type.field`, where split is `seen` or `unseen`.
    pub fields: BTreeMap<String, FieldTally>,
    pub cases: u32,
    pub wrong_accepts: u32,
    pub wrong_rejects: u32,
    /// Cases whose right outcome needs no person.
    pub decidable: u32,
    /// Of these, how many got just that outcome without a person.
    pub decided: u32,
    /// Cases whose outcome is the label's.
    pub outcome_right: u32,
    /// By field: decidable cases that uncertainty about it sent to a person, and in how many it was alone.
    pub stopped_by: BTreeMap<String, (u32, u32)>,
    /// The same by document, as `split/rendering type`.
    pub stopped_by_document: BTreeMap<String, (u32, u32)>,
    /// The same by code of the reasons that the label does not give.
    pub stopped_by_reason: BTreeMap<String, (u32, u32)>,
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
    #[serde(skip)]
    pub observations: Vec<Observation>,
    #[serde(skip)]
    pub outcome_mistakes: Vec<String>,
}

/// Figures of one group of documents: `seen/scan`, `unseen/all` and so on.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct GroupScore {
    pub documents: u32,
    pub type_right: u32,
    pub fields: FieldTally,
    pub rows: RowTally,
}

impl GroupScore {
    pub fn type_accuracy(&self) -> f64 {
        share(self.type_right, self.documents)
    }
}

/// Counts each cause once, and whether it was the only one.
fn count_stops<'a>(
    counts: &mut BTreeMap<String, (u32, u32)>,
    causes: impl ExactSizeIterator<Item = &'a str>,
) {
    let alone = causes.len() == 1;
    for cause in causes {
        let (all, only) = counts.entry(cause.to_owned()).or_default();
        *all += 1;
        *only += u32::from(alone);
    }
}

/// Scores results against labels. A labelled case without a result counts as nothing read.
pub fn evaluate(truths: &[TruthCase], results: &BTreeMap<(String, String), CaseResult>) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for truth in truths {
        let result = results.get(&(truth.flow.clone(), truth.reference.clone()));
        evaluation.add_case(truth, result);
    }
    evaluation
}

impl Evaluation {
    /// Values given with a confidence from 0.95 on unseen layouts, and how many of them are wrong.
    pub fn sure_values(&self) -> (u32, u32) {
        self.groups.get("unseen/all").map_or((0, 0), |group| (group.fields.sure, group.fields.sure_wrong))
    }

    fn add_case(&mut self, truth: &TruthCase, result: Option<&CaseResult>) {
        self.add_outcome(truth, result);
        let documents: &[Document] = result.map_or(&[], |result| &result.documents);
        let mut used = BTreeSet::new();
        for label in &truth.documents {
            let found = best_match(label, documents);
            if let Some(index) = found {
                used.insert(index);
            }
            self.add_document(truth, label, found.and_then(|index| documents.get(index)));
        }
    }

    fn add_outcome(&mut self, truth: &TruthCase, result: Option<&CaseResult>) {
        self.cases += 1;
        let outcome = result.map(|result| result.outcome);
        let given = outcome.map_or("none", Outcome::as_str);
        self.wrong_accepts += u32::from(outcome == Some(Outcome::Accept) && truth.outcome != "accept");
        self.wrong_rejects += u32::from(outcome == Some(Outcome::Reject) && truth.outcome != "reject");
        self.outcome_right += u32::from(given == truth.outcome);
        if truth.outcome != "review" {
            self.decidable += 1;
            self.decided += u32::from(given == truth.outcome);
            if let Some(result) = result.filter(|_| given != truth.outcome) {
                self.add_stops(truth, result);
            }
        }
        let all_seen = truth.documents.iter().all(|label| label.seen);
        if given != truth.outcome && all_seen {
            let codes: Vec<&str> = result
                .map(|result| result.reasons.iter().map(|reason| reason.code.as_str()).collect())
                .unwrap_or_default();
            let fields: BTreeSet<&str> = result
                .map(|result| {
                    let uncertain = result.reasons.iter().filter(|reason| reason.code == "UNCERTAIN_FIELD");
                    uncertain.flat_map(|reason| reason.fields.iter().map(String::as_str)).collect()
                })
                .unwrap_or_default();
            self.outcome_mistakes.push(format!(
                "{}/{}: {given} instead of {} ({codes:?} instead of {:?}) {fields:?}",
                truth.flow, truth.reference, truth.outcome, truth.reasons
            ));
        }
    }

    /// Counts what kept a case from the outcome that its label gives.
    fn add_stops(&mut self, truth: &TruthCase, result: &CaseResult) {
        let uncertain = result.reasons.iter().filter(|reason| reason.code == "UNCERTAIN_FIELD");
        let fields: BTreeSet<&str> =
            uncertain.flat_map(|reason| reason.fields.iter().map(String::as_str)).collect();
        let documents: BTreeSet<String> = truth
            .documents
            .iter()
            .filter(|label| {
                fields.iter().any(|field| field.split('.').next() == Some(label.document_type.as_str()))
            })
            .map(|label| {
                let split = if label.seen { "seen" } else { "unseen" };
                format!("{split}/{} {}", label.rendering, label.document_type)
            })
            .collect();
        let codes = result.reasons.iter().map(|reason| reason.code.as_str());
        let codes: BTreeSet<&str> =
            codes.filter(|code| truth.reasons.iter().all(|right| right != code)).collect();
        count_stops(&mut self.stopped_by, fields.iter().copied());
        count_stops(&mut self.stopped_by_document, documents.iter().map(String::as_str));
        count_stops(&mut self.stopped_by_reason, codes.iter().copied());
    }

    fn add_document(&mut self, truth: &TruthCase, label: &TruthDocument, read: Option<&Document>) {
        let type_right = read.is_some_and(|document| document.document_type.as_str() == label.document_type);
        let split = if label.seen { "seen" } else { "unseen" };
        if !type_right {
            let given = read.map_or("nothing", |document| document.document_type.as_str());
            let confusion = format!("{split}/{} read as {given}", label.document_type);
            *self.confusions.entry(confusion).or_default() += 1;
        }
        let read = read.filter(|_| type_right);
        let mut tally = FieldTally::default();
        let none = BTreeMap::new();
        let fields = read.map_or(&none, |document| &document.fields);
        let names: BTreeSet<&str> = label
            .fields
            .keys()
            .chain(fields.keys())
            .map(String::as_str)
            .filter(|name| *name != "transactions")
            .collect();
        for name in names {
            let one = self.add_field(truth, label, name, fields.get(name));
            self.fields.entry(format!("{split}/{}.{name}", label.document_type)).or_default().add(&one);
            tally.add(&one);
        }
        let judged = judge_rows(label.fields.get("transactions"), fields.get("transactions"));
        let rows = tally_rows(label.fields.get("transactions"), &judged);
        for (score, right) in judged {
            self.observe(label, row_key(&label.document_type), score, Proof::default(), right);
        }
        if let Some(table) = fields.get("transactions") {
            let key = field_key(&label.document_type, "transactions", &table.value);
            let right = rows.right == rows.given && rows.right == rows.labelled;
            self.observe(label, key, table.confidence, Proof::of(&table.checks, table.repaired), right);
        }
        for group in [format!("{split}/{}", label.rendering), format!("{split}/all")] {
            let score = self.groups.entry(group).or_default();
            score.documents += 1;
            score.type_right += u32::from(type_right);
            score.fields.add(&tally);
            score.rows.right += rows.right;
            score.rows.given += rows.given;
            score.rows.labelled += rows.labelled;
        }
    }

    fn observe(&mut self, label: &TruthDocument, key: String, score: f64, proof: Proof, right: bool) {
        self.observations.push(Observation {
            key,
            rendering: label.rendering.clone(),
            layout: label.layout.clone(),
            seen: label.seen,
            score,
            proof,
            right,
        });
    }

    fn add_field(
        &mut self,
        truth: &TruthCase,
        label: &TruthDocument,
        name: &str,
        read: Option<&Field>,
    ) -> FieldTally {
        let right_value = label.fields.get(name).filter(|value| !value.is_null());
        let value = read.and_then(|field| serde_json::to_value(&field.value).ok());
        let right = match (&value, right_value) {
            (Some(value), Some(label)) => judge(name, value, label) == Verdict::Right,
            (None, None) => return FieldTally::default(),
            _ => false,
        };
        if let Some(field) = read {
            let key = field_key(&label.document_type, name, &field.value);
            self.observe(label, key, field.confidence, Proof::of(&field.checks, field.repaired), right);
        }
        // What was wrong on a held-out layout stays unseen: only its figures count.
        if !right && label.seen {
            self.mistakes.push(Mistake {
                case: format!("{}/{}", truth.flow, truth.reference),
                layout: label.layout.clone(),
                rendering: label.rendering.clone(),
                field: format!("{}.{name}", label.document_type),
                truth: right_value.cloned(),
                read: value.clone(),
                confidence: read.map(|field| field.confidence),
            });
        }
        let sure = read.is_some_and(|field| field.confidence >= SURE);
        FieldTally {
            right: u32::from(right),
            wrong: u32::from(value.is_some() && !right),
            missed: u32::from(right_value.is_some() && !right),
            sure: u32::from(sure),
            sure_wrong: u32::from(sure && !right),
        }
    }
}

/// The read document that shares most pages with the label.
fn best_match(label: &TruthDocument, documents: &[Document]) -> Option<usize> {
    let pages: BTreeSet<(&str, u32)> = label
        .parts
        .iter()
        .flat_map(|part| part.pages.iter().map(|page| (base_name(&part.file), *page)))
        .collect();
    let shared = |document: &Document| {
        let read = document
            .parts
            .iter()
            .flat_map(|part| part.pages.iter().map(|page| (base_name(&part.file), *page)));
        read.filter(|page| pages.contains(page)).count()
    };
    let counts = documents.iter().map(shared).enumerate();
    counts
        .filter(|(_, count)| *count > 0)
        .max_by_key(|(index, count)| (*count, usize::MAX - index))
        .map(|(index, _)| index)
}

/// A member of an archive is labelled by its own name.
fn base_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// For each row that was given, its confidence and whether a label has its date and amount.
fn judge_rows(label: Option<&Value>, read: Option<&Field>) -> Vec<(f64, bool)> {
    let mut left: Vec<String> = label
        .and_then(Value::as_array)
        .map(|rows| {
            rows.iter().map(|row| day_and_amount(row["date"].as_str(), row["amount"].as_str())).collect()
        })
        .unwrap_or_default();
    let rows = read.and_then(|field| field.value.as_transactions()).unwrap_or_default();
    let judged = rows.iter().map(|row| {
        let amount = crate::domain::format_money(row.amount);
        let key = day_and_amount(Some(&row.date.to_string()), Some(&amount));
        let place = left.iter().position(|label| *label == key);
        if let Some(place) = place {
            left.swap_remove(place);
        }
        (row.confidence, place.is_some())
    });
    judged.collect()
}

fn tally_rows(label: Option<&Value>, judged: &[(f64, bool)]) -> RowTally {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    RowTally {
        right: number(judged.iter().filter(|(_, right)| *right).count()),
        given: number(judged.len()),
        labelled: number(label.and_then(Value::as_array).map_or(0, Vec::len)),
    }
}

fn day_and_amount(date: Option<&str>, amount: Option<&str>) -> String {
    format!("{} {}", date.unwrap_or_default(), fold_amount(amount.unwrap_or_default()))
}

fn fold_amount(amount: &str) -> String {
    amount.parse().map_or_else(|_| fold(amount), crate::domain::format_money)
}
