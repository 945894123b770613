//! Cases as they come in from all sides, what must become of them, and whether it did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dossier::accounts::hash_secret;
use dossier::clock::{Clock as _, SystemClock};
use dossier::store::{CaseState, EventKind, NewUser, Role, Store, StoreAddress, verify_chain};
use sha2::{Digest, Sha256};

use crate::forged;
use crate::support::{dossier, run, stderr, stdout};
use crate::victim::{Chance, pause};

pub(crate) const FLOW: &str = "consumer_loan";
const SECRET: &str = "5ec7e7";
/// In which everything has to be done once nobody kills any more.
const PATIENCE: Duration = Duration::from_mins(12);

/// A page that no other case has, with text of its own, so that it is quick to read.
fn letter(reference: &str) -> Vec<u8> {
    let mut bytes = forged::letter(forged::TEXT, 1, 1);
    bytes.extend(format!("\n% {reference}\n").bytes());
    bytes
}

/// The fixture's application, which passes every check. Its bytes are always the same, so that its pictures are
/// read once.
fn loan() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/loan");
    crate::station::ALL.map(|name| (name.to_owned(), fs::read(folder.join(name)).unwrap())).into()
}

/// What was put into the inbox or sent, and what must have become of it.
pub(crate) struct Flood {
    pub(crate) root: PathBuf,
    chance: Chance,
    /// Reading a picture takes longer than the short form may.
    with_loans: bool,
    /// As `sha256sum` would have written it.
    pub(crate) manifest: String,
    /// Hashes of the originals of each case.
    pub(crate) cases: BTreeMap<String, BTreeSet<String>>,
    pub(crate) rejected: usize,
    /// Loans that are all right, by reference.
    pub(crate) loans: BTreeSet<String>,
    /// Where applicants get mail, by reference; those who sent no declaration get none.
    pub(crate) addresses: BTreeMap<String, String>,
    /// Cases to be sent over HTTP, until an answer comes.
    uploads: Vec<String>,
}

impl Flood {
    pub(crate) fn new(root: &Path, seed: u64, with_loans: bool) -> Self {
        Self {
            with_loans,
            root: root.to_owned(),
            chance: Chance::new(seed),
            manifest: String::new(),
            cases: BTreeMap::new(),
            rejected: 0,
            loans: BTreeSet::new(),
            addresses: BTreeMap::new(),
            uploads: Vec::new(),
        }
    }

    fn note(&mut self, reference: &str, path: &str, bytes: &[u8]) {
        let sha256 = hex::encode(Sha256::digest(bytes));
        writeln!(self.manifest, "{sha256}  {FLOW}/{path}").unwrap();
        if path.ends_with(".json") {
            let declared: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let address = declared["applicant"]["email"].as_str().unwrap();
            self.addresses.insert(reference.to_owned(), address.to_owned());
            return;
        }
        self.cases.entry(reference.to_owned()).or_default().insert(sha256);
    }

    /// One more case, in one of the ways in which cases come.
    pub(crate) fn next(&mut self, number: usize) {
        let reference = format!("K-{number}");
        let inbox = self.root.join("inbox").join(FLOW);
        fs::create_dir_all(&inbox).unwrap();
        match self.chance.below(10) {
            0 if self.with_loans => self.drop_loan(&reference),
            1 => {
                let bytes = letter(&reference);
                fs::write(inbox.join(format!("{reference}.pdf")), &bytes).unwrap();
                self.note(&reference, &format!("{reference}.pdf"), &bytes);
            }
            2 => {
                let bytes = zipped(&reference);
                let name = format!("{reference}.zip");
                fs::write(inbox.join(&name), &bytes).unwrap();
                self.note(&reference, &name, &bytes);
            }
            3 | 4 => self.uploads.push(reference),
            5 => {
                // Nobody can call a case so.
                let bytes = letter(&reference);
                let name = format!("{reference}\u{7}.pdf");
                fs::write(inbox.join(&name), &bytes).unwrap();
                let sha256 = hex::encode(Sha256::digest(&bytes));
                writeln!(self.manifest, "{sha256}  {FLOW}/{name}").unwrap();
                self.rejected += 1;
            }
            // Renamed into place as a whole from outside.
            6 => {
                let outside = self.root.join("outside");
                self.folder(&reference, &outside.join(&reference));
                fs::rename(outside.join(&reference), inbox.join(&reference)).unwrap();
            }
            // Without a mark: taken when it is quiet.
            7 => self.folder(&reference, &inbox.join(&reference)),
            _ => {
                self.folder(&reference, &inbox.join(&reference));
                File::create(inbox.join(&reference).join(".ready")).unwrap();
            }
        }
        // Somebody drops an earlier one once more, under another name.
        if number > 0 && self.chance.below(6) == 0 {
            let again = format!("K-{}", self.chance.below(number as u64));
            let bytes = letter(&again);
            let known = self
                .cases
                .get(&again)
                .is_some_and(|hashes| hashes.contains(&hex::encode(Sha256::digest(&bytes))));
            if known {
                fs::write(inbox.join(format!("{again}.pdf")), &bytes).unwrap();
            }
        }
    }

