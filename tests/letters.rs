//! A mail server on loopback. Now and then it refuses a letter for the time being, and now and then it hangs up once it
//! has taken one, so that the sender cannot know.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One in so many letters is refused, and one in so many is taken without a word.
const REFUSED: usize = 5;
const UNANSWERED: usize = 7;

/// A letter as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    /// Without its brackets.
    pub(crate) message_id: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    /// As it was packed for the way.
    pub(crate) text: String,
}

#[derive(Default)]
struct Kept {
    came: usize,
    taken: Vec<Letter>,
}

pub(crate) struct Letterbox {
    pub(crate) port: u16,
    kept: Arc<Mutex<Kept>>,
}

impl Letterbox {
    /// Runs until the tests end.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let keeping = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let keeping = Arc::clone(&keeping);
                // It ends with whoever sends, killed or not.
                std::thread::spawn(move || serve(&stream.unwrap(), &keeping));
            }
        });
        Self { port, kept }
    }

    /// All that was taken so far, each as often as it was.
    pub(crate) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut self.kept.lock().unwrap().taken)
    }
}

/// `None` when the sender is gone.
fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|_| line.ends_with("\r\n"))?;
    Some(line.trim_end().to_owned())
}

fn serve(stream: &TcpStream, kept: &Mutex<Kept>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let answer = |text: &str| { stream }.write_all(format!("{text}\r\n").as_bytes()).ok();
    answer("220 here")?;
    loop {
        let command = line(&mut reader)?.to_uppercase();
        if command == "QUIT" {
            return answer("221 bye");
        }
        if command != "DATA" {
            answer("250 fine")?;
            continue;
        }
        answer("354 go on")?;
        let mut lines = Vec::new();
        loop {
            match line(&mut reader)? {
                end if end == "." => break,
                more => lines.push(more),
            }
        }
        let mut kept = kept.lock().unwrap();
        kept.came += 1;
        if kept.came.is_multiple_of(REFUSED) {
            answer("451 not now")?;
            continue;
        }
        kept.taken.push(letter(&lines));
        if kept.came.is_multiple_of(UNANSWERED) {
            return None;
        }
        answer("250 taken")?;
    }
}

fn letter(lines: &[String]) -> Letter {
    let end = lines.iter().position(String::is_empty).unwrap();
    let header = |name: &str| {
        let of = |line: &String| {
            line.split_once(": ")
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        lines[..end].iter().find_map(of).unwrap_or_else(|| panic!("a letter without {name}"))
    };
    Letter {
        message_id: header("message-id").trim_matches(['<', '>']).to_owned(),
        to: header("to"),
        subject: header("subject"),
        text: lines[end..].join("\n"),
    }
}
