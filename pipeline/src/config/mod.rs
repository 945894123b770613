//! What can be changed without touching code: the rule bundle, the models, the settings.

mod bundle;
mod nats;
mod oidc;
mod settings;
mod documents;

pub use bundle::{Bundle, BundleError};
pub use documents::{
    Agreement, Anchor, Choice, DocumentTypeConfig, DocumentTypesError, FieldConfig, FieldKind, Party, Titles,
    load_document_types, parse_document_type,
};
pub use nats::NatsSettings;
pub use oidc::{GroupRole, OidcSettings};
pub use settings::{Settings, SettingsError};
