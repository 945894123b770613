//! How often somebody may try: failures by key within a window, kept in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dossier::clock::Micros;

/// Within how long failures count.
const WINDOW: Micros = 15 * 60 * 1_000_000;
/// More keys than this are never kept: the oldest go.
const MOST_KEYS: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Limiter {
    failures: Mutex<HashMap<String, Vec<Micros>>>,
}

impl Limiter {
    /// Seconds to wait before another try, when `most` have failed; none when one is free.
    pub(crate) fn wait_seconds(&self, key: &str, most: usize, now: Micros) -> Option<i64> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent: Vec<Micros> =
            failures.get(key)?.iter().copied().filter(|moment| moment + WINDOW > now).collect();
        let oldest = recent.first()?;
        (recent.len() >= most).then(|| (oldest + WINDOW - now) / 1_000_000 + 1)
    }

    pub(crate) fn failed(&self, key: &str, now: Micros) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST_KEYS {
            failures.retain(|_, moments| moments.last().is_some_and(|moment| moment + WINDOW > now));
            if failures.len() >= MOST_KEYS {
                failures.clear();
            }
        }
        let moments = failures.entry(key.to_owned()).or_default();
        moments.retain(|moment| moment + WINDOW > now);
        moments.push(now);
    }

    pub(crate) fn succeeded(&self, key: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_failures_wait_for_the_window_to_pass() {
        let limiter = Limiter::default();
        for attempt in 0..8 {
            assert_eq!(limiter.wait_seconds("ana", 8, attempt), None);
            limiter.failed("ana", attempt);
        }
        assert!(limiter.wait_seconds("ana", 8, 10).is_some());
        assert_eq!(limiter.wait_seconds("eva", 8, 10), None);
        assert_eq!(limiter.wait_seconds("ana", 8, WINDOW + 10), None);
    }
}
