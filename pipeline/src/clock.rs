//! Time as a parameter, so that what depends on it can be tested and replayed.

use chrono::{DateTime, NaiveDate};

/// Microseconds since 1970-01-01 UTC.
pub type Micros = i64;

pub trait Clock: Send + Sync {
    fn now(&self) -> Micros;

    /// Today in UTC.
    fn today(&self) -> NaiveDate {
        date_of(self.now())
    }
}

/// The UTC day of a moment.
pub fn date_of(moment: Micros) -> NaiveDate {
    DateTime::from_timestamp_micros(moment).unwrap_or_default().date_naive()
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time enters")]
    fn now(&self) -> Micros {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or(Micros::MAX)
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Micros);

impl Clock for FixedClock {
    fn now(&self) -> Micros {
        self.0
    }
}
