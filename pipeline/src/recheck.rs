//! When the rules change, cases that wait for a person are decided anew, so that nobody decides by other
//! rules than those that are in force and shown. Each is a change of the case: what somebody was about to
//! do on the case as it was is refused as stale.

use serde_json::json;

use crate::review::amount_cents;
use crate::store::{CaseState, EventKind, StoreError, StoredCase};
use crate::work::Workshop;

/// Cases looked at in one step.
const STEP: i64 = 100;

/// Decides the case by the rules in force if it is in review and other rules decided it. Whether it has
/// changed, by this or by somebody else meanwhile.
///
/// # Errors
/// When the database fails; nothing is recorded then.
pub async fn recheck(shop: &Workshop, case: &StoredCase) -> Result<bool, StoreError> {
    let (Some(flow), Some(before)) = (shop.engine.flow(&case.flow), &case.result) else { return Ok(false) };
    if case.state != CaseState::InReview || before.rules.version == shop.engine.rules_version() {
        return Ok(false);
    }
    let mut result = before.clone();
    // Only a flow that is not there is refused.
    if shop.engine.decide_again(&mut result, &case.declared, shop.records.as_ref()).await.is_err() {
        return Ok(false);
    }
    let amount_cents = amount_cents(flow, &result, &case.declared);
    let codes: Vec<&String> = result.reasons.iter().map(|reason| &reason.code).collect();
    let detail = json!({"outcome": result.outcome, "rules": result.rules.version, "reasons": codes,
                        "rules_before": before.rules.version});
    let event = (EventKind::Rechecked, detail);
    let (id, now) = (&case.id, shop.clock.now());
    shop.store.record_recheck(id, case.revision, &result, amount_cents, event, now).await?;
    Ok(true)
}

/// Rechecks some of the cases behind `after`, in order of their ids. The last one looked at comes back,
/// and none when there are no more.
///
/// # Errors
/// When the database fails.
pub async fn recheck_some(
    shop: &Workshop,
    after: &str,
    on_changed: impl Fn(&str),
) -> Result<Option<String>, StoreError> {
    let ids = shop.store.decided_by_other_rules(shop.engine.rules_version(), after, STEP).await?;
    for id in &ids {
        let Some(case) = shop.store.case(id).await? else { continue };
        if recheck(shop, &case).await? {
            on_changed(id);
        }
    }
    Ok(ids.into_iter().next_back())
}
