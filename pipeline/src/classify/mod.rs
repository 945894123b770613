//! Pages of a case's files become logical documents with types. Knows the anchor phrases of the
//! configuration and the look of machine-readable zones, and nothing of fields.

mod evidence;
mod group;
mod phrases;

pub use evidence::{PageEvidence, weigh};
pub use group::{LogicalDocument, PageOfFile, group};
