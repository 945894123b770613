//! The words of the business as types: what a page, a document, a field, a case and a decision are.
//!
//! Pure data. Nothing here may know files, databases, the clock or a configuration.

mod case;
mod document;
mod field;
mod finding;
mod geometry;
mod page;

pub use case::{Case, CaseResult, Decision, FileFinding, Mode, Outcome, Reason, Timings, Version};
pub use document::{Document, DocumentType, FileReading, Part};
pub use field::{Check, Field, Transaction, Value, format_money};
pub use finding::{Finding, FindingCode};
pub use geometry::Rect;
pub use page::{CharReading, InkMark, Page, Row, RuleLine, Segment, TextSource, TickBox, Word};
