//! What a flow promises and what it costs: deadlines, working days, effort, and how its own decisions
//! are watched. Part of `flow.toml`; knows no case.

use rust_decimal::Decimal;
use serde::Deserialize;

/// How long a person may take, in working days from the case's receipt. Time in which the applicant
/// has to send something does not count. Fractions are fractions of a working day of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sla {
    pub goal_days: f64,
    pub deadline_days: f64,
    /// A case that nobody holds goes to the seniors when its deadline is so near, in working days.
    #[serde(default)]
    pub escalate_days: f64,
}

impl Default for Sla {
    fn default() -> Self {
        Self { goal_days: 1.0, deadline_days: 2.0, escalate_days: 0.0 }
    }
}

impl Sla {
    /// What is wrong with it, for whoever wrote it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let days = [self.goal_days, self.deadline_days, self.escalate_days];
        if !days.iter().all(|days| (0.0..=1000.0).contains(days)) {
            return Some("a number of working days of the SLA is not between 0 and 1000");
        }
        if self.goal_days > self.deadline_days {
            return Some("the SLA's goal comes after its deadline");
        }
        (self.escalate_days > self.deadline_days)
            .then_some("cases would be escalated before they come in: escalate_days is over deadline_days")
    }
}

/// How long documents are awaited that an applicant was asked for, in days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Awaited {
    /// The applicant is reminded once; never without it.
    pub remind_after_days: Option<f64>,
    /// The case waits no longer; it waits for ever without it.
    pub expire_after_days: Option<f64>,
    pub when_expired: WhenExpired,
}

/// What becomes of a case whose documents did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenExpired {
    /// A person looks.
    #[default]
    Review,
    Reject,
}

impl Awaited {
    /// What is wrong with it, for whoever wrote it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let days = [self.remind_after_days, self.expire_after_days];
        if !days.into_iter().flatten().all(|days| (0.0..=3650.0).contains(&days)) {
            return Some("a number of days of [awaited] is not between 0 and 3650");
        }
        let never =
            self.remind_after_days.zip(self.expire_after_days).is_some_and(|(one, other)| one >= other);
        never.then_some(
            "nobody would be reminded: remind_after_days of [awaited] is not under expire_after_days",
        )
    }
}

/// How long documents and personal data of decided cases are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days of 24 hours after the decision; for ever without it.
    pub days: Option<u32>,
}

/// What a case costs, to say what the automation saves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Effort {
    /// What a case takes a person who has no help.
    pub manual_minutes: Decimal,
    /// What an hour of a person costs, in EUR.
    pub cost_per_hour: Decimal,
    /// What a case costs apart from people's time, in EUR.
    pub cost_per_case: Decimal,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            manual_minutes: Decimal::from(20),
            cost_per_hour: Decimal::from(30),
            cost_per_case: Decimal::ZERO,
        }
    }
}

/// How the machine's own decisions are watched: some are judged again by people who do not see them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// Share of the cases decided end to end that is drawn, 0 to 1.
    pub sample_share: f64,
    /// Until enough is known the machine decides; from the least number of samples on it goes on only
    /// while the upper bound of the rate of wrong decisions is at most this. Without one it always does.
    pub largest_wrong_rate: Option<f64>,
    pub least_samples: u32,
    /// Samples judged within so many days count.
    pub window_days: u32,
    /// Samples judged before this day do not count: what was wrong then has been mended.
    pub measured_from: Option<chrono::NaiveDate>,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            sample_share: 0.0,
            largest_wrong_rate: None,
            least_samples: 50,
            window_days: 90,
            measured_from: None,
        }
    }
}

impl Quality {
    /// What is wrong with it, for whoever wrote it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let shares = [Some(self.sample_share), self.largest_wrong_rate];
        let all_are_shares = shares.into_iter().flatten().all(|share| (0.0..=1.0).contains(&share));
        (!all_are_shares).then_some("a share of [quality] is not between 0 and 1")
    }
}