    fn folder(&mut self, reference: &str, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let applicant = format!("{{\"applicant\": {{\"email\": \"{reference}@example.org\"}}}}");
        fs::write(folder.join("application.json"), &applicant).unwrap();
        self.note(reference, &format!("{reference}/application.json"), applicant.as_bytes());
        let pages = 1 + self.chance.below(3);
        for page in 0..pages {
            let bytes = if page == 0 { letter(reference) } else { letter(&format!("{reference}/{page}")) };
            fs::write(folder.join(format!("{page}.pdf")), &bytes).unwrap();
            self.note(reference, &format!("{reference}/{page}.pdf"), &bytes);
        }
    }

    /// Sends what is to be sent; what gets no answer, or too early a one, is sent again later, under the same
    /// key.
    pub(crate) fn upload(&mut self, address: &str) {
        for reference in std::mem::take(&mut self.uploads) {
            match self.send(address, &reference) {
                Some(200 | 201) => {}
                Some(status @ 400..429) => panic!("{reference} is refused: {status}"),
                // Killed in the middle, or too busy.
                Some(_) | None => self.uploads.push(reference),
            }
        }
    }

    /// Has a case sent later.
    pub(crate) fn again(&mut self, reference: &str) {
        self.uploads.push(reference.to_owned());
    }

    /// Drops an application that is all right.
    pub(crate) fn drop_loan(&mut self, reference: &str) {
        let folder = self.root.join("inbox").join(FLOW).join(reference);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &loan() {
            fs::write(folder.join(name), bytes).unwrap();
            self.note(reference, &format!("{reference}/{name}"), bytes);
        }
        File::create(folder.join(".ready")).unwrap();
        self.loans.insert(reference.to_owned());
    }

    /// Drops a case of one file.
    pub(crate) fn drop_file(&mut self, reference: &str) {
        let inbox = self.root.join("inbox").join(FLOW);
        fs::create_dir_all(&inbox).unwrap();
        let bytes = self.expect_file(reference);
        fs::write(inbox.join(format!("{reference}.pdf")), bytes).unwrap();
    }

    /// The one file of a case that somebody else drops.
    pub(crate) fn expect_file(&mut self, reference: &str) -> Vec<u8> {
        let bytes = letter(reference);
        self.note(reference, &format!("{reference}.pdf"), &bytes);
        bytes
    }

    /// Sends a case over HTTP; the status of the answer, if there is one.
    pub(crate) fn send(&mut self, address: &str, reference: &str) -> Option<u16> {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20)));
        let agent: ureq::Agent = config.http_status_as_error(false).build().into();
        let bytes = letter(reference);
        let mut body = Vec::new();
        for (name, value) in [("flow", FLOW), ("reference", reference)] {
            write!(body, "--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .unwrap();
        }
        body.extend(b"--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n");
        body.extend(&bytes);
        body.extend(b"\r\n--cut--\r\n");
        let answer = agent
            .post(format!("{address}/api/v1/cases"))
            .header("cookie", session())
            .header("origin", address)
            .header("idempotency-key", reference)
            .content_type("multipart/form-data; boundary=cut")
            .send(&body[..]);
        let answer = answer.ok()?;
        let status = answer.status().as_u16();
        if matches!(status, 200 | 201) {
            let sha256 = hex::encode(Sha256::digest(&bytes));
            self.cases.entry(reference.to_owned()).or_default().insert(sha256);
        }
        if status == 429 {
            assert!(answer.headers().contains_key("retry-after"), "{reference} is told when");
        }
        Some(status)
    }

    fn is_taken(&self) -> bool {
        let inbox = self.root.join("inbox").join(FLOW);
        self.uploads.is_empty() && fs::read_dir(inbox).unwrap().next().is_none()
    }
}

