//! The report: everything that managers are told, computed from rollups of days and the backlog.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::facts::{NOBODY, PENDING};
use super::lines::{
    AutomationLine, Backlog, EffortLine, FieldLine, MachineLine, OutcomeLine, PeriodLine, QualityLine,
    ReasonLine, ReviewerLine, Spread, StageLine, Times, share,
};
use super::policy::Policies;
use super::rollup::{FieldCounts, Rollup, SentCounts};
use super::split::Period;
use super::timeline::Stage;
use super::{GroupBy, Split};
use crate::domain::{Mode, Outcome};
use crate::statistics::quantile;

/// Which cases a report is about, and what its rows stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportQuery {
    /// First and last day of decision; open when absent.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub flow: Option<String>,
    pub by: GroupBy,
}

/// The cases of one flow whose newest decision fell on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowDay {
    pub day: NaiveDate,
    pub flow: String,
    pub rollup: Rollup,
}

/// What a report is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Material {
    pub days: Vec<FlowDay>,
    /// By flow.
    pub backlog: BTreeMap<String, Backlog>,
    /// Logins by user id.
    pub logins: BTreeMap<String, String>,
    /// Cases that changed and are not counted anew yet.
    pub uncounted: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub by: GroupBy,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub flow: Option<String>,
    /// Days of the first and the last case in it.
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    /// Cases that changed and are not counted anew yet.
    pub uncounted: u64,
    /// A case with several reasons counts in each of their groups, but once in the total.
    pub groups: BTreeMap<String, Split>,
    pub total: Split,
    pub periods: Vec<PeriodLine>,
    /// By flow.
    pub automation: BTreeMap<String, AutomationLine>,
    pub outcomes: BTreeMap<String, Vec<OutcomeLine>>,
    /// Cases that came to people.
    pub sent_cases: u32,
    pub reasons: Vec<ReasonLine>,
    pub fields: Vec<FieldLine>,
    pub times: BTreeMap<String, Times>,
    pub backlog: BTreeMap<String, Backlog>,
    pub stages: Vec<StageLine>,
    pub machine: MachineLine,
    pub reviewers: Vec<ReviewerLine>,
    pub effort: BTreeMap<String, EffortLine>,
    pub quality: BTreeMap<String, QualityLine>,
    /// Names of the groups by the ids that lists are filtered by, where the two differ.
    #[serde(skip)]
    pub(super) group_ids: BTreeMap<String, String>,
}

impl Report {
    /// Sums up.
    pub fn of(material: &Material, query: &ReportQuery, policies: &Policies) -> Self {
        let days = &material.days;
        let mut total = Rollup::default();
        let mut flows: BTreeMap<&str, Rollup> = BTreeMap::new();
        for line in days {
            total.merge(&line.rollup);
            flows.entry(&line.flow).or_default().merge(&line.rollup);
        }
        let first_day = days.iter().map(|line| line.day).min();
        let last_day = days.iter().map(|line| line.day).max();
        let over_time = match (query.by, first_day, last_day) {
            (GroupBy::Day | GroupBy::Week | GroupBy::Month, ..) => query.by,
            (_, Some(first), Some(last)) => GroupBy::fitting(first, last),
            _ => GroupBy::Day,
        };
        let per_flow = |line: fn(&Rollup) -> AutomationLine| by_flow(&flows, line);
        let (groups, group_ids) = groups(&total, &flows, days, query.by, &material.logins);
        let mut report = Self {
            by: query.by,
            from: query.from,
            to: query.to,
            flow: query.flow.clone(),
            first_day,
            last_day,
            uncounted: material.uncounted,
            groups,
            group_ids,
            total: total.split,
            periods: periods(days, over_time),
            automation: per_flow(|rollup| AutomationLine::of(rollup.automation)),
            outcomes: by_flow(&flows, outcomes),
            sent_cases: total.sent_cases,
            reasons: reasons(&total),
            fields: fields(&total),
            times: BTreeMap::new(),
            backlog: material.backlog.clone(),
            stages: Vec::new(),
            machine: machine(&total),
            reviewers: Vec::new(),
            effort: flows
                .iter()
                .map(|(flow, rollup)| ((*flow).to_owned(), EffortLine::of(rollup, policies, flow)))
                .collect(),
            quality: flows
                .iter()
                .map(|(flow, rollup)| ((*flow).to_owned(), QualityLine::of(rollup, policies, flow)))
                .collect(),
        };
        report.reviewers = reviewers(&mut total, &material.logins);
        report.stages = stages(&mut total);
        report.times =
            flows.iter_mut().map(|(flow, rollup)| ((*flow).to_owned(), Times::of(rollup))).collect();
        report
    }
}

fn by_flow<T>(flows: &BTreeMap<&str, Rollup>, line: impl Fn(&Rollup) -> T) -> BTreeMap<String, T> {
    flows.iter().map(|(flow, rollup)| ((*flow).to_owned(), line(rollup))).collect()
}

