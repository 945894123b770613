//! How far reading has come, for whoever waits for it. Counts pages; knows nothing of files and cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

tokio::task_local! {
    static CURRENT: Arc<Progress>;
}

/// Pages that are to be read and pages that have been. Files that nobody has opened yet are not in it.
#[derive(Debug, Default)]
pub struct Progress {
    pages: AtomicU32,
    read: AtomicU32,
}

impl Progress {
    /// Pages read, and pages known of, neither less than before.
    pub fn counts(&self) -> (u32, u32) {
        (self.read.load(Ordering::Relaxed), self.pages.load(Ordering::Relaxed))
    }
}

/// Does work; the pages that are read for it count here.
pub async fn counted<T>(progress: Arc<Progress>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(progress, work).await
}

pub(super) fn opened(pages: u32) {
    add(|progress| &progress.pages, pages);
}

pub(super) fn page_read() {
    add(|progress| &progress.read, 1);
}

/// Counts what somebody else reads for this work.
pub(crate) fn count_more(pages: u32, read: u32) {
    add(|progress| &progress.pages, pages);
    add(|progress| &progress.read, read);
}

/// What nobody counts is read all the same.
fn add(counter: impl Fn(&Progress) -> &AtomicU32, count: u32) {
    CURRENT.try_with(|progress| counter(progress).fetch_add(count, Ordering::Relaxed)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_work_that_is_counted_counts() {
        let progress = Arc::new(Progress::default());
        opened(7);
        counted(Arc::clone(&progress), async {
            opened(3);
            page_read();
            page_read();
        })
        .await;
        page_read();
        assert_eq!(progress.counts(), (2, 3));
    }
}
