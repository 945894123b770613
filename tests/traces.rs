//! What a collector of traces hears of a case: how long its stages took, and nothing that was sent in.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use dossier::store::StoreAddress;

use crate::flood::{Flood, sender, settle};
use crate::victim::Victim;

/// A request: its head and its body.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((lower, body))
}

/// A collector on a free port, and what it hears.
fn collector() -> (u16, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                while let Some(request) = request(&stream) {
                    sender.send(request).ok();
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                    if (&stream).write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, heard)
}

#[test]
fn a_collector_hears_of_stages_and_of_nothing_that_was_sent() {
    let (port, heard) = collector();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = StoreAddress::Sqlite(root.join("data/cases.db"));
    std::fs::create_dir(root.join("data")).unwrap();
    std::fs::write(root.join("token"), "shown to the collector").unwrap();
    let traces = format!("endpoint = \"http://127.0.0.1:{port}/v1/traces\"\ntoken = {{ file = \"token\" }}");
    std::fs::write(root.join("dossier.toml"), format!("db = \"{db}\"\n[traces]\n{traces}\n")).unwrap();
    runtime.block_on(sender(&db));
    let mut server = Victim::start(root, &["serve", "--listen", "127.0.0.1:0"], "serve.log");
    let address = server.address(Duration::from_mins(1)).expect("the server starts");
    let mut flood = Flood::new(root, 1, false);
    flood.drop_file("K-personal");
    settle(&mut flood, &address, &db, &runtime);
    server.stop();
    let requests: Vec<(String, Vec<u8>)> = heard.try_iter().collect();
    assert!(!requests.is_empty(), "it heard nothing");
    let mut all = Vec::new();
    for (head, body) in requests {
        assert!(
            head.starts_with("post /v1/traces ") && head.contains("authorization: bearer shown to"),
            "{head}"
        );
        all.extend(body);
    }
    let has = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    for told in
        ["dossier", "case", "open", "read", "understand", "decide", "record", "consumer_loan", "outcome"]
    {
        assert!(has(told), "{told} is missing");
    }
    for kept in ["K-personal", ".pdf", "titular", &root.display().to_string(), "a failure", "events"] {
        assert!(!has(kept), "{kept} was told");
    }
}
