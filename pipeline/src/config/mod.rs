//! What can be changed without touching code: the rule bundle, the models, the settings.

mod bundle;
mod settings;

pub use bundle::{Bundle, BundleError};
pub use settings::{Settings, SettingsError};
