//! How the NATS server is reached.

use std::path::PathBuf;

use serde::Deserialize;

/// The section `[nats]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsSettings {
    /// `nats://HOST:PORT`, or `tls://…`. Several are parted by commas.
    pub url: String,
    pub user: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// Certificates of the authority that vouches for the server, beside the system's.
    pub authority_file: Option<PathBuf>,
    /// A worker that says nothing for so long counts as gone, and another one gets its files.
    #[serde(default = "worker_patience_s")]
    pub worker_patience_s: u64,
    /// Cases in work at a time: more than what all workers read together.
    #[serde(default = "cases_ahead")]
    pub cases_ahead: usize,
}

fn worker_patience_s() -> u64 {
    30
}

fn cases_ahead() -> usize {
    64
}
