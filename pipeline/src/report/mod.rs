//! How much went end to end, and why the rest did not: computed from decided cases.
//! Knows no database and no terminal.

mod export;
mod split;

pub use export::{ExportError, ReportFormat, render};
pub use split::{GroupBy, Split, SplitReport};
