//! The settings of an installation: defaults here, overridden by a file, then by the environment and
//! the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{
    BlobSettings, Bundle, BundleError, Credential, Database, DeliverySettings, NatsSettings, OidcSettings,
    TraceSettings,
};
use crate::net::NetworkSettings;
use crate::store::StoreAddress;

/// `dossier.toml`. Every key may be left out; an unknown one is refused. Paths are relative to the
/// file's folder.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder that replaces the embedded rules.
    pub rules: Option<PathBuf>,
    /// Folder that replaces the embedded OCR models.
    pub models: Option<PathBuf>,
    /// Folder with `customers.csv` and `policies.csv` that replaces the flows' look-up tables.
    pub records: Option<PathBuf>,
    /// Where cases and their history are kept: a `SQLite` file, or `postgres://…`. `cases.db` in the data
    /// folder when absent.
    pub db: Option<StoreAddress>,
    /// The watched folder with one folder per flow; `inbox` in the working directory when absent.
    pub inbox: Option<PathBuf>,
    /// Folder for everything that the server keeps; `data` in the working directory when absent.
    pub data: Option<PathBuf>,
    /// Address that the server listens on.
    pub listen: Option<String>,
    /// How people reach the server from outside. With `https` cookies are sent over TLS alone.
    pub public_url: Option<String>,
    /// Tried, after the empty one, on encrypted files.
    #[serde(default)]
    pub passwords: Vec<String>,
    /// How many files are read at the same time; the number of cores when absent.
    pub parallel: Option<usize>,
    /// With so many cases waiting for the machine no more are taken in; 20 000 when absent.
    pub most_waiting: Option<u64>,
    /// Workers on other machines are reached over this NATS server.
    pub nats: Option<NatsSettings>,
    /// People log in through this `OpenID` provider too.
    pub oidc: Option<OidcSettings>,
    /// Whom the program may call.
    #[serde(default)]
    pub network: NetworkSettings,
    /// What connectors of flows show when they call, by name.
    #[serde(default)]
    pub credentials: BTreeMap<String, Credential>,
    /// What connectors of flows read, by name.
    #[serde(default)]
    pub databases: BTreeMap<String, Database>,
    /// Where decisions go.
    #[serde(default)]
    pub delivery: DeliverySettings,
    /// How originals are kept.
    #[serde(default)]
    pub blobs: BlobSettings,
    /// Who is told how long the stages of a case take.
    pub traces: Option<TraceSettings>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("rules", &self.rules)
            .field("models", &self.models)
            .field("records", &self.records)
            .field("db", &self.db)
            .field("inbox", &self.inbox)
            .field("data", &self.data)
            .field("listen", &self.listen)
            .field("public_url", &self.public_url)
            .field("passwords", &format_args!("{} (hidden)", self.passwords.len()))
            .field("parallel", &self.parallel)
            .field("most_waiting", &self.most_waiting)
            .field("nats", &self.nats)
            .field("oidc", &self.oidc)
            .field("network", &self.network)
            .field("credentials", &self.credentials)
            .field("databases", &self.databases)
            .field("delivery", &self.delivery)
            .field("blobs", &self.blobs)
            .field("traces", &self.traces)
            .finish()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("cannot read the configuration {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration {path} is not valid: {message}")]
    Invalid { path: PathBuf, message: String },
}

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or has an unknown key.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        let mut settings: Settings = toml::from_str(&text).map_err(|error| SettingsError::Invalid {
            path: path.to_owned(),
            message: error.message().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let Settings { rules, models, records, inbox, data, oidc, nats, .. } = &mut settings;
        let secret = oidc.as_mut().and_then(|oidc| oidc.client_secret_file.as_mut());
        let places = [rules, models, records, inbox, data].into_iter().flatten();
        let nats = nats.iter_mut().flat_map(|nats| [&mut nats.password_file, &mut nats.authority_file]);
        for place in places.chain(secret).chain(nats.flatten()) {
            *place = folder.join(&*place);
        }
        if let Some(db) = &mut settings.db {
            db.below(folder);
        }
        settings.delivery.below(folder);
        settings.blobs.below(folder);
        if let Some(traces) = &mut settings.traces {
            traces.below(folder);
        }
        for credential in settings.credentials.values_mut() {
            credential.secret.below(folder);
        }
        for database in settings.databases.values_mut() {
            database.url.below(folder);
            if let Some(password) = &mut database.password {
                password.below(folder);
            }
        }
        Ok(settings)
    }

    /// The rules in force: the configured folder, or what the binary carries.
    ///
    /// # Errors
    /// When the configured folder cannot be read.
    pub fn rule_bundle(&self) -> Result<Bundle, BundleError> {
        self.rules.as_deref().map_or_else(|| Ok(Bundle::embedded_rules()), Bundle::from_directory)
    }

    /// The OCR models in force: the configured folder, or what the binary carries.
    ///
    /// # Errors
    /// When the configured folder cannot be read.
    pub fn model_bundle(&self) -> Result<Bundle, BundleError> {
        self.models.as_deref().map_or_else(|| Ok(Bundle::embedded_models()), Bundle::from_directory)
    }
}
