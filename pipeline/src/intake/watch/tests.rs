//! The inbox with a clock of its own: when cases are taken, and what becomes of the originals.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::take::{Took, take};
use super::{Candidate, Inbox, WatchOptions};
use crate::clock::FixedClock;
use crate::store::{BlobStore, CaseState, Store};

struct Room {
    folder: tempfile::TempDir,
    inbox: Inbox,
    store: Store,
    blobs: BlobStore,
    start: Instant,
}

impl Room {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = WatchOptions::new(folder.path().join("inbox"));
        let inbox = Inbox::new(options, vec!["consumer_loan".to_owned()]).unwrap();
        let store = Store::open_file(&folder.path().join("cases.db")).await.unwrap();
        let blobs = BlobStore::open(folder.path().join("blobs"), 1_000).unwrap();
        Self { folder, inbox, store, blobs, start: Instant::now() }
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("inbox").join(path)
    }

    fn ready(&mut self, moved_in: &[&str], seconds: u64) -> Vec<Candidate> {
        let moved_in: Vec<_> = moved_in.iter().map(|path| self.path(path)).collect();
        self.inbox.ready(&moved_in, self.start + Duration::from_secs(seconds)).unwrap()
    }

    fn names(&mut self, moved_in: &[&str], seconds: u64) -> Vec<String> {
        self.ready(moved_in, seconds).into_iter().map(|candidate| candidate.reference).collect()
    }

    /// Takes everything that is there, finished or not.
    async fn take_all(&mut self) -> Vec<Took> {
        self.ready(&[], 0);
        let mut took = Vec::new();
        for candidate in self.ready(&[], 100) {
            let inbox = self.folder.path().join("inbox");
            took.push(take(&inbox, &self.store, &self.blobs, &FixedClock(1), &candidate).await.unwrap());
        }
        took
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[tokio::test]
async fn a_case_is_taken_when_its_writer_is_done() {
    let mut room = Room::new().await;
    room.put("consumer_loan/quiet/dni.jpg", b"1");
    room.put("consumer_loan/marked/dni.jpg", b"1");
    room.put("consumer_loan/marked/.ready", b"");
    room.put("consumer_loan/moved/dni.jpg", b"1");
    room.put("consumer_loan/writing/dni.jpg", b"1");
    room.put("consumer_loan/writing/payslip.pdf.part", b"1");
    room.put("consumer_loan/single.pdf", b"1");
    room.put("consumer_loan/single2.pdf.crdownload", b"1");
    assert_eq!(room.names(&["consumer_loan/moved"], 0), ["marked", "moved"]);
    for taken in ["consumer_loan/marked", "consumer_loan/moved"] {
        std::fs::remove_dir_all(room.path(taken)).unwrap();
    }
    assert_eq!(room.names(&[], 1), Vec::<String>::new());
    room.put("consumer_loan/quiet/more.jpg", b"22");
    assert_eq!(room.names(&[], 2), ["single"]);
    assert!(room.names(&[], 4).contains(&"quiet".to_owned()));
    assert!(!room.names(&[], 60).contains(&"writing".to_owned()));
    std::fs::rename(
        room.path("consumer_loan/writing/payslip.pdf.part"),
        room.path("consumer_loan/writing/payslip.pdf"),
    )
    .unwrap();
    room.names(&[], 61);
    assert!(room.names(&[], 64).contains(&"writing".to_owned()));
}

#[tokio::test]
async fn originals_leave_when_they_are_durable_and_the_same_bytes_change_nothing() {
    let mut room = Room::new().await;
    room.put("consumer_loan/A-1/dni.jpg", b"front");
    room.put("consumer_loan/A-1/application.json", br#"{"received_on": "2026-03-14"}"#);
    room.put("consumer_loan/A-1/.ready", b"");
    assert!(matches!(room.take_all().await[..], [Took::Case(_)]));
    assert!(!is_there(&room.path("consumer_loan/A-1")));
    let id = room.store.case_id("consumer_loan", "A-1").await.unwrap().unwrap();
    let case = room.store.case(&id).await.unwrap().unwrap();
    assert_eq!((case.state, case.received_on.to_string().as_str()), (CaseState::Processing, "2026-03-14"));
    let files = room.store.files(&id).await.unwrap();
    assert_eq!(std::fs::read(room.blobs.path(&files[0].sha256)).unwrap(), b"front");

    room.put("consumer_loan/A-1/again.jpg", b"front");
    assert!(matches!(room.take_all().await[..], [Took::Known(_)]));
    assert!(!is_there(&room.path("consumer_loan/A-1")));
    assert_eq!(room.store.case(&id).await.unwrap().unwrap().revision, case.revision);
    room.put("consumer_loan/A-1/back.jpg", b"back");
    assert!(matches!(room.take_all().await[..], [Took::Case(_)]));
    assert_eq!(room.store.files(&id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_taken_goes_aside_with_the_reason_and_is_kept() {
    let mut room = Room::new().await;
    room.put("consumer_loan/large/scan.pdf", &[0; 2_000]);
    room.put("consumer_loan/empty/.ready", b"");
    room.put("consumer_loan/linked/dni.jpg", b"1");
    std::os::unix::fs::symlink("/etc/passwd", room.path("consumer_loan/linked/link.pdf")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", room.path("consumer_loan/link2.pdf")).unwrap();
    room.put("consumer_loan/broken/application.json", b"{not json");
    room.put("consumer_loan/broken/dni.jpg", b"2");
    room.put("stray.pdf", b"3");
    let took = room.take_all().await;
    assert_eq!(took.iter().filter(|took| matches!(took, Took::Rejected(_))).count(), 3, "{took:?}");
    assert_eq!(took.iter().filter(|took| matches!(took, Took::Case(_))).count(), 2, "{took:?}");
    let rejected = room.path(".rejected/consumer_loan");
    for kept in ["large/scan.pdf", "linked/link.pdf", "link2/link2.pdf", "broken/application.json"] {
        assert!(is_there(&rejected.join(kept)), "{kept}");
        assert!(is_there(&rejected.join(kept).with_file_name("error.json")), "{kept}");
    }
    assert!(is_there(&rejected.join("empty/error.json")));
    assert!(is_there(&room.path("stray.pdf")), "what is no flow's is left alone");
    assert_eq!(std::fs::read_dir(room.path("consumer_loan")).unwrap().count(), 0);
}
