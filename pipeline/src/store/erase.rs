//! Erasing a decided case: its documents and everything personal go, that it was decided, when and by which
//! codes stays, and so does its history, verifiable.
//!
//! Histories carry no personal data since file names stay out of them. Those of earlier versions name files:
//! such an event loses its detail, and the event that says so carries the hash of what is left of it.

use serde_json::{Value, json};

use super::cases::{CaseState, bad_case};
use super::connect::{Store, StoreError, sql};
use super::event::{Event, EventKind};
use super::query::{Transaction, query, query_scalar};
use super::record::{append, encode, events_of};
use crate::clock::Micros;
use crate::domain::CaseResult;

/// Cases erased in one round.
const AT_ONCE: i64 = 50;
const DOING: &str = "erase a case";

/// What erasing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    Done,
    /// It was erased before.
    Already,
    /// It is not decided: it needs its documents.
    NotFinal,
    /// Reports have not counted it as it is now: count first, for afterwards it cannot be counted.
    NotCounted,
    NoCase,
}

impl Store {
    /// Decided cases of a flow whose time is over, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn to_erase(&self, flow: &str, before: Micros) -> Result<Vec<String>, StoreError> {
        query_scalar(
            "select id from cases where state = 'final' and erased_at is null and flow = $1 and final_at <= $2
             order by final_at, id limit $3",
        )
        .bind(flow)
        .bind(before)
        .bind(AT_ONCE)
        .fetch_all(&self.reader)
        .await
        .map_err(sql("find cases to erase"))
    }

    /// Erases a decided case. Originals that no other case needs are noted, to be taken away
    /// ([`Store::erased_originals`]). `why` is `retention` or `request`.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood; nothing is erased then.
    pub async fn erase(
        &self,
        case_id: &str,
        actor: &str,
        why: &str,
        now: Micros,
    ) -> Result<Erased, StoreError> {
        let mut transaction = self.begin_on(case_id).await?;
        let done = erase_in(&mut transaction, case_id, actor, why, now).await?;
        match done {
            Erased::Done => transaction.commit().await.map_err(sql(DOING))?,
            _ => transaction.rollback().await.map_err(sql(DOING))?,
        }
        Ok(done)
    }

    /// Originals whose bytes are to be taken away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erased_originals(&self) -> Result<Vec<String>, StoreError> {
        query_scalar("select sha256 from erased_originals order by at, sha256 limit 500")
            .fetch_all(&self.reader)
            .await
            .map_err(sql("find originals to take away"))
    }

    /// Whether some case needs this original (again).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_needed(&self, sha256: &str) -> Result<bool, StoreError> {
        let cases: i64 = query_scalar(
            "select count(*) from case_files f join cases c on c.id = f.case_id
             where f.sha256 = $1 and c.erased_at is null",
        )
        .bind(sha256)
        .fetch_one(&self.pool)
        .await
        .map_err(sql("look whether an original is needed"))?;
        Ok(cases > 0)
    }

    /// Notes that an original is gone, or stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_original(&self, sha256: &str) -> Result<(), StoreError> {
        query("delete from erased_originals where sha256 = $1")
            .bind(sha256)
            .execute(&self.pool)
            .await
            .map_err(sql("note that an original is gone"))?;
        Ok(())
    }
}

