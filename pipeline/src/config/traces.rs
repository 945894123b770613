//! Who is told how long the stages of a case take.

use std::path::Path;

use serde::Deserialize;

use super::SecretSource;

/// The section `[traces]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSettings {
    /// Where spans go by OTLP over HTTP: `http://HOST:4318/v1/traces`.
    pub endpoint: String,
    /// Goes with them as `authorization: Bearer …`.
    pub token: Option<SecretSource>,
}

impl TraceSettings {
    /// Takes relative paths as ones below this folder.
    pub(super) fn below(&mut self, folder: &Path) {
        if let Some(token) = &mut self.token {
            token.below(folder);
        }
    }
}
