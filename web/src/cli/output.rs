//! Writing to the terminal. A reader that went away (`dossier … | head`) ends the command quietly.

use std::io::{self, Write};

/// Writes text to standard output.
pub(crate) fn say(text: &str) -> io::Result<()> {
    write_all(text.as_bytes())
}

/// Writes bytes to standard output.
pub(crate) fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => result,
    }
}

/// Writes one line to standard error, where nothing can be done about a failure.
pub(crate) fn complain(text: &str) {
    let line = format!("dossier: {text}\n");
    io::stderr().lock().write_all(line.as_bytes()).ok();
}

/// Writes one line of progress to standard error.
pub(crate) fn note(text: &str) {
    let line = format!("{text}\n");
    io::stderr().lock().write_all(line.as_bytes()).ok();
}
