//! What becomes of cases when reading fails, breaks off, or is given up.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::case::records_awaited_until;
use super::*;
use crate::clock::SystemClock;
use crate::config::Bundle;
use crate::dispatch::{Dispatch, DispatchError, FileToRead};
use crate::domain::{CaseResult, FindingCode, Outcome};
use crate::intake::accept::{Content, Delivered, Delivery, accept};
use crate::read::{FileOutcome, ReadOptions, Sandbox, SandboxLimits};
use crate::rules::{CsvRecords, Flow, RECORDS_UNAVAILABLE};
use crate::store::testing::{TestStore, stores};
use crate::store::{CaseState, Event, EventKind};

/// Breaks off at the first file, fails at the second, and finds nothing in the others.
#[derive(Debug, Default)]
struct Unreliable(AtomicUsize);

#[async_trait]
impl Dispatch for Unreliable {
    fn cases_ahead(&self) -> usize {
        1
    }

    async fn read(&self, _file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("a mistake in the code that reads"),
            1 => Err(DispatchError::Worker),
            _ => Ok(FileOutcome::default()),
        }
    }
}

/// Never comes to an end.
#[derive(Debug)]
struct Endless;

#[async_trait]
impl Dispatch for Endless {
    fn cases_ahead(&self) -> usize {
        1
    }

    async fn read(&self, _file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        std::future::pending().await
    }
}

fn shop(store: &TestStore, folder: &Path) -> Arc<Workshop> {
    shop_with(store, folder, Arc::new(Unreliable::default()))
}

fn shop_with(store: &TestStore, folder: &Path, reader: Arc<dyn Dispatch>) -> Arc<Workshop> {
    let rules = Bundle::embedded_rules();
    let sandbox = Sandbox::new("/nowhere".into(), None, 1, SandboxLimits::default());
    let engine = Engine::load(&rules, &Bundle::embedded_models(), sandbox, ReadOptions::default()).unwrap();
    Arc::new(Workshop {
        engine: Arc::new(engine.with_dispatch(reader)),
        records: Arc::new(CsvRecords::from_bundle(&rules)),
        outbox: Outbox::default(),
        store: (*store).clone(),
        blobs: BlobStore::open(folder.join("blobs"), 1_000).unwrap(),
        clock: Arc::new(SystemClock),
        server: "s1".to_owned(),
        pressure: Arc::default(),
        wake: Notify::new(),
        board: Board::default(),
        meters: Meters::default(),
    })
}

async fn take(shop: &Workshop, reference: &str) -> String {
    let file = Delivered { name: "a.pdf".to_owned(), content: Content::Bytes(reference.as_bytes().to_vec()) };
    let delivery = Delivery {
        flow: "consumer_loan".to_owned(),
        reference: reference.to_owned(),
        declared: None,
        files: vec![file],
        findings: Vec::new(),
        channel: "folder",
        actor: "machine".to_owned(),
    };
    accept(&shop.store, &shop.blobs, &SystemClock, delivery).await.unwrap().id().to_owned()
}

/// Works until so many times a case was done with.
async fn work_for(shop: &Arc<Workshop>, times: usize) {
    let (done, enough) = (AtomicUsize::new(0), Notify::new());
    let on_done = |_: &str| {
        if done.fetch_add(1, Ordering::Relaxed) + 1 == times {
            enough.notify_one();
        }
    };
    work(shop, on_done, |_| {}, enough.notified()).await.unwrap();
}

