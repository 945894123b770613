//! Past cases under changed rules: what would have been decided otherwise, before anybody puts them in force.
//!
//! What the machine read is replayed, without people's corrections, so that the split it gives is the one that the
//! changed rules would have had.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Decision, Flow, RecordSource, decide_with};
use crate::domain::{Case, CaseResult, Outcome};

/// What rules said of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Codes of its reasons, in their order.
    pub codes: Vec<String>,
}

impl Verdict {
    /// What was decided then.
    pub fn stored(result: &CaseResult) -> Self {
        Self {
            outcome: result.outcome,
            codes: result.reasons.iter().map(|reason| reason.code.clone()).collect(),
        }
    }

    /// What this flow's rules decide now of what was read then.
    pub async fn replayed(
        flow: &Flow,
        result: &CaseResult,
        declared: &serde_json::Value,
        records: &dyn RecordSource,
    ) -> Self {
        let Decision { outcome, reasons, .. } = decide_with(flow, &Case::of(result, declared), records).await;
        Self { outcome, codes: reasons.into_iter().map(|reason| reason.code).collect() }
    }

    /// Final without a person.
    fn is_automatic(&self) -> bool {
        matches!(self.outcome, Outcome::Accept | Outcome::Reject)
    }
}

/// A case that the changed rules decide otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    pub flow: String,
    pub reference: String,
    pub before: Verdict,
    pub after: Verdict,
    /// What a person decided, where one did.
    pub person: Option<Outcome>,
}

/// The difference that changed rules make over many cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Simulation {
    pub cases: u32,
    /// Cases whose flow the changed rules do not have.
    pub without_flow: u32,
    /// Cases by outcome, `before → after`.
    pub outcomes: BTreeMap<Outcome, BTreeMap<Outcome, u32>>,
    /// Decided without a person, before and after.
    pub automatic: (u32, u32),
    /// Cases that a person decided and that the changed rules decide alone: as the person did, and otherwise.
    pub people: (u32, u32),
    /// Cases with another outcome or other reasons, in the order they were added.
    pub changed: Vec<Changed>,
}

impl Simulation {
    /// Counts a case. `person` is what a person decided, where one did.
    pub fn add(
        &mut self,
        (flow, reference): (&str, &str),
        before: Verdict,
        after: Verdict,
        person: Option<Outcome>,
    ) {
        self.cases += 1;
        *self.outcomes.entry(before.outcome).or_default().entry(after.outcome).or_default() += 1;
        self.automatic.0 += u32::from(before.is_automatic());
        self.automatic.1 += u32::from(after.is_automatic());
        if let Some(person) = person.filter(|_| after.is_automatic()) {
            let agreed = person == after.outcome;
            self.people.0 += u32::from(agreed);
            self.people.1 += u32::from(!agreed);
        }
        if before != after {
            let (flow, reference) = (flow.to_owned(), reference.to_owned());
            self.changed.push(Changed { flow, reference, before, after, person });
        }
    }

    /// Cases whose outcome changes; the other changed ones have other reasons alone.
    pub fn decided_otherwise(&self) -> usize {
        self.changed.iter().filter(|case| case.before.outcome != case.after.outcome).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome, codes: &[&str]) -> Verdict {
        Verdict { outcome, codes: codes.iter().map(|&code| code.to_owned()).collect() }
    }

    const CASE: (&str, &str) = ("consumer_loan", "A-1");

    #[test]
    fn counts_tell_what_would_change_and_whether_people_agreed() {
        let mut simulation = Simulation::default();
        let review = verdict(Outcome::Review, &["DEBT_TO_INCOME"]);
        let accept = verdict(Outcome::Accept, &["ALL_CHECKS_PASSED"]);
        simulation.add(CASE, accept.clone(), accept.clone(), None);
        simulation.add(CASE, review.clone(), accept.clone(), Some(Outcome::Accept));
        simulation.add(CASE, review.clone(), accept.clone(), Some(Outcome::Reject));
        simulation.add(CASE, review.clone(), verdict(Outcome::Review, &["AMOUNT_LIMIT"]), None);
        assert_eq!(simulation.cases, 4);
        assert_eq!(simulation.automatic, (1, 3));
        assert_eq!(simulation.people, (1, 1));
        assert_eq!(simulation.decided_otherwise(), 2);
        assert_eq!(simulation.changed.len(), 3, "other reasons count as a change");
        assert_eq!(simulation.outcomes[&Outcome::Review][&Outcome::Accept], 2);
    }

    #[test]
    fn a_person_who_decided_a_case_that_still_needs_one_is_not_counted() {
        let mut simulation = Simulation::default();
        let review = verdict(Outcome::Review, &["AMOUNT_LIMIT"]);
        simulation.add(CASE, review.clone(), review, Some(Outcome::Accept));
        assert_eq!(simulation.people, (0, 0));
        assert!(simulation.changed.is_empty());
    }
}
