//! The lines that a report is made of, each with how it follows from a sum of cases.

use serde::Serialize;

use super::Split;
use super::policy::Policies;
use super::rollup::{Automation, FieldCounts, Rollup, SentCounts};
use super::split::Period;
use super::timeline::Stage;
use crate::clock::Micros;
use crate::domain::{Mode, Outcome};
use crate::statistics::{Rate, quantile, wilson};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodLine {
    #[serde(flatten)]
    pub period: Period,
    pub split: Split,
    pub automation: AutomationLine,
}

/// Shares are `None` where there is nothing to have a share of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct AutomationLine {
    #[serde(flatten)]
    pub counts: Automation,
    pub cases_share: Option<f64>,
    pub documents_share: Option<f64>,
    pub fields_share: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OutcomeLine {
    pub outcome: Outcome,
    pub mode: Option<Mode>,
    pub cases: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReasonLine {
    pub code: String,
    #[serde(flatten)]
    pub counts: SentCounts,
    /// How often people then agreed, of the cases that people decided.
    pub agreed_share: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldLine {
    /// `document_type.field`.
    pub field: String,
    #[serde(flatten)]
    pub counts: FieldCounts,
    pub certain_share: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    pub cases: usize,
    pub median_s: Option<u32>,
    pub p90_s: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Times {
    pub first_response: Spread,
    pub resolution: Spread,
    pub sla_met: u32,
    pub sla_missed: u32,
    pub sla_share: Option<f64>,
}

/// Cases that are not decided, at the moment of the report and whatever its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Backlog {
    pub processing: u32,
    pub in_review: u32,
    pub waiting_documents: u32,
    /// Of those in review: past their deadline.
    pub overdue: u32,
    /// Of those in review, by days since they came to the queue: under one, under three, under seven, more.
    pub age_days: [u32; 4],
    /// When the one that has been in the queue longest came to it.
    pub oldest_queued_at: Option<Micros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageLine {
    pub stage: Stage,
    #[serde(flatten)]
    pub spread: Spread,
    pub total_s: u64,
    /// Of the time of all stages: the largest is the bottleneck.
    pub share: Option<f64>,
}

/// Means of the machine's own steps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct MachineLine {
    pub cases: u32,
    pub pages: u64,
    pub decode_ms: f64,
    pub ocr_ms: f64,
    pub classify_ms: f64,
    pub extract_ms: f64,
    pub decide_ms: f64,
    pub total_ms: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewerLine {
    #[serde(skip)]
    pub id: String,
    pub login: String,
    pub cases: u32,
    pub decisions: u32,
    pub corrections: u32,
    pub median_s: Option<u32>,
    pub total_s: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct EffortLine {
    /// Cases with a final outcome.
    pub cases: u32,
    /// What they would have taken people without help.
    pub manual_minutes: f64,
    /// What people worked on them.
    pub worked_minutes: f64,
    pub saved_minutes: f64,
    /// In EUR.
    pub cost_per_case: Option<f64>,
    pub manual_cost_per_case: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QualityLine {
    pub decided_e2e: u32,
    pub drawn: u32,
    pub judged: u32,
    pub wrong: u32,
    pub wrong_rate: Option<Rate>,
    pub largest_wrong_rate: Option<f64>,
}

impl AutomationLine {
    pub(super) fn of(counts: Automation) -> Self {
        Self {
            counts,
            cases_share: share(counts.cases_e2e, counts.cases),
            documents_share: share(counts.documents_untouched, counts.documents),
            fields_share: (counts.fields > 0).then(|| counts.fields_untouched as f64 / counts.fields as f64),
        }
    }
}

impl Spread {
    pub(super) fn of(seconds: &mut [u32]) -> Self {
        Self { cases: seconds.len(), median_s: quantile(seconds, 0.5), p90_s: quantile(seconds, 0.9) }
    }
}

impl Times {
    pub(super) fn of(rollup: &mut Rollup) -> Self {
        Self {
            first_response: Spread::of(&mut rollup.first_response_s),
            resolution: Spread::of(&mut rollup.resolution_s),
            sla_met: rollup.sla_met,
            sla_missed: rollup.sla_missed,
            sla_share: share(rollup.sla_met, rollup.sla_met + rollup.sla_missed),
        }
    }
}

impl EffortLine {
    pub(super) fn of(rollup: &Rollup, policies: &Policies, flow: &str) -> Self {
        use rust_decimal::prelude::ToPrimitive as _;
        let effort = &policies.flow(flow).effort;
        let number = |decimal: &rust_decimal::Decimal| decimal.to_f64().unwrap_or(0.0);
        let (minutes, per_hour) = (number(&effort.manual_minutes), number(&effort.cost_per_hour));
        let cases = rollup.automation.cases;
        let manual_minutes = minutes * f64::from(cases);
        let worked_minutes = rollup.final_work_s as f64 / 60.0;
        let per_case = number(&effort.cost_per_case);
        Self {
            cases,
            manual_minutes,
            worked_minutes,
            saved_minutes: manual_minutes - worked_minutes,
            cost_per_case: (cases > 0)
                .then(|| worked_minutes / 60.0 * per_hour / f64::from(cases) + per_case),
            manual_cost_per_case: minutes / 60.0 * per_hour,
        }
    }
}

impl QualityLine {
    pub(super) fn of(rollup: &Rollup, policies: &Policies, flow: &str) -> Self {
        let blind = rollup.blind;
        Self {
            decided_e2e: blind.decided_e2e,
            drawn: blind.drawn,
            judged: blind.judged,
            wrong: blind.wrong,
            wrong_rate: wilson(u64::from(blind.wrong), u64::from(blind.judged)),
            largest_wrong_rate: policies.flow(flow).quality.largest_wrong_rate,
        }
    }
}

pub(super) fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}
