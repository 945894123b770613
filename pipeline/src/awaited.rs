//! Documents that applicants were asked for and have not sent: they are reminded once, and when the time of
//! the flow is over the case goes to a person or is rejected.

use serde_json::json;

use crate::clock::Micros;
use crate::deliver::{News, Occasion};
use crate::domain::{CaseResult, Mode, Outcome, Reason};
use crate::review::{amount_cents, goal_and_deadline, mode_after, working_time_used};
use crate::rules::{Flow, WhenExpired};
use crate::store::{EventKind, Finished, StoreError, StoredCase};
use crate::work::Workshop;

/// The code of the reason that the documents did not come.
const DOCUMENTS_NOT_RECEIVED: &str = "DOCUMENTS_NOT_RECEIVED";
const DAY: f64 = 86_400_000_000.0;

/// Reminds and expires what is due in a flow. `on_changed` hears the id of each case.
///
/// # Errors
/// When the database fails.
pub async fn look_after(
    shop: &Workshop,
    flow: &Flow,
    now: Micros,
    on_changed: impl Fn(&str),
) -> Result<(), StoreError> {
    let policy = flow.config.awaited;
    if let Some(days) = policy.expire_after_days {
        for id in shop.store.overdue(&flow.name, before(now, days)).await? {
            let Some(case) = shop.store.case(&id).await? else { continue };
            if expire(shop, flow, case, now).await? {
                on_changed(&id);
            }
        }
    }
    if let Some(days) = policy.remind_after_days {
        for id in shop.store.to_remind(&flow.name, before(now, days)).await? {
            let Some(case) = shop.store.case(&id).await? else { continue };
            if remind(shop, flow, &case, now).await? {
                on_changed(&id);
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "at most some years, in microseconds")]
fn before(now: Micros, days: f64) -> Micros {
    now - (days * DAY) as Micros
}

async fn remind(shop: &Workshop, flow: &Flow, case: &StoredCase, now: Micros) -> Result<bool, StoreError> {
    let Some(result) = &case.result else { return Ok(false) };
    let asked = shop.store.document_requests(&case.id).await?.pop();
    let message = asked.map(|request| request.message).unwrap_or_default();
    let news = News { occasion: Occasion::Reminded, result, declared: &case.declared, message: &message };
    shop.store.remind(&case.id, case.revision, &shop.outbox.letters(flow, news), now).await
}

async fn expire(shop: &Workshop, flow: &Flow, case: StoredCase, now: Micros) -> Result<bool, StoreError> {
    let Some(before) = &case.result else { return Ok(false) };
    let result = expired(flow, before.clone(), case.touched);
    let mut deliveries = Vec::new();
    for occasion in [Occasion::Expired, Occasion::of(result.outcome)] {
        let news = News { occasion, result: &result, declared: &case.declared, message: "" };
        deliveries.extend(shop.outbox.letters(flow, news));
    }
    let history = shop.store.events(&case.id).await?;
    let (goal_at, due_at) = goal_and_deadline(flow, now, working_time_used(flow, &history, now));
    let in_review = result.outcome == Outcome::Review;
    let mut events = vec![(EventKind::Expired, json!({"outcome": result.outcome}))];
    if !in_review {
        let reasons: Vec<_> =
            result.reasons.iter().map(|reason| json!({"code": reason.code, "rule": reason.rule})).collect();
        let rules = &result.rules.version;
        let detail = json!({"outcome": result.outcome, "reasons": reasons, "rules": rules});
        events.push((EventKind::Decided, detail));
    }
    let finished = Finished {
        case_id: case.id.clone(),
        revision: case.revision,
        job: None,
        amount_cents: amount_cents(flow, &result, &case.declared),
        goal_at: in_review.then_some(goal_at),
        due_at: in_review.then_some(due_at),
        request: None,
        events,
        page_counts: Vec::new(),
        deliveries,
        result,
    };
    shop.store.expire(finished, now).await
}

/// The result of a case whose documents did not come.
fn expired(flow: &Flow, mut result: CaseResult, touched: bool) -> CaseResult {
    result.outcome = match flow.config.awaited.when_expired {
        WhenExpired::Review => Outcome::Review,
        WhenExpired::Reject => Outcome::Reject,
    };
    result.mode =
        (result.outcome == Outcome::Reject).then(|| if touched { mode_after(&result) } else { Mode::E2e });
    result.reasons.push(Reason {
        code: DOCUMENTS_NOT_RECEIVED.to_owned(),
        message: flow.message(DOCUMENTS_NOT_RECEIVED),
        rule: "awaited_documents".to_owned(),
        fields: Vec::new(),
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bundle;
    use crate::store::testing::plain_result;

    fn flow(awaited: &str) -> Flow {
        let shipped = Bundle::embedded_rules();
        let files = ["energy_claim/flow.toml", "energy_claim/rules.rhai", "wording.toml"].map(|name| {
            let text = shipped.text(name).unwrap();
            let text = if name.ends_with("flow.toml") {
                let (before, rest) = text.split_once("[awaited]").unwrap();
                let (_, after) = rest.split_once("\n[").unwrap();
                format!("{before}[awaited]\n{awaited}\n[{after}")
            } else {
                text.to_owned()
            };
            (name.to_owned(), text.into_bytes())
        });
        Flow::load(&Bundle::from_files(files), "energy_claim").unwrap()
    }

    #[test]
    fn a_case_whose_documents_did_not_come_goes_where_its_flow_says() {
        let waiting = plain_result("E-1", Outcome::RequestDocuments);
        let review = expired(&flow("expire_after_days = 30"), waiting.clone(), false);
        assert_eq!((review.outcome, review.mode), (Outcome::Review, None));
        let reason = review.reasons.last().unwrap();
        assert_eq!(reason.code, DOCUMENTS_NOT_RECEIVED);
        assert!(reason.message.starts_with("Los documentos"), "{}", reason.message);
        let rejecting = flow("expire_after_days = 30\nwhen_expired = \"reject\"");
        let rejected = expired(&rejecting, waiting.clone(), false);
        assert_eq!((rejected.outcome, rejected.mode), (Outcome::Reject, Some(Mode::E2e)));
        assert_eq!(expired(&rejecting, waiting, true).mode, Some(Mode::Manual), "no field was read");
    }
}
