//! Where cases, decisions and their history are kept. Knows SQL; nothing else does.

mod event;
mod sqlite;

pub use event::{BrokenChain, Event, EventKind, verify_chain};
pub use sqlite::{DecidedCase, SqliteStore, StoreError};
