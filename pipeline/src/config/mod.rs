//! What can be changed without touching code: the rule bundle, the models, the settings.

mod bundle;
mod nats;
mod blobs;
mod secret;
mod connections;
mod delivery;
mod oidc;
mod settings;
mod traces;
mod documents;

pub use blobs::{BlobSettings, BucketSettings};
pub use bundle::{Bundle, BundleError};
pub use connections::{Credential, Database};
pub use delivery::{DeliverySettings, FolderSettings, MailSecurity, MailSettings, WebhookSettings};
pub use documents::{
    Agreement, Anchor, Choice, DocumentTypeConfig, DocumentTypesError, FieldConfig, FieldKind, Party, Titles,
    load_document_types, parse_document_type,
};
pub use nats::NatsSettings;
pub use oidc::{GroupRole, OidcSettings};
pub use secret::{SecretError, SecretSource};
pub use settings::{Settings, SettingsError};
pub use traces::TraceSettings;
