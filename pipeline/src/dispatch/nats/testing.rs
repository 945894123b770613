//! A NATS server for tests: Debian's, on loopback, ended with the tests. Where it is not installed the tests say
//! so and go on, but not in CI.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests alone call it, those of other crates too"
)]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::config::NatsSettings;

const SCRIPT: &str = concat!(
    include_str!("../../../../tests/until-it-serves.sh"),
    include_str!("../../../../tests/private-nats.sh")
);

/// A server of one test.
#[derive(Debug)]
pub struct PrivateNats {
    folder: tempfile::TempDir,
    port: u16,
    configuration: Option<PathBuf>,
    server: String,
    /// It serves until the pipe to it is closed.
    process: Child,
}

impl PrivateNats {
    /// `None` where NATS is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// With a configuration, of which the address and the place of the store are not followed. The passwords that it
    /// takes from the environment are the users' names.
    pub fn start_with(configuration: Option<&Path>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let configuration = configuration.map(Path::to_owned);
        let Some((process, server)) = start(folder.path(), port, configuration.as_deref()) else {
            assert!(std::env::var_os("CI").is_none(), "CI has NATS: tests/install-packages.sh installs it");
            eprintln!("skipped: NATS is not installed (tests/install-packages.sh installs it)");
            return None;
        };
        Some(Self { folder, port, configuration, server, process })
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

    /// The same for a user of a configuration, whose password is kept in this folder.
    pub fn settings_of(&self, user: &str, folder: &Path) -> NatsSettings {
        let password_file = folder.join(format!("password-of-{user}"));
        std::fs::write(&password_file, user).unwrap();
        NatsSettings { user: Some(user.to_owned()), password_file: Some(password_file), ..self.settings() }
    }

    /// It was started with a configuration.
    pub fn is_configured(&self) -> bool {
        self.configuration.is_some()
    }

    /// Ends it with SIGKILL and starts it again where it was, with its store or without.
    pub fn restart(&mut self, loses_its_store: bool) {
        self.restart_without(loses_its_store.then_some(""));
    }

    /// The same with a store that has lost the messages of a stream, as one that was not synced may, and nothing else.
    pub fn restart_without_messages(&mut self, stream: &str) {
        self.restart_without(Some(&format!("$G/streams/{stream}/msgs")));
    }

    fn restart_without(&mut self, lost: Option<&str>) {
        assert!(Command::new("kill").args(["-KILL", &self.server]).status().unwrap().success());
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
        if let Some(lost) = lost {
            std::fs::remove_dir_all(self.folder.path().join("jetstream").join(lost)).unwrap();
        }
        let configuration = self.configuration.as_deref();
        (self.process, self.server) = start(self.folder.path(), self.port, configuration).unwrap();
    }
}

impl Drop for PrivateNats {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

/// A port that nobody gets by chance while the server is not there: its own clients, who try to reach it again and
/// again, would be given it and speak with themselves.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) + std::process::id() * 7;
        let port = 20_000 + u16::try_from(next % 10_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn start(folder: &Path, port: u16, configuration: Option<&Path>) -> Option<(Child, String)> {
    let mut process = Command::new("sh")
        .args(["-c", SCRIPT, "private-nats"])
        .arg(folder)
        .arg(port.to_string())
        .args(configuration)
        .envs([("DOSSIER_NATS_WEB", "web"), ("DOSSIER_NATS_WORKER", "worker")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        assert_eq!(process.wait().unwrap().code(), Some(3), "NATS does not start");
        return None;
    }
    Some((process, line.trim().to_owned()))
}
