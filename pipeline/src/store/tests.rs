//! The store as the server uses it: arrivals, work, leases, reviews.

use chrono::NaiveDate;
use serde_json::json;

use super::query::query;
pub(super) use super::testing::plain_result as result;
use super::testing::stores;
use super::*;
use crate::domain::Outcome;

const DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 14).unwrap();

pub(super) fn arrival(reference: &str, hashes: &[&str]) -> Arrival {
    let file =
        |hash: &&str| ArrivedFile { name: format!("{hash}.pdf"), sha256: (*hash).to_owned(), size_bytes: 10 };
    Arrival {
        flow: "consumer_loan".to_owned(),
        reference: reference.to_owned(),
        today: DAY,
        declared: None,
        files: hashes.iter().map(file).collect(),
        findings: Vec::new(),
        channel: "folder",
        actor: "machine".to_owned(),
    }
}

pub(super) fn finished(id: &str, revision: i64, outcome: Outcome) -> Finished {
    Finished {
        case_id: id.to_owned(),
        revision,
        job: None,
        result: result(id, outcome),
        events: vec![(EventKind::Decided, json!({"outcome": outcome}))],
        amount_cents: 100,
        goal_at: Some(1_000),
        due_at: Some(2_000),
        request: None,
        page_counts: vec![],
        deliveries: vec![],
    }
}

/// A case that waits for a person, with this id.
pub(super) async fn in_review(store: &Store, id: &str) {
    store.accept(id, &arrival(id, &["aa"]), 1).await.unwrap();
    assert!(store.finish(finished(id, 1, Outcome::Review), 2).await.unwrap());
}

pub(super) fn commit(id: &str, user: &str, generation: i64, revision: i64, effect: Effect) -> ReviewCommit {
    ReviewCommit {
        case_id: id.to_owned(),
        user_id: user.to_owned(),
        generation,
        revision,
        result: result(id, Outcome::Accept),
        amount_cents: 100,
        corrections: vec![],
        events: vec![(EventKind::Judged, json!({"outcome": "accept"}))],
        effect,
        note: Some((format!("note-{revision}"), "because".to_owned())),
        deliveries: vec![],
    }
}

#[tokio::test]
async fn an_arrival_is_new_then_unchanged_then_resumes() {
    for store in stores().await {
        let first = store.accept("c1", &arrival("A-1", &["aa", "bb"]), 1).await.unwrap();
        assert_eq!(first, Accepted::New { id: "c1".to_owned() });
        let again = store.accept("c2", &arrival("A-1", &["bb", "aa"]), 2).await.unwrap();
        assert_eq!(again, Accepted::Unchanged { id: "c1".to_owned() });
        assert!(store.finish(finished("c1", 1, Outcome::RequestDocuments), 3).await.unwrap());
        let more = store.accept("c3", &arrival("A-1", &["cc"]), 4).await.unwrap();
        assert_eq!(more, Accepted::Resumed { id: "c1".to_owned() });
        let case = store.case("c1").await.unwrap().unwrap();
        assert_eq!(case.state, CaseState::Processing);
        let files = store.files("c1").await.unwrap();
        assert_eq!(files.iter().map(|file| file.number).collect::<Vec<_>>(), [1, 2, 3]);
        verify_chain("c1", &store.events("c1").await.unwrap()).unwrap();
    }
}

