//! Other systems, as the tests play them on loopback: those that records are looked up in, and those that
//! hear of decisions.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Server, copy};
use crate::support::{dossier, results, run, samples, stderr, stdout};

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

type Answering = dyn Fn(&Request) -> (u16, String) + Send + Sync;

/// An HTTP server that answers as a test wants and remembers what came.
pub(crate) struct Side {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Side {
    pub(crate) fn start(answer: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::start_at(0, answer)
    }

    /// Runs until the tests end.
    pub(crate) fn start_at(
        port: u16,
        answer: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, kept): (Arc<Answering>, _) = (Arc::new(answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                std::thread::spawn(move || serve(&stream.unwrap(), &*answer, &kept));
            }
        });
        Self { port, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, answer: &Answering, kept: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let Some(path) = first.split(' ').nth(1) else { return };
    let mut request = Request { path: path.to_owned(), headers: Vec::new(), body: String::new() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length: u64 = request.header("content-length").parse().unwrap_or(0);
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body).unwrap();
    request.body = body;
    let (status, text) = answer(&request);
    kept.lock().unwrap().push(request);
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
    // Who asked may have gone.
    { stream }.write_all(format!("{head}{text}").as_bytes()).ok();
}

/// A port on which nobody listens.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The shipped rules with something added to a flow.
pub(crate) fn changed_rules(folder: &Path, flow: &str, more: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"), &folder.join("rules"));
    let path = folder.join("rules").join(flow).join("flow.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + more).unwrap();
}

fn connector(port: u16, policy: &str) -> String {
    format!(
        "\n[records]\nwhen_unavailable = \"{policy}\"\n\n[[connector]]\ntable = \"customers\"\nattempts = 1\n\n\
         [connector.http]\nurl = \"http://127.0.0.1:{port}/customers/{{key}}\"\nrecord = \"/data\"\n"
    )
}

const LOCAL: &str = "[network]\nprivate = [\"127.0.0.1\"]\n";

/// The sample customers over HTTP.
fn customers(request: &Request) -> (u16, String) {
    let mut reader = csv_rows(&samples().join("records/customers.csv"));
    let header = reader.remove(0);
    let row = reader.into_iter().find(|row| request.path == format!("/customers/{}", row[0]));
    let record = |row: Vec<String>| header.iter().cloned().zip(row.into_iter().map(Value::from)).collect();
    let data: Value = row.map_or(Value::Null, |row| Value::Object(record(row)));
    (200, serde_json::json!({ "data": data }).to_string())
}

/// No cell of the samples is quoted.
fn csv_rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn records_over_http_decide_as_those_of_a_file_and_without_them_a_person_looks() {
    let side = Side::start(customers);
    let folder = tempfile::tempdir().unwrap();
    changed_rules(folder.path(), "energy_claim", &connector(side.port, "review"));
    std::fs::write(folder.path().join("dossier.toml"), format!("rules = \"rules\"\n{LOCAL}")).unwrap();
    let inbox = samples().join("inbox/energy_claim");
    let mut command = dossier(folder.path());
    let process = |command: &mut std::process::Command, records: Option<&Path>| {
        command.arg("process").arg(&inbox).arg("--json");
        if let Some(records) = records {
            command.arg("--records").arg(records);
        }
        let output = run(command);
        assert!(output.status.success(), "{}", stderr(&output));
        results(&output)
    };
    let over_http = process(&mut command, None);
    let of_a_file = process(&mut dossier(folder.path()), Some(&samples().join("records")));
    let decided = |results: &[Value]| -> Vec<(Value, Value, Value)> {
        let part = |result: &Value| {
            (result["outcome"].clone(), result["reasons"].clone(), result["outputs"].clone())
        };
        results.iter().map(part).collect()
    };
    assert_eq!(decided(&over_http), decided(&of_a_file));
    assert!(!side.requests().is_empty());
    let examined = stdout(&run(dossier(folder.path()).arg("doctor")));
    assert!(examined.contains("1 through connectors that answer"), "{examined}");

    changed_rules(folder.path(), "energy_claim", &connector(free_port(), "review"));
    let without = process(&mut dossier(folder.path()), None);
    let is_open = |result: &&Value| result["reasons"].to_string().contains("RECORDS_UNAVAILABLE");
    let open: Vec<&Value> = without.iter().filter(is_open).collect();
    assert!(!open.is_empty() && open.iter().all(|result| result["outcome"] == "review"), "{without:?}");
    let settled = without.iter().zip(&of_a_file).filter(|(result, _)| !is_open(result));
    for (result, before) in settled {
        assert_eq!(result["outcome"], before["outcome"], "no record could have changed it");
    }
    let examined = run(dossier(folder.path()).arg("doctor"));
    assert!(
        !examined.status.success()
            && stdout(&examined).contains("customers of energy_claim: it cannot be reached")
    );
}

#[test]
fn a_bad_connector_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let bad = connector(80, "review").replace("{key}", "key");
    changed_rules(folder.path(), "energy_claim", &bad);
    std::fs::write(folder.path().join("dossier.toml"), "rules = \"rules\"\n").unwrap();
    let checked = run(dossier(folder.path()).args(["rules", "check"]));
    assert!(!checked.status.success());
    assert!(
        stderr(&checked).contains("the connector of customers: url must hold {key} once"),
        "{}",
        stderr(&checked)
    );
    changed_rules(folder.path(), "energy_claim", &connector(80, "review"));
    let refused = run(dossier(folder.path()).arg("process").arg(samples().join("inbox/energy_claim")));
    assert!(stderr(&refused).contains("not among the hosts of [network]"), "{}", stderr(&refused));
}

#[test]
fn a_case_waits_for_its_records_where_its_flow_says_so() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    changed_rules(folder.path(), "energy_claim", &connector(port, "wait"));
    let settings = format!("rules = \"rules\"\n{LOCAL}");
    let server = Server::start_with(folder, &settings);
    let eva = server.user("eva", "auditor");
    server.drop_sample("energy_claim", "E-3102", "K-1");
    let case = eva.wait_for("K-1", "processing");
    let events = format!("/api/v1/cases/{}/events", case["id"].as_str().unwrap());
    let started = Instant::now();
    while !eva.text(&events).contains("records_awaited") {
        assert!(started.elapsed() < Duration::from_mins(4), "{}", eva.text(&events));
        std::thread::yield_now();
    }
    assert_eq!(eva.wait_for("K-1", "processing")["state"], "processing", "it is nobody's work meanwhile");
    let side = Side::start_at(port, customers);
    // A start tries at once what waits.
    let server = server.restart(&settings, |_| {});
    let case = eva.wait_until("K-1", |case| case["state"] != "processing");
    assert!(!case["reasons"].to_string().contains("RECORDS_UNAVAILABLE"), "{}", case["reasons"]);
    assert_eq!(side.requests().len(), 1);
    let kinds = eva.json(&events);
    let waited =
        kinds["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "records_awaited");
    assert_eq!((waited.count(), &kinds["intact"]), (1, &Value::Bool(true)));
    server.stop();
}

/// Waits until something is so that another process does.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(4), "it never came so far");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_decision_is_told_to_others_and_a_dead_letter_is_sent_again() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let every = "on = [\"decided\", \"documents_requested\", \"in_review\"]";
    let settings = format!(
        "{LOCAL}[delivery]\nattempts = 1\n[[delivery.webhook]]\nname = \"core\"\nurl = \"http://127.0.0.1:{port}/h\"\n\
         secret = {{ file = \"secret\" }}\n{every}\n[[delivery.folder]]\nname = \"files\"\npath = \"results\"\n{every}\n"
    );
    let server = Server::start_with(folder, &settings);
    let ana = server.user("ana", "manager");
    server.drop_sample("energy_claim", "E-3106", "D-1");
    let case = ana.wait_until("D-1", |case| case["state"] != "processing");
    let place = server.folder.path().to_owned();
    let file = place.join("results/energy_claim/D-1.json");
    wait_until(|| file.exists());
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    for key in ["reference", "outcome", "reasons", "documents", "mode", "rules"] {
        assert_eq!(result[key], case[key], "{key}");
    }
    let dead = || ana.json("/api/v1/deliveries?state=dead")["deliveries"].as_array().unwrap().clone();
    wait_until(|| !dead().is_empty());
    let letter = dead().remove(0);
    assert_eq!((letter["destination"].as_str(), letter["attempts"].as_i64()), (Some("core"), Some(1)));
    assert_eq!(letter["problem"], "it cannot be reached");

