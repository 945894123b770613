//! The server: pages for people, an API for systems. `router` is the whole URL table.
//!
//! Handlers turn requests into calls of [`desk`] and the store and render what comes back; every rule
//! of the business is in the library.

mod router;
mod state;
mod access;
mod session;
#[cfg(feature = "oidc")]
mod oidc;
mod limiter;
mod security;
mod problem;
mod language;
mod view;
mod filter;
mod desk;
mod blind;
mod images;
mod live;
mod health;
mod assets;
mod pages;
mod api;

pub use access::{Access, Permission};
pub use router::{RouteRow, route_table};

pub(crate) use live::Live;
#[cfg(feature = "oidc")]
pub(crate) use oidc::{Registration, SignIn};
pub(crate) use router::router;
pub(crate) use state::{AppState, ServerOptions};