#[tokio::test]
async fn a_final_case_takes_nothing_new() {
    for store in stores().await {
        store.accept("c1", &arrival("A-1", &["aa"]), 1).await.unwrap();
        assert!(store.finish(finished("c1", 1, Outcome::Accept), 2).await.unwrap());
        let same = store.accept("c2", &arrival("A-1", &["aa"]), 3).await.unwrap();
        assert_eq!(same, Accepted::Unchanged { id: "c1".to_owned() });
        let more = store.accept("c2", &arrival("A-1", &["bb"]), 3).await.unwrap();
        assert_eq!(more, Accepted::Closed { id: "c1".to_owned() });
        assert_eq!(store.files("c1").await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn work_on_a_case_that_changed_meanwhile_is_not_recorded() {
    for store in stores().await {
        store.accept("c1", &arrival("A-1", &["aa"]), 1).await.unwrap();
        store.accept("c2", &arrival("A-1", &["bb"]), 2).await.unwrap();
        assert!(!store.finish(finished("c1", 1, Outcome::Accept), 3).await.unwrap());
        let job = store.claim_job("s1", false, 10, 20).await.unwrap().unwrap();
        assert_eq!((job.case_id.as_str(), job.revision, job.generation), ("c1", 2, 1));
        assert!(store.finish(finished("c1", 2, Outcome::Accept), 4).await.unwrap());
    }
}

#[tokio::test]
async fn one_reviewer_holds_a_case_until_the_lease_ends() {
    for store in stores().await {
        in_review(&store, "c1").await;
        let lease = store.claim_next("ana", false, None, 10, 20).await.unwrap().unwrap();
        assert_eq!((lease.case_id.as_str(), lease.generation), ("c1", 1));
        assert_eq!(store.claim_next("eva", false, None, 11, 21).await.unwrap(), None);
        let again = store.claim_next("ana", false, None, 12, 22).await.unwrap().unwrap();
        assert_eq!(again.generation, 1, "who holds one gets it again");
        assert!(store.heartbeat("c1", "ana", 1, 20, 30).await.unwrap());
        assert!(!store.heartbeat("c1", "ana", 1, 31, 40).await.unwrap(), "it has ended");
        let next = store.claim_next("eva", false, None, 31, 41).await.unwrap().unwrap();
        assert_eq!(next.generation, 2);
        let late = store.commit_review(commit("c1", "ana", 1, 2, Effect::Close), 32).await.unwrap();
        assert_eq!(late, Committed::LostLease);
    }
}

#[tokio::test]
async fn a_decision_is_recorded_once_and_on_what_was_seen() {
    for store in stores().await {
        in_review(&store, "c1").await;
        store.claim_next("ana", false, None, 10, 100).await.unwrap().unwrap();
        let stay = store.commit_review(commit("c1", "ana", 1, 2, Effect::Stay), 11).await.unwrap();
        assert_eq!(stay, Committed::Done { revision: 3 });
        let stale = store.commit_review(commit("c1", "ana", 1, 2, Effect::Close), 12).await.unwrap();
        assert_eq!(stale, Committed::Stale);
        let closed = store.commit_review(commit("c1", "ana", 1, 3, Effect::Close), 13).await.unwrap();
        assert_eq!(closed, Committed::Done { revision: 4 });
        let twice = store.commit_review(commit("c1", "ana", 1, 3, Effect::Close), 14).await.unwrap();
        assert_eq!(twice, Committed::LostLease);
        let case = store.case("c1").await.unwrap().unwrap();
        assert_eq!((case.state, case.final_at, case.touched), (CaseState::Final, Some(13), true));
        assert_eq!(case.machine_result.unwrap().outcome, Outcome::Review);
        let events = store.events("c1").await.unwrap();
        verify_chain("c1", &events).unwrap();
        assert!(!events.iter().any(|event| event.detail.to_string().contains("because")));
    }
}

#[tokio::test]
async fn a_second_opinion_is_somebody_elses() {
    for store in stores().await {
        in_review(&store, "c1").await;
        store.claim_next("ana", false, None, 10, 100).await.unwrap().unwrap();
        let effect = Effect::SecondOpinion { outcome: Outcome::Accept };
        store.commit_review(commit("c1", "ana", 1, 2, effect), 11).await.unwrap();
        assert_eq!(store.claim_next("ana", true, None, 12, 100).await.unwrap(), None);
        assert_eq!(store.claim("c1", "ana", true, 12, 100).await.unwrap(), Taken::NotForYou);
        assert!(store.claim_next("eva", false, None, 13, 100).await.unwrap().is_some());
        let case = store.case("c1").await.unwrap().unwrap();
        assert_eq!(case.first_opinion, Some(("ana".to_owned(), Outcome::Accept)));
    }
}

#[tokio::test]
async fn the_queue_is_ordered_by_urgency_and_can_be_filtered() {
    for store in stores().await {
        for (id, due) in [("c1", 300), ("c2", 100), ("c3", 200)] {
            store.accept(id, &arrival(id, &["aa"]), 1).await.unwrap();
            let finished =
                Finished { due_at: Some(due), goal_at: Some(due - 50), ..finished(id, 1, Outcome::Review) };
            assert!(store.finish(finished, 2).await.unwrap());
        }
        store.prioritise("c1", "sol", 5, 3).await.unwrap();
        let ids = |cases: Vec<CaseSummary>| cases.into_iter().map(|case| case.id).collect::<Vec<_>>();
        let all = CaseFilter::default();
        assert_eq!(ids(store.queue(&all, 10, 10, 0).await.unwrap()), ["c1", "c2", "c3"]);
        assert_eq!(ids(store.queue(&all, 10, 1, 1).await.unwrap()), ["c2"]);
        let overdue = CaseFilter { sla: Some(SlaState::Overdue), ..CaseFilter::default() };
        assert_eq!(ids(store.queue(&overdue, 150, 10, 0).await.unwrap()), ["c2"]);
        let reason = CaseFilter { reason: Some("NAME_MISMATCH".to_owned()), ..CaseFilter::default() };
        assert_eq!(store.queue(&reason, 10, 10, 0).await.unwrap().len(), 3);
        let other = CaseFilter { reason: Some("UNDERAGE".to_owned()), ..CaseFilter::default() };
        assert_eq!(store.queue(&other, 10, 10, 0).await.unwrap().len(), 0);
        assert_eq!(store.claim_next("ana", false, None, 10, 100).await.unwrap().unwrap().case_id, "c1");
    }
}

#[tokio::test]
async fn lists_go_on_where_they_stopped() {
    for store in stores().await {
        for number in 1..=5 {
            let id = format!("c{number}");
            store.accept(&id, &arrival(&id, &["aa"]), number / 2).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let cases = store.cases(&CaseFilter::default(), 10, after.clone(), 2).await.unwrap();
            let Some(last) = cases.last() else { break };
            after = Some((last.created_at, last.id.clone()));
            seen.extend(cases.into_iter().map(|case| case.id));
        }
        assert_eq!(seen, ["c5", "c4", "c3", "c2", "c1"]);
    }
}

#[tokio::test]
async fn sessions_end_with_time_passwords_and_disabled_users() {
    for store in stores().await {
        let user = NewUser {
            id: "u1".to_owned(),
            login: "Ana".to_owned(),
            name: "Ana".to_owned(),
            role: Role::Reviewer,
            password_hash: "x".to_owned(),
            must_change_password: false,
        };
        assert!(store.add_user(&user, 1).await.unwrap());
        assert!(!store.add_user(&NewUser { id: "u2".to_owned(), ..user }, 1).await.unwrap());
        assert!(store.user_by_login("ANA").await.unwrap().is_some());
        store.open_session("hash", "u1", 1, 10).await.unwrap();
        assert!(store.session("hash", 9).await.unwrap().is_some());
        assert!(store.session("hash", 10).await.unwrap().is_none());
        store.open_session("hash2", "u1", 1, 10).await.unwrap();
        store.set_password("u1", "y", false).await.unwrap();
        assert!(store.session("hash2", 5).await.unwrap().is_none());
        store.add_token("t1", "token", "u1", "other system", 1).await.unwrap();
        let used = async || store.tokens().await.unwrap()[0].last_used_at;
        assert_eq!(used().await, None);
        for (now, noted) in [(2, 2), (60_000_001, 2), (60_000_002, 60_000_002)] {
            assert!(store.token_user("token", now).await.unwrap().is_some());
            assert_eq!(used().await, Some(noted), "at {now}");
        }
        assert!(store.token_user("other", 9).await.unwrap().is_none());
        store.change_user("u1", Role::Reviewer, true, 2).await.unwrap();
        assert!(store.token_user("token", 99_000_000).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn looks_at_documents_stay_on_record() {
    for store in stores().await {
        store.accept("c1", &arrival("A-1", &["aa"]), 1).await.unwrap();
        let access = Access {
            at: 5,
            user_id: "u1".to_owned(),
            case_id: "c1".to_owned(),
            file: 1,
            page: 2,
            kind: "page".to_owned(),
        };
        store.record_access(&access).await.unwrap();
        assert_eq!(store.accesses("c1").await.unwrap(), [access]);
        let refused = query("delete from document_accesses").execute(&store.pool).await;
        assert!(refused.unwrap_err().to_string().contains("append-only"));
    }
}

#[tokio::test]
async fn a_case_that_waits_for_records_says_so_once_and_is_tried_again() {
    for store in stores().await {
        store.accept("c1", &arrival("c1", &["aa"]), 1).await.unwrap();
        let claim = async |now| store.claim_job("s1", false, now, now + 100).await.unwrap();
        let job = claim(10).await.unwrap();
        store.await_records(&job, job.revision, 50, Some(99), 10).await.unwrap();
        assert_eq!(claim(49).await, None, "it waits");
        let again = claim(50).await.unwrap();
        assert_eq!((again.strikes, again.generation), (0, job.generation + 2), "waiting is no fault of it");
        store.await_records(&job, job.revision, 70, Some(99), 50).await.unwrap();
        store.await_records(&again, again.revision, 60, None, 50).await.unwrap();
        assert_eq!(claim(59).await, None);
        let again = claim(60).await.unwrap();
        store.await_records(&again, 7, 90, Some(99), 60).await.unwrap();
        assert!(claim(60).await.is_some(), "a case that has changed is looked at at once");
        let kinds: Vec<_> = store.events("c1").await.unwrap().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Received, EventKind::RecordsAwaited]);
    }
}
