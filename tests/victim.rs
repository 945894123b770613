//! Processes of the program that are killed and started again, and the chance that chooses when.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use dossier::clock::{Clock as _, SystemClock};

use crate::support::dossier;

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
    pub(crate) fn start_as(mut command: Command, log: &Path) -> Self {
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
        kill_child(self.process.id(), chance)
    }

    /// It ended by itself: what it needs was not there.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Ends one of the children of a process, once it has any; not for long is waited for that.
pub(crate) fn kill_child(parent: u32, chance: &mut Chance) -> bool {
    for _ in 0..50 {
        let children = children(parent);
        if children.is_empty() {
            pause(Duration::from_millis(10));
            continue;
        }
        let child = &children[chance.below(children.len() as u64) as usize];
        let mut kill = Command::new("kill");
        return kill.args(["-KILL", child]).stderr(Stdio::null()).status().unwrap().success();
    }
    false
}

/// The ids of a process's children.
pub(crate) fn children(parent: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task"));
    let mut children = Vec::new();
    for task in tasks.into_iter().flatten().flatten() {
        let told = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(told.split_whitespace().map(str::to_owned));
    }
    children
}
