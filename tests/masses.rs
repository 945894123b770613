//! Ten thousand files within a minute: all are taken, in little memory, and the queue answers meanwhile.
//! `DOSSIER_SOAK=1` runs the full form.

use std::fs;
use std::time::{Duration, Instant};

use dossier::store::Store;

use crate::flood::{reconcile, session};
use crate::room::Room;
use crate::victim::pause;

/// The parent's memory at its highest.
const MOST_MEMORY_KB: u64 = 500_000;
/// In which everything is taken once it lies there: each case is made durable.
const PATIENCE: Duration = Duration::from_mins(8);

/// A number of `/proc/PID/status`, in kB.
fn status_kb(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn a_mass_of_files_is_taken_while_the_queue_answers() {
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (files, within) =
        if is_soak { (10_000, Duration::from_mins(1)) } else { (300, Duration::from_secs(2)) };
    let room = Room::new();
    let (server, address) = room.serve();
    let Room { folder, db, runtime, mut flood } = room;
    let started = Instant::now();
    let dropping = std::thread::spawn(move || {
        for number in 0..files {
            let due = within * number / files;
            if let Some(early) = due.checked_sub(started.elapsed()) {
                pause(early);
            }
            flood.drop_file(&format!("M-{number}"));
        }
        (flood, started.elapsed())
    });
    let mut waits = Vec::new();
    let inbox = folder.path().join("inbox/consumer_loan");
    while !dropping.is_finished() || fs::read_dir(&inbox).unwrap().next().is_some() {
        assert!(started.elapsed() < within + PATIENCE, "{} wait", fs::read_dir(&inbox).unwrap().count());
        let asked = Instant::now();
        let answer = ureq::get(format!("{address}/queue")).header("cookie", session()).call().unwrap();
        assert_eq!(answer.status(), 200);
        waits.push(asked.elapsed());
        pause(Duration::from_millis(200));
    }
    let (taken_in, (flood, dropped_in)) = (started.elapsed(), dropping.join().unwrap());
    let (peak, now) = (status_kb(server.id(), "VmHWM"), status_kb(server.id(), "VmRSS"));
    let done = runtime.block_on(async {
        let store = Store::open(&db).await.unwrap();
        let waiting = store.count_waiting().await.unwrap();
        store.close().await;
        u64::from(files) - waiting
    });
    waits.sort();
    let quantile = |hundredths: usize| waits[(waits.len() * hundredths / 100).min(waits.len() - 1)];
    eprintln!(
        "{files} files were dropped in {dropped_in:?} and taken after {taken_in:?}, {done} of them read by then; the \
         parent had {peak} kB at its highest and has {now} kB; the queue answered {} times, median {:?}, p95 {:?}, \
         longest {:?}",
        waits.len(),
        quantile(50),
        quantile(95),
        quantile(100),
    );
    assert!(!is_soak || dropped_in < within + Duration::from_secs(5), "they came within a minute");
    assert!(peak < MOST_MEMORY_KB, "{peak} kB");
    assert!(quantile(95) < Duration::from_secs(1), "{:?}", quantile(95));
    // Reading them all takes as long as it takes.
    server.kill();
    reconcile(&flood);
}
