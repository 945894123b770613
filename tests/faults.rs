//! What may go wrong around a server that goes on: each row of the table in ARCHITECTURE.md that is not among the tests
//! of a part. In the end everything that was dropped is accounted for, and nobody had to help.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dossier::read::{ReadOptions, Sandbox, SandboxError, SandboxLimits};
use dossier::store::Store;
use dossier::store::testing::{KillablePostgres, PrivatePostgres};

use crate::room::{Room, SERVE, STARTS_IN, runtime};
use crate::support::{dossier, run, stderr, stdout};
use crate::victim::{Chance, Victim, pause};

/// In which what does not depend on reading happens.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until it is so.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what} never came");
        pause(Duration::from_millis(50));
    }
}

/// A namespace of mounts in which the folder `data` is a small disk.
struct SmallDisk {
    /// Holds the namespace until its standard input ends.
    holder: Child,
    data: PathBuf,
}

impl SmallDisk {
    /// `None` where no namespaces can be made.
    fn mount(root: &Path, megabytes: u32) -> Option<Self> {
        let script = format!(
            "mkdir saved && cp -a data/. saved && mount -t tmpfs -o size={megabytes}m,mode=700 none data && \
             cp -a saved/. data && echo mounted && exec cat"
        );
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-c", &script]).current_dir(root);
        let mut holder =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.trim() != "mounted" {
            holder.wait().unwrap();
            eprintln!("skipped: no disk can be mounted in a namespace here");
            return None;
        }
        let data = PathBuf::from(format!("/proc/{}/root{}/data", holder.id(), root.display()));
        Some(Self { holder, data })
    }

    /// The program, where it sees the small disk.
    fn dossier(&self, root: &Path, arguments: &[&str]) -> Command {
        let program = dossier(root);
        let mut command = Command::new("nsenter");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--mount", "--target", &self.holder.id().to_string(), "sh", "-c"]);
        command.arg("cd \"$0\" && exec \"$@\"").arg(root).arg(program.get_program()).args(arguments);
        for (name, _) in program.get_envs() {
            command.env_remove(name);
        }
        command
    }

    /// Writes until nothing more can be written.
    fn fill(&self) {
        let mut ballast = fs::File::options().create(true).append(true).open(self.ballast()).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while ballast.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn ballast(&self) -> PathBuf {
        self.data.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        self.holder.wait().ok();
    }
}

fn is_root() -> bool {
    stdout(&run(Command::new("id").arg("-u"))).trim() == "0"
}

/// The folder `data` with the database and the originals is a disk of 48 MB that is full for a while: while cases wait
/// to be taken, and while some are being processed.
#[test]
fn a_full_disk_loses_nothing() {
    let mut room = Room::new();
    let Some(disk) = SmallDisk::mount(room.root(), 48) else { return };
    let log = room.root().join("serve.log");
    let mut server = Victim::start_as(disk.dossier(room.root(), &SERVE), &log);
    let address = server.address(STARTS_IN).expect("the server starts");
    for number in 0..12 {
        room.flood.drop_file(&format!("K-{number}"));
    }
    wait_until("the first case", || room.waiting_in_the_inbox() < 12);
    disk.fill();
    let left = room.waiting_in_the_inbox();
    for number in 12..18 {
        room.flood.drop_file(&format!("K-{number}"));
    }
    let refused = room.flood.send(&address, "K-18").expect("it answers");
    assert!(refused >= 500, "a full disk is no fault of whoever sends: {refused}");
    pause(Duration::from_secs(5));
    // What it was taking when the disk was filled may have had its room already.
    assert!(room.waiting_in_the_inbox() + 1 >= left + 6, "what cannot be kept stays in the inbox");
    assert!(!server.has_ended());
    assert_eq!(ureq::get(format!("{address}/health/live")).call().unwrap().status(), 200);
    fs::remove_file(disk.ballast()).unwrap();
    room.flood.again("K-18");
    let started = Instant::now();
    loop {
        room.flood.upload(&address);
        let told = stdout(&run(&mut disk.dossier(room.root(), &["reconcile"])));
        if told.contains("19 cases")
            && told.contains(" 0 are processed")
            && told.contains(" 0 wait in the inbox")
        {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{told}{}", fs::read_to_string(&log).unwrap());
        pause(Duration::from_millis(500));
    }
    assert!(!server.has_ended(), "it went on by itself");
    // The server is what `nsenter` became.
    server.stop();
    // The disk goes with its namespace: what is on it is looked at elsewhere.
    let copied = run(Command::new("cp").arg("-a").arg(disk.data.join(".")).arg(room.root().join("data")));
    assert!(copied.status.success(), "{}", stderr(&copied));
    drop(disk);
    room.check();
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains("could not be taken yet"), "{logged}");
}

/// The folder of blobs is not there for a while, as when a share goes away.
#[test]
fn blobs_that_are_gone_for_a_while_lose_nothing() {
    let mut room = Room::new();
    let (server, address) = room.serve();
    let (blobs, elsewhere) = (room.root().join("data/blobs"), room.root().join("elsewhere"));
    for number in 0..8 {
        room.flood.drop_file(&format!("K-{number}"));
    }
    wait_until("the first case", || room.waiting_in_the_inbox() < 8);
    fs::rename(&blobs, &elsewhere).unwrap();
    for number in 8..12 {
        room.flood.drop_file(&format!("K-{number}"));
    }
    let refused = room.flood.send(&address, "K-12").expect("it answers");
    assert!(refused >= 500, "{refused}");
    pause(Duration::from_secs(4));
    // What came earlier may be on its way in, eight at a time.
    wait_until("what cannot be kept is in the inbox", || room.waiting_in_the_inbox() >= 4);
    assert!(!blobs.exists(), "nobody makes an empty one in its place");
    fs::rename(&elsewhere, &blobs).unwrap();
    room.flood.again("K-12");
    room.end(vec![server], &address);
}

/// A child that finds its file gone says so: nothing is decided as if the file could not be read.
#[tokio::test]
async fn a_file_that_is_out_of_reach_is_an_error_and_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_dossier").into();
    let sandbox = Sandbox::new(program, None, 1, SandboxLimits::default());
    let read = sandbox.read(&folder.path().join("gone.pdf"), &ReadOptions::default()).await;
    assert!(
        matches!(&read, Err(SandboxError::Reader { problem }) if problem.contains("out of reach")),
        "{read:?}"
    );
}

