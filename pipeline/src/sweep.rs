//! What has to happen although nobody asks for it: cases near their deadline go to the seniors, and
//! what changed is counted, so that a report has little left to do.

use std::sync::Arc;
use std::time::Duration;

use crate::causes::with_causes;
use crate::review::escalation_horizon;
use crate::store::StoreError;
use crate::work::Workshop;

const EVERY: Duration = Duration::from_secs(10);
/// Cases counted in one round; between rounds others get at the store.
const COUNTED_A_ROUND: i64 = 2_000;

/// Sweeps until `stop` is done. `on_escalated` hears the id of each case that goes to the seniors.
pub async fn sweep(shop: &Arc<Workshop>, on_escalated: impl Fn(&str) + Send, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        if let Err(error) = round(shop, &on_escalated).await {
            tracing::error!(error = %with_causes(&error), "a sweep failed; the next one tries again");
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn round(shop: &Workshop, on_escalated: &impl Fn(&str)) -> Result<(), StoreError> {
    let now = shop.clock.now();
    for name in shop.engine.flow_names() {
        let horizon = shop.engine.flow(name).and_then(|flow| escalation_horizon(flow, now));
        let Some(horizon) = horizon else { continue };
        for id in shop.store.escalate_near(name, horizon, now).await? {
            on_escalated(&id);
        }
    }
    shop.store.count_anew(&shop.policies(), COUNTED_A_ROUND, now).await?;
    Ok(())
}
