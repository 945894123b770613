//! Documents and personal data go when their time is over, or when somebody has the right to it: from the
//! store first, then the bytes, again and again until they are gone.

use crate::clock::Micros;
use crate::report::Policies;
use crate::rules::Flow;
use crate::store::{BlobError, BlobStore, Erased, Store, StoreError};
use crate::work::Workshop;

const DAY: Micros = 86_400_000_000;

#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Erases the cases of a flow whose time is over. `on_changed` hears the id of each.
///
/// # Errors
/// When the database fails.
pub async fn erase_old(
    shop: &Workshop,
    flow: &Flow,
    now: Micros,
    on_changed: impl Fn(&str),
) -> Result<(), StoreError> {
    let Some(days) = flow.config.retention.days else { return Ok(()) };
    for id in shop.store.to_erase(&flow.name, now - i64::from(days) * DAY).await? {
        // One that reports have not counted yet has its turn in the next round.
        if shop.store.erase(&id, "machine", "retention", now).await? == Erased::Done {
            tracing::info!(case = id, flow = flow.name, "the time of a case is over: it was erased");
            on_changed(&id);
        }
    }
    Ok(())
}

/// Erases one case because somebody asks for it.
///
/// # Errors
/// When the database fails.
pub async fn erase_case(
    store: &Store,
    policies: &Policies,
    case_id: &str,
    actor: &str,
    now: Micros,
) -> Result<Erased, StoreError> {
    let done = store.erase(case_id, actor, "request", now).await?;
    if done != Erased::NotCounted {
        return Ok(done);
    }
    store.count_anew(policies, i64::MAX, now).await?;
    store.erase(case_id, actor, "request", now).await
}

/// Takes the bytes of originals away that no case needs any more; how many are left, because they came too short
/// a while ago.
///
/// # Errors
/// When the database or the blob store fails; what was not taken away is tried again.
pub async fn take_originals_away(store: &Store, blobs: &BlobStore) -> Result<usize, ErasureError> {
    let mut left = 0;
    for sha256 in store.erased_originals().await? {
        if store.is_needed(&sha256).await? || blobs.erase(&sha256).await? {
            store.forget_original(&sha256).await?;
        } else {
            left += 1;
        }
    }
    Ok(left)
}