/// The database is killed and started again while cases flow; the server stays.
#[test]
fn a_database_that_is_restarted_holds_nothing_up() {
    let Some(mut postgres) = KillablePostgres::start() else { return };
    let db = runtime().block_on(postgres.migrated_database());
    let mut room = Room::on(db);
    let (server, address) = room.serve();
    let mut chance = Chance::new(7);
    for round in 0..4 {
        for number in 0..6 {
            room.flood.next(round * 6 + number);
        }
        pause(Duration::from_millis(500 + chance.below(2_500)));
        postgres.restart();
    }
    room.end(vec![server], &address);
}

/// The server's clock jumps two days ahead while cases are processed, and back again.
#[test]
fn a_clock_that_jumps_holds_nothing_up() {
    let Some(library) = faketime() else { return };
    let mut room = Room::new();
    let told = room.root().join("clock");
    fs::write(&told, "+0").unwrap();
    let mut command = dossier(room.root());
    command.args(SERVE).env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &told);
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_CACHE_DURATION", "1");
    let mut server = Victim::start_as(command, &room.root().join("serve.log"));
    let address = server.address(STARTS_IN).expect("the server starts");
    let mut number = 0;
    for offset in ["+2d", "+0", "-2d", "+0"] {
        for _ in 0..6 {
            room.flood.drop_file(&format!("K-{number}"));
            number += 1;
        }
        wait_until("a case", || room.waiting_in_the_inbox() < 6);
        fs::write(&told, offset).unwrap();
        pause(Duration::from_millis(2_500));
    }
    room.end(vec![server], &address);
    let came_in = room.runtime.block_on(async {
        let store = Store::open(&room.db).await.unwrap();
        let mut came_in = Vec::new();
        for reference in ["K-0", "K-6", "K-12", "K-18"] {
            let id = store.case_id("consumer_loan", reference).await.unwrap().unwrap();
            came_in.push(store.events(&id).await.unwrap()[0].at / 86_400_000_000);
        }
        came_in
    });
    let today = came_in[0];
    assert_eq!(came_in, [today, today + 2, today, today - 2], "the clock did jump");
}

