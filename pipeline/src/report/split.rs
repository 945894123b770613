use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use crate::clock::date_of;
use crate::domain::{CaseResult, Mode, Outcome};
use crate::store::DecidedCase;

/// What the rows of a report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Flow,
    Day,
    Week,
    Month,
    Reviewer,
    Reason,
}

impl GroupBy {
    pub fn as_str(self) -> &'static str {
        match self {
            GroupBy::Flow => "flow",
            GroupBy::Day => "day",
            GroupBy::Week => "week",
            GroupBy::Month => "month",
            GroupBy::Reviewer => "reviewer",
            GroupBy::Reason => "reason",
        }
    }
}

/// Counts of cases by where they stand. `cases` is the sum of `e2e`, `hybrid`, `manual`, `waiting`
/// and `review`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Split {
    pub cases: u32,
    pub accepted: u32,
    pub rejected: u32,
    /// Finally decided and no person touched it.
    pub e2e: u32,
    /// Finally decided by or with a person, on what the machine had read.
    pub hybrid: u32,
    /// Finally decided on what people keyed.
    pub manual: u32,
    /// Documents were asked for, without a person; not final.
    pub waiting: u32,
    /// A person has to look; not final.
    pub review: u32,
}

impl Split {
    pub fn add(&mut self, result: &CaseResult) {
        self.cases += 1;
        match result.outcome {
            Outcome::Accept => self.accepted += 1,
            Outcome::Reject => self.rejected += 1,
            Outcome::RequestDocuments => self.waiting += 1,
            Outcome::Review => self.review += 1,
        }
        match result.mode {
            Some(Mode::E2e) => self.e2e += 1,
            Some(Mode::Hybrid) => self.hybrid += 1,
            Some(Mode::Manual) => self.manual += 1,
            None => {}
        }
    }

    /// `part` in per cent of all cases; 0 without cases.
    pub fn percent(&self, part: u32) -> f64 {
        if self.cases == 0 { 0.0 } else { f64::from(part) * 100.0 / f64::from(self.cases) }
    }
}

/// One split a group, and over all cases. A case with several reasons counts in each of their
/// groups, but once in the total.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    pub by: GroupBy,
    pub groups: BTreeMap<String, Split>,
    pub total: Split,
}

impl SplitReport {
    pub fn of(cases: &[DecidedCase], by: GroupBy) -> Self {
        let mut report = SplitReport { by, groups: BTreeMap::new(), total: Split::default() };
        for case in cases {
            report.total.add(&case.result);
            for group in groups_of(case, by) {
                report.groups.entry(group).or_default().add(&case.result);
            }
        }
        report
    }
}

fn groups_of(case: &DecidedCase, by: GroupBy) -> BTreeSet<String> {
    let day = date_of(case.decided_at);
    match by {
        GroupBy::Flow => BTreeSet::from([case.result.flow.clone()]),
        GroupBy::Day => BTreeSet::from([day.to_string()]),
        GroupBy::Week => BTreeSet::from([week_of(day)]),
        GroupBy::Month => BTreeSet::from([format!("{:04}-{:02}", day.year(), day.month())]),
        GroupBy::Reviewer => BTreeSet::from([if case.result.mode == Some(Mode::E2e) {
            "nobody (end to end)"
        } else {
            "not yet decided"
        }
        .to_owned()]),
        GroupBy::Reason => case.result.reasons.iter().map(|reason| reason.code.clone()).collect(),
    }
}

/// ISO 8601 week, such as `2026-W12`.
fn week_of(day: NaiveDate) -> String {
    let week = day.iso_week();
    format!("{:04}-W{:02}", week.year(), week.week())
}
