//! What is decided on a case, with its history.

use super::cases::CaseState;
use super::connect::{Store, StoreError, sql};
use super::erase::without_file_names;
use super::event::{Event, EventKind};
use super::query::{On, Row, Transaction, query};
use crate::clock::Micros;
use crate::domain::CaseResult;

impl Store {
    /// Records a processed case and its history in one transaction. A case that is known already
    /// (same flow and reference) gets its new decision and further events.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn record(
        &self,
        new_id: &str,
        result: &CaseResult,
        events: Vec<(EventKind, serde_json::Value)>,
        at: Micros,
    ) -> Result<String, StoreError> {
        let mut transaction = self.begin().await?;
        let body = encode("a result", result)?;
        let state = CaseState::after(result.outcome);
        let row = query(
            "insert into cases (id, flow, reference, received_on, created_at, decided_at, outcome, mode, pages,
                                rules_version, models_version, result, state, final_at)
             values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (flow, reference) do update set
                received_on = excluded.received_on, decided_at = excluded.decided_at, outcome = excluded.outcome,
                mode = excluded.mode, pages = excluded.pages, rules_version = excluded.rules_version,
                models_version = excluded.models_version, result = excluded.result, state = excluded.state,
                final_at = excluded.final_at, revision = cases.revision + 1
             returning id",
        )
        .bind(new_id)
        .bind(&result.flow)
        .bind(&result.reference)
        .bind(result.received_on.to_string())
        .bind(at)
        .bind(result.outcome.as_str())
        .bind(result.mode.map(crate::domain::Mode::as_str))
        .bind(i64::from(result.pages))
        .bind(&result.rules.version)
        .bind(&result.models.version)
        .bind(body)
        .bind(state.as_str())
        .bind((state == CaseState::Final).then_some(at))
        .fetch_one(&mut transaction)
        .await
        .map_err(sql("record a case"))?;
        let id: String = row.try_get("id").map_err(sql("record a case"))?;
        write_reasons(&mut transaction, &id, result).await?;
        append(&mut transaction, &id, "machine", events, at).await?;
        transaction.commit().await.map_err(sql("commit a case"))?;
        Ok(id)
    }

    /// The history of a case, oldest first; empty for an unknown case.
    ///
    /// # Errors
    /// When the database fails or holds an event that cannot be understood.
    pub async fn events(&self, case_id: &str) -> Result<Vec<Event>, StoreError> {
        events_of(&self.reader, case_id).await
    }
}

/// The history of a case as whoever asks sees it, oldest first.
pub(super) async fn events_of(executor: impl Into<On<'_>>, case_id: &str) -> Result<Vec<Event>, StoreError> {
    let rows = query(
        "select sequence, kind, at, actor, detail, previous_hash, hash from case_events
         where case_id = $1 order by sequence",
    )
    .bind(case_id)
    .fetch_all(executor)
    .await
    .map_err(sql("read a case's events"))?;
    rows.iter().map(|row| event_of(case_id, row)).collect()
}

/// Appends to the history of a case, each event with the hash of the one before it. Names of files stay out of
/// it: a history is kept when all that is personal goes.
pub(super) async fn append(
    transaction: &mut Transaction,
    case_id: &str,
    actor: &str,
    events: Vec<(EventKind, serde_json::Value)>,
    at: Micros,
) -> Result<(), StoreError> {
    let doing = "read a case's last event";
    let last =
        query("select sequence, hash from case_events where case_id = $1 order by sequence desc limit 1")
            .bind(case_id)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql(doing))?;
    let (mut sequence, mut previous_hash) = match last {
        Some(row) => (
            row.try_get::<i64>("sequence").map_err(sql(doing))?,
            row.try_get::<String>("hash").map_err(sql(doing))?,
        ),
        None => (0, String::new()),
    };
    for (kind, detail) in events {
        sequence += 1;
        let (actor, detail) = (actor.to_owned(), without_file_names(detail));
        let mut event = Event { sequence, kind, at, actor, detail, previous_hash, hash: String::new() };
        event.hash = event.expected_hash(case_id);
        insert_event(transaction, case_id, &event).await?;
        previous_hash = event.hash;
    }
    Ok(())
}

