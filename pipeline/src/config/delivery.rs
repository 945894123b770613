//! Where decisions go: the section `[delivery]` of `dossier.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::SecretSource;
use crate::deliver::Occasion;

/// All destinations; none by default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliverySettings {
    /// Attempts at one delivery before it is a dead letter, which people look at.
    pub attempts: u32,
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookSettings>,
    #[serde(rename = "folder")]
    pub folders: Vec<FolderSettings>,
    pub mail: Option<MailSettings>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        // With waits that double up to six hours these are three days.
        Self { attempts: 20, webhooks: Vec::new(), folders: Vec::new(), mail: None }
    }
}

/// A system that is called with every result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    pub name: String,
    pub url: String,
    /// `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks).
    pub secret: SecretSource,
    /// Signs too, while receivers change over.
    pub previous_secret: Option<SecretSource>,
    /// All flows without any.
    #[serde(default)]
    pub flows: BTreeSet<String>,
    #[serde(default = "of_results")]
    pub on: BTreeSet<Occasion>,
}

/// A folder that every result is written to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    pub name: String,
    /// Results go to `path/<flow>/<reference>.json`.
    pub path: PathBuf,
    #[serde(default)]
    pub flows: BTreeSet<String>,
    #[serde(default = "of_results")]
    pub on: BTreeSet<Occasion>,
}

/// Mail to the applicant, at `applicant.email` of what was declared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Host name of the mail server.
    pub server: String,
    pub port: Option<u16>,
    #[serde(default)]
    pub security: MailSecurity,
    pub user: Option<String>,
    pub password: Option<SecretSource>,
    /// `Name <address>`.
    pub from: String,
    pub reply_to: Option<String>,
    #[serde(default)]
    pub flows: BTreeSet<String>,
    #[serde(default = "of_letters")]
    pub on: BTreeSet<Occasion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// TLS after the greeting, usually on port 587; without it nothing is sent.
    #[default]
    Starttls,
    /// For a server under `[network] private` alone.
    None,
}

fn of_results() -> BTreeSet<Occasion> {
    [Occasion::Decided, Occasion::DocumentsRequested].into()
}

fn of_letters() -> BTreeSet<Occasion> {
    [Occasion::Decided, Occasion::DocumentsRequested, Occasion::Reminded].into()
}

impl DeliverySettings {
    /// Takes relative paths as ones below this folder.
    pub(super) fn below(&mut self, folder: &Path) {
        for webhook in &mut self.webhooks {
            webhook.secret.below(folder);
            if let Some(secret) = &mut webhook.previous_secret {
                secret.below(folder);
            }
        }
        for target in &mut self.folders {
            target.path = folder.join(&target.path);
        }
        if let Some(password) = self.mail.as_mut().and_then(|mail| mail.password.as_mut()) {
            password.below(folder);
        }
    }
}