/// Splits by group, and the ids behind groups that have a name of their own.
fn groups(
    total: &Rollup,
    flows: &BTreeMap<&str, Rollup>,
    days: &[FlowDay],
    by: GroupBy,
    logins: &BTreeMap<String, String>,
) -> (BTreeMap<String, Split>, BTreeMap<String, String>) {
    let mut ids = BTreeMap::new();
    let splits = match by {
        GroupBy::Flow => by_flow(flows, |rollup| rollup.split),
        GroupBy::Reason => total.by_reason.clone(),
        GroupBy::Reviewer => {
            let mut splits: BTreeMap<String, Split> = BTreeMap::new();
            for (id, split) in &total.by_reviewer {
                let name = match id.as_str() {
                    NOBODY => "nobody (end to end)".to_owned(),
                    PENDING => "not yet decided".to_owned(),
                    user => logins.get(user).cloned().unwrap_or_else(|| user.to_owned()),
                };
                ids.insert(name.clone(), id.clone());
                splits.entry(name).or_default().merge(split);
            }
            splits
        }
        GroupBy::Day | GroupBy::Week | GroupBy::Month => {
            let mut splits: BTreeMap<String, Split> = BTreeMap::new();
            for line in days {
                let Some(period) = by.period_of(line.day) else { continue };
                splits.entry(period.label).or_default().merge(&line.rollup.split);
            }
            splits
        }
    };
    (splits, ids)
}

fn periods(days: &[FlowDay], by: GroupBy) -> Vec<PeriodLine> {
    let mut sums: BTreeMap<Period, (Split, Rollup)> = BTreeMap::new();
    for line in days {
        let Some(period) = by.period_of(line.day) else { continue };
        let (split, rest) = sums.entry(period).or_default();
        split.merge(&line.rollup.split);
        rest.merge(&Rollup { automation: line.rollup.automation, ..Rollup::default() });
    }
    let line = |(period, (split, rest)): (Period, (Split, Rollup))| PeriodLine {
        period,
        split,
        automation: AutomationLine::of(rest.automation),
    };
    sums.into_iter().map(line).collect()
}

fn outcomes(rollup: &Rollup) -> Vec<OutcomeLine> {
    let line = |((outcome, mode), cases): (&(Outcome, Option<Mode>), &u32)| OutcomeLine {
        outcome: *outcome,
        mode: *mode,
        cases: *cases,
    };
    rollup.outcomes.iter().map(line).collect()
}

/// The most frequent first.
fn reasons(total: &Rollup) -> Vec<ReasonLine> {
    let line = |(code, counts): (&String, &SentCounts)| ReasonLine {
        code: code.clone(),
        counts: *counts,
        agreed_share: share(counts.agreed, counts.agreed + counts.disagreed),
    };
    let mut lines: Vec<ReasonLine> = total.sent.iter().map(line).collect();
    lines.sort_by(|left, right| right.counts.cases.cmp(&left.counts.cases).then(left.code.cmp(&right.code)));
    lines
}

fn fields(total: &Rollup) -> Vec<FieldLine> {
    let line = |(field, counts): (&String, &FieldCounts)| FieldLine {
        field: field.clone(),
        counts: *counts,
        certain_share: share(counts.certain, counts.read),
    };
    total.fields.iter().map(line).collect()
}

fn machine(total: &Rollup) -> MachineLine {
    let (cases, timings) = (total.machine.cases, &total.machine.timings_ms);
    let mean = |sum: u64| if cases == 0 { 0.0 } else { sum as f64 / f64::from(cases) };
    MachineLine {
        cases,
        pages: total.machine.pages,
        decode_ms: mean(timings.decode),
        ocr_ms: mean(timings.ocr),
        classify_ms: mean(timings.classify),
        extract_ms: mean(timings.extract),
        decide_ms: mean(timings.decide),
        total_ms: mean(timings.total),
    }
}

fn stages(total: &mut Rollup) -> Vec<StageLine> {
    let sum = |seconds: &[u32]| seconds.iter().copied().map(u64::from).sum::<u64>();
    let all: u64 = total.stages.values().map(|seconds| sum(seconds)).sum();
    let mut lines = Vec::new();
    for stage in Stage::ALL {
        let Some(seconds) = total.stages.get_mut(&stage) else { continue };
        let total_s = sum(seconds);
        let share = (all > 0).then(|| total_s as f64 / all as f64);
        lines.push(StageLine { stage, spread: Spread::of(seconds), total_s, share });
    }
    lines
}

fn reviewers(total: &mut Rollup, logins: &BTreeMap<String, String>) -> Vec<ReviewerLine> {
    let mut lines: Vec<ReviewerLine> = Vec::new();
    for (id, work) in &mut total.work {
        lines.push(ReviewerLine {
            id: id.clone(),
            login: logins.get(id).cloned().unwrap_or_else(|| id.clone()),
            cases: work.cases,
            decisions: work.decisions,
            corrections: work.corrections,
            median_s: quantile(&mut work.seconds, 0.5),
            total_s: work.seconds.iter().copied().map(u64::from).sum(),
        });
    }
    lines.sort_by(|left, right| left.login.cmp(&right.login));
    lines
}
