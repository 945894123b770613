//! Everything in its place, and each thing that can be wrong.

use std::sync::Arc;

use super::*;
use crate::clock::FixedClock;
use crate::domain::Outcome;
use crate::intake::accept::{Content, Delivered, Delivery, accept};
use crate::report::Policies;
use crate::store::testing::{TestStore, keyring, plain_result, stores};
use crate::store::{Erased, Finished, Keyring};

const SHA: &str = "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0";

struct Room {
    folder: tempfile::TempDir,
    store: TestStore,
    blobs: BlobStore,
}

impl Room {
    fn new(store: TestStore, keys: Option<Keyring>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path().join("blobs"), 1_000).unwrap();
        let blobs = blobs.with_keys(keys.map(Arc::new));
        Self { folder, store, blobs }
    }

    async fn take(&self, reference: &str, bytes: &[&[u8]]) -> String {
        let files = bytes.iter().enumerate().map(|(number, bytes)| Delivered {
            name: format!("{number}.pdf"),
            content: Content::Bytes(bytes.to_vec()),
        });
        let delivery = Delivery {
            flow: "consumer_loan".to_owned(),
            reference: reference.to_owned(),
            declared: None,
            files: files.collect(),
            findings: Vec::new(),
            channel: "folder",
            actor: "machine".to_owned(),
        };
        let accepted = accept(&self.store, &self.blobs, &FixedClock(1), delivery).await.unwrap();
        accepted.id().to_owned()
    }

    async fn decide(&self, id: &str) {
        let finished = Finished {
            case_id: id.to_owned(),
            revision: 1,
            job: None,
            result: plain_result("A-1", Outcome::Accept),
            events: vec![],
            amount_cents: 0,
            goal_at: None,
            due_at: None,
            request: None,
            page_counts: vec![],
            deliveries: vec![],
        };
        assert!(self.store.finish(finished, 1).await.unwrap());
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.path().join("inbox").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn found(&self, manifest: &str) -> Reconciled {
        let dropped = parse_manifest(manifest).unwrap();
        reconcile(&self.store, &self.blobs, &self.folder.path().join("inbox"), &dropped).await.unwrap()
    }
}

#[tokio::test]
async fn what_came_in_is_with_its_case_moved_aside_or_still_there() {
    for store in stores().await {
        let room = Room::new(store, Some(keyring(&[1])));
        room.take("A-1", &[b"aaa", b"bbb"]).await;
        room.put(".rejected/consumer_loan/A-2/scan.pdf", b"ccc");
        room.put(".rejected/consumer_loan/A-2/error.json", b"{}");
        room.put("consumer_loan/A-3/scan.pdf", b"ddd");
        let manifest = format!(
            "{SHA}  ./consumer_loan/A-1/0.pdf\n\
             64daa44ad493ff28a96effab6e77f1732a3d97d83241581b37dbd70a7a4900fe *consumer_loan/A-2.pdf\n\
             730f75dafd73e047b86acb2dbd74e75dcb93272fa084a9082848f2341aa1abb6  consumer_loan/A-3/scan.pdf\n\
             {SHA}  consumer_loan/A-1/application.json\n\n"
        );
        let found = room.found(&manifest).await;
        assert_eq!(found.problems, Vec::<String>::new());
        assert_eq!(found.accounted, [1, 1, 1]);
        assert_eq!((found.cases, found.originals, found.rejected, found.waiting), (1, 2, 1, 1));
        assert_eq!(found.states[&CaseState::Processing], 1);
        let elsewhere = room.found(&format!("{SHA}  consumer_loan/A-9/0.pdf\n")).await;
        assert_eq!(elsewhere.problems, ["consumer_loan/A-9/0.pdf is in no case and was not moved aside"]);
    }
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_told() {
    for store in stores().await {
        let room = Room::new(store, None);
        let id = room.take("A-1", &[b"aaa", b"bbb"]).await;
        room.put(".rejected/consumer_loan/A-2/scan.pdf", b"ccc");
        std::fs::write(room.blobs.path(SHA), b"aab").unwrap();
        let files = room.store.files(&id).await.unwrap();
        std::fs::remove_file(room.blobs.path(&files[1].sha256)).unwrap();
        room.store.damage(&id).await;
        let problems = room.found("").await.problems.join("\n");
        for sentence in [
            "A-2/scan.pdf was moved aside without a reason",
            "file 1 of the case consumer_loan/A-1 is not what came in",
            "file 2 of the case consumer_loan/A-1 cannot be read",
            "the case consumer_loan/A-1 stands nowhere",
            "has the file ffff, of which its history knows nothing",
        ] {
            assert!(problems.contains(sentence), "{sentence}: {problems}");
        }
    }
}

#[tokio::test]
async fn the_bytes_of_erased_cases_are_not_missed() {
    for store in stores().await {
        let room = Room::new(store, None);
        let erased = room.take("A-1", &[b"aaa", b"bbb"]).await;
        room.take("A-2", &[b"bbb"]).await;
        room.decide(&erased).await;
        room.store.count_anew(&Policies::default(), 99, 2).await.unwrap();
        assert_eq!(room.store.erase(&erased, "machine", "retention", 3).await.unwrap(), Erased::Done);
        let files = room.store.files(&erased).await.unwrap();
        assert_eq!(room.store.erased_originals().await.unwrap(), [files[0].sha256.clone()]);
        std::fs::remove_file(room.blobs.path(&files[0].sha256)).unwrap();
        let manifest = format!("{}  consumer_loan/A-1/0.pdf\n", files[0].sha256);
        let found = room.found(&manifest).await;
        assert_eq!(found.problems, Vec::<String>::new());
        assert_eq!((found.cases, found.originals, found.accounted), (2, 1, [1, 0, 0]));
        std::fs::remove_file(room.blobs.path(&files[1].sha256)).unwrap();
        assert!(!room.found("").await.problems.is_empty(), "another case needs it");
    }
}

#[test]
fn a_manifest_of_another_form_is_refused() {
    assert!(parse_manifest("A-1/dni.pdf").is_err());
    assert!(parse_manifest(&format!("{}  a", "x".repeat(64))).is_err());
    assert_eq!(parse_manifest("").unwrap(), []);
}
