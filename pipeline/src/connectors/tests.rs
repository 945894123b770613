//! Connectors against other sides on loopback, and databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::Bundle;
use crate::store::testing::{PrivatePostgres, stores};

/// The shipped claims about energy, with connectors.
fn flow(connector: &str) -> Flow {
    let shipped = Bundle::embedded_rules();
    let files = ["energy_claim/flow.toml", "energy_claim/rules.rhai", "wording.toml"].map(|name| {
        let mut text = shipped.text(name).unwrap().to_owned();
        if name.ends_with("flow.toml") {
            text.push_str(connector);
        }
        (name.to_owned(), text.into_bytes())
    });
    Flow::load(&Bundle::from_files(files), "energy_claim").unwrap()
}

fn connected(connector: &str, settings: &str) -> Result<Connectors, ConnectorError> {
    let settings: Settings = toml::from_str(settings).unwrap();
    Connectors::of([&flow(connector)], &settings, CsvRecords::default())
}

/// Answers every request with what `answer` gives for its first line and headers.
async fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                        return;
                    }
                    request.push(byte[0]);
                }
                let text = answer(&String::from_utf8_lossy(&request));
                stream.write_all(text.as_bytes()).await.ok();
            });
        }
    });
    port
}

fn answered(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn http_connector(port: u16, more: &str) -> String {
    format!(
        "\n[[connector]]\ntable = \"customers\"\n{more}\n[connector.http]\nurl = \"http://localhost:{port}/c/{{key}}\"\n"
    )
}

const LOCAL: &str = "[network]\nprivate = [\"localhost\"]\n";

async fn asked(connectors: &Connectors, key: &str) -> Result<Option<Record>, RecordsUnavailable> {
    connectors.find_for("energy_claim", "customers", key).await
}

#[tokio::test]
async fn a_record_comes_by_http_with_the_operators_credential() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    std::fs::write(&secret, "Bearer abc\n").unwrap();
    let port = serve(|request| {
        if !request.to_lowercase().contains("\r\nauthorization: bearer abc\r\n") {
            return answered("401 Unauthorized", "{}");
        }
        match request.split(' ').nth(1).unwrap() {
            "/c/ES1" => answered("200 OK", r#"{"cups": "ES1", "price_per_kwh": 0.15}"#),
            "/c/MOVED" => "HTTP/1.1 302 Found\r\nlocation: /c/ES1\r\ncontent-length: 0\r\n\r\n".to_owned(),
            _ => answered("404 Not Found", ""),
        }
    })
    .await;
    let connector = http_connector(port, "") + "credential = \"crm\"\n";
    let settings =
        format!("{LOCAL}[credentials.crm]\nsecret = {{ file = {:?} }}\n", secret.to_str().unwrap());
    let connectors = connected(&connector, &settings).unwrap();
    let found = asked(&connectors, "ES1").await.unwrap().unwrap();
    assert_eq!(found.get("price_per_kwh").map(String::as_str), Some("0.15"));
    assert_eq!(asked(&connectors, "ES2").await, Ok(None));
    assert!(asked(&connectors, "MOVED").await.unwrap_err().problem.contains("redirects"));
    assert_eq!(connectors.examine().await, [("energy_claim".to_owned(), "customers".to_owned(), Ok(()))]);
    let without = connected(&http_connector(port, ""), LOCAL).unwrap();
    assert_eq!(asked(&without, "ES1").await.unwrap_err().problem, "it answered 401");
}

#[tokio::test]
async fn who_fails_or_is_slow_is_unavailable_and_who_recovers_is_asked_again() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked_for);
    let port = serve(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => answered("503 Service Unavailable", ""),
        _ => answered("200 OK", r#"{"cups": "ES1"}"#),
    })
    .await;
    let connectors = connected(&http_connector(port, "cache_seconds = 0"), LOCAL).unwrap();
    assert!(asked(&connectors, "ES1").await.unwrap().is_some());
    assert_eq!(asked_for.load(Ordering::SeqCst), 2);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let connectors = connected(&http_connector(port, "attempts = 1\ntimeout_ms = 50"), LOCAL).unwrap();
    assert_eq!(asked(&connectors, "ES1").await.unwrap_err().problem, "it did not answer in time");
    drop(silent);
    let connectors = connected(&http_connector(port, "attempts = 1"), LOCAL).unwrap();
    assert_eq!(asked(&connectors, "ES1").await.unwrap_err().problem, "it cannot be reached");
}

