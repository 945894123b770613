//! What stands between the rules and another system: attempts with growing waits, answers kept for a while, and
//! nobody asking for a while after it failed again and again. Knows neither HTTP nor SQL.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Failure;
use crate::rules::{ConnectorConfig, Record};

/// The wait before the second attempt; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Answers kept at the same time: what customers of a day are, not all there are.
const MOST_KEPT: usize = 10_000;
/// Longest key that is asked for; an IBAN has 34 characters.
const LONGEST_KEY: usize = 200;

type Found = Result<Option<Record>, String>;

/// A clock that only goes forward, whatever is done to the machine's.
type Now = Box<dyn Fn() -> Instant + Send + Sync>;

pub(super) struct Guard {
    pub(super) timeout: Duration,
    attempts: u32,
    lifetime: Duration,
    break_after: u32,
    break_time: Duration,
    now: Now,
    state: Mutex<State>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Guard").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<String, (Instant, Option<Record>)>,
    /// Look-ups in a row that failed.
    failures: u32,
    /// Nobody asks before this moment; then one does.
    open_until: Option<Instant>,
}

impl Guard {
    pub(super) fn new(config: &ConnectorConfig) -> Self {
        Self::with_clock(config, Box::new(Instant::now))
    }

    fn with_clock(config: &ConnectorConfig, now: Now) -> Self {
        Self {
            now,
            timeout: Duration::from_millis(config.timeout_ms),
            attempts: config.attempts,
            lifetime: Duration::from_secs(config.cache_seconds),
            break_after: config.break_after,
            break_time: Duration::from_secs(config.break_seconds),
            state: Mutex::default(),
        }
    }

    /// What `ask` finds, or what it found a short while ago.
    pub(super) async fn find<F, A>(&self, key: &str, ask: F) -> Found
    where
        F: Fn() -> A,
        A: Future<Output = Result<Option<Record>, Failure>>,
    {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Ok(None);
        }
        if let Some(kept) = self.kept(key) {
            return kept;
        }
        if !self.may_ask() {
            return Err("it failed again and again and is not asked for a while".to_owned());
        }
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        loop {
            match ask().await {
                Ok(found) => {
                    self.succeeded(key, &found);
                    return Ok(found);
                }
                // The other side answers and does not like the question: that is no outage.
                Err(Failure::Lasting(problem)) => return Err(problem),
                Err(Failure::Passing(problem)) if attempt >= self.attempts => {
                    self.failed();
                    return Err(problem);
                }
                Err(Failure::Passing(_)) => {}
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
            attempt += 1;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, key: &str) -> Option<Found> {
        let state = self.state();
        let (until, found) = state.kept.get(key)?;
        (*until > (self.now)()).then(|| Ok(found.clone()))
    }

    /// When the time is over, whoever comes first asks; the others wait for what comes of it.
    fn may_ask(&self) -> bool {
        let mut state = self.state();
        let now = (self.now)();
        match state.open_until {
            Some(until) if until > now => false,
            Some(_) => {
                state.open_until = Some(now + self.break_time);
                true
            }
            None => true,
        }
    }

    fn succeeded(&self, key: &str, found: &Option<Record>) {
        let mut state = self.state();
        state.failures = 0;
        state.open_until = None;
        if self.lifetime.is_zero() {
            return;
        }
        let now = (self.now)();
        if state.kept.len() >= MOST_KEPT {
            state.kept.retain(|_, (until, _)| *until > now);
        }
        if state.kept.len() >= MOST_KEPT {
            state.kept.clear();
        }
        state.kept.insert(key.to_owned(), (now + self.lifetime, found.clone()));
    }

    fn failed(&self) {
        let mut state = self.state();
        state.failures += 1;
        if state.failures >= self.break_after {
            state.open_until = Some((self.now)() + self.break_time);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use super::*;

    /// A guard whose clock a test moves on, by seconds.
    fn guard() -> (Guard, Arc<AtomicU64>) {
        let moved = Arc::new(AtomicU64::new(0));
        let (start, by) = (Instant::now(), Arc::clone(&moved));
        let now = move || start + Duration::from_secs(by.load(Ordering::Relaxed));
        let text = "table = \"t\"\nbreak_after = 2\ncache_seconds = 60\nbreak_seconds = 30\nattempts = 3\n";
        (Guard::with_clock(&toml::from_str(text).unwrap(), Box::new(now)), moved)
    }

    struct Side {
        asked: AtomicUsize,
        /// So many questions fail first.
        failing: usize,
        failure: Failure,
    }

    impl Side {
        fn failing(failing: usize) -> Self {
            Self { asked: AtomicUsize::new(0), failing, failure: Failure::Passing("down".to_owned()) }
        }

        fn ask(&self) -> std::future::Ready<Result<Option<Record>, Failure>> {
            let before = self.asked.fetch_add(1, Ordering::Relaxed);
            std::future::ready(if before < self.failing { Err(self.failure.clone()) } else { Ok(None) })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn a_failure_that_passes_is_waited_out_and_the_answer_is_kept_for_its_lifetime() {
        let ((guard, seconds), side) = (guard(), Side::failing(2));
        let begun = Instant::now();
        assert_eq!(guard.find("k", || side.ask()).await, Ok(None));
        assert_eq!(side.asked(), 3);
        assert!(begun.elapsed() >= 3 * FIRST_WAIT, "waits grow");
        assert_eq!(guard.find("k", || side.ask()).await, Ok(None));
        assert_eq!(side.asked(), 3);
        seconds.fetch_add(61, Ordering::Relaxed);
        assert_eq!(guard.find("k", || side.ask()).await, Ok(None));
        assert_eq!(side.asked(), 4);
        assert_eq!(guard.find("", || side.ask()).await, Ok(None));
        assert_eq!(side.asked(), 4, "nobody is called nothing");
    }

    #[tokio::test]
    async fn who_fails_again_and_again_is_left_alone_for_a_while_and_then_asked_once() {
        let ((guard, seconds), side) = (guard(), Side::failing(9));
        for _ in 0..2 {
            assert_eq!(guard.find("k", || side.ask()).await, Err("down".to_owned()));
        }
        assert_eq!(side.asked(), 6);
        let told = guard.find("k", || side.ask()).await.unwrap_err();
        assert!(told.contains("not asked for a while") && side.asked() == 6, "{told}");
        seconds.fetch_add(31, Ordering::Relaxed);
        let both = tokio::join!(guard.find("a", || side.ask()), guard.find("b", || side.ask()));
        assert_eq!((both.0.is_err(), both.1.is_err(), side.asked()), (true, true, 9), "one of them asked");
        seconds.fetch_add(31, Ordering::Relaxed);
        assert_eq!(guard.find("k", || side.ask()).await, Ok(None));
        assert_eq!(guard.find("other", || side.ask()).await, Ok(None));
    }

    #[tokio::test]
    async fn a_refused_question_is_not_asked_again_and_breaks_nothing() {
        let (guard, _) = guard();
        let side = Side { failure: Failure::Lasting("no".to_owned()), ..Side::failing(5) };
        for _ in 0..5 {
            assert_eq!(guard.find("k", || side.ask()).await, Err("no".to_owned()));
        }
        assert_eq!(side.asked(), 5);
        assert_eq!(guard.find("k", || side.ask()).await, Ok(None));
    }
}
