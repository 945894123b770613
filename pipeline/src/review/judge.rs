//! A person's decision.

use rust_decimal::Decimal;
use serde_json::json;

use super::policy::mode_after;
use crate::domain::{CaseResult, Outcome, Reason};
use crate::rules::Flow;
use crate::store::{Effect, EventKind};

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Accept,
    Reject,
    /// Which types, and the message to the applicant.
    RequestDocuments {
        wanted: Vec<String>,
        message: String,
    },
}

impl Judgement {
    pub fn outcome(&self) -> Outcome {
        match self {
            Judgement::Accept => Outcome::Accept,
            Judgement::Reject => Outcome::Reject,
            Judgement::RequestDocuments { .. } => Outcome::RequestDocuments,
        }
    }
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub result: CaseResult,
    pub effect: Effect,
    pub event: (EventKind, serde_json::Value),
}

/// Applies a person's decision. `amount_cents` is what is at stake; `first_opinion` is what another
/// person said before, where two have to agree.
pub fn judge(
    flow: &Flow,
    mut result: CaseResult,
    judgement: Judgement,
    amount_cents: i64,
    first_opinion: Option<Outcome>,
    is_senior: bool,
) -> Judged {
    let outcome = judgement.outcome();
    let rules_said = result.outcome;
    let codes: Vec<String> = result.reasons.iter().map(|reason| reason.code.clone()).collect();
    let detail = json!({"outcome": outcome, "rules_said": rules_said, "reasons": codes,
                        "rules": result.rules.version, "models": result.models.version});
    let needs_two =
        flow.config.review.four_eyes_above.is_some_and(|limit| Decimal::new(amount_cents, 2) > limit);
    let is_final = matches!(outcome, Outcome::Accept | Outcome::Reject);
    if is_final && needs_two && !is_settled(first_opinion, outcome, is_senior) {
        // The case stays with people: its result is still what the rules say.
        let effect = match first_opinion {
            None => Effect::SecondOpinion { outcome },
            Some(_) => Effect::Escalate,
        };
        return Judged { result, effect, event: (EventKind::Proposed, detail) };
    }
    result.outcome = outcome;
    let effect = match judgement {
        Judgement::Accept | Judgement::Reject => Effect::Close,
        Judgement::RequestDocuments { wanted, message } => Effect::Request { wanted, message },
    };
    result.mode = is_final.then(|| mode_after(&result));
    result.reasons.push(by_a_person(flow, outcome));
    Judged { result, effect, event: (EventKind::Judged, detail) }
}

/// Two people said the same, or a senior decides between two.
fn is_settled(first_opinion: Option<Outcome>, outcome: Outcome, is_senior: bool) -> bool {
    first_opinion.is_some_and(|first| first == outcome || is_senior)
}

/// That it was a person; what they wrote is kept with the case and not in its result.
fn by_a_person(flow: &Flow, outcome: Outcome) -> Reason {
    let message = match (flow.config.language, outcome) {
        (crate::rules::Language::Es, Outcome::Accept) => "Una persona lo ha aceptado.",
        (crate::rules::Language::Es, Outcome::Reject) => "Una persona lo ha rechazado.",
        (crate::rules::Language::Es, _) => "Una persona ha pedido documentos.",
        (crate::rules::Language::En, Outcome::Accept) => "A person accepted it.",
        (crate::rules::Language::En, Outcome::Reject) => "A person rejected it.",
        (crate::rules::Language::En, _) => "A person asked for documents.",
    };
    Reason {
        code: "DECIDED_BY_PERSON".to_owned(),
        message: message.to_owned(),
        rule: "review".to_owned(),
        fields: Vec::new(),
    }
}
