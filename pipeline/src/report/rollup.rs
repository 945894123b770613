//! Facts of many cases summed up. A rollup is of one day and flow in the store; reports are merged of
//! them, so that a figure is the same whichever way it was reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Split;
use super::facts::{CaseFacts, FieldFacts};
use super::timeline::Stage;
use crate::domain::{Mode, Outcome, Timings};

/// The sum of the facts of some cases.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rollup {
    pub split: Split,
    pub by_reason: BTreeMap<String, Split>,
    /// By who last corrected or decided.
    pub by_reviewer: BTreeMap<String, Split>,
    /// Cases by outcome and mode.
    pub outcomes: BTreeMap<(Outcome, Option<Mode>), u32>,
    pub sent: BTreeMap<String, SentCounts>,
    /// Cases that came to people.
    pub sent_cases: u32,
    pub fields: BTreeMap<String, FieldCounts>,
    /// Of cases with a final outcome.
    pub automation: Automation,
    pub first_response_s: Vec<u32>,
    pub resolution_s: Vec<u32>,
    pub sla_met: u32,
    pub sla_missed: u32,
    pub stages: BTreeMap<Stage, Vec<u32>>,
    pub machine: Machine,
    /// By user.
    pub work: BTreeMap<String, WorkCounts>,
    /// Seconds of people's work on cases with a final outcome.
    pub final_work_s: u64,
    pub blind: BlindCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SentCounts {
    pub cases: u32,
    pub accepted: u32,
    pub rejected: u32,
    pub requested: u32,
    pub agreed: u32,
    pub disagreed: u32,
}

/// Fields are counted a document, what people did a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FieldCounts {
    pub read: u32,
    pub certain: u32,
    pub confirmed: u32,
    pub corrected: u32,
    pub added: u32,
    pub removed: u32,
    pub certain_but_wrong: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Automation {
    pub cases: u32,
    pub cases_e2e: u32,
    pub documents: u32,
    pub documents_untouched: u32,
    pub fields: u64,
    pub fields_untouched: u64,
}

