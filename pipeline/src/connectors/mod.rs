//! Records in other systems: a flow's connectors with the hosts, credentials and databases of the operator.
//! The rules ask for a record; nobody there knows how long it took or that it was asked for twice.

mod guard;
mod http;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use crate::config::{Credential, Database, SecretError, Settings};
use crate::net::{DestinationError, NetworkSettings, Outside};
use crate::rules::{ConnectorConfig, CsvRecords, Flow, Record, RecordSource, RecordsUnavailable, plain_key};
use guard::Guard;
use http::HttpRecords;
use sql::SqlRecords;

/// A key that no record has, to see whether the other side answers.
const NOBODY: &str = "DOSSIER0DOCTOR";

/// Why a connector cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    #[error(
        "the connector of {flow}.{table} names the credential {name}, and the configuration has none under [credentials.{name}]"
    )]
    NoCredential { flow: String, table: String, name: String },
    #[error(
        "the connector of {flow}.{table} names the database {name}, and the configuration has none under [databases.{name}]"
    )]
    NoDatabase { flow: String, table: String, name: String },
    #[error("the connector of {flow}.{table} cannot be used: {source}")]
    Destination { flow: String, table: String, source: DestinationError },
    #[error("the connector of {flow}.{table} cannot be used: {source}")]
    Secret { flow: String, table: String, source: SecretError },
    #[error("the credential {name} is no value of the header {header}")]
    Header { name: String, header: String },
    #[error("the system's certificates cannot be used")]
    Certificates(#[source] reqwest::Error),
}

/// Why one question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// Asking again may help.
    Passing(String),
    /// It will not.
    Lasting(String),
}

/// The tables of all flows: through connectors, and the rest as CSV.
#[derive(Debug)]
pub struct Connectors {
    csv: CsvRecords,
    connected: HashMap<String, HashMap<String, Connector>>,
}

#[derive(Debug)]
struct Connector {
    guard: Guard,
    plain_key: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Http(HttpRecords),
    Sql(SqlRecords),
}

/// What the operator configures for connectors.
#[derive(Debug, Clone, Copy)]
struct Means<'a> {
    outside: &'a Outside,
    credentials: &'a BTreeMap<String, Credential>,
    databases: &'a BTreeMap<String, Database>,
}

impl Connectors {
    /// The tables of a folder or a bundle alone.
    pub fn csv(csv: CsvRecords) -> Self {
        Self { csv, connected: HashMap::new() }
    }

    /// The connectors of these flows. Asks no network.
    ///
    /// # Errors
    /// When one names what the configuration does not have or allow.
    pub fn of<'f>(
        flows: impl IntoIterator<Item = &'f Flow>,
        settings: &Settings,
        csv: CsvRecords,
    ) -> Result<Self, ConnectorError> {
        let network: NetworkSettings = settings.network.clone();
        let outside = Outside::new(network).map_err(ConnectorError::Certificates)?;
        let means =
            Means { outside: &outside, credentials: &settings.credentials, databases: &settings.databases };
        let mut connected = HashMap::new();
        for flow in flows {
            let mut tables = HashMap::new();
            for config in &flow.config.connectors {
                tables.insert(config.table.clone(), Connector::new(&flow.name, config, means)?);
            }
            connected.insert(flow.name.clone(), tables);
        }
        Ok(Self { csv, connected })
    }

    /// What is wrong with the CSV tables.
    pub fn problems(&self) -> Vec<String> {
        self.csv.problems()
    }

    /// Asks every connector for a record that nobody has; flow, table, and what is wrong where it does not
    /// answer.
    pub async fn examine(&self) -> Vec<(String, String, Result<(), String>)> {
        let mut found = Vec::new();
        for (flow, tables) in &self.connected {
            for (table, connector) in tables {
                let asked = connector.ask(NOBODY).await.map(|_| ()).map_err(|failure| match failure {
                    Failure::Passing(problem) | Failure::Lasting(problem) => problem,
                });
                found.push((flow.clone(), table.clone(), asked));
            }
        }
        found.sort();
        found
    }
}

impl Connector {
    fn new(flow: &str, config: &ConnectorConfig, means: Means<'_>) -> Result<Self, ConnectorError> {
        let kind = match (&config.http, &config.sql) {
            (Some(http), _) => Kind::Http(HttpRecords::new((flow, &config.table), http, means)?),
            (None, Some(sql)) => Kind::Sql(SqlRecords::new((flow, &config.table), sql, means.databases)?),
            (None, None) => unreachable!("a flow with such a connector does not load"),
        };
        Ok(Self { guard: Guard::new(config), plain_key: config.plain_key, kind })
    }

    async fn ask(&self, key: &str) -> Result<Option<Record>, Failure> {
        let time = self.guard.timeout;
        let asked = async {
            match &self.kind {
                Kind::Http(http) => http.ask(key, time).await,
                Kind::Sql(sql) => sql.ask(key).await,
            }
        };
        let late = |_| Err(Failure::Passing("it did not answer in time".to_owned()));
        tokio::time::timeout(time, asked).await.unwrap_or_else(late)
    }
}

#[async_trait]
impl RecordSource for Connectors {
    async fn find_for(
        &self,
        flow: &str,
        table: &str,
        key: &str,
    ) -> Result<Option<Record>, RecordsUnavailable> {
        let Some(connector) = self.connected.get(flow).and_then(|tables| tables.get(table)) else {
            return self.csv.find_for(flow, table, key).await;
        };
        let key = if connector.plain_key { plain_key(table, key) } else { key.trim().to_owned() };
        let found = connector.guard.find(&key, || connector.ask(&key)).await;
        found.map_err(|problem| RecordsUnavailable { table: table.to_owned(), problem })
    }
}
