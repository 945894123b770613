//! Where labelled values get lost on their way through the search by labels: not found as a value, not
//! labelled, not related to the label, outranked. Only counts leave, so held-out layouts can be asked.

use std::fmt;

use serde_json::Value;

use super::compare::{Verdict, judge};
use super::truth::TruthDocument;
use crate::config::{DocumentTypeConfig, FieldConfig};
use crate::domain::Page;
use crate::extract::candidates::Class;
use crate::extract::labels::agreement::{Ranked, settle};
use crate::extract::labels::evidence::{Reading, possible_value};
use crate::extract::labels::{ranked_claims, read_pages};

/// How far the right value of one field came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing on the pages has its form.
    NoCandidate,
    /// It is there; no label of the field is.
    NoLabel,
    /// Both are there and have nothing to do with each other.
    NoRelation,
    /// Another value of the field has the better claim.
    Outranked,
    /// It lost its first place to the agreement of several fields.
    Settled,
    /// It has the best claim.
    First,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::NoCandidate => "no candidate",
            Stage::NoLabel => "no label",
            Stage::NoRelation => "no relation",
            Stage::Outranked => "outranked",
            Stage::Settled => "settled",
            Stage::First => "first",
        })
    }
}

/// For every labelled field that labels tell, the stage that its right value reached. `pages` are those of
/// the labelled document.
pub fn stages(config: &DocumentTypeConfig, pages: &[&Page], label: &TruthDocument) -> Vec<(String, Stage)> {
    let readings = read_pages(config, pages);
    let ranked = ranked_claims(config, &readings);
    let mut settled = ranked.clone();
    settle(config, &mut settled);
    let mut stages = Vec::new();
    for (index, field) in config.fields.iter().enumerate() {
        let Some(truth) = label.fields.get(&field.name).filter(|value| !value.is_null()) else { continue };
        let Some(class) = Class::of(config, index) else { continue };
        let found = Found { config, field, index, class, truth, readings: &readings };
        stages.push((field.name.clone(), found.stage(&ranked[index], &settled[index])));
    }
    stages
}

struct Found<'a> {
    config: &'a DocumentTypeConfig,
    field: &'a FieldConfig,
    index: usize,
    class: Class,
    truth: &'a Value,
    readings: &'a [Reading<'a>],
}

impl Found<'_> {
    fn is_right(&self, value: &crate::domain::Value) -> bool {
        serde_json::to_value(value)
            .is_ok_and(|value| judge(&self.field.name, &value, self.truth) == Verdict::Right)
    }

    fn stage(&self, ranked: &Ranked, settled: &Ranked) -> Stage {
        let first = |ranked: &Ranked| ranked.first().is_some_and(|claim| self.is_right(&claim.value));
        if first(settled) {
            return Stage::First;
        }
        if first(ranked) {
            return Stage::Settled;
        }
        if ranked.iter().any(|claim| self.is_right(&claim.value)) {
            return Stage::Outranked;
        }
        let candidates = self
            .readings
            .iter()
            .flat_map(|reading| reading.candidates.get(&self.class).into_iter().flatten());
        let stands = candidates
            .filter_map(|candidate| possible_value(self.config, self.index, candidate))
            .any(|value| self.is_right(&value));
        let labelled = self
            .readings
            .iter()
            .any(|reading| reading.occurrences.iter().any(|occurrence| occurrence.speaks_for(self.index)));
        match (stands, labelled) {
            (false, _) => Stage::NoCandidate,
            (true, false) => Stage::NoLabel,
            (true, true) => Stage::NoRelation,
        }
    }
}