async fn erase_in(
    transaction: &mut Transaction,
    case_id: &str,
    actor: &str,
    why: &str,
    now: Micros,
) -> Result<Erased, StoreError> {
    let row = query("select state, result, erased_at from cases where id = $1")
        .bind(case_id)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(sql(DOING))?;
    let Some(row) = row else { return Ok(Erased::NoCase) };
    if row.try_get::<Option<i64>>("erased_at").map_err(sql(DOING))?.is_some() {
        return Ok(Erased::Already);
    }
    if row.try_get::<String>("state").map_err(sql(DOING))? != CaseState::Final.as_str() {
        return Ok(Erased::NotFinal);
    }
    let stale: Option<String> = query_scalar("select case_id from stale_facts where case_id = $1")
        .bind(case_id)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(sql(DOING))?;
    if stale.is_some() {
        return Ok(Erased::NotCounted);
    }
    let result: Option<String> = row.try_get("result").map_err(sql(DOING))?;
    let result = result.map(|text| serde_json::from_str(&text).map_err(|_| bad_case("result", case_id)));
    let left = result.transpose()?.map(impersonal).map(|left| encode("a result", &left)).transpose()?;
    query(
        "update cases set result = $2, machine_result = null, declared = '{}', intake_findings = '[]',
                erased_at = $3, revision = revision + 1 where id = $1",
    )
    .bind(case_id)
    .bind(left)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .map_err(sql(DOING))?;
    query(
        "insert into erased_originals (sha256, at)
         select distinct f.sha256, cast($2 as bigint) from case_files f where f.case_id = $1 and not exists
            (select 1 from case_files o join cases c on c.id = o.case_id
             where o.sha256 = f.sha256 and c.erased_at is null)
         on conflict (sha256) do nothing",
    )
    .bind(case_id)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .map_err(sql(DOING))?;
    query(
        "update deliveries set body = null, state = case when state = 'waiting' then 'dead' else state end,
                problem = case when state = 'waiting' then 'the case was erased' else problem end,
                finished_at = coalesce(finished_at, $2) where case_id = $1",
    )
    .bind(case_id)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .map_err(sql(DOING))?;
    for statement in [
        "update case_files set name = 'erased-' || number where case_id = $1",
        "update corrections set before = null, after = null where case_id = $1",
        "update notes set text = '' where case_id = $1",
        "update document_requests set message = '' where case_id = $1",
        "delete from blind_samples where case_id = $1 and judged_at is null",
    ] {
        query(statement).bind(case_id).execute(&mut *transaction).await.map_err(sql(DOING))?;
    }
    let emptied = empty_events(transaction, case_id).await?;
    let detail = json!({"why": why, "events": emptied});
    append(transaction, case_id, actor, vec![(EventKind::Erased, detail)], now).await?;
    // What it was counted as stays: it cannot be counted again.
    query("delete from stale_facts where case_id = $1")
        .bind(case_id)
        .execute(&mut *transaction)
        .await
        .map_err(sql(DOING))?;
    Ok(Erased::Done)
}

