//! What every handler shares.

use std::path::PathBuf;
use std::sync::Arc;

use dossier::clock::Micros;
use dossier::work::Workshop;

use super::limiter::Limiter;
use super::live::Live;

/// How the server was started.
#[derive(Debug, Clone)]
pub(crate) struct ServerOptions {
    /// Folder for what can be made again: pictures of pages.
    pub(crate) cache: PathBuf,
    /// The address is reached over TLS alone: cookies say so.
    pub(crate) secure_cookies: bool,
    /// A lease ends when nobody kept it alive for so long.
    pub(crate) lease: Micros,
    /// A session ends when nobody used it for so long.
    pub(crate) session: Micros,
    /// Largest upload.
    pub(crate) upload_bytes: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) shop: Arc<Workshop>,
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) logins: Arc<Limiter>,
    /// Passwords looked at at the same time: each takes 19 MB and a core.
    pub(crate) hashing: Arc<tokio::sync::Semaphore>,
    pub(crate) live: Live,
}

impl AppState {
    pub(crate) fn new(shop: Arc<Workshop>, options: ServerOptions, live: Live) -> Self {
        Self {
            shop,
            options: Arc::new(options),
            logins: Arc::new(Limiter::default()),
            hashing: Arc::new(tokio::sync::Semaphore::new(2)),
            live,
        }
    }

    pub(crate) fn now(&self) -> Micros {
        self.shop.clock.now()
    }
}
