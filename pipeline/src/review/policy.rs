//! What a flow's parameters mean for people's work: what is at stake, by when, what to ask for, and
//! how much of the case was the machine's.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::clock::Micros;
use crate::domain::{CaseResult, Mode};
use crate::rules::calendar::working_days;
use crate::rules::{Flow, Language};
use crate::store::{Event, EventKind};

const MISSING_DOCUMENT: &str = "MISSING_DOCUMENT";

/// What is at stake, in cents: the first of the flow's amount fields that is there; 0 when none is.
pub fn amount_cents(flow: &Flow, result: &CaseResult, declared: &serde_json::Value) -> i64 {
    let mut paths = flow.config.review.amount_fields.iter();
    let amount = paths.find_map(|path| amount_at(path, result, declared));
    amount.and_then(|amount| (amount * Decimal::ONE_HUNDRED).round().to_i64()).unwrap_or(0)
}

fn amount_at(path: &str, result: &CaseResult, declared: &serde_json::Value) -> Option<Decimal> {
    if let Some(path) = path.strip_prefix("declared.") {
        let value = path.split('.').try_fold(declared, |value, key| value.get(key))?;
        return match value {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            serde_json::Value::Number(number) => number.to_string().parse().ok(),
            _ => None,
        };
    }
    let (document_type, field) = path.split_once('.')?;
    let documents = result.documents.iter();
    let mut of_type = documents.filter(|document| document.document_type.as_str() == document_type);
    of_type.find_map(|document| document.fields.get(field)?.value.as_decimal())
}

/// By when a person should, and must, have decided a case that comes to the queue now. `used` is the
/// working time that it has been with us already, see [`working_time_used`]; a goal that has passed
/// by then is now.
pub fn goal_and_deadline(flow: &Flow, now: Micros, used: Micros) -> (Micros, Micros) {
    let (sla, calendar) = (flow.config.sla, &flow.config.calendar);
    let moment = |days| calendar.add(now, (working_days(days) - used).max(0));
    (moment(sla.goal_days), moment(sla.deadline_days))
}

/// Working time since a case was received in which it did not wait for the applicant, by its history.
pub fn working_time_used(flow: &Flow, events: &[Event], now: Micros) -> Micros {
    let calendar = &flow.config.calendar;
    let mut used = 0;
    let mut with_us_since = None;
    for event in events {
        match event.kind {
            EventKind::Received => {
                with_us_since.get_or_insert(event.at);
            }
            EventKind::DocumentsRequested => {
                used += with_us_since.take().map_or(0, |since| calendar.between(since, event.at));
            }
            _ => {}
        }
    }
    used + with_us_since.map_or(0, |since| calendar.between(since, now))
}

/// Until when deadlines are near: a case that nobody holds and that is due by then goes to the seniors.
/// `None` when the flow escalates nothing.
pub fn escalation_horizon(flow: &Flow, now: Micros) -> Option<Micros> {
    let days = flow.config.sla.escalate_days;
    (days > 0.0).then(|| flow.config.calendar.add(now, working_days(days)))
}

/// How a case that a person decided got its outcome: hybrid when the machine contributed at least one
/// field, manual when people keyed all there is.
pub fn mode_after(result: &CaseResult) -> Mode {
    let mut fields = result.documents.iter().flat_map(|document| document.fields.values());
    if fields.any(|field| !field.entered) { Mode::Hybrid } else { Mode::Manual }
}

/// Which needed documents are missing, as the flow names them.
pub fn wanted_documents(flow: &Flow, result: &CaseResult) -> Vec<String> {
    let is_there = |types: &str| {
        let mut documents = result.documents.iter();
        documents.any(|document| types.split('|').any(|name| name == document.document_type.as_str()))
    };
    let needed = flow.config.documents.needed.iter();
    needed.filter(|types| !is_there(types)).cloned().collect()
}

/// The message to the applicant: what is asked for and why, out of the result's own reasons.
pub fn draft_request(flow: &Flow, result: &CaseResult, language: Language) -> String {
    let wanted = wanted_documents(flow, result);
    let requests = flow.config.rules.iter().flat_map(|rule| &rule.gives);
    let requests: Vec<&str> = requests
        .filter(|(_, outcomes)| outcomes.as_slice().contains(&crate::domain::Outcome::RequestDocuments))
        .map(|(code, _)| code.as_str())
        .collect();
    let mut lines: Vec<String> =
        wanted.iter().map(|types| format!("- {}", flow.document_name(types, language))).collect();
    // Incomplete cards are missing documents that are partly there; their reason says which side.
    let partly = result.reasons.iter().filter(|reason| {
        requests.contains(&reason.code.as_str()) || (reason.code == MISSING_DOCUMENT && wanted.is_empty())
    });
    lines.extend(partly.map(|reason| format!("- {}", reason.message)));
    let (opening, closing) = match language {
        Language::Es => (
            format!("Para continuar con su expediente {} necesitamos:", result.reference),
            "Puede enviarlo por el mismo canal, indicando la referencia del expediente.",
        ),
        Language::En => (
            format!("To go on with your case {} we need:", result.reference),
            "Please send it by the same channel, naming the reference of the case.",
        ),
    };
    format!("{opening}\n{}\n{closing}", lines.join("\n"))
}