/// Writes an event as it is: its sequence and hashes are the caller's.
pub(super) async fn insert_event(
    transaction: &mut Transaction,
    case_id: &str,
    event: &Event,
) -> Result<(), StoreError> {
    query(
        "insert into case_events (case_id, sequence, kind, at, actor, detail, previous_hash, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(case_id)
    .bind(event.sequence)
    .bind(event.kind.as_str())
    .bind(event.at)
    .bind(&event.actor)
    .bind(event.detail.to_string())
    .bind(&event.previous_hash)
    .bind(&event.hash)
    .execute(&mut *transaction)
    .await
    .map_err(sql("append a case event"))?;
    Ok(())
}

/// Writes the codes of the current reasons, in place of those before.
pub(super) async fn write_reasons(
    transaction: &mut Transaction,
    case_id: &str,
    result: &CaseResult,
) -> Result<(), StoreError> {
    let doing = "write the reasons of a case";
    let mut codes: Vec<&str> = Vec::new();
    for reason in &result.reasons {
        if !codes.contains(&reason.code.as_str()) {
            codes.push(&reason.code);
        }
    }
    query("update cases set reason_codes = $2 where id = $1")
        .bind(case_id)
        .bind(encode("reasons", &codes)?)
        .execute(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    query("delete from case_reasons where case_id = $1")
        .bind(case_id)
        .execute(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    for code in codes {
        query("insert into case_reasons (case_id, code) values ($1, $2)")
            .bind(case_id)
            .bind(code)
            .execute(&mut *transaction)
            .await
            .map_err(sql(doing))?;
    }
    Ok(())
}

pub(super) fn encode(what: &'static str, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Encode { what, source })
}

pub(super) fn event_of(case_id: &str, row: &Row) -> Result<Event, StoreError> {
    let doing = "read a case's events";
    let sequence: i64 = row.try_get("sequence").map_err(sql(doing))?;
    let bad =
        |column| StoreError::BadData { table: "case_events", column, row: format!("{case_id}/{sequence}") };
    let kind: String = row.try_get("kind").map_err(sql(doing))?;
    let detail: String = row.try_get("detail").map_err(sql(doing))?;
    Ok(Event {
        sequence,
        kind: EventKind::parse(&kind).ok_or_else(|| bad("kind"))?,
        at: row.try_get("at").map_err(sql(doing))?,
        actor: row.try_get("actor").map_err(sql(doing))?,
        detail: serde_json::from_str(&detail).map_err(|_| bad("detail"))?,
        previous_hash: row.try_get("previous_hash").map_err(sql(doing))?,
        hash: row.try_get("hash").map_err(sql(doing))?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Mode, Outcome};
    use crate::store::testing::{plain_result, stores};
    use crate::store::verify_chain;

    fn result(reference: &str, outcome: Outcome) -> CaseResult {
        CaseResult {
            mode: (outcome == Outcome::Accept).then_some(Mode::E2e),
            reasons: vec![],
            outputs: [("debt_to_income".to_owned(), json!("0.31"))].into(),
            pages: 3,
            ..plain_result(reference, outcome)
        }
    }

    fn decided() -> Vec<(EventKind, serde_json::Value)> {
        vec![(EventKind::Received, json!({"files": []})), (EventKind::Decided, json!({"b": 1, "a": 2}))]
    }

    #[tokio::test]
    async fn a_case_comes_back_as_it_was_recorded() {
        for store in stores().await {
            let result = result("A-1", Outcome::Accept);
            store.record("id-1", &result, decided(), 1_000_000).await.unwrap();
            let case = store.case("id-1").await.unwrap().unwrap();
            assert_eq!((case.final_at, case.result), (Some(1_000_000), Some(result)));
        }
    }

    #[tokio::test]
    async fn a_second_decision_goes_on_with_the_same_history() {
        for store in stores().await {
            let first =
                store.record("id-1", &result("A-1", Outcome::RequestDocuments), decided(), 1).await.unwrap();
            let second = store.record("id-2", &result("A-1", Outcome::Accept), decided(), 2).await.unwrap();
            assert_eq!(first, second);
            let events = store.events(&first).await.unwrap();
            assert_eq!(events.len(), 4);
            verify_chain(&first, &events).unwrap();
            assert_eq!(store.case_id("consumer_loan", "A-1").await.unwrap(), Some(first));
        }
    }

    #[tokio::test]
    async fn history_cannot_be_changed_and_a_change_would_show() {
        for store in stores().await {
            store.record("id-1", &result("A-1", Outcome::Accept), decided(), 1).await.unwrap();
            for statement in ["update case_events set detail = '{}'", "delete from case_events"] {
                let refused = query(statement).execute(&store.pool).await;
                assert!(refused.unwrap_err().to_string().contains("append-only"), "{statement}");
            }
            let mut events = store.events("id-1").await.unwrap();
            events[1].detail = json!({"a": 2, "b": 2});
            assert_eq!(verify_chain("id-1", &events), Err(crate::store::BrokenChain { sequence: 2 }));
        }
    }
}
