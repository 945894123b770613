//! Where a store is: a `SQLite` file, or a `PostgreSQL` database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;

/// `postgres://…` or `postgresql://…` names a `PostgreSQL` database; everything else is the path of a
/// `SQLite` file. What it is shown as leaves the password out.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreAddress {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

#[derive(Debug, thiserror::Error)]
#[error("the database's address is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct BadAddress(#[source] sqlx::Error);

impl StoreAddress {
    /// Relative paths are relative to this folder.
    pub fn below(&mut self, folder: &Path) {
        if let StoreAddress::Sqlite(path) = self {
            *path = folder.join(&*path);
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            StoreAddress::Sqlite(path) => Some(path),
            StoreAddress::Postgres(_) => None,
        }
    }
}

impl FromStr for StoreAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Ok(StoreAddress::Sqlite(text.into()));
        }
        let options: PgConnectOptions = text.parse().map_err(BadAddress)?;
        Ok(StoreAddress::Postgres(Box::new(options.application_name("dossier"))))
    }
}

impl TryFrom<String> for StoreAddress {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreAddress::Sqlite(path) => write!(formatter, "{}", path.display()),
            StoreAddress::Postgres(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                let user = options.get_username();
                match options.get_socket() {
                    Some(folder) => {
                        write!(formatter, "postgres://{user}@localhost/{database}?host={}", folder.display())
                    }
                    None => write!(
                        formatter,
                        "postgres://{user}@{}:{}/{database}",
                        options.get_host(),
                        options.get_port()
                    ),
                }
            }
        }
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_a_database_and_keeps_its_password_to_itself() {
        let cases = [
            ("cases.db", "cases.db"),
            ("/var/lib/dossier/cases.db", "/var/lib/dossier/cases.db"),
            ("postgres://ana:secret@db.bank:5433/cases", "postgres://ana@db.bank:5433/cases"),
            (
                "postgresql://ana:secret@db.bank/cases?sslmode=verify-full",
                "postgres://ana@db.bank:5432/cases",
            ),
            (
                "postgres://ana:secret@localhost/cases?host=/run/postgresql",
                "postgres://ana@localhost/cases?host=/run/postgresql",
            ),
        ];
        for (text, shown) in cases {
            let address: StoreAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("secret"));
        }
        let bad = "postgres://ana:secret@db:port/cases".parse::<StoreAddress>().unwrap_err();
        assert!(!format!("{bad} {bad:?}").contains("secret"));
    }

    #[test]
    fn paths_alone_are_relative_to_the_configuration() {
        let mut address: StoreAddress = "cases.db".parse().unwrap();
        address.below(Path::new("/etc/dossier"));
        assert_eq!(address.file(), Some(Path::new("/etc/dossier/cases.db")));
    }
}
