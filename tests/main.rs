//! The integration tests: whole commands, as people and systems use them.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking, on small files"
)]

#[path = "support.rs"]
mod support;

#[path = "journeys.rs"]
mod journeys;

#[path = "usage.rs"]
mod usage;

#[path = "forged.rs"]
mod forged;

#[path = "server.rs"]
mod server;

#[path = "serving.rs"]
mod serving;

#[cfg(feature = "oidc")]
#[path = "oidc.rs"]
mod oidc;

#[path = "outside.rs"]
mod outside;

#[path = "erasing.rs"]
mod erasing;

#[path = "reports.rs"]
mod reports;

#[path = "browser.rs"]
mod browser;

#[path = "door.rs"]
mod door;

#[path = "station.rs"]
mod station;

#[path = "simulate.rs"]
mod simulate;

#[path = "image.rs"]
mod image;

#[path = "databases.rs"]
mod databases;

#[path = "load.rs"]
mod load;

#[path = "fuzz.rs"]
mod fuzz;

#[path = "hostile.rs"]
mod hostile;

#[path = "victim.rs"]
mod victim;

#[path = "flood.rs"]
mod flood;

#[path = "room.rs"]
mod room;

#[path = "heard.rs"]
mod heard;

#[path = "mutators.rs"]
mod mutators;

#[path = "mutated.rs"]
mod mutated;

#[path = "storage.rs"]
mod storage;

#[path = "bucket.rs"]
mod bucket;

#[path = "kill.rs"]
mod kill;

#[path = "workers.rs"]
mod workers;

#[path = "faults.rs"]
mod faults;

#[path = "masses.rs"]
mod masses;

#[path = "scale.rs"]
mod scale;

#[cfg(feature = "otel")]
#[path = "traces.rs"]
mod traces;
