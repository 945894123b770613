//! Whether the histories of all cases are as they were written.

use super::connect::{Store, StoreError, sql};
use super::event::{Event, EventKind, verify_chain};
use super::query::{On, Pool, Transaction, query, query_scalar};
use super::record::event_of;

/// Cases whose events are in memory at the same time.
const BATCH: i64 = 500;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    pub cases: u64,
    pub events: u64,
    /// Cases whose documents and personal data were erased.
    pub erased: u64,
    /// The first case that is not as it was written, by id, with the event that does not follow from the one
    /// before it.
    pub broken: Option<(String, i64)>,
}

impl Store {
    /// Verifies the history of every case, up to the first that was changed.
    ///
    /// # Errors
    /// When the database fails or holds an event that cannot be understood.
    pub async fn verify_histories(&self) -> Result<Verified, StoreError> {
        verify_all(&mut Source::Pool(&self.reader)).await
    }
}

/// Where histories are read: as committed, or as a transaction sees them.
pub(super) enum Source<'s> {
    Pool(&'s Pool),
    Transaction(&'s mut Transaction),
}

impl Source<'_> {
    fn on(&mut self) -> On<'_> {
        match self {
            Source::Pool(pool) => On::Pool(pool),
            Source::Transaction(transaction) => On::Transaction(transaction),
        }
    }
}

pub(super) async fn verify_all(source: &mut Source<'_>) -> Result<Verified, StoreError> {
    let doing = "verify the histories of cases";
    let mut verified = Verified::default();
    let mut after = String::new();
    loop {
        let ids: Vec<String> = query_scalar("select id from cases where id > $1 order by id limit $2")
            .bind(&after)
            .bind(BATCH)
            .fetch_all(source.on())
            .await
            .map_err(sql(doing))?;
        let Some(last) = ids.last().cloned() else { return Ok(verified) };
        let rows = query(
            "select case_id, sequence, kind, at, actor, detail, previous_hash, hash from case_events
             where case_id > $1 and case_id <= $2 order by case_id, sequence",
        )
        .bind(&after)
        .bind(&last)
        .fetch_all(source.on())
        .await
        .map_err(sql(doing))?;
        let mut rows = rows.iter().peekable();
        for id in ids {
            let mut events: Vec<Event> = Vec::new();
            while let Some(row) = rows.peek() {
                if row.try_get::<String>("case_id").map_err(sql(doing))? != id {
                    break;
                }
                events.push(event_of(&id, row)?);
                rows.next();
            }
            verified.cases += 1;
            verified.events += events.len() as u64;
            verified.erased += u64::from(events.iter().any(|event| event.kind == EventKind::Erased));
            // Whatever is done to a case begins with an event: none means that they are gone.
            let sound = if events.is_empty() {
                Err(0)
            } else {
                verify_chain(&id, &events).map_err(|broken| broken.sequence)
            };
            if let Err(sequence) = sound {
                verified.broken = Some((id, sequence));
                return Ok(verified);
            }
        }
        after = last;
    }
}
