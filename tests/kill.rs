//! Whatever is killed, nothing is lost and nothing is done twice. While cases flow in, the server and its
//! children are ended with SIGKILL at moments that a seed chooses; at the end every case that was dropped
//! stands in one place, with its originals, an unbroken history and one decision. `DOSSIER_SOAK=1` runs the
//! full form. `DOSSIER_SEED` repeats a run.

use std::fs;
use std::time::{Duration, Instant};

use dossier::store::StoreAddress;

use crate::flood::{Flood, check, reconcile, sender, settle};
use crate::heard::Heard;
use crate::victim::{Chance, Victim, pause, seed};

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
    let heard = Heard::start();
    fs::write(root.join("dossier.toml"), heard.settings(root)).unwrap();
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
    runtime.block_on(heard.settle(&db));
    victim.stop();
    runtime.block_on(check(&flood, &db));
    runtime.block_on(heard.check(&flood, &db));
    reconcile(&flood, &["--db", "data/cases.db"]);
    eprintln!("all was accounted for after {:?}", started.elapsed());
}
