//! The reading of a file: a pure function of its bytes, and the child process that contains it.
//!
//! The same bytes, models and options give the same pages, byte for byte. Nothing here knows cases'
//! meaning, rules or databases. What cannot be read is a finding; an error means that the models or
//! the machine failed.

mod file;
mod timed;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "arithmetic on pixels, clamped to the page"
)]
mod mixed;
mod wire;
mod stop;
mod progress;
pub mod child;
pub mod sandbox;
mod unpack;
mod cache;

pub use cache::ReadingCache;
pub use file::{PageTimings, ReadOptions, ReadSink, draw_pages, read_file, read_whole};
pub(crate) use progress::count_more;
pub use progress::{Progress, counted};
pub use sandbox::{FileOutcome, Sandbox, SandboxError, SandboxLimits};
pub use wire::{ChildLimits, PageImage};
