//! What people do with a case, as pure functions: change a field and see what would now be decided,
//! decide, ask for documents, have a second person agree.
//!
//! Knows neither store nor web: a result goes in, a result with what is to be recorded comes out.
//! Both the pages and the API go through here.

mod rows;
mod value;
mod change;
mod linked;
mod carry;
mod judge;
mod policy;
mod quality;
#[cfg(test)]
mod tests;

pub use carry::carry_over;
pub use change::{Change, ChangeError, Changed, Place, change};
pub use judge::{Judged, Judgement, judge};
pub use linked::{Agreement, Kin, Link, Mention, linked};
pub use policy::{
    amount_cents, draft_request, escalation_horizon, goal_and_deadline, mode_after, wanted_documents,
    working_time_used,
};
pub use quality::{falls_back, hold_back, quality_since};
pub use rows::RowsError;
pub use value::{Expected, expected, normalise};

pub(crate) use quality::QUALITY_FALLBACK;