    let metrics = ana.text("/metrics");
    assert!(metrics.contains("dossier_deliveries{state=\"dead\"} 1\n"), "{metrics}");
    assert!(metrics.contains("dossier_longest_wait_seconds{state=\"processing\"} 0\n"), "{metrics}");
    assert!(!metrics.contains("dossier_stage_seconds_total{stage=\"total\"} 0.000"), "{metrics}");

    // What was delivered before a power cut is not delivered again, and a dead letter is still one.
    let server = Server::start_with(server.kill(), &settings);
    let side = Side::start_at(port, |_| (204, String::new()));
    let listed = stdout(&run(dossier(&place).args(["deliveries", "list", "--state", "dead"])));
    assert!(listed.contains("D-1") && listed.contains("it cannot be reached"), "{listed}");
    let id = letter["id"].as_str().unwrap();
    let sent = stdout(&run(dossier(&place).args(["deliveries", "resend", id])));
    assert_eq!(sent, "1 dead letters are sent again by the server\n");
    wait_until(|| !side.requests().is_empty());
    let request = side.requests().remove(0);
    assert_eq!((request.path.as_str(), request.header("webhook-id")), ("/h", id));
    assert!(request.header("webhook-signature").starts_with("v1,"));
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), result);
    let json = || stdout(&run(dossier(&place).args(["deliveries", "list", "--json"])));
    wait_until(|| json().matches("\"state\":\"delivered\"").count() == 2);
    let again = run(dossier(&place).args(["deliveries", "resend", id]));
    assert!(!again.status.success() && stderr(&again).contains("no dead letter"));
    let examined = stdout(&run(dossier(&place).arg("doctor")));
    assert!(examined.contains("core (webhook to 127.0.0.1), files (files below"), "{examined}");
    assert_eq!(side.requests().len(), 1);
    server.stop();
}
