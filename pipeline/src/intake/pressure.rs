//! Whether more can be taken in: what waits for the machine has an end, and who brings more has to wait.

use std::sync::{Mutex, PoisonError};

use crate::clock::Micros;
use crate::store::{Store, StoreError};

/// So many cases may wait when nobody says otherwise: a day's work of one machine.
pub const MOST_WAITING: u64 = 20_000;
/// What was counted holds for so long.
const HOLDS_FOR: Micros = 1_000_000;

/// How much waits, counted now and then.
#[derive(Debug)]
pub struct Pressure {
    most_waiting: u64,
    counted: Mutex<Option<(Micros, u64)>>,
}

impl Pressure {
    pub fn new(most_waiting: u64) -> Self {
        Self { most_waiting, counted: Mutex::default() }
    }

    /// Whether as many cases wait as may.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_full(&self, store: &Store, now: Micros) -> Result<bool, StoreError> {
        let counted = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, waiting)) = counted.filter(|(at, _)| (0..HOLDS_FOR).contains(&(now - at))) {
            return Ok(waiting >= self.most_waiting);
        }
        let waiting = store.count_waiting().await?;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, waiting));
        Ok(waiting >= self.most_waiting)
    }
}

impl Default for Pressure {
    fn default() -> Self {
        Self::new(MOST_WAITING)
    }
}
