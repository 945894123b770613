//! Many reviewers at once: each takes the next case, opens it and decides it. No case is handed out twice,
//! no decision is lost, and nobody waits. `DOSSIER_SOAK=1` runs the full shift: two hundred sessions for a
//! minute over many cases, with the time that answers may take.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dossier::accounts::hash_secret;
use dossier::clock::{Clock as _, Micros, SystemClock};
use dossier::config::Bundle;
use dossier::report::Policies;
use dossier::rules::Flow;
use dossier::store::synthetic::{fill, fill_queue};
use dossier::store::testing::PrivatePostgres;
use dossier::store::{CaseState, EventKind, NewUser, Role, Store, StoreAddress, verify_chain};
use serde_json::json;

use crate::server::{Client, Server};

const DAY: Micros = 24 * 3_600_000_000;
/// What an answer may take (issue: p99 under 200 ms).
const P99: Duration = Duration::from_millis(200);

struct Load {
    sessions: usize,
    /// Cases that wait, and cases of all kinds beside them.
    waiting: usize,
    others: usize,
    /// How long the shift lasts; it ends earlier when the queue is empty.
    lasts: Duration,
    /// What a reviewer looks at a case for: far less than people need. Without it what is measured is how many
    /// writes the disk takes, some hundred a second.
    looks: Duration,
}

/// What one reviewer did: ids of cases with whether they were accepted, and how long answers took.
#[derive(Default)]
struct Done {
    decided: Vec<(String, bool)>,
    waits: HashMap<&'static str, Vec<Duration>>,
}

impl Done {
    fn timed<T>(&mut self, what: &'static str, ask: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let answer = ask();
        self.waits.entry(what).or_default().push(started.elapsed());
        answer
    }
}

fn secret(reviewer: usize) -> String {
    format!("{reviewer:064x}")
}

/// Cases, and reviewers who are logged in already: hashing their passwords is not what is measured.
async fn prepare(db: &StoreAddress, load: &Load) {
    let store = Store::open(db).await.unwrap();
    let now = SystemClock.now();
    for reviewer in 0..load.sessions {
        let id = format!("load-{reviewer}");
        let user = NewUser {
            login: id.clone(),
            name: id.clone(),
            id: id.clone(),
            role: Role::Reviewer,
            password_hash: String::new(),
            must_change_password: false,
        };
        assert!(store.add_user(&user, now).await.unwrap());
        store.open_session(&hash_secret(&secret(reviewer)), &id, now, now + DAY).await.unwrap();
    }
    fill(&store, load.others, 365 * DAY).await;
    let rules = Bundle::embedded_rules();
    fill_queue(&store, load.waiting, now, &rules.version()).await;
    // A server that has been up for a while has counted them.
    let flows: Vec<Flow> = Flow::names(&rules).iter().map(|name| Flow::load(&rules, name).unwrap()).collect();
    store.count_anew(&Policies::of(&flows), i64::MAX, now).await.unwrap();
    store.close().await;
}

/// Takes cases until the shift is over or the queue is empty.
fn work(client: &Client, load: &Load, number: usize) -> Done {
    let mut done = Done::default();
    let end = Instant::now() + load.lasts;
    // Nobody ever sends: waiting on it is a pause.
    let (_keep, pause) = mpsc::channel::<()>();
    let wait = |time: Duration| {
        pause.recv_timeout(time).unwrap_err();
    };
    // People do not begin at the same moment.
    wait(load.looks * u32::try_from(number).unwrap() / u32::try_from(load.sessions).unwrap());
    while Instant::now() < end {
        let next = || client.post_json("/api/v1/queue/next", &json!({}));
        let (status, lease) = done.timed("next case", next);
        if status == 204 {
            break;
        }
        assert_eq!(status, 200, "{lease}");
        let id = lease["case_id"].as_str().unwrap().to_owned();
        let case = done.timed("open it", || client.json(&format!("/api/v1/cases/{id}")));
        assert_eq!(case["lease"]["user_id"], json!(format!("load-{number}")), "it is in this one's hands");
        wait(load.looks);
        let accepts = done.decided.len().is_multiple_of(2);
        let outcome = if accepts { "accept" } else { "reject" };
        let decision = json!({"generation": lease["generation"], "revision": case["revision"],
                              "outcome": outcome, "reason": "visto"});
        let decide = || client.post_json(&format!("/api/v1/cases/{id}/decision"), &decision);
        let (status, answer) = done.timed("decide it", decide);
        assert_eq!((status, answer["effect"].as_str()), (200, Some("closed")), "{answer}");
        done.decided.push((id, accepts));
    }
    done
}

