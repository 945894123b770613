//! What comes in: the files of a case as the sender gave them, told by content and never by name.
//!
//! Parsing of hostile bytes beyond a file's first kilobytes belongs in the sandboxed child
//! ([`crate::read`]); nothing here may decide what a document means.

pub mod sniff;
pub mod archive;
pub mod folder;
mod hash;
pub mod name;
pub mod pressure;
pub mod accept;
pub mod watch;

pub use folder::{CaseSource, IntakeError, SourceFile, discover};
pub use hash::hash_file;
pub use sniff::{Format, sniff};
