//! How a flow's records are looked up where they are no CSV: part of `flow.toml`. Hosts, credentials and
//! databases are named here and configured by the operator. Knows no network.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What becomes of a case whose records cannot be consulted.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordsPolicy {
    pub when_unavailable: WhenUnavailable,
    /// A case that waits for the records goes to a person after so many hours.
    pub longest_wait_hours: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnavailable {
    /// A person looks at once.
    #[default]
    Review,
    /// The case waits and is tried again.
    Wait,
}

impl Default for RecordsPolicy {
    fn default() -> Self {
        Self { when_unavailable: WhenUnavailable::Review, longest_wait_hours: 24.0 }
    }
}

/// A table that is looked up in another system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// What rules call it.
    pub table: String,
    /// Keys are sent in capitals without separators, as those of CSV tables are compared.
    #[serde(default)]
    pub plain_key: bool,
    /// Columns that rules read and no other table has, for `dossier rules check`.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Longest time for one attempt.
    #[serde(default = "usual_timeout")]
    pub timeout_ms: u64,
    /// Attempts at one look-up, with growing waits between them.
    #[serde(default = "usual_attempts")]
    pub attempts: u32,
    /// How long an answer is used again; 0 is never.
    #[serde(default = "usual_cache")]
    pub cache_seconds: u64,
    /// After so many look-ups in a row that failed nobody asks for a while.
    #[serde(default = "usual_failures")]
    pub break_after: u32,
    #[serde(default = "usual_break")]
    pub break_seconds: u64,
    pub http: Option<HttpConfig>,
    pub sql: Option<SqlConfig>,
}

/// JSON by `GET`: 200 is a record, 404 and 204 are none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// With `{key}` in its path or query.
    pub url: String,
    /// One of `[credentials]`.
    pub credential: Option<String>,
    /// JSON pointer (RFC 6901) to the record in the answer, or to a list of at most one; the whole answer
    /// without one.
    #[serde(default)]
    pub record: String,
    /// Columns by JSON pointer into the record; without any, its own plain values.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// One query that reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlConfig {
    /// One of `[databases]`.
    pub database: String,
    /// A `select` in which `$1` is the key.
    pub query: String,
}

fn usual_timeout() -> u64 {
    2_000
}

fn usual_attempts() -> u32 {
    3
}

fn usual_cache() -> u64 {
    300
}

fn usual_failures() -> u32 {
    5
}

fn usual_break() -> u64 {
    30
}

/// What is wrong with a flow's connectors, for whoever wrote them.
pub(super) fn problem(policy: &RecordsPolicy, connectors: &[ConnectorConfig]) -> Option<String> {
    if !(0.0..=8760.0).contains(&policy.longest_wait_hours) {
        return Some("longest_wait_hours of [records] is not between 0 and 8760".to_owned());
    }
    let mut seen = BTreeSet::new();
    connectors.iter().find_map(|connector| {
        let table = &connector.table;
        if !seen.insert(table) {
            return Some(format!("two connectors have the table {table}"));
        }
        connector.problem().map(|problem| format!("the connector of {table}: {problem}"))
    })
}

impl ConnectorConfig {
    fn problem(&self) -> Option<String> {
        if self.table.is_empty() || !self.table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Some("a table is named by letters, digits and _".to_owned());
        }
        let numbers = [
            ("timeout_ms", self.timeout_ms, 10, 60_000),
            ("attempts", self.attempts.into(), 1, 10),
            ("cache_seconds", self.cache_seconds, 0, 86_400),
            ("break_after", self.break_after.into(), 1, 1_000),
            ("break_seconds", self.break_seconds, 1, 3_600),
        ];
        let wrong = numbers.iter().find(|(_, number, least, most)| !(least..=most).contains(&number));
        if let Some((name, _, least, most)) = wrong {
            return Some(format!("{name} is not between {least} and {most}"));
        }
        match (&self.http, &self.sql) {
            (Some(http), None) => http.problem(),
            (None, Some(sql)) => sql.problem(),
            _ => Some("it has either [connector.http] or [connector.sql]".to_owned()),
        }
    }
}

impl HttpConfig {
    /// The address for a key.
    pub fn address(&self, key: &str) -> String {
        self.url.replace("{key}", &escaped(key))
    }

