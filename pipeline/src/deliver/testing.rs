//! A mail server for tests, on loopback. It speaks SMTP (RFC 5321) as far as a sender needs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests alone call it, those of other crates too")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A letter as it was taken. The date of the attempt is left out: it alone differs from one to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    /// By lower-case names.
    headers: BTreeMap<String, String>,
    /// As it was packed for the way.
    pub text: String,
}

impl Letter {
    /// # Panics
    /// Without such a header.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("a letter without {name}"))
    }

    fn of(lines: &[String]) -> Self {
        let end = lines.iter().position(String::is_empty).unwrap();
        let named = lines[..end].iter().filter_map(|line| line.split_once(": "));
        let mut headers: BTreeMap<String, String> =
            named.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        headers.remove("date");
        Self { headers, text: lines[end..].join("\n") }
    }
}

/// What the server says to a command, `.` for the end of a letter; `None` hangs up. A letter is taken unless it is answered
/// with a refusal.
type Answering = dyn Fn(&str) -> Option<&'static str> + Send + Sync;

/// It runs until the tests end.
#[derive(Debug)]
pub struct MailServer {
    pub port: u16,
    kept: Arc<Mutex<Vec<Letter>>>,
}

impl MailServer {
    pub fn start(answer: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let (keeping, answer) = (Arc::clone(&kept), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (keeping, answer) = (Arc::clone(&keeping), Arc::clone(&answer));
                // It ends with whoever sends, killed or not.
                std::thread::spawn(move || serve(&stream.unwrap(), &*answer, &keeping));
            }
        });
        Self { port, kept }
    }

    /// All that was taken since the last call, each as often as it was.
    #[must_use]
    pub fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.kept.lock().unwrap())
    }
}

/// `None` when the sender is gone.
fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|_| line.ends_with("\r\n"))?;
    Some(line.trim_end().to_owned())
}

fn serve(stream: &TcpStream, answer: &Answering, kept: &Mutex<Vec<Letter>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let say = |text: &str| { stream }.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 here")?;
    loop {
        let command = line(&mut reader)?.to_uppercase();
        if command == "QUIT" {
            return say("221 bye");
        }
        if command != "DATA" {
            say(answer(&command)?)?;
            continue;
        }
        say("354 go on")?;
        let mut lines = Vec::new();
        loop {
            match line(&mut reader)? {
                end if end == "." => break,
                more => lines.push(more),
            }
        }
        let said = answer(".");
        if said.is_none_or(|said| said.starts_with('2')) {
            kept.lock().unwrap().push(Letter::of(&lines));
        }
        say(said?)?;
    }
}
