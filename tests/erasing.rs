//! Originals that are sealed, and cases that are erased.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::outside::{changed_rules, wait_until};
use crate::server::Server;
use crate::support::{dossier, run, samples, stderr, stdout};

const FLOW: &str = "energy_claim";
/// Decided without a person.
const SAMPLE: &str = "E-3102";

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn key(folder: &Path, name: &str, byte: u8) {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode([byte; 32]);
    std::fs::write(folder.join(name), text).unwrap();
}

/// As if the originals had come long ago.
fn age(folder: &Path) {
    for path in files(&folder.join("data/blobs")) {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
}

fn command(folder: &Path, arguments: &[&str]) -> String {
    let output = run(dossier(folder).args(arguments));
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn originals_are_sealed_and_go_for_good_when_their_cases_are_erased() {
    let folder = tempfile::tempdir().unwrap();
    changed_rules(folder.path(), FLOW, "");
    key(folder.path(), "one", 1);
    key(folder.path(), "two", 2);
    let settings = "rules = \"rules\"\n[blobs]\nkey = { file = \"one\" }\n";
    let server = Server::start_with(folder, settings);
    let place = server.folder.path().to_owned();
    let eva = server.user("eva", "auditor");
    server.drop_sample(FLOW, SAMPLE, "S-1");
    let first = eva.wait_for("S-1", "final");
    server.drop_sample(FLOW, SAMPLE, "S-2");
    let second = eva.wait_for("S-2", "final");
    let id = |case: &Value| case["id"].as_str().unwrap().to_owned();
    let page = |case: &Value| format!("/cases/{}/files/1/pages/1.png", id(case));
    let original = |case: &Value| format!("/cases/{}/files/1/original", id(case));
    assert_eq!(eva.get(&page(&first)).status(), 200);
    let name = first["files"][0]["name"].as_str().unwrap();
    let brought = std::fs::read(samples().join("inbox").join(FLOW).join(SAMPLE).join(name)).unwrap();
    let got = eva.get(&original(&first)).body_mut().read_to_vec().unwrap();
    assert_eq!(got, brought);
    let kept: Vec<PathBuf> = ["blobs", "readings", "cache"]
        .iter()
        .flat_map(|name| files(&place.join("data").join(name)))
        .collect();
    assert!(kept.len() >= 5, "{kept:?}");
    for path in &kept {
        assert!(std::fs::read(path).unwrap().starts_with(b"DOSSIER1"), "{} lies open", path.display());
    }

    let rotated =
        "rules = \"rules\"\n[blobs]\nkey = { file = \"two\" }\nearlier_keys = [{ file = \"one\" }]\n";
    let server = server.restart(rotated, |_| {});
    let told = command(&place, &["blobs", "rotate"]);
    assert!(told.ends_with("0 had been already\n"), "{told}");
    let server = server.restart(&rotated.replace("earlier_keys = [{ file = \"one\" }]\n", ""), |_| {});
    assert_eq!(eva.get(&original(&first)).body_mut().read_to_vec().unwrap(), brought);
    assert_eq!(eva.get(&page(&first)).status(), 200);

    age(&place);
    assert_eq!(command(&place, &["erase", &format!("{FLOW}/S-1")]), format!("{FLOW}/S-1 is erased\n"));
    assert_eq!(eva.get(&original(&second)).status(), 200, "the other case needs the same bytes");
    let erased = eva.json(&format!("/api/v1/cases/{}", id(&first)));
    assert_eq!((&erased["outcome"], &erased["documents"]), (&first["outcome"], &Value::Array(Vec::new())));
    assert!(!erased.to_string().contains(name), "{erased}");
    assert_eq!(eva.get(&format!("/cases/{}", id(&first))).status(), 200);
    let told = run(dossier(&place).args(["erase", "nobody"]));
    assert!(!told.status.success() && stderr(&told).contains("there is no case nobody"));

    // The rest goes by itself when its time is over.
    let without_key_one = "rules = \"rules\"\n[blobs]\nkey = { file = \"two\" }\n";
    let server = server.restart(without_key_one, |folder| {
        changed_rules(folder, FLOW, "\n[retention]\ndays = 0\n");
        age(folder);
    });
    wait_until(|| files(&place.join("data/blobs")).is_empty());
    for case in [&first, &second] {
        assert_eq!(eva.get(&original(case)).status(), 404);
    }
    let left: Vec<PathBuf> =
        files(&place.join("data/readings")).into_iter().chain(files(&place.join("data/cache"))).collect();
    assert!(left.is_empty(), "{left:?}");
    let trail = eva.json(&format!("/api/v1/cases/{}/events", id(&second)));
    assert_eq!(trail["intact"], true);
    assert_eq!(trail["events"].as_array().unwrap().last().unwrap()["kind"], "erased");
    let told = command(&place, &["audit", "verify"]);
    assert!(told.contains("the documents and personal data of 2 are erased"), "{told}");
    let report: Value = serde_json::from_str(&command(&place, &["report", "--format", "json"])).unwrap();
    assert!(report.to_string().contains("\"e2e\""), "reports keep what they counted");
    server.stop();
}