fn zipped(reference: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["a.pdf", "b.pdf"] {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(&letter(&format!("{reference}/{name}"))).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What a browser of that sender sends with every request.
pub(crate) fn session() -> String {
    format!("dossier={SECRET}")
}

/// Somebody who may send cases in, with a session.
pub(crate) async fn sender(db: &StoreAddress) {
    let store = Store::open(db).await.unwrap();
    let now = SystemClock.now();
    let user = NewUser {
        id: "sender".to_owned(),
        login: "sender".to_owned(),
        name: "sender".to_owned(),
        role: Role::Reviewer,
        password_hash: String::new(),
        must_change_password: false,
    };
    assert!(store.add_user(&user, now).await.unwrap());
    store.open_session(&hash_secret(SECRET), "sender", now, now + 24 * 3_600_000_000).await.unwrap();
    store.close().await;
}

/// Waits until nothing waits for the machine any more.
pub(crate) fn settle(flood: &mut Flood, address: &str, db: &StoreAddress, runtime: &tokio::runtime::Runtime) {
    let store = runtime.block_on(Store::open(db)).unwrap();
    let started = Instant::now();
    loop {
        flood.upload(address);
        let waiting = runtime.block_on(store.count_waiting()).unwrap();
        if waiting == 0 && flood.is_taken() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{waiting} cases still wait");
        pause(Duration::from_millis(100));
    }
    runtime.block_on(store.close());
}

/// Each case stands in one place, once, as if nothing had been killed.
pub(crate) async fn check(flood: &Flood, db: &StoreAddress) {
    let store = Store::open(db).await.unwrap();
    let counts = store.counts().await.unwrap();
    let all = counts.processing + counts.waiting_documents + counts.in_review + counts.decided;
    assert_eq!(usize::try_from(all).unwrap(), flood.cases.len(), "{counts:?}");
    let mut loans = BTreeSet::new();
    for (reference, hashes) in &flood.cases {
        let id = store.case_id(FLOW, reference).await.unwrap();
        let id = id.unwrap_or_else(|| panic!("{reference} is lost"));
        let case = store.case(&id).await.unwrap().unwrap();
        assert_ne!(case.state, CaseState::Processing, "{reference}");
        let files = store.files(&id).await.unwrap();
        let originals = files.iter().filter(|file| file.archive.is_none());
        let originals: BTreeSet<String> = originals.map(|file| file.sha256.clone()).collect();
        assert_eq!(&originals, hashes, "{reference}");
        let events = store.events(&id).await.unwrap();
        verify_chain(&id, &events).unwrap();
        let of = |kind| events.iter().filter(|event| event.kind == kind).count();
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        // A folder without a mark may be taken in two parts when it is looked at while it is written.
        assert_eq!(of(EventKind::GivenUp), 0, "{reference}: {kinds:?}");
        assert_eq!(of(EventKind::Decided), of(EventKind::Read), "{reference}: {kinds:?}");
        assert!(of(EventKind::Decided) <= of(EventKind::Received), "{reference}: {kinds:?}");
        let result = case.result.unwrap();
        assert_eq!(result.findings, [], "{reference}: a child that was killed is no fault of the file");
        if flood.loans.contains(reference) {
            let codes: Vec<String> = result.reasons.iter().map(|reason| reason.code.clone()).collect();
            loans.insert((result.outcome.as_str(), codes));
        } else {
            assert_eq!(case.state, CaseState::WaitingDocuments, "{reference}");
        }
    }
    assert!(loans.len() <= 1, "equal loans were decided alike: {loans:?}");
    store.close().await;
}

/// What the operator's own check says.
pub(crate) fn reconcile(flood: &Flood) {
    fs::write(flood.root.join("manifest.txt"), &flood.manifest).unwrap();
    let mut command = dossier(&flood.root);
    command.args(["reconcile", "--manifest", "manifest.txt"]);
    let output = run(&mut command);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let said = stdout(&output);
    assert!(said.contains(&format!("{} cases", flood.cases.len())), "{said}");
    assert!(said.contains(&format!("{} were moved aside and 0 wait", flood.rejected)), "{said}");
    assert!(said.contains("everything is accounted for"), "{said}");
}
