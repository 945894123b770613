//! Where the automation stands: how much went end to end, why the rest did not, how long it took and
//! what it cost. Pages, API and command line show what is computed here.
//!
//! The way of a figure: a case with its history gives [`CaseFacts`], the facts of a day's cases a
//! [`Rollup`], the rollups of a period a [`Report`], and that its tables ([`Sheet`]) and charts. Knows no
//! database and no page.

mod split;
mod policy;
mod timeline;
mod facts;
mod rollup;
mod lines;
mod summary;
mod sheet;
mod sheets;
pub mod chart;
mod export;
#[cfg(test)]
mod tests;

pub use export::{ExportError, ReportFormat, render, split_text};
pub use facts::{Blind, CaseFacts, CaseRecord, FieldFacts, SentReason};
pub use lines::{
    AutomationLine, Backlog, EffortLine, FieldLine, MachineLine, OutcomeLine, PeriodLine, QualityLine,
    ReasonLine, ReviewerLine, Spread, StageLine, Times,
};
pub use policy::{FlowPolicy, Policies};
pub use rollup::{Automation, FieldCounts, Rollup, SentCounts};
pub use sheet::{CasesLink, Cell, Column, Sheet, duration};
pub use split::{GroupBy, Period, Split};
pub use summary::{FlowDay, Material, Report, ReportQuery};
pub use timeline::{Stage, Work};
