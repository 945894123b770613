//! dossier reads the documents of loan applications and claims, decides what rules can decide and
//! brings people in only for what they alone can judge.
//!
//! The modules in the order in which a document meets them:

pub mod process;
pub mod domain;
pub mod config;
pub mod intake;
pub mod render;
mod raster;
pub mod ocr;
pub mod upright;
pub mod layout;
pub mod marks;
pub mod read;
pub mod classify;
pub mod extract;
pub mod confidence;
pub mod understand;
pub mod link;
pub mod rules;
pub mod store;
pub mod report;
pub mod eval;
pub mod clock;