#[tokio::test]
async fn what_breaks_off_or_fails_is_tried_again_and_what_is_given_up_goes_to_a_person() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(&store, folder.path());
        let id = take(&shop, "A-1").await;
        // Each start tries again at once what failed before it.
        for _ in 0..2 {
            work_for(&shop, 1).await;
            assert_eq!(store.case(&id).await.unwrap().unwrap().state, CaseState::Processing);
        }
        work_for(&shop, 1).await;
        let case = store.case(&id).await.unwrap().unwrap();
        assert_ne!(case.state, CaseState::Processing);

        let poison = take(&shop, "A-2").await;
        store.strike(&poison, 8).await;
        work_for(&shop, 1).await;
        let case = store.case(&poison).await.unwrap().unwrap();
        assert_eq!(case.state, CaseState::InReview);
        assert_eq!(case.result.unwrap().findings[0].finding.code, FindingCode::ReaderCrashed);
        let kinds: Vec<EventKind> =
            store.events(&poison).await.unwrap().iter().map(|event| event.kind).collect();
        assert_eq!(kinds[..3], [EventKind::Received, EventKind::GivenUp, EventKind::Read], "{kinds:?}");
    }
}

#[tokio::test]
async fn what_is_kept_and_forgotten_is_given_back() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop_with(&store, folder.path(), Arc::new(Endless));
        let (forgotten, worked_on) = (take(&shop, "A-1").await, take(&shop, "A-2").await);
        let now = shop.clock.now();
        let claim = async || store.claim_job("s1", true, now, now + LEASE).await.unwrap();
        // The database took it and the answer was lost.
        assert_eq!(claim().await.unwrap().case_id, forgotten);
        let mut in_work = InWork::default();
        in_work.begin(&shop, claim().await.unwrap());
        let keep = async || store.keep_jobs("s1", now, now + LEASE).await.unwrap();
        let kept = Kept { asked_at: now, generations: keep().await };
        assert_eq!(kept.generations.len(), 2);
        give_back_forgotten(&shop, &in_work, &kept).await;
        assert_eq!(keep().await.into_keys().collect::<Vec<_>>(), [worked_on]);
        let later = now + LEASE;
        let again = store.claim_job("s2", true, later, later + LEASE).await.unwrap();
        assert_eq!(again.unwrap().case_id, forgotten);
    }
}

const HOUR: Micros = 3_600_000_000;

fn flow(records: &str) -> Flow {
    let shipped = Bundle::embedded_rules();
    let files = ["energy_claim/flow.toml", "energy_claim/rules.rhai", "wording.toml"].map(|name| {
        let text = shipped.text(name).unwrap();
        let more = if name.ends_with("flow.toml") { records } else { "" };
        (name.to_owned(), format!("{text}\n{more}").into_bytes())
    });
    Flow::load(&Bundle::from_files(files), "energy_claim").unwrap()
}

fn event(kind: EventKind, at: Micros) -> Event {
    let (actor, detail) = ("machine".to_owned(), serde_json::json!({}));
    let (previous_hash, hash) = (String::new(), String::new());
    Event { sequence: 1, kind, at, actor, detail, previous_hash, hash }
}

#[test]
fn a_case_waits_for_records_as_long_as_its_flow_says() {
    let waiting = flow("[records]\nwhen_unavailable = \"wait\"\nlongest_wait_hours = 2\n");
    let mut result = crate::store::testing::plain_result("E-1", Outcome::Review);
    let received = event(EventKind::Received, 0);
    let until = |flow: &Flow, result: &CaseResult, history: &[Event], now| {
        records_awaited_until(flow, result, history, now)
    };
    let history = [received.clone()];
    assert_eq!(until(&waiting, &result, &history, HOUR), None, "its records were found");
    result.reasons[0].code = RECORDS_UNAVAILABLE.to_owned();
    assert_eq!(until(&flow(""), &result, &history, HOUR), None, "a person looks at once");
    assert_eq!(until(&waiting, &result, &history, HOUR), Some(3 * HOUR));
    let history = [received.clone(), event(EventKind::RecordsAwaited, HOUR)];
    assert_eq!(until(&waiting, &result, &history, 2 * HOUR), Some(3 * HOUR));
    assert_eq!(until(&waiting, &result, &history, 3 * HOUR), None, "it has waited too long");
    let history = [received, event(EventKind::RecordsAwaited, HOUR), event(EventKind::Decided, 2 * HOUR)];
    assert_eq!(until(&waiting, &result, &history, 9 * HOUR), Some(11 * HOUR), "it waits for the first time");
}