/// Every decision stands as it was taken, once, and nothing else does.
async fn check(db: &StoreAddress, shift: &[Done], waiting: usize) {
    let store = Store::open(db).await.unwrap();
    let mut decided = HashMap::new();
    for (reviewer, done) in shift.iter().enumerate() {
        for (id, accepts) in &done.decided {
            let before = decided.insert(id.clone(), reviewer);
            assert_eq!(before, None, "{id} was handed out twice");
            let case = store.case(id).await.unwrap().unwrap();
            let outcome = if *accepts { "accept" } else { "reject" };
            assert_eq!(case.state, CaseState::Final);
            assert_eq!(case.result.unwrap().outcome.as_str(), outcome, "{id}");
            let events = store.events(id).await.unwrap();
            verify_chain(id, &events).unwrap();
            let by = |kind| {
                let own = events.iter().filter(move |event| event.kind == kind);
                own.map(|event| event.actor.clone()).collect::<Vec<_>>()
            };
            let own = vec![format!("load-{reviewer}")];
            assert_eq!((by(EventKind::Claimed), by(EventKind::Judged)), (own.clone(), own), "{id}");
        }
    }
    let mut left = 0;
    for number in 0..waiting {
        let id = format!("queue-{number:08}");
        left += usize::from(store.case(&id).await.unwrap().unwrap().state == CaseState::InReview);
    }
    // Some of the others wait too.
    let decided = decided.keys().filter(|id| id.starts_with("queue-")).count();
    assert_eq!(left + decided, waiting);
    store.close().await;
}

/// The slowest of so many in a hundred.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[index - 1]
}

/// The ninety-ninth of a hundred answers by what was asked for, told and returned.
fn tell(shift: Vec<Done>, load: &Load) -> Vec<(&'static str, Duration)> {
    let mut waits: HashMap<&'static str, Vec<Duration>> = HashMap::new();
    for done in shift {
        for (what, times) in done.waits {
            waits.entry(what).or_default().extend(times);
        }
    }
    let mut told = Vec::new();
    for (what, mut times) in waits {
        times.sort();
        let p99 = quantile(&times, 0.99);
        eprintln!(
            "{} sessions: {what} {} times, median {:?}, p99 {p99:?}, longest {:?}",
            load.sessions,
            times.len(),
            quantile(&times, 0.5),
            times[times.len() - 1],
        );
        told.push((what, p99));
    }
    told
}

#[test]
fn many_reviewers_share_a_queue() {
    let folder = tempfile::tempdir().unwrap();
    let db = StoreAddress::Sqlite(folder.path().join("data/cases.db"));
    share_a_queue(folder, &db);
}

#[test]
fn many_reviewers_share_a_queue_on_postgres() {
    let Some(postgres) = PrivatePostgres::get() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = runtime.block_on(postgres.migrated_database());
    share_a_queue(tempfile::tempdir().unwrap(), &db);
}

fn share_a_queue(folder: tempfile::TempDir, db: &StoreAddress) {
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let load = if is_soak {
        let (lasts, looks) = (Duration::from_mins(1), Duration::from_secs(5));
        Load { sessions: 200, waiting: 5_000, others: 10_000, lasts, looks }
    } else {
        Load { sessions: 24, waiting: 120, others: 200, lasts: Duration::from_mins(2), looks: Duration::ZERO }
    };
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(prepare(db, &load));
    let server = Server::start_with(folder, &format!("db = \"{db}\"\n"));
    let started = Instant::now();
    let shift: Vec<Done> = std::thread::scope(|scope| {
        let load = &load;
        let reviewers: Vec<_> = (0..load.sessions)
            .map(|number| {
                let client = server.session(&secret(number));
                scope.spawn(move || work(&client, load, number))
            })
            .collect();
        reviewers.into_iter().map(|reviewer| reviewer.join().unwrap()).collect()
    });
    let decided: usize = shift.iter().map(|done| done.decided.len()).sum();
    eprintln!("{} sessions decided {decided} cases in {:?}", load.sessions, started.elapsed());
    assert!(if is_soak { decided > load.sessions * 8 } else { decided >= load.waiting });
    let _folder = server.stop();
    runtime.block_on(check(db, &shift, load.waiting));
    for (what, p99) in tell(shift, &load) {
        assert!(!is_soak || p99 < P99, "{what}: p99 {p99:?}");
    }
}
