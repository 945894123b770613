//! Figures that an evaluation must not fall under.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::score::{Evaluation, GroupScore};

/// Floors by group (`unseen/scan`), and for decisions. Every key may be left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    #[serde(default)]
    pub groups: BTreeMap<String, GroupFloors>,
    /// Most cases that may be accepted although they should not be.
    pub wrong_accepts: Option<u32>,
    /// Share of the decidable cases that must be decided without a person.
    pub decided: Option<f64>,
    /// Largest share of values given with confidence from 0.95 that may be wrong.
    pub sure_wrong: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFloors {
    #[serde(rename = "type")]
    pub document_type: Option<f64>,
    pub recall: Option<f64>,
    pub precision: Option<f64>,
    pub row_f1: Option<f64>,
}

impl Floors {
    /// One sentence for each figure that is under its floor; none when all hold.
    pub fn broken_by(&self, evaluation: &Evaluation) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, floors) in &self.groups {
            match evaluation.groups.get(name) {
                Some(group) => floors.check(name, group, &mut broken),
                None => broken.push(format!("no document of {name} was scored")),
            }
        }
        if let Some(most) = self.wrong_accepts
            && evaluation.wrong_accepts > most
        {
            broken.push(format!(
                "{} cases were wrongly accepted, at most {most} may be",
                evaluation.wrong_accepts
            ));
        }
        let decided = f64::from(evaluation.decided) / f64::from(evaluation.decidable.max(1));
        below("the share of cases decided without a person", self.decided, decided, &mut broken);
        let (sure, wrong) = evaluation.sure_values();
        let share = f64::from(wrong) / f64::from(sure.max(1));
        if let Some(most) = self.sure_wrong
            && share > most
        {
            broken.push(format!("{wrong} of {sure} sure values are wrong, at most a share of {most} may be"));
        }
        broken
    }
}

impl GroupFloors {
    fn check(&self, name: &str, group: &GroupScore, broken: &mut Vec<String>) {
        below(&format!("{name}: type accuracy"), self.document_type, group.type_accuracy(), broken);
        below(&format!("{name}: field recall"), self.recall, group.fields.recall(), broken);
        below(&format!("{name}: field precision"), self.precision, group.fields.precision(), broken);
        below(&format!("{name}: row F1"), self.row_f1, group.rows.f1(), broken);
    }
}

fn below(what: &str, floor: Option<f64>, figure: f64, broken: &mut Vec<String>) {
    if let Some(floor) = floor
        && figure < floor
    {
        broken.push(format!("{what} is {figure:.3}, under its floor of {floor:.3}"));
    }
}
