//! dossier reads the documents of loan applications and claims, decides what rules can decide and
//! brings people in only for what they alone can judge.
//!
//! The modules in the order in which a document meets them:

pub mod process;
pub mod domain;
pub mod config;
pub mod intake;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "arithmetic on pixels, whose number the limits of `render` bound"
)]
pub mod render;
mod raster;
pub mod ocr;
pub mod upright;
pub mod layout;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "arithmetic on pixels, whose number the limits of `render` bound"
)]
pub mod marks;
pub mod read;
pub mod dispatch;
pub mod classify;
pub mod extract;
pub mod confidence;
pub mod understand;
pub mod link;
pub mod rules;
pub mod net;
pub mod connectors;
pub mod review;
pub mod store;
pub mod work;
pub mod recheck;
pub mod deliver;
pub mod awaited;
pub mod erasure;
pub mod sweep;
pub mod reconcile;
pub mod accounts;
pub mod meters;
pub mod statistics;
pub mod report;
pub mod eval;
pub mod clock;
pub mod causes;
#[cfg(test)]
mod drawn;
