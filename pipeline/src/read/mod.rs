//! The reading of a file: a pure function of its bytes, and the child process that contains it.
//!
//! The same bytes, models and options give the same pages, byte for byte. Nothing here knows cases,
//! rules or databases; what cannot be read is a finding, never an error.

mod file;
mod mixed;

pub use file::{FileSummary, PageTimings, ReadOptions, ReadSink, read_file, read_whole};
