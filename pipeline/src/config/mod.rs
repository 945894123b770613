//! What can be changed without touching code: the rule bundle, the models, the settings.

mod bundle;

pub use bundle::{Bundle, BundleError};
