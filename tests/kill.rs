//! Whatever is killed, nothing is lost and nothing is done twice. While cases flow in, the server and its
//! children are ended with SIGKILL at moments that a seed chooses; at the end every case that was dropped
//! stands in one place, with its originals, an unbroken history and one decision. `DOSSIER_SOAK=1` runs the
//! full form. `DOSSIER_SEED` repeats a run.

use std::time::{Duration, Instant};

use crate::heard::Heard;
use crate::room::Room;
use crate::victim::{Chance, pause, seed};

#[test]
fn nothing_is_lost_or_done_twice_whatever_is_killed() {
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (cases, kills): (usize, usize) = if is_soak { (300, 200) } else { (30, 10) };
    let seed = seed();
    eprintln!("DOSSIER_SEED={seed}");
    let mut room = Room::with(seed, is_soak);
    let heard = Heard::start();
    room.configure(&heard.settings(room.root()));
    let mut chance = Chance::new(seed + 1);
    let started = Instant::now();
    let (mut victim, mut dropped, mut ended, mut children) = (room.start(), 0, 0, 0);
    while ended + children < kills {
        let due = (cases * (ended + children + 1)).div_ceil(kills);
        while dropped < due {
            room.flood.next(dropped);
            dropped += 1;
        }
        // Sometimes before it listens, sometimes after it has begun to work.
        if chance.below(3) > 0
            && let Some(address) = victim.address(Duration::from_secs(20))
        {
            room.flood.upload(&address);
        }
        pause(Duration::from_millis(chance.below(700)));
        if chance.below(3) == 0 && victim.kill_child(&mut chance) {
            children += 1;
        } else {
            victim.kill();
            ended += 1;
            victim = room.start();
        }
    }
    eprintln!("{ended} servers and {children} children were killed in {:?}", started.elapsed());
    let address = victim.address(Duration::from_secs(30)).expect("the server starts");
    room.settle(&address);
    eprintln!("{dropped} cases were done after {:?}", started.elapsed());
    room.runtime.block_on(heard.settle(&room.db));
    victim.stop();
    room.check();
    room.runtime.block_on(heard.check(&room.flood, &room.db));
    eprintln!("all was accounted for after {:?}", started.elapsed());
}
