//! What every handler shares.

use std::path::PathBuf;
use std::sync::Arc;

use dossier::clock::Micros;
use dossier::work::Workshop;

use super::limiter::Limiter;
use super::live::Live;
#[cfg(feature = "oidc")]
use super::oidc::SignIn;

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
    /// The `OpenID` provider, where one is configured.
    #[cfg(feature = "oidc")]
    pub(crate) sign_in: Option<Arc<SignIn>>,
}

impl AppState {
    pub(crate) fn new(shop: Arc<Workshop>, options: ServerOptions, live: Live) -> Self {
        Self {
            shop,
            options: Arc::new(options),
            logins: Arc::new(Limiter::default()),
            hashing: Arc::new(tokio::sync::Semaphore::new(2)),
            live,
            #[cfg(feature = "oidc")]
            sign_in: None,
        }
    }

    /// Lets people log in through this provider too.
    #[cfg(feature = "oidc")]
    pub(crate) fn with_sign_in(self, sign_in: Option<SignIn>) -> Self {
        Self { sign_in: sign_in.map(Arc::new), ..self }
    }

    /// What the `OpenID` provider is called, where people may log in through one.
    #[cfg(feature = "oidc")]
    pub(crate) fn provider_title(&self) -> Option<&str> {
        self.sign_in.as_ref().map(|sign_in| sign_in.settings.title.as_str())
    }

    /// This program was built without `OpenID`.
    #[cfg(not(feature = "oidc"))]
    #[expect(clippy::unused_self, reason = "with the feature it looks")]
    pub(crate) fn provider_title(&self) -> Option<&str> {
        None
    }

    pub(crate) fn now(&self) -> Micros {
        self.shop.clock.now()
    }
}
