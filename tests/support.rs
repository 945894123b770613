//! Starting the program, and where the samples are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample_docs")
}

/// The program, in an empty folder and an environment without its variables.
pub(crate) fn dossier(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dossier"));
    command.current_dir(folder);
    for name in ["DOSSIER_CONFIG", "DOSSIER_RULES", "DOSSIER_MODELS", "DOSSIER_DB", "DOSSIER_LOG"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The objects of a `--json` run, sorted by flow and reference.
pub(crate) fn results(output: &Output) -> Vec<Value> {
    let text = stdout(output);
    let mut results: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    results.sort_by_key(|result| format!("{}/{}", result["flow"], result["reference"]));
    results
}
