//! Leases of servers on cases: kept, lost, swept, and what becomes of a case that fails again and again.

use super::testing::stores;
use super::tests::{arrival, finished};
use super::*;
use crate::clock::Micros;
use crate::domain::Outcome;

const SECOND: Micros = 1_000_000;
const HOUR: Micros = 3_600 * SECOND;

async fn waiting(store: &Store, ids: &[&str]) {
    for id in ids {
        store.accept(id, &arrival(id, &["aa"]), 1).await.unwrap();
    }
}

#[tokio::test]
async fn a_case_is_one_servers_until_its_lease_lapses() {
    for store in stores().await {
        waiting(&store, &["c1"]).await;
        let first = store.claim_job("s1", true, 10, 20).await.unwrap().unwrap();
        assert_eq!(store.claim_job("s2", true, 11, 21).await.unwrap(), None);
        assert_eq!(store.keep_jobs("s1", 15, 25).await.unwrap(), [("c1".to_owned(), 1)].into());
        assert_eq!(store.sweep_jobs(20).await.unwrap(), 0, "it was kept");
        assert_eq!(store.claim_job("s2", true, 26, 36).await.unwrap(), None, "nobody has given it back yet");
        assert_eq!(store.keep_jobs("s1", 26, 36).await.unwrap(), [].into(), "it is too late to keep it");
        assert_eq!(store.sweep_jobs(26).await.unwrap(), 1);
        let second = store.claim_job("s2", true, 26, 36).await.unwrap().unwrap();
        assert!(second.generation > first.generation);
        let late = Finished { job: Some(first.clone()), ..finished("c1", 1, Outcome::Accept) };
        assert!(!store.finish(late, 27).await.unwrap(), "the first server was too late");
        assert!(!store.fail_job(&first, Failure::Error, 27).await.unwrap());
        store.return_job(&first).await.unwrap();
        let done = Finished { job: Some(second), ..finished("c1", 1, Outcome::Review) };
        assert!(store.finish(done, 28).await.unwrap());
        assert_eq!(store.case("c1").await.unwrap().unwrap().state, CaseState::InReview);
        assert_eq!(store.sweep_jobs(HOUR).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_server_takes_up_at_once_what_it_had_when_it_ended() {
    for store in stores().await {
        waiting(&store, &["c1", "c2"]).await;
        store.claim_job("s1", true, 10, HOUR).await.unwrap().unwrap();
        store.claim_job("s2", true, 10, HOUR).await.unwrap().unwrap();
        assert_eq!(store.begin_jobs("s1", 11).await.unwrap(), 1);
        let again = store.claim_job("s1", true, 11, HOUR).await.unwrap().unwrap();
        assert_eq!((again.case_id.as_str(), again.strikes), ("c1", 1));
        assert_eq!(store.claim_job("s1", true, 11, HOUR).await.unwrap(), None, "the other is at work");
    }
}

#[tokio::test]
async fn while_nothing_goes_through_it_is_no_cases_fault() {
    for store in stores().await {
        waiting(&store, &["c1", "c2"]).await;
        let mut now = 10;
        for attempt in 0..12 {
            let job = store.claim_job("s1", false, now, now + SECOND).await.unwrap().unwrap();
            assert_eq!(job.strikes, i64::from(attempt >= 2), "a wait behind each: {job:?}");
            assert!(store.fail_job(&job, Failure::Error, now).await.unwrap());
            now += HOUR;
        }
    }
}

#[tokio::test]
async fn a_case_that_fails_while_others_go_through_is_taken_apart_and_given_up() {
    for store in stores().await {
        waiting(&store, &["poison"]).await;
        let mut now = 10;
        for strikes in 0..8 {
            let id = format!("z{strikes}");
            waiting(&store, &[&id]).await;
            // Those that wait for another attempt come behind the new ones.
            let other = store.claim_job("s1", false, now, now + SECOND).await.unwrap().unwrap();
            let (poison, other) = if other.case_id == "poison" {
                (other, store.claim_job("s1", false, now, now + SECOND).await.unwrap().unwrap())
            } else {
                let next = store.claim_job("s1", false, now, now + SECOND).await.unwrap();
                assert_eq!(next.is_none(), strikes >= 2, "a suspect is taken only when it is asked for");
                let next = match next {
                    Some(next) => next,
                    None => store.claim_job("s1", true, now, now + SECOND).await.unwrap().unwrap(),
                };
                (next, other)
            };
            assert_eq!((poison.strikes, poison.is_suspect()), (strikes, strikes >= 2));
            assert!(!poison.is_given_up());
            assert!(store.fail_job(&poison, Failure::Error, now).await.unwrap());
            let done = Finished { job: Some(other.clone()), ..finished(&other.case_id, 1, Outcome::Accept) };
            assert!(store.finish(done, now + 1).await.unwrap());
            now += HOUR;
        }
        let job = store.claim_job("s1", true, now, now + SECOND).await.unwrap().unwrap();
        assert!(job.is_given_up());
        store.accept("other", &arrival("poison", &["bb"]), now).await.unwrap();
        store.return_job(&job).await.unwrap();
        let job = store.claim_job("s1", false, now, now + SECOND).await.unwrap().unwrap();
        assert_eq!(job.strikes, 0, "with a new document it is tried anew");
    }
}

#[tokio::test]
async fn a_clock_that_was_put_back_holds_nothing_up() {
    for store in stores().await {
        waiting(&store, &["c1", "c2"]).await;
        let ahead = 48 * HOUR;
        store.claim_job("s1", true, ahead, ahead + SECOND).await.unwrap().unwrap();
        let failed = store.claim_job("s2", true, ahead, ahead + SECOND).await.unwrap().unwrap();
        store.fail_job(&failed, Failure::Error, ahead).await.unwrap();
        assert_eq!(store.claim_job("s1", true, HOUR, HOUR + SECOND).await.unwrap(), None);
        assert_eq!(store.sweep_jobs(HOUR).await.unwrap(), 1);
        for _ in 0..2 {
            assert!(store.claim_job("s1", true, HOUR, HOUR + SECOND).await.unwrap().is_some());
        }
    }
}
