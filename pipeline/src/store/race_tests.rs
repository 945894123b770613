//! Many at once, on each database: nothing is handed out twice, nothing is lost, histories stay whole.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::testing::{TestStore, stores};
use super::tests::{arrival, commit, finished, in_review, result};
use super::*;
use crate::clock::Micros;
use crate::domain::Outcome;
use crate::report::{GroupBy, Policies, ReportQuery};

const ROUNDS: usize = 12;
const REVIEWERS: usize = 16;
const CASES: usize = 30;

async fn shared() -> Vec<Arc<TestStore>> {
    stores().await.into_iter().map(Arc::new).collect()
}

/// What all of these gave, in any order.
async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<JoinSet<T>>().join_all().await
}

/// Takes the next case and decides it, until there is none; ids of the decided.
async fn work(store: Arc<TestStore>, user: String, now: Micros) -> Vec<String> {
    let mut decided = Vec::new();
    while let Some(lease) = store.claim_next(&user, false, None, now, now + 100).await.unwrap() {
        let change = commit(&lease.case_id, &user, lease.generation, 2, Effect::Close);
        let note = Some((format!("note-{}", lease.case_id), "because".to_owned()));
        let done = store.commit_review(ReviewCommit { note, ..change }, now + 1).await.unwrap();
        assert_eq!(done, Committed::Done { revision: 3 }, "{} of {user}", lease.case_id);
        decided.push(lease.case_id);
    }
    decided
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_case_is_handed_out_twice_and_no_decision_is_lost() {
    for store in shared().await {
        for round in 0..ROUNDS {
            let ids: Vec<String> = (0..CASES).map(|number| format!("r{round}-{number}")).collect();
            for id in &ids {
                in_review(&store, id).await;
            }
            let work = (0..REVIEWERS).map(|user| work(Arc::clone(&store), format!("u{user}"), 10));
            let mut decided: Vec<String> = all(work).await.concat();
            decided.sort();
            let mut expected = ids.clone();
            expected.sort();
            assert_eq!(decided, expected);
            for id in &ids {
                let events = store.events(id).await.unwrap();
                verify_chain(id, &events).unwrap();
                let of = |kind| events.iter().filter(|event| event.kind == kind).count();
                assert_eq!((of(EventKind::Claimed), of(EventKind::Judged)), (1, 1), "{id}");
                assert_eq!(store.notes(id).await.unwrap().len(), 1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_asks_twice_at_once_gets_one_case() {
    for store in shared().await {
        for round in 0..ROUNDS {
            for number in 0..4 {
                in_review(&store, &format!("r{round}-{number}")).await;
            }
            let user = format!("u{round}");
            let asks = (0..6).map(|_| {
                let (store, user) = (Arc::clone(&store), user.clone());
                async move { store.claim_next(&user, false, None, 10, 20).await.unwrap().unwrap().case_id }
            });
            let got: HashSet<String> = all(asks).await.into_iter().collect();
            assert_eq!(got.len(), 1, "{got:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_takes_a_case_and_an_ended_lease_passes_on_once() {
    for store in shared().await {
        for round in 0..ROUNDS {
            let id = format!("c{round}");
            in_review(&store, &id).await;
            for (attempt, now) in [10, 100].into_iter().enumerate() {
                let asks = (0..REVIEWERS).map(|number| {
                    let (store, id, user) = (Arc::clone(&store), id.clone(), format!("u{attempt}-{number}"));
                    async move { store.claim(&id, &user, false, now, now + 10).await.unwrap() }
                });
                let taken: Vec<Taken> = all(asks).await;
                let leases: Vec<&Lease> = taken
                    .iter()
                    .filter_map(|taken| if let Taken::Yes(lease) = taken { Some(lease) } else { None })
                    .collect();
                assert_eq!(leases.len(), 1, "{taken:?}");
                assert_eq!(leases[0].generation, i64::try_from(attempt).unwrap() + 1);
            }
            verify_chain(&id, &store.events(&id).await.unwrap()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_in_at_once_for_a_reference_is_one_case() {
    for store in shared().await {
        for round in 0..ROUNDS {
            let reference = format!("A-{round}");
            let arrivals = (0..8).map(|number| {
                let (store, reference) = (Arc::clone(&store), reference.clone());
                async move {
                    let (id, file) = (format!("{reference}-{number}"), format!("f{}", number % 4));
                    store.accept(&id, &arrival(&reference, &[&file]), 1).await.unwrap()
                }
            });
            let accepted: Vec<Accepted> = all(arrivals).await;
            let new = accepted.iter().filter(|one| matches!(one, Accepted::New { .. })).count();
            let resumed = accepted.iter().filter(|one| matches!(one, Accepted::Resumed { .. })).count();
            assert_eq!((new, resumed), (1, 3), "{accepted:?}");
            let id = store.case_id("consumer_loan", &reference).await.unwrap().unwrap();
            let numbers: Vec<i64> = store.files(&id).await.unwrap().iter().map(|file| file.number).collect();
            assert_eq!(numbers, [1, 2, 3, 4]);
            verify_chain(&id, &store.events(&id).await.unwrap()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_records_what_processing_gave() {
    for store in shared().await {
        for round in 0..ROUNDS {
            let id = format!("c{round}");
            store.accept(&id, &arrival(&id, &["aa"]), 1).await.unwrap();
            let records = (0..8).map(|_| {
                let (store, id) = (Arc::clone(&store), id.clone());
                async move { store.finish(finished(&id, 1, Outcome::Review), 2).await.unwrap() }
            });
            let recorded: Vec<bool> = all(records).await;
            assert_eq!(recorded.iter().filter(|recorded| **recorded).count(), 1);
            assert_eq!(store.case(&id).await.unwrap().unwrap().revision, 2);
        }
    }
}

/// Everything that changes a case at once with what counts and escalates.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn histories_stay_whole_and_counts_miss_nothing() {
    for store in shared().await {
        let ids: Vec<String> = (0..6).map(|number| format!("c{number}")).collect();
        for id in &ids {
            in_review(&store, id).await;
        }
        let acts = 240;
        let changes = (0..acts).map(|number: usize| {
            let (store, id) = (Arc::clone(&store), ids[number % ids.len()].clone());
            async move {
                match number % 8 {
                    0 => drop(store.count_anew(&Policies::default(), 100, 5).await.unwrap()),
                    1 => drop(store.escalate_near("consumer_loan", 5_000, 5).await.unwrap()),
                    2 => {
                        let other = format!("x{number}");
                        let events = vec![(EventKind::Decided, serde_json::json!({}))];
                        store.record(&other, &result(&other, Outcome::Accept), events, 5).await.unwrap();
                    }
                    _ => store.prioritise(&id, "sol", 1, 5).await.unwrap(),
                }
            }
        });
        all(changes).await;
        assert_eq!(store.count_anew(&Policies::default(), i64::MAX, 6).await.unwrap(), 0);
        let mut events = BTreeMap::new();
        for id in &ids {
            let history = store.events(id).await.unwrap();
            verify_chain(id, &history).unwrap();
            events.insert(
                id.clone(),
                history.iter().filter(|event| event.kind == EventKind::Prioritised).count(),
            );
        }
        assert_eq!(events.values().sum::<usize>(), acts / 8 * 5, "{events:?}");
        let asked = ReportQuery { from: None, to: None, flow: None, by: GroupBy::Flow };
        let report = store.report(&asked, &Policies::default(), 10).await.unwrap();
        assert_eq!(report.total.cases as usize, ids.len() + acts / 8);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_blind_sample_is_handed_out_twice() {
    for store in shared().await {
        for number in 0..CASES {
            let id = format!("A-{number}");
            let mut result = result(&id, Outcome::Accept);
            result.mode = Some(crate::domain::Mode::E2e);
            store.record(&id, &result, vec![(EventKind::Decided, serde_json::json!({}))], 1).await.unwrap();
        }
        store.count_anew(&super::report_tests::all_drawn(), i64::MAX, 2).await.unwrap();
        let judges = (0..REVIEWERS).map(|number| {
            let store = Arc::clone(&store);
            async move {
                let user = format!("u{number}");
                let mut judged = Vec::new();
                while let Some(sample) = store.take_blind(&user, 10, 20).await.unwrap() {
                    let note = format!("{user}-{}", sample.case_id);
                    let note = (note.as_str(), "because");
                    let done =
                        store.judge_blind(&sample.case_id, &user, Outcome::Accept, note, 11).await.unwrap();
                    assert_eq!(done, BlindJudged::Done);
                    judged.push(sample.case_id);
                }
                judged
            }
        });
        let judged: Vec<String> = all(judges).await.concat();
        assert_eq!(judged.len(), CASES);
        assert_eq!(judged.into_iter().collect::<HashSet<_>>().len(), CASES);
    }
}

/// Takes and records cases as a server does until none waits; ids of the recorded.
async fn process_all(store: Arc<TestStore>, server: String) -> Vec<String> {
    let mut recorded = Vec::new();
    while let Some(job) = store.claim_job(&server, true, 10, 100).await.unwrap() {
        let id = job.case_id.clone();
        let finished = Finished { job: Some(job), ..finished(&id, 1, Outcome::Review) };
        assert!(store.finish(finished, 11).await.unwrap(), "{id} of {server}");
        recorded.push(id);
    }
    recorded
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_servers_process_a_case() {
    for store in shared().await {
        for round in 0..ROUNDS {
            let ids: HashSet<String> = (0..CASES).map(|number| format!("r{round}-{number}")).collect();
            for id in &ids {
                store.accept(id, &arrival(id, &["aa"]), 1).await.unwrap();
            }
            let servers = (0..6).map(|server| process_all(Arc::clone(&store), format!("s{server}")));
            let recorded: Vec<String> = all(servers).await.concat();
            assert_eq!(recorded.len(), CASES);
            assert_eq!(recorded.into_iter().collect::<HashSet<_>>(), ids);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_came_meanwhile_is_not_asked_for_again() {
    for store in shared().await {
        store.ask_reading("web", "job", "sha", 1).await.unwrap();
        let sent = store.readings_to_send("web", 10).await.unwrap().remove(0);
        store.reading_sent("web", &sent, 5, 2).await.unwrap();
        let lost = store.readings_to_look_at("web", 9, 90, 10).await.unwrap().remove(0);
        assert!(store.end_reading("web", "job", lost.generation, ReadingState::Done, 9).await.unwrap());
        store.send_reading_again("web", &lost.job, ReadingState::Sent, 9).await.unwrap();
        assert_eq!(store.reading_state("web", "job").await.unwrap(), ReadingState::Done);
        store.send_reading_again("web", "job", ReadingState::Done, 10).await.unwrap();
        assert_eq!(
            store.reading_state("web", "job").await.unwrap(),
            ReadingState::Waiting,
            "what was kept is gone"
        );
    }
}
