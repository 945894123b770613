//! The integration tests: whole commands, as people and systems use them.

#[path = "support.rs"]
mod support;

#[path = "journeys.rs"]
mod journeys;

#[path = "usage.rs"]
mod usage;

#[path = "forged.rs"]
mod forged;

#[path = "hostile.rs"]
mod hostile;