    fn problem(&self) -> Option<String> {
        if self.url.matches("{key}").count() != 1 {
            return Some("url must hold {key} once".to_owned());
        }
        let parsed = ["a", "b"].map(|key| url::Url::parse(&self.address(key)));
        let [Ok(one), Ok(other)] = parsed else {
            return Some("url is no address of the form https://host/path".to_owned());
        };
        if !matches!(one.scheme(), "http" | "https") || one.host_str().is_none() {
            return Some("url is no address of the form https://host/path".to_owned());
        }
        if one.authority() != other.authority() || one.fragment() != other.fragment() {
            return Some("{key} must stand in the path or the query of url".to_owned());
        }
        if !one.username().is_empty() || one.password().is_some() {
            return Some("url carries a name or password: name a credential instead".to_owned());
        }
        let mut pointers = std::iter::once(&self.record).chain(self.values.values());
        let wrong = pointers.find(|pointer| !pointer.is_empty() && !pointer.starts_with('/'));
        wrong.map(|pointer| format!("{pointer} is no JSON pointer: it begins with /"))
    }
}

impl SqlConfig {
    fn problem(&self) -> Option<String> {
        let first = self.query.split_whitespace().next().unwrap_or_default().to_lowercase();
        if first != "select" && first != "with" {
            return Some("query must be a select".to_owned());
        }
        if self.query.contains(';') {
            return Some("query is one statement without ;".to_owned());
        }
        let mut parameters = self
            .query
            .split('$')
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        if self.query.contains('?') || !parameters.any(|number| number == "1") {
            return Some("query must hold $1, the key".to_owned());
        }
        let other = self.query.split('$').skip(1).any(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && (!rest.starts_with('1') || rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()))
        });
        other.then(|| "query may hold $1 alone, the key".to_owned())
    }
}

/// A key as one piece of a path or query (RFC 3986, unreserved characters).
fn escaped(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        let connector: ConnectorConfig = toml::from_str(text).unwrap();
        problem(&RecordsPolicy::default(), &[connector])
    }

    #[test]
    fn a_key_stays_one_piece_of_the_address() {
        let http = HttpConfig {
            url: "https://h/c/{key}?x=1".to_owned(),
            credential: None,
            record: String::new(),
            values: BTreeMap::new(),
        };
        assert_eq!(http.address("../a b?&ñ"), "https://h/c/%2E%2E%2Fa%20b%3F%26%C3%B1?x=1");
    }

    #[test]
    fn a_bad_connector_is_told_in_a_sentence() {
        let good_http = "table = \"customers\"\n[http]\nurl = \"https://crm.example/c/{key}\"\n";
        let good_sql =
            "table = \"customers\"\n[sql]\ndatabase = \"crm\"\nquery = \"select a from c where k = $1\"\n";
        assert_eq!(told(good_http), None);
        assert_eq!(told(good_sql), None);
        for (text, from, to, part) in [
            (good_http, "{key}", "x", "hold {key} once"),
            (good_http, "crm.example/c/{key}", "{key}.example/", "in the path or the query"),
            (good_http, "https://", "https://a:b@", "name a credential"),
            (good_http, "https://", "ftp://", "no address"),
            (good_http, "[http]", "timeout_ms = 1\n[http]", "timeout_ms is not between"),
            (good_http, "[http]", "attempts = 0\n[http]", "attempts is not between"),
            (good_http, "customers", "cus tomers", "letters, digits"),
            (good_http, "[http]", "[sql]\ndatabase = \"x\"\nquery = \"select $1\"\n[http]", "either"),
            (good_http, "url", "record = \"data\"\nurl", "JSON pointer"),
            (good_sql, "select a", "delete", "must be a select"),
            (good_sql, "$1", "$1; drop table c", "one statement"),
            (good_sql, "$1", "'x'", "must hold $1"),
            (good_sql, "$1", "$1 and b = $2", "$1 alone"),
            (good_sql, "$1", "$1 and b = $12", "$1 alone"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let problem = told(&changed).unwrap_or_default();
            assert!(problem.contains(part), "{changed}: {problem}");
        }
        let twice: ConnectorConfig = toml::from_str(good_http).unwrap();
        let told = problem(&RecordsPolicy::default(), &[twice.clone(), twice]);
        assert_eq!(told.as_deref(), Some("two connectors have the table customers"));
    }
}
