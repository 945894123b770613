//! The compose files as compose understands them, and what the container image holds, in namespaces of its own: the
//! program, the libraries that it is linked with, a root that nothing can be written to, and a user who owns nothing but
//! the data folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::server::copy;
use crate::support::{run, samples, stderr, stdout};

/// Root and user of the image (`docker/Dockerfile`).
const USER: &str = "10001:10001";

struct Image {
    root: tempfile::TempDir,
}

impl Image {
    /// `None` where this machine makes no namespaces: the image itself needs none.
    fn build() -> Option<Self> {
        let probe = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "true"])
            .stderr(Stdio::null())
            .status();
        if !probe.is_ok_and(|status| status.success()) {
            eprintln!("skipped: namespaces cannot be made here");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        let image = Self { root };
        for folder in ["usr/local/bin", "proc", "tmp", "var/lib/dossier/data", "var/lib/dossier/inbox"] {
            std::fs::create_dir_all(image.at(folder)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_dossier");
        std::fs::copy(program, image.at("usr/local/bin/dossier")).unwrap();
        for library in libraries(program) {
            let target = image.at(library.strip_prefix("/").unwrap());
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(library, target).unwrap();
        }
        let owned = run(Command::new("chown").args(["-R", USER]).arg(image.at("var/lib/dossier")));
        assert!(owned.status.success(), "{}", stderr(&owned));
        Some(image)
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(path)
    }

    /// The program as the image starts it, in the data folder, with a read-only root and a /tmp.
    fn command(&self, arguments: &str) -> Command {
        let script = format!(
            "set -e; R={root}; mount --bind $R $R; mount -t proc proc $R/proc; mount -t tmpfs tmpfs $R/tmp; \
             mount --bind $R/var/lib/dossier $R/var/lib/dossier; mount -o remount,bind,ro $R; \
             exec chroot --userspec={USER} $R /usr/local/bin/dossier {arguments}",
            root = self.root.path().display(),
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &script]).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }
}

/// The files that the loader brings in.
fn libraries(program: &str) -> Vec<PathBuf> {
    let listed = stdout(&run(Command::new("ldd").arg(program)));
    let paths = listed.split_whitespace().filter(|part| part.starts_with('/'));
    paths.map(PathBuf::from).collect()
}

#[test]
fn the_image_reads_a_case_as_a_user_who_may_write_nothing() {
    let Some(image) = Image::build() else { return };
    let case = image.at("var/lib/dossier/energy_claim/E-3102");
    copy(&samples().join("inbox/energy_claim/E-3102"), &case);
    let output = run(&mut image.command("process /var/lib/dossier/energy_claim/E-3102"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("energy_claim/E-3102  accept"), "{}", stdout(&output));
    let refused =
        image.command("process /var/lib/dossier/energy_claim/E-3102 --out /usr/results").output().unwrap();
    assert!(!refused.status.success(), "the root is read-only");
}

#[test]
fn the_image_serves_until_it_is_told_to_stop() {
    let Some(image) = Image::build() else { return };
    let folder = "var/lib/dossier";
    std::fs::write(image.at(folder).join("dossier.toml"), "data = \"data\"\ninbox = \"inbox\"\n").unwrap();
    let arguments = "serve --listen 127.0.0.1:0 --config /var/lib/dossier/dossier.toml";
    let mut command = image.command(arguments);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(process.stdout.take().unwrap()));
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("dossier serves ")?.split(' ').next()?.to_owned()));
    let answer = address.map(|address| ureq::get(format!("{address}/health/ready")).call());
    // The server is the child: a change of user takes back that it dies with its parent.
    let id = process.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    for child in children.split_whitespace() {
        assert!(Command::new("kill").args(["-KILL", child]).status().unwrap().success());
    }
    process.wait().unwrap();
    assert_eq!(answer.expect("it says where it serves").unwrap().status(), 200);
    assert!(image.at(folder).join("data/cases.db").is_file());
}

/// Compose as a plugin (version 2), or as a program of its own; `None` where it is not installed.
fn compose() -> Option<&'static [&'static str]> {
    let known: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    let found = known.into_iter().find(|words| {
        let asked = command_of(words).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has compose: tests/install-packages.sh installs it");
        eprintln!("skipped: there is no compose (tests/install-packages.sh installs it)");
    }
    found
}

fn command_of(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[test]
fn compose_has_nothing_to_say_against_its_files() {
    let Some(compose) = compose() else { return };
    for file in ["compose.yaml", "compose.scale.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker").join(file);
        let output = run(command_of(compose).arg("-f").arg(path).args(["config", "--quiet"]));
        assert!(output.status.success() && stderr(&output).is_empty(), "{file}: {}", stderr(&output));
    }
}
