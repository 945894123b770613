//! What to do with a case: the policies of a flow, written by analysts as rhai functions, evaluated
//! over the fields that were read.
//!
//! [`decide`] is a pure function of the flow, the case and the records; it knows no clock, no store
//! and no file. The rules themselves are configuration (`rules/<flow>/`); this module runs them under
//! limits ([`engine`]), records what each one reads ([`view`], [`trace`]) and draws the outcome from
//! their verdicts ([`combine`]).

mod flow;
mod service;
pub(crate) mod calendar;
mod records;
mod connector;
mod wording;
mod load;
mod documents;
mod view;
mod trace;
mod engine;
mod script;
mod people;
mod date;
mod loan;
mod statement;
mod combine;
mod source;
mod cases;
mod build_case;
mod lint;
mod simulate;

use std::sync::Arc;

use documents::Prepared;
use engine::Ran;
use flow::RuleConfig;
use trace::{End, RuleRun, Trace};
use view::{CaseView, LookedUp, Material};

use crate::domain::{Case, Decision};

pub use calendar::{Calendar, Holiday};
pub use cases::{CaseReport, run_cases};
pub use connector::{ConnectorConfig, HttpConfig, RecordsPolicy, SqlConfig, WhenUnavailable};
pub use flow::{
    FlowConfig, Language, NeededDocuments, Outcomes, ReviewPolicy, RuleConfig as Rule, Thresholds, Wording,
};
pub use lint::{Complaint, lint};
pub use load::{Flow, RulesError};
pub use records::{CsvRecords, Record, Records, RecordsUnavailable, plain_key};
pub use service::{Awaited, Effort, Quality, Retention, Sla, WhenExpired};
pub use simulate::{Changed, Simulation, Verdict};
pub use source::{RecordSource, decide_with};
pub(crate) use statement::{balances_run, totals_hold};
pub use trace::Certainty;

/// The code of a reason that says that records could not be consulted.
pub const RECORDS_UNAVAILABLE: &str = combine::codes::RECORDS_UNAVAILABLE;

/// Records that one rule may ask for; the shipped ones ask for one.
const MOST_LOOK_UPS: usize = 20;

/// Decides a case by its flow's rules.
pub fn decide(flow: &Flow, case: &Case, records: &dyn Records) -> Decision {
    let (prepared, runs) = evaluate(flow, case, records);
    let missing = prepared.prepared.missing(&flow.config.documents);
    flow.combination().decide(&prepared.prepared, &missing, &runs)
}

/// Runs every rule; the runs stand in the rules' order.
fn evaluate(flow: &Flow, case: &Case, records: &dyn Records) -> (Arc<Material>, Vec<RuleRun>) {
    let material = Arc::new(Material {
        prepared: Prepared::new(case, &flow.config.documents),
        received_on: case.received_on,
        declared: case.declared.clone(),
        thresholds: Arc::clone(&flow.thresholds),
    });
    let mut looked_up = Arc::new(LookedUp::new());
    let runs = flow.config.rules.iter().map(|rule| run_rule(flow, rule, &material, records, &mut looked_up));
    let runs = runs.collect();
    (material, runs)
}

/// Runs one rule, again after each record that it asks for, so that the script stays free of look-ups
/// that block or change.
fn run_rule(
    flow: &Flow,
    rule: &RuleConfig,
    material: &Arc<Material>,
    records: &dyn Records,
    looked_up: &mut Arc<LookedUp>,
) -> RuleRun {
    for _ in 0..MOST_LOOK_UPS {
        let view = CaseView::new(Arc::clone(material), Arc::clone(looked_up));
        match engine::run(&flow.engine, &flow.script, rule, view, &flow.limits) {
            Ran::Done(run) => return run,
            Ran::RecordWanted { table, key } => {
                let found = records.find(&table, &key);
                Arc::make_mut(looked_up).insert((table, key), found);
            }
        }
    }
    RuleRun {
        trace: Trace::default(),
        end: End::Failed(format!("rule {} asks for too many records", rule.name)),
    }
}
