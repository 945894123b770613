//! A NATS server for tests: Debian's, on loopback, ended with the tests. Where it is not installed the tests say
//! so and go on, but not in CI.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests alone call it, those of other crates too"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::config::NatsSettings;

const SCRIPT: &str = concat!(
    include_str!("../../../../tests/until-it-serves.sh"),
    include_str!("../../../../tests/private-nats.sh")
);

/// A server of one test.
#[derive(Debug)]
pub struct PrivateNats {
    folder: tempfile::TempDir,
    port: String,
    server: String,
    /// It serves until the pipe to it is closed.
    process: Child,
}

impl PrivateNats {
    /// `None` where NATS is not installed.
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let Some((process, server, port)) = start(folder.path(), "-1") else {
            assert!(std::env::var_os("CI").is_none(), "CI has NATS: tests/install-packages.sh installs it");
            eprintln!("skipped: NATS is not installed (tests/install-packages.sh installs it)");
            return None;
        };
        Some(Self { folder, port, server, process })
    }

    /// Of its process.
    pub fn id(&self) -> u32 {
        self.server.parse().unwrap()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// With workers that count as gone after a second without a word.
    pub fn settings(&self) -> NatsSettings {
        NatsSettings {
            url: self.url(),
            user: None,
            password_file: None,
            authority_file: None,
            worker_patience_s: 1,
            cases_ahead: 8,
        }
    }

    /// Ends it with SIGKILL and starts it again where it was, with its store or without.
    pub fn restart(&mut self, loses_its_store: bool) {
        assert!(Command::new("kill").args(["-KILL", &self.server]).status().unwrap().success());
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
        if loses_its_store {
            std::fs::remove_dir_all(self.folder.path().join("jetstream")).unwrap();
        }
        let (process, server, _) = start(self.folder.path(), &self.port).unwrap();
        (self.process, self.server) = (process, server);
    }
}

impl Drop for PrivateNats {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

fn start(folder: &Path, port: &str) -> Option<(Child, String, String)> {
    let mut process = Command::new("sh")
        .args(["-c", SCRIPT, "private-nats"])
        .arg(folder)
        .arg(port)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let Some((server, port)) = line.trim().split_once(' ') else {
        assert_eq!(process.wait().unwrap().code(), Some(3), "NATS does not start");
        return None;
    };
    Some((process, server.to_owned(), port.to_owned()))
}
