//! A running `dossier serve` on a free port with folders of its own, and clients for it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Response;

use crate::support::{dossier, samples};

/// Waiting for the machine to read a scanned case.
const PATIENCE: Duration = Duration::from_mins(4);
/// What every user of these tests chooses.
pub(crate) const OWN_PASSWORD: &str = "a password of my own";

pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) address: String,
    pub(crate) admin_password: Option<String>,
    process: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// Starts in a folder, perhaps one that another server was stopped in.
    pub(crate) fn start_in(folder: tempfile::TempDir) -> Self {
        Self::start_with(folder, "")
    }

    /// Starts with further lines of configuration.
    pub(crate) fn start_with(folder: tempfile::TempDir, settings: &str) -> Self {
        Self::start_at("127.0.0.1:0", folder, settings)
    }

    /// Starts so that all that it has to say goes to a file, `log` in its folder.
    #[cfg(feature = "oidc")]
    pub(crate) fn start_logged(folder: tempfile::TempDir, settings: &str) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = dossier(folder.path());
        command.env("DOSSIER_LOG", "debug").stderr(log);
        Self::start_as(command, "127.0.0.1:0", folder, settings)
    }

    /// Stops and starts again where it was, after something in its folder was changed.
    pub(crate) fn restart(self, settings: &str, change: impl FnOnce(&Path)) -> Self {
        let listen = self.address.trim_start_matches("http://").to_owned();
        let folder = self.stop();
        change(folder.path());
        Self::start_at(&listen, folder, settings)
    }

    fn start_at(listen: &str, folder: tempfile::TempDir, settings: &str) -> Self {
        Self::start_as(dossier(folder.path()), listen, folder, settings)
    }

    fn start_as(mut command: Command, listen: &str, folder: tempfile::TempDir, settings: &str) -> Self {
        let records = samples().join("records").canonicalize().unwrap();
        let config = format!("records = \"{}\"\n{settings}", records.display());
        std::fs::write(folder.path().join("dossier.toml"), config).unwrap();
        let mut process = command.args(["serve", "--listen", listen]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut admin_password = None;
        let address = loop {
            let line = lines.next().expect("the server says where it listens").unwrap();
            if let Some((_, password)) = line.split_once("one-time password ") {
                admin_password = Some(password.to_owned());
            }
            if let Some(rest) = line.strip_prefix("dossier serves ") {
                break rest.split(' ').next().unwrap().to_owned();
            }
        };
        // Keeps the pipe open until the server ends.
        std::thread::spawn(move || lines.for_each(drop));
        Self { folder, address, admin_password, process }
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    /// Ends it as a service manager does, and gives its folder back.
    pub(crate) fn stop(mut self) -> tempfile::TempDir {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Ends it without warning, as a power cut does.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// A client nobody has logged in.
    pub(crate) fn visitor(&self) -> Client {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Client { agent: config.into(), address: self.address.clone(), cookie: String::new(), origin: true }
    }

    /// A client with a session that was opened beforehand.
    pub(crate) fn session(&self, secret: &str) -> Client {
        Client { cookie: format!("dossier={secret}"), ..self.visitor() }
    }

    /// A client with a fresh user of this role.
    pub(crate) fn user(&self, login: &str, role: &str) -> Client {
        let added =
            dossier(self.folder.path()).args(["user", "add", login, "--role", role]).output().unwrap();
        let said = String::from_utf8(added.stdout).unwrap();
        let password = said.trim().rsplit(' ').next().unwrap().to_owned();
        let mut client = self.visitor();
        client.log_in(login, &password);
        let own = OWN_PASSWORD;
        let changed = client.post("/password", &[("current", &password), ("new", own), ("again", own)]);
        assert_eq!(changed.status(), 303, "{login} changes the password");
        client.keep_cookie(&changed);
        client
    }

    /// Drops a sample case in under a reference.
    pub(crate) fn drop_sample(&self, flow: &str, reference: &str, as_reference: &str) {
        let case = self.inbox().join(flow).join(as_reference);
        copy(&samples().join("inbox").join(flow).join(reference), &case);
        std::fs::write(case.join(".ready"), "").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// What the server tells while it happens (`GET /events`), from the moment that this was asked for.
pub(crate) struct Events(mpsc::Receiver<Value>);

impl Events {
    /// The next change of any case.
    pub(crate) fn next(&self) -> Value {
        self.0.recv_timeout(PATIENCE).expect("the server tells of a change")
    }

    /// Waits until some case is told to be so.
    pub(crate) fn wait_for(&self, what: &str) -> Value {
        loop {
            let change = self.next();
            if change["what"] == what {
                return change;
            }
        }
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A browser, as far as tests need one.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    address: String,
    pub(crate) cookie: String,
    /// Says where requests come from, as browsers do.
    pub(crate) origin: bool,
}

pub(crate) type Answer = Response<ureq::Body>;

impl Client {
    pub(crate) fn keep_cookie(&mut self, answer: &Answer) {
        let set = answer.headers().get("set-cookie").expect("a session").to_str().unwrap();
        set.split(';').next().unwrap().clone_into(&mut self.cookie);
    }

    pub(crate) fn log_in(&mut self, login: &str, password: &str) {
        let answer = self.post("/login", &[("login", login), ("password", password)]);
        assert_eq!(answer.status(), 303, "{login} logs in");
        self.keep_cookie(&answer);
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.agent.get(format!("{}{path}", self.address)).header("cookie", &self.cookie).call().unwrap()
    }

    /// Listens to what the server tells.
    pub(crate) fn events(&self) -> Events {
        let answer = self.get("/events");
        assert_eq!(answer.status(), 200);
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        let (sender, receiver) = mpsc::channel();
        // Ends with the server, or when nobody listens any more.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data:") else { continue };
                if sender.send(serde_json::from_str(data).unwrap()).is_err() {
                    break;
                }
            }
        });
        Events(receiver)
    }

    /// Waits until the case of this reference is in a state.
    pub(crate) fn wait_for(&self, reference: &str, state: &str) -> Value {
        self.wait_until(reference, |case| case["state"] == state)
    }

    /// Waits until the case of this reference is, in the list, as it is wanted.
    pub(crate) fn wait_until(&self, reference: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let events = self.events();
        loop {
            let found = self.json(&format!("/api/v1/cases?reference={reference}"));
            let case = found["cases"].as_array().and_then(|cases| cases.first()).cloned();
            if let Some(case) = case.filter(&is_so) {
                return self.json(&format!("/api/v1/cases/{}", case["id"].as_str().unwrap()));
            }
            assert!(started.elapsed() < PATIENCE, "{reference} never came so far: {found}");
            events.next();
        }
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let mut answer = self.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_to_string().unwrap()
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.address)).header("cookie", &self.cookie);
        if self.origin {
            request = request.header("origin", &self.address);
        }
        request.send_form(form.iter().copied()).unwrap()
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .header("origin", &self.address)
            .send_json(body)
            .unwrap();
        read(answer)
    }

    /// A request of any method without a body.
    pub(crate) fn call(&self, method: &str, path: &str) -> Answer {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("cookie", &self.cookie)
            .header("origin", &self.address)
            .body(())
            .unwrap();
        self.agent.run(request).unwrap()
    }
}

pub(crate) fn read(mut answer: Answer) -> (u16, Value) {
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}