/// Takes the detail of events that name files; what is left of each, for the event that says so.
async fn empty_events(transaction: &mut Transaction, case_id: &str) -> Result<Vec<Value>, StoreError> {
    let mut emptied = Vec::new();
    for event in events_of(&mut *transaction, case_id).await? {
        if event.is_emptied() || !names_files(&event.detail) {
            continue;
        }
        let event = Event { detail: Event::nothing_left(), ..event };
        query("update case_events set detail = $3 where case_id = $1 and sequence = $2")
            .bind(case_id)
            .bind(event.sequence)
            .bind(event.detail.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(sql(DOING))?;
        emptied.push(json!({"sequence": event.sequence, "left": event.hash_of_what_is_left(case_id)}));
    }
    Ok(emptied)
}

/// Whether a detail has names of files, as the histories of earlier versions do.
fn names_files(detail: &Value) -> bool {
    match detail {
        Value::Object(object) => object.iter().any(|(key, value)| {
            (matches!(key.as_str(), "name" | "file") && value.is_string()) || names_files(value)
        }),
        Value::Array(list) => list.iter().any(names_files),
        _ => false,
    }
}

/// A detail without names of files, as histories keep it: applicants' names stand in them.
pub(super) fn without_file_names(detail: Value) -> Value {
    match detail {
        Value::Object(object) => {
            let kept = object
                .into_iter()
                .filter(|(key, value)| !(matches!(key.as_str(), "name" | "file") && value.is_string()));
            Value::Object(kept.map(|(key, value)| (key, without_file_names(value))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(without_file_names).collect()),
        other => other,
    }
}

/// What is left of a result: how it was decided, by which rules, codes and fields; no value of anybody.
fn impersonal(mut result: CaseResult) -> CaseResult {
    for reason in &mut result.reasons {
        reason.message.clear();
    }
    result.outputs.clear();
    result.documents.clear();
    result.findings.clear();
    result
}

#[cfg(test)]
mod tests {
    use super::super::event::verify_chain;
    use super::super::record::insert_event;
    use super::super::testing::{TestStore, stores};
    use super::super::tests::{arrival, commit, finished, in_review};
    use super::super::{DeliveryState, Effect, NewDelivery};
    use super::*;
    use crate::deliver::Occasion;
    use crate::domain::Outcome;
    use crate::report::Policies;

    /// A case that a person decided, with a note, and a letter that waits.
    async fn decided(store: &TestStore, id: &str) {
        in_review(store, id).await;
        let lease = store.claim_next("ana", false, None, 3, 1_000).await.unwrap().unwrap();
        let mut change = commit(id, "ana", lease.generation, 2, Effect::Close);
        change.result.outputs = [("refund".to_owned(), json!("84.20"))].into();
        change.note = Some((format!("n-{id}"), "Ana is known here".to_owned()));
        change.deliveries = vec![NewDelivery {
            id: format!("msg_{id}"),
            destination: "mail".to_owned(),
            occasion: Occasion::Decided,
            body: "Dear Ana".to_owned(),
        }];
        store.commit_review(change, 4).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_personal_goes_and_the_history_stays_verifiable() {
        for store in stores().await {
            decided(&store, "c1").await;
            store.accept("c2", &arrival("c2", &["aa", "bb"]), 5).await.unwrap();
            assert_eq!(store.erase("c1", "root", "request", 6).await.unwrap(), Erased::NotCounted);
            store.count_anew(&Policies::default(), 99, 6).await.unwrap();
            assert_eq!(store.erase("c2", "root", "request", 6).await.unwrap(), Erased::NotFinal);
            let before = store.case("c1").await.unwrap().unwrap();
            assert_eq!(store.erase("c1", "root", "request", 7).await.unwrap(), Erased::Done);
            assert_eq!(store.erase("c1", "root", "request", 8).await.unwrap(), Erased::Already);
            assert_eq!(store.erase("none", "root", "request", 8).await.unwrap(), Erased::NoCase);
            let case = store.case("c1").await.unwrap().unwrap();
            let result = case.result.unwrap();
            assert_eq!(result.outcome, Outcome::Accept);
            assert_eq!(result.reasons[0].code, before.result.unwrap().reasons[0].code);
            assert!(result.reasons[0].message.is_empty() && result.outputs.is_empty());
            assert_eq!((case.machine_result, case.declared), (None, json!({})));
            assert_eq!(store.files("c1").await.unwrap()[0].name, "erased-1");
            assert_eq!(store.notes("c1").await.unwrap()[0].text, "");
            let letters = store.deliveries(None, Some("c1"), None, 9).await.unwrap();
            assert_eq!(letters[0].state, DeliveryState::Dead);
            assert_eq!(store.resend(None, 9).await.unwrap(), 0, "there is nothing left to send");
            assert_eq!(store.erased_originals().await.unwrap(), Vec::<String>::new(), "c2 has the same file");
            let events = store.events("c1").await.unwrap();
            verify_chain("c1", &events).unwrap();
            assert_eq!(events.last().unwrap().kind, EventKind::Erased);
            let verified = store.verify_histories().await.unwrap();
            assert_eq!((verified.broken, verified.erased), (None, 1));
            assert_eq!(store.uncounted().await.unwrap(), 0, "reports keep what they counted");
        }
    }

    #[tokio::test]
    async fn originals_go_when_no_case_needs_them() {
        for store in stores().await {
            decided(&store, "c1").await;
            store.count_anew(&Policies::default(), 99, 6).await.unwrap();
            assert_eq!(store.to_erase("consumer_loan", 3).await.unwrap(), Vec::<String>::new());
            assert_eq!(store.to_erase("consumer_loan", 4).await.unwrap(), ["c1"]);
            store.erase("c1", "machine", "retention", 7).await.unwrap();
            assert_eq!(store.to_erase("consumer_loan", 4).await.unwrap(), Vec::<String>::new());
            assert_eq!(store.erased_originals().await.unwrap(), ["aa"]);
            assert!(!store.is_needed("aa").await.unwrap());
            store.accept("c2", &arrival("c2", &["aa"]), 8).await.unwrap();
            assert!(store.is_needed("aa").await.unwrap(), "somebody brought it once more");
            store.forget_original("aa").await.unwrap();
            assert_eq!(store.erased_originals().await.unwrap(), Vec::<String>::new());
            assert!(store.finish(finished("c2", 1, Outcome::Review), 9).await.unwrap());
            store.count_anew(&Policies::default(), 99, 9).await.unwrap();
            assert_eq!(store.erase("c2", "root", "request", 10).await.unwrap(), Erased::NotFinal);
        }
    }

    /// A history as an earlier version wrote it: the first event names a file.
    async fn old_history(store: &TestStore, id: &str) {
        decided(store, id).await;
        let mut events = store.events(id).await.unwrap();
        events[0].detail = json!({"files": [{"name": "dni_ana.jpg", "sha256": "aa"}]});
        let mut previous = String::new();
        for event in &mut events {
            event.previous_hash = previous;
            event.hash = event.expected_hash(id);
            previous = event.hash.clone();
        }
        let disarm = ["drop trigger case_events_are_never_deleted", "delete from case_events"];
        let on_postgres = matches!(store.pool, super::super::query::Pool::Postgres(_));
        let first =
            if on_postgres { "drop trigger case_events_are_never_deleted on case_events" } else { disarm[0] };
        for statement in [first, disarm[1]] {
            query(statement).execute(&store.pool).await.unwrap();
        }
        let mut transaction = store.begin().await.unwrap();
        for event in &events {
            insert_event(&mut transaction, id, event).await.unwrap();
        }
        transaction.commit().await.unwrap();
        store.count_anew(&Policies::default(), 99, 6).await.unwrap();
    }

    #[tokio::test]
    async fn an_emptied_event_is_believed_only_where_the_history_says_so_and_nothing_else_may_change() {
        for store in stores().await {
            old_history(&store, "c1").await;
            assert_eq!(store.erase("c1", "root", "request", 7).await.unwrap(), Erased::Done);
            let events = store.events("c1").await.unwrap();
            assert_eq!(events[0].detail, Event::nothing_left());
            verify_chain("c1", &events).unwrap();
            let changes: [fn(&mut Vec<Event>); 6] = [
                |events| events[0].actor = "nobody".to_owned(),
                |events| events[0].at += 1,
                |events| events[0].detail = json!({"files": []}),
                |events| events[1].detail = Event::nothing_left(),
                |events| events.last_mut().unwrap().detail["events"] = json!([]),
                |events| drop(events.pop()),
            ];
            for (number, change) in changes.into_iter().enumerate() {
                let mut changed = events.clone();
                change(&mut changed);
                assert!(verify_chain("c1", &changed).is_err(), "change {number} goes unseen");
            }
            for statement in [
                "update case_events set detail = '{\"erased\":true}', actor = 'nobody' where sequence = 2",
                "update case_events set detail = '{\"erased\":false}' where sequence = 2",
                "update case_events set hash = 'x' where sequence = 1",
            ] {
                let refused = query(statement).execute(&store.pool).await.unwrap_err();
                assert!(refused.to_string().contains("append-only"), "{statement}");
            }
            // Emptying one is not refused, and seen.
            query("update case_events set detail = '{\"erased\":true}' where sequence = 2")
                .execute(&store.pool)
                .await
                .unwrap();
            assert_eq!(store.verify_histories().await.unwrap().broken, Some(("c1".to_owned(), 2)));
        }
    }

    #[test]
    fn histories_name_no_files() {
        let detail = json!({"files": [{"name": "dni_ana.jpg", "sha256": "aa"}], "findings": [{"file": "x", "code": "C"}],
                            "parts": [{"file": "a", "pages": [1]}], "name": ["kept"], "n": 1});
        assert!(names_files(&detail));
        let kept = without_file_names(detail);
        assert_eq!(
            kept,
            json!({"files": [{"sha256": "aa"}], "findings": [{"code": "C"}], "parts": [{"pages": [1]}],
                                "name": ["kept"], "n": 1})
        );
        assert!(!names_files(&kept));
    }
}