/// What the machine's own stages took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Machine {
    pub cases: u32,
    pub pages: u64,
    pub timings_ms: Timings,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkCounts {
    pub cases: u32,
    pub decisions: u32,
    pub corrections: u32,
    /// Of each case.
    pub seconds: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BlindCounts {
    /// Decided by the machine alone.
    pub decided_e2e: u32,
    pub drawn: u32,
    pub judged: u32,
    pub wrong: u32,
}

impl Rollup {
    pub fn add(&mut self, facts: &CaseFacts) {
        self.split.add(facts.outcome, facts.mode);
        for code in &facts.reasons {
            self.by_reason.entry(code.clone()).or_default().add(facts.outcome, facts.mode);
        }
        let reviewer = facts.reviewer_group().to_owned();
        self.by_reviewer.entry(reviewer).or_default().add(facts.outcome, facts.mode);
        *self.outcomes.entry((facts.outcome, facts.mode)).or_default() += 1;
        self.add_sent(facts);
        for (path, field) in &facts.fields {
            self.fields.entry(path.clone()).or_default().add(field);
        }
        self.first_response_s.extend(facts.first_response_s);
        self.resolution_s.extend(facts.resolution_s);
        self.sla_met += u32::from(facts.in_time == Some(true));
        self.sla_missed += u32::from(facts.in_time == Some(false));
        for (stage, seconds) in &facts.stages {
            self.stages.entry(*stage).or_default().push(*seconds);
        }
        self.machine.add(&Machine { cases: 1, pages: u64::from(facts.pages), timings_ms: facts.timings_ms });
        for (user, work) in &facts.work {
            let counts = self.work.entry(user.clone()).or_default();
            counts.cases += 1;
            counts.decisions += work.decisions;
            counts.corrections += work.corrections;
            counts.seconds.push(work.seconds);
        }
        if facts.mode.is_some() {
            self.add_final(facts);
        }
    }

    fn add_sent(&mut self, facts: &CaseFacts) {
        self.sent_cases += u32::from(!facts.sent.is_empty());
        for reason in &facts.sent {
            let counts = self.sent.entry(reason.code.clone()).or_default();
            counts.cases += 1;
            match reason.judged {
                Some(Outcome::Accept) => counts.accepted += 1,
                Some(Outcome::Reject) => counts.rejected += 1,
                Some(Outcome::RequestDocuments) => counts.requested += 1,
                Some(Outcome::Review) | None => {}
            }
            counts.agreed += u32::from(reason.agreed == Some(true));
            counts.disagreed += u32::from(reason.agreed == Some(false));
        }
    }

    fn add_final(&mut self, facts: &CaseFacts) {
        let is_e2e = facts.mode == Some(Mode::E2e);
        self.automation.add(&Automation {
            cases: 1,
            cases_e2e: u32::from(is_e2e),
            documents: facts.documents,
            documents_untouched: facts.untouched_documents,
            fields: u64::from(facts.field_count),
            fields_untouched: u64::from(facts.untouched_fields),
        });
        self.final_work_s += facts.work.values().map(|work| u64::from(work.seconds)).sum::<u64>();
        let was_wrong = facts.blind.and_then(|blind| blind.was_wrong);
        self.blind.add(BlindCounts {
            decided_e2e: u32::from(is_e2e),
            drawn: u32::from(facts.blind.is_some()),
            judged: u32::from(was_wrong.is_some()),
            wrong: u32::from(was_wrong == Some(true)),
        });
    }

    /// Adds the cases of another.
    pub fn merge(&mut self, other: &Rollup) {
        self.split.merge(&other.split);
        merge_maps(&mut self.by_reason, &other.by_reason, Split::merge);
        merge_maps(&mut self.by_reviewer, &other.by_reviewer, Split::merge);
        merge_maps(&mut self.outcomes, &other.outcomes, |all, one| *all += one);
        merge_maps(&mut self.sent, &other.sent, SentCounts::merge);
        self.sent_cases += other.sent_cases;
        merge_maps(&mut self.fields, &other.fields, FieldCounts::merge);
        self.automation.add(&other.automation);
        self.first_response_s.extend_from_slice(&other.first_response_s);
        self.resolution_s.extend_from_slice(&other.resolution_s);
        self.sla_met += other.sla_met;
        self.sla_missed += other.sla_missed;
        merge_maps(&mut self.stages, &other.stages, |all, one| all.extend_from_slice(one));
        self.machine.add(&other.machine);
        merge_maps(&mut self.work, &other.work, WorkCounts::merge);
        self.final_work_s += other.final_work_s;
        self.blind.add(other.blind);
    }
}

/// Looks keys up before it copies them: most are there already.
fn merge_maps<K: Ord + Clone, V: Default>(
    all: &mut BTreeMap<K, V>,
    other: &BTreeMap<K, V>,
    merge: impl Fn(&mut V, &V),
) {
    for (key, value) in other {
        match all.get_mut(key) {
            Some(sum) => merge(sum, value),
            None => merge(all.entry(key.clone()).or_default(), value),
        }
    }
}

impl SentCounts {
    fn merge(&mut self, other: &Self) {
        self.cases += other.cases;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.requested += other.requested;
        self.agreed += other.agreed;
        self.disagreed += other.disagreed;
    }
}

impl FieldCounts {
    fn add(&mut self, field: &FieldFacts) {
        self.merge(&Self {
            read: field.read,
            certain: field.certain,
            confirmed: u32::from(field.confirmed),
            corrected: u32::from(field.corrected),
            added: u32::from(field.added),
            removed: u32::from(field.removed),
            certain_but_wrong: u32::from(field.certain_but_wrong),
        });
    }

    fn merge(&mut self, other: &Self) {
        self.read += other.read;
        self.certain += other.certain;
        self.confirmed += other.confirmed;
        self.corrected += other.corrected;
        self.added += other.added;
        self.removed += other.removed;
        self.certain_but_wrong += other.certain_but_wrong;
    }
}

impl Automation {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.cases_e2e += other.cases_e2e;
        self.documents += other.documents;
        self.documents_untouched += other.documents_untouched;
        self.fields += other.fields;
        self.fields_untouched += other.fields_untouched;
    }
}

impl Machine {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.pages += other.pages;
        let (all, one) = (&mut self.timings_ms, &other.timings_ms);
        all.decode += one.decode;
        all.ocr += one.ocr;
        all.classify += one.classify;
        all.extract += one.extract;
        all.decide += one.decide;
        all.total += one.total;
    }
}

impl WorkCounts {
    fn merge(&mut self, other: &Self) {
        self.cases += other.cases;
        self.decisions += other.decisions;
        self.corrections += other.corrections;
        self.seconds.extend_from_slice(&other.seconds);
    }
}

impl BlindCounts {
    fn add(&mut self, other: Self) {
        self.decided_e2e += other.decided_e2e;
        self.drawn += other.drawn;
        self.judged += other.judged;
        self.wrong += other.wrong;
    }
}