#[tokio::test]
async fn what_the_operator_did_not_name_or_allow_is_refused_at_once() {
    let http = http_connector(80, "");
    let told = |connector: &str, settings: &str| connected(connector, settings).unwrap_err().to_string();
    assert!(told(&http, "").contains("not among the hosts"));
    assert!(told(&http, "[network]\nhosts = [\"localhost\"]").contains("without TLS"));
    assert!(told(&(http + "credential = \"crm\"\n"), LOCAL).contains("[credentials.crm]"));
    let sql = "\n[[connector]]\ntable = \"customers\"\n[connector.sql]\ndatabase = \"crm\"\nquery = \"select $1\"\n";
    assert!(told(sql, "").contains("[databases.crm]"));
}

fn sql_connector(query: &str) -> String {
    format!(
        "\n[[connector]]\ntable = \"customers\"\nattempts = 1\n[connector.sql]\ndatabase = \"crm\"\nquery = \"{query}\"\n"
    )
}

#[tokio::test]
async fn a_record_comes_by_sql_from_either_database_and_nothing_can_be_written() {
    for store in stores().await {
        let database = match &store.address {
            StoreAddress::Sqlite(path) => path.display().to_string(),
            StoreAddress::Postgres(options) => {
                let folder = options.get_socket().unwrap().display().to_string();
                let database = options.get_database().unwrap();
                format!("postgres://dossier@localhost/{database}?host={folder}")
            }
        };
        let settings = format!("[databases.crm]\nurl = \"{database}\"\n");
        let with = |query: &str| connected(&sql_connector(query), &settings).unwrap();
        let user = crate::store::NewUser {
            id: "u1".to_owned(),
            login: "ana".to_owned(),
            name: "Ana Ruiz".to_owned(),
            role: crate::store::Role::Reviewer,
            password_hash: String::new(),
            must_change_password: true,
        };
        store.add_user(&user, 17).await.unwrap();
        let query =
            "select name as holder_name, created_at, 0.125 as price, language from users where login = $1";
        let connectors = with(query);
        let found = asked(&connectors, " ana ").await.unwrap().unwrap();
        let cell = |name: &str| found.get(name).map(String::as_str);
        assert_eq!((cell("holder_name"), cell("created_at")), (Some("Ana Ruiz"), Some("17")));
        assert_eq!((cell("price"), cell("language")), (Some("0.125"), None));
        assert_eq!(asked(&connectors, "' or 1=1 --").await, Ok(None), "the key is bound, not pasted");
        assert_eq!(connectors.examine().await[0].2, Ok(()));
        let two = with("select login from users where login = $1 union all select login from users");
        assert!(asked(&two, "ana").await.unwrap_err().problem.contains("more than one row"));
        let broken = with("select nothing_such from users where login = $1");
        assert!(asked(&broken, "ana").await.unwrap_err().problem.contains("refused the query"));
        if matches!(store.address, StoreAddress::Postgres(_)) {
            let writing = with(
                "with gone as (delete from users where login = $1 returning login) select login from gone",
            );
            assert!(asked(&writing, "ana").await.is_err());
        }
        assert_eq!(store.users().await.unwrap().len(), 1);
    }
    assert!(PrivatePostgres::get().is_some() || std::env::var_os("CI").is_none());
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[databases.crm]\nurl = \"{}\"\n", folder.path().join("no.db").display());
    let connectors = connected(&sql_connector("select $1 as x"), &settings).unwrap();
    assert!(asked(&connectors, "ana").await.unwrap_err().problem.contains("cannot"), "it is not made");
    assert!(!folder.path().join("no.db").exists());
}

use crate::store::StoreAddress;
