//! What has to happen although nobody asks for it: cases whose server ended are given to another; applicants are
//! reminded of documents, and their time ends; cases near their deadline go to the seniors, cases that other
//! rules decided are decided anew, and what changed is counted, so that a report has little
//! left to do.

use std::sync::Arc;
use std::time::Duration;

use crate::awaited::look_after;
use crate::causes::with_causes;
use crate::erasure::{erase_old, take_originals_away};
use crate::recheck::recheck_some;
use crate::review::escalation_horizon;
use crate::store::StoreError;
use crate::work::Workshop;

const EVERY: Duration = Duration::from_secs(10);
/// How often what was made from originals is looked through: another server may have erased them.
const LOOK_THROUGH_EVERY: Duration = Duration::from_hours(1);
/// Cases counted in one round; between rounds others get at the store.
const COUNTED_A_ROUND: i64 = 2_000;

/// Sweeps until `stop` is done. `on_changed` hears the id of each case that goes to the
/// seniors or was decided anew.
pub async fn sweep(shop: &Arc<Workshop>, on_changed: impl Fn(&str) + Send, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    // Rules change with a restart: once all cases were looked at, there is nothing more to recheck.
    let mut to_recheck = Some(String::new());
    let mut look_through = tokio::time::interval(LOOK_THROUGH_EVERY);
    loop {
        if let Err(error) = round(shop, &on_changed, &mut to_recheck).await {
            tracing::error!(error = %with_causes(&error), "a sweep failed; the next one tries again");
        }
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = look_through.tick() => forget_derived(shop).await,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn forget_derived(shop: &Workshop) {
    match shop.blobs.forget_derived().await {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "what was made from originals that are erased was taken away"),
        Err(error) => {
            tracing::error!(error = %with_causes(&error), "what was made from erased originals could not be taken away; it is tried again");
        }
    }
}

async fn round(
    shop: &Workshop,
    on_changed: &impl Fn(&str),
    to_recheck: &mut Option<String>,
) -> Result<(), StoreError> {
    let now = shop.clock.now();
    let lapsed = shop.store.sweep_jobs(now).await?;
    if lapsed > 0 {
        tracing::warn!(cases = lapsed, "servers ended while they processed cases; these are processed anew");
        shop.wake.notify_one();
    }
    if let Some(after) = to_recheck {
        *to_recheck = recheck_some(shop, after, on_changed).await?;
    }
    for name in shop.engine.flow_names() {
        if let Some(flow) = shop.engine.flow(name) {
            look_after(shop, flow, now, on_changed).await?;
            erase_old(shop, flow, now, on_changed).await?;
        }
        let horizon = shop.engine.flow(name).and_then(|flow| escalation_horizon(flow, now));
        let Some(horizon) = horizon else { continue };
        for id in shop.store.escalate_near(name, horizon, now).await? {
            on_changed(&id);
        }
    }
    if let Err(error) = take_originals_away(&shop.store, &shop.blobs).await {
        tracing::error!(error = %with_causes(&error), "erased originals could not be taken away; the next sweep tries again");
    }
    shop.store.count_anew(&shop.policies(), COUNTED_A_ROUND, now).await?;
    Ok(())
}
