//! Whatever is killed, nothing is lost and nothing is done twice. While cases flow in, the server and its
//! children are ended with SIGKILL at moments that a seed chooses; at the end every case that was dropped
//! stands in one place, with its originals, an unbroken history and one decision. `DOSSIER_SOAK=1` runs the
//! full form. `DOSSIER_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dossier::accounts::hash_secret;
use dossier::clock::{Clock as _, SystemClock};
use dossier::store::{CaseState, EventKind, NewUser, Role, Store, StoreAddress, verify_chain};
use sha2::{Digest, Sha256};

use crate::forged;
use crate::support::{dossier, run, stderr, stdout};

const FLOW: &str = "consumer_loan";
const SECRET: &str = "5ec7e7";
/// In which everything has to be done once nobody kills any more.
const PATIENCE: Duration = Duration::from_mins(12);

/// Chance that can be repeated (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

pub(crate) fn pause(time: Duration) {
    // Nobody ever sends: waiting on it is a pause.
    let (_keep, pause) = mpsc::channel::<()>();
    pause.recv_timeout(time).unwrap_err();
}

pub(crate) fn seed() -> u64 {
    let given = std::env::var("DOSSIER_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemClock.now().unsigned_abs() % 1_000_000)
}

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
            uploads: Vec::new(),
        }
    }

    fn note(&mut self, reference: &str, path: &str, bytes: &[u8]) {
        let sha256 = hex::encode(Sha256::digest(bytes));
        writeln!(self.manifest, "{sha256}  {FLOW}/{path}").unwrap();
        if path.ends_with(".json") {
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
        let bytes = letter(reference);
        let inbox = self.root.join("inbox").join(FLOW);
        fs::create_dir_all(&inbox).unwrap();
        fs::write(inbox.join(format!("{reference}.pdf")), &bytes).unwrap();
        self.note(reference, &format!("{reference}.pdf"), &bytes);
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
            .header("cookie", format!("dossier={SECRET}"))
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

/// A process of the program that is killed and started again.
pub(crate) struct Victim {
    process: Child,
    /// Where it listens, when it says so before it is killed.
    said: mpsc::Receiver<String>,
    address: Option<String>,
}

impl Victim {
    pub(crate) fn start(root: &Path, arguments: &[&str], log: &str) -> Self {
        let mut command = dossier(root);
        command.args(arguments);
        Self::start_as(command, &root.join(log))
    }

    /// Starts the program as somebody else has prepared it.
    pub(crate) fn start_as(mut command: std::process::Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.env("DOSSIER_LOG", "info").stderr(log).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("serves ") {
                    sender.send(rest.split(' ').next().unwrap().to_owned()).ok();
                }
            }
        });
        Self { process, said, address: None }
    }

    /// Waits until it listens, or has ended.
    pub(crate) fn address(&mut self, patience: Duration) -> Option<String> {
        if self.address.is_none() {
            self.address = self.said.recv_timeout(patience).ok();
        }
        self.address.clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends one of its children, if it has any.
    pub(crate) fn kill_child(&self, chance: &mut Chance) -> bool {
        let parent = self.process.id();
        let tasks = fs::read_dir(format!("/proc/{parent}/task"));
        let mut children = Vec::new();
        for task in tasks.into_iter().flatten().flatten() {
            let told = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            children.extend(told.split_whitespace().map(str::to_owned));
        }
        let Ok(count) = u64::try_from(children.len()) else { return false };
        if count == 0 {
            return false;
        }
        let child = &children[chance.below(count) as usize];
        std::process::Command::new("kill")
            .args(["-KILL", child])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
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

#[test]
fn nothing_is_lost_or_done_twice_whatever_is_killed() {
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (cases, kills): (usize, usize) = if is_soak { (300, 200) } else { (30, 10) };
    let seed = seed();
    eprintln!("DOSSIER_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("data")).unwrap();
    let db = StoreAddress::Sqlite(root.join("data/cases.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sender(&db));
    let mut flood = Flood::new(root, seed, is_soak);
    let mut chance = Chance::new(seed + 1);
    let started = Instant::now();
    let serve = || Victim::start(root, &["serve", "--listen", "127.0.0.1:0"], "serve.log");
    let (mut victim, mut dropped, mut ended, mut children) = (serve(), 0, 0, 0);
    while ended + children < kills {
        let due = (cases * (ended + children + 1)).div_ceil(kills);
        while dropped < due {
            flood.next(dropped);
            dropped += 1;
        }
        // Sometimes before it listens, sometimes after it has begun to work.
        if chance.below(3) > 0
            && let Some(address) = victim.address(Duration::from_secs(20))
        {
            flood.upload(&address);
        }
        pause(Duration::from_millis(chance.below(700)));
        if chance.below(3) == 0 && victim.kill_child(&mut chance) {
            children += 1;
        } else {
            victim.kill();
            ended += 1;
            victim = serve();
        }
    }
    eprintln!("{ended} servers and {children} children were killed in {:?}", started.elapsed());
    let address = victim.address(Duration::from_secs(30)).expect("the server starts");
    settle(&mut flood, &address, &db, &runtime);
    eprintln!("{dropped} cases were done after {:?}", started.elapsed());
    victim.stop();
    runtime.block_on(check(&flood, &db));
    reconcile(&flood, &["--db", "data/cases.db"]);
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
pub(crate) fn reconcile(flood: &Flood, arguments: &[&str]) {
    fs::write(flood.root.join("manifest.txt"), &flood.manifest).unwrap();
    let mut command = dossier(&flood.root);
    command.args(["reconcile", "--manifest", "manifest.txt"]).args(arguments);
    let output = run(&mut command);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let said = stdout(&output);
    assert!(said.contains(&format!("{} cases", flood.cases.len())), "{said}");
    assert!(said.contains(&format!("{} were moved aside and 0 wait", flood.rejected)), "{said}");
    assert!(said.contains("everything is accounted for"), "{said}");
}
