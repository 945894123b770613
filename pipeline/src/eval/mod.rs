//! Scores what the pipeline read and decided against labelled cases, and fits the confidence model.
//! Pure: takes truths and results, knows neither files nor the clock.

mod calibrate;
mod compare;
mod floors;
mod losses;
mod print;
mod score;
mod truth;

pub use calibrate::{fit_model, predict};
pub use compare::{Verdict, judge};
pub use floors::{Floors, GroupFloors};
pub use losses::{Stage, stages};
pub use score::{Evaluation, FieldTally, Mistake, Observation, RowTally, evaluate};
pub use truth::{TruthCase, TruthDocument, TruthError};
