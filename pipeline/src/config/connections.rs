//! What connectors of flows refer to by name: credentials and databases, which are the operator's and not the
//! analyst's.

use serde::Deserialize;

use super::SecretSource;
use crate::store::StoreAddress;

/// A header that is sent with the calls of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    #[serde(default = "usual_header")]
    pub header: String,
    /// The header's whole value, such as `Bearer abc`.
    pub secret: SecretSource,
}

/// A database that connectors read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// A `SQLite` file, or `postgres://USER@HOST/DATABASE`.
    pub url: StoreAddress,
    pub password: Option<SecretSource>,
}

fn usual_header() -> String {
    "Authorization".to_owned()
}
