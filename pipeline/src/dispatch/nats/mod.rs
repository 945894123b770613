//! Reading by workers on other machines, over NATS `JetStream`.
//!
//! A server sends a file's hash over one stream, a worker sends what it read over another. Both may lose what
//! they were given; the database does not, and what is lost is sent again. Workers know NATS and the blobs, and
//! nothing of cases.

mod link;
mod message;
mod server;
mod sweep;
mod worker;
#[cfg(any(test, feature = "synthetic"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use link::{Link, LinkError, NatsHealth};
pub use server::Workers;
pub use worker::Worker;
