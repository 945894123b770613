//! Scores what the pipeline read and decided against labelled cases, and fits the confidence curves.
//! Pure: takes truths and results, knows neither files nor the clock.

mod calibrate;
mod compare;
mod floors;
mod print;
mod score;
mod truth;

pub use calibrate::fit_curves;
pub use compare::{Verdict, judge};
pub use floors::{Floors, GroupFloors};
pub use score::{Evaluation, FieldTally, Mistake, Observation, RowTally, evaluate};
pub use truth::{TruthCase, TruthDocument, TruthError};
