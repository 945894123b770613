//! The API under made-up requests: schemathesis makes them from the API's document and looks at the
//! answers. None may be a failure of the server, and all must be as the document says.
//! `DOSSIER_FUZZ=full` (`make fuzz-api`) tries every role and many more requests.

use std::path::PathBuf;
use std::process::Command;

use dossier::accounts::hash_secret;
use dossier::store::Store;
use serde_json::json;

use crate::server::Server;
use crate::station::{ALL, doubtful_server, drop_loan};

/// Where `tests/install-packages.sh` puts it.
fn schemathesis() -> Option<PathBuf> {
    let tools = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../tools/schemathesis/bin/schemathesis");
    if tools.is_file() {
        return Some(tools);
    }
    assert!(std::env::var_os("CI").is_none(), "CI has schemathesis: tests/install-packages.sh installs it");
    eprintln!("skipped: there is no schemathesis (tests/install-packages.sh installs it)");
    None
}

/// A token of this user.
fn token(server: &Server, login: &str) -> String {
    let secret = format!("token-of-{login}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_file(&server.folder.path().join("data/cases.db")).await.unwrap();
        let (user, _) = store.user_by_login(login).await.unwrap().unwrap();
        store.add_token(login, &hash_secret(&secret), &user.id, "fuzz", 0).await.unwrap();
        store.close().await;
    });
    secret
}

/// Runs it over all operations, on this case where one is named.
fn fuzz(server: &Server, program: &PathBuf, login: &str, case: Option<&str>, examples: u32) {
    let config = server.folder.path().join("schemathesis.toml");
    let named = case.map(|id| format!("[parameters]\n\"path.id\" = \"{id}\"\n")).unwrap_or_default();
    std::fs::write(&config, named).unwrap();
    let output = Command::new(program)
        .current_dir(server.folder.path())
        .arg("--config-file")
        .arg(&config)
        .args(["run", &format!("{}/api/v1/openapi.json", server.address)])
        .args(["--header", &format!("Authorization: Bearer {}", token(server, login))])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples.to_string()])
        .args(["--suppress-health-check", "all", "--no-color", "--request-timeout", "30"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{login}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines = said.lines().map(str::trim);
    let told = lines.filter(|line| line.starts_with("Tested: ") || line.contains(" generated, "));
    eprintln!("{login}: {}", told.collect::<Vec<_>>().join(", "));
}

#[test]
fn made_up_requests_bring_no_failure_of_the_server() {
    let Some(program) = schemathesis() else { return };
    let is_full = std::env::var("DOSSIER_FUZZ").is_ok_and(|what| what == "full");
    let server = doubtful_server();
    let ada = server.user("ada", "administrator");
    drop_loan(&server, "F-1", &ALL);
    let case = ada.wait_for("F-1", "in_review");
    let id = case["id"].as_str().unwrap();
    let (status, lease) = ada.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    assert_eq!(status, 200, "{lease}");
    let examples = if is_full { 150 } else { 5 };
    fuzz(&server, &program, "ada", Some(id), examples);
    if is_full {
        for role in ["reviewer", "senior", "manager", "auditor", "administrator"] {
            let login = format!("fuzz-{role}");
            server.user(&login, role);
            fuzz(&server, &program, &login, None, examples);
        }
    }
    assert!(server.visitor().text("/health/ready").contains("ready"));
}