/// Where Debian puts it; no other system is asked.
fn faketime() -> Option<PathBuf> {
    let found = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let library = found.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    if library.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has faketime: tests/install-packages.sh installs it");
        eprintln!("skipped: there is no libfaketime (tests/install-packages.sh installs it)");
    }
    library
}

/// A share on which nobody tells of changes, files are written in pieces with pauses, and names come late.
#[test]
fn a_slow_share_gives_whole_files() {
    let mut room = Room::new();
    let inbox = room.root().join("inbox/consumer_loan");
    fs::create_dir_all(inbox.join("K-2")).unwrap();
    // Known to the inbox before the server looks for the first time, and not finished.
    let bytes = [0, 1, 2].map(|number| room.flood.expect_file(&format!("K-{number}")));
    let places = ["K-0.pdf.part", "K-1.pdf", "K-2/a.pdf.tmp"].map(|name| inbox.join(name));
    let halves = bytes.each_ref().map(|bytes| bytes.split_at(bytes.len() / 2));
    let mut files = places.each_ref().map(|place| fs::File::create(place).unwrap());
    for (file, (first, _)) in files.iter_mut().zip(halves) {
        file.write_all(first).unwrap();
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c"]);
    command.arg("echo 0 >/proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\"");
    let program = dossier(room.root());
    command.arg(program.get_program()).args(SERVE).current_dir(room.root());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    let mut server = Victim::start_as(command, &room.root().join("serve.log"));
    let Some(address) = server.address(STARTS_IN) else {
        eprintln!("skipped: no namespace in which nobody is told of changes can be made here");
        return;
    };
    let log = room.root().join("serve.log");
    wait_until("a word about the system that tells nothing", || {
        fs::read_to_string(&log).unwrap().contains("the system does not tell about changes")
    });
    // The one without a name for unfinished ones is written to every second; the others rest for longer than that takes
    // to be quiet.
    let (_, rest) = halves[1];
    for piece in rest.chunks(rest.len().div_ceil(6)) {
        pause(Duration::from_secs(1));
        files[1].write_all(piece).unwrap();
        files[1].sync_all().unwrap();
    }
    for number in [0, 2] {
        assert!(places[number].exists(), "what is unfinished stays");
        files[number].write_all(halves[number].1).unwrap();
    }
    pause(Duration::from_secs(3));
    fs::rename(&places[0], inbox.join("K-0.pdf")).unwrap();
    pause(Duration::from_secs(1));
    fs::rename(&places[2], inbox.join("K-2/a.pdf")).unwrap();
    wait_until("the last case", || room.waiting_in_the_inbox() == 0);
    if std::env::var_os("DOSSIER_SOAK").is_some() {
        // Nothing is being written: it is found by the look at everything, every minute.
        pause(Duration::from_secs(5));
        room.flood.drop_file("K-3");
        wait_until("what nobody told of", || room.waiting_in_the_inbox() == 0);
    }
    room.end(vec![server], &address);
}

/// Two servers on one machine share everything; their store is a file.
#[test]
fn two_servers_on_one_inbox_take_each_case_once() {
    let mut room = Room::new();
    let (one, address) = room.serve();
    let (two, _) = room.serve();
    for number in 0..40 {
        room.flood.next(number);
    }
    room.end(vec![one, two], &address);
}

/// Two servers on two machines share the database, the blobs and the inbox.
#[test]
fn two_machines_on_one_inbox_take_each_case_once() {
    let Some(postgres) = PrivatePostgres::get() else { return };
    let db = runtime().block_on(postgres.migrated_database());
    let mut room = Room::on(db);
    let root = room.root().to_owned();
    fs::create_dir_all(root.join("data/blobs")).unwrap();
    fs::create_dir(root.join("other")).unwrap();
    symlink(root.join("data/blobs"), root.join("other/blobs")).unwrap();
    let other = format!("db = \"{}\"\ninbox = \"inbox\"\ndata = \"other\"\n", room.db);
    fs::write(root.join("other.toml"), other).unwrap();
    let (one, address) = room.serve();
    let arguments = [&SERVE[..], &["--config", "other.toml"]].concat();
    let mut two = Victim::start(&root, &arguments, "other.log");
    two.address(STARTS_IN).expect("the other server starts");
    for number in 0..40 {
        room.flood.next(number);
    }
    room.end(vec![one, two], &address);
}
