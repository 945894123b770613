//! The same installation on another database: tables made, moved, served from.

use std::io::Write as _;

use dossier::store::StoreAddress;
use dossier::store::testing::PrivatePostgres;

use crate::server::Server;
use crate::support::{dossier, run, samples, stderr, stdout};

/// The address as an operator writes it.
fn url(address: &StoreAddress) -> String {
    address.to_string()
}

fn empty_database() -> Option<StoreAddress> {
    let server = PrivatePostgres::get()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Some(runtime.block_on(server.empty_database()))
}

#[test]
fn a_database_is_migrated_before_it_is_used_and_doctor_looks_at_it() {
    let Some(address) = empty_database() else { return };
    let folder = tempfile::tempdir().unwrap();
    let db = url(&address);
    let refused = run(dossier(folder.path()).args(["report", "--db", &db]));
    assert!(!refused.status.success());
    assert!(stderr(&refused).contains("run `dossier migrate` first"), "{}", stderr(&refused));
    let looked = run(dossier(folder.path()).args(["doctor", "--db", &db]));
    assert!(stdout(&looked).contains("MISSING  store"), "{}", stdout(&looked));
    let migrated = run(dossier(folder.path()).args(["migrate", "--db", &db]));
    assert!(stdout(&migrated).contains("were made"), "{}", stderr(&migrated));
    let again = run(dossier(folder.path()).env("DOSSIER_DB", &db).arg("migrate"));
    assert!(stdout(&again).contains("up to date"), "{}", stderr(&again));
    let looked = run(dossier(folder.path()).args(["doctor", "--db", &db]));
    assert!(stdout(&looked).contains("PostgreSQL "), "{}", stdout(&looked));
}

#[test]
fn passwords_of_databases_are_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = std::fs::File::create(folder.path().join("dossier.toml")).unwrap();
    writeln!(config, "db = \"postgres://ana:geheim@127.0.0.1:1/cases\"").unwrap();
    let bad = "postgres://ana:geheim@127.0.0.1:port/cases";
    let refused = run(dossier(folder.path()).args(["doctor", "--db", bad]));
    assert!(stderr(&refused).contains("postgres://USER") && !stderr(&refused).contains("geheim"));
    for command in ["doctor", "migrate", "report"] {
        let output = run(dossier(folder.path()).env("DOSSIER_LOG", "debug").arg(command));
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!output.status.success() && said.contains("postgres://ana@127.0.0.1:1/cases"), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}

#[test]
fn an_installation_moves_to_postgres_and_goes_on_there() {
    let Some(address) = empty_database() else { return };
    let db = url(&address);
    let folder = tempfile::tempdir().unwrap();
    let samples = samples().join("inbox/energy_claim");
    let processed = run(dossier(folder.path()).arg("process").arg(&samples).args(["--db", "data/cases.db"]));
    assert!(!folder.path().join("data").exists() && !processed.status.success(), "the folder must be there");
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let processed = run(dossier(folder.path()).arg("process").arg(&samples).args(["--db", "data/cases.db"]));
    assert!(processed.status.success(), "{}", stderr(&processed));
    let copy =
        |to: &str| run(dossier(folder.path()).args(["db", "copy", "--from", "data/cases.db", "--to", to]));
    assert!(stderr(&copy(&db)).contains("dossier migrate"), "the target has no tables yet");
    assert!(run(dossier(folder.path()).args(["migrate", "--db", &db])).status.success());
    let copied = copy(&db);
    assert!(stdout(&copied).contains("are intact"), "{}", stderr(&copied));
    assert!(stderr(&copy(&db)).contains("must be a new database"));
    let report =
        |db: &str| stdout(&run(dossier(folder.path()).args(["report", "--db", db, "--format", "json"])));
    let (before, after) = (report("data/cases.db"), report(&db));
    assert!(before.contains("energy_claim"), "{before}");
    assert_eq!(before, after);
    let verified = run(dossier(folder.path()).args(["audit", "verify", "--db", &db]));
    assert!(verified.status.success(), "{}", stderr(&verified));

    let server = Server::start_with(folder, &format!("db = \"{db}\"\n"));
    let ana = server.user("ana", "reviewer");
    server.drop_sample("consumer_loan", "A-3123", "N-1");
    ana.wait_for("N-1", "in_review");
    let (status, lease) = ana.post_json("/api/v1/queue/next", &serde_json::json!({}));
    assert_eq!(status, 200, "{lease}");
    server.stop();
}

#[test]
fn an_installation_is_backed_up_while_it_runs_and_restored_elsewhere() {
    let server = Server::start();
    let ana = server.user("ana", "reviewer");
    server.drop_sample("consumer_loan", "A-3123", "B-1");
    let case = ana.wait_for("B-1", "in_review");
    let written = run(dossier(server.folder.path()).args(["backup", "backup.zip"]));
    assert!(stdout(&written).contains("holds 1 cases"), "{}", stderr(&written));
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = server.folder.path().join("backup.zip");
    let restored = run(dossier(elsewhere.path()).arg("restore").arg(&backup));
    assert!(restored.status.success(), "{}", stderr(&restored));
    let again = run(dossier(elsewhere.path()).arg("restore").arg(&backup));
    assert!(stderr(&again).contains("restored where nothing is"), "{}", stderr(&again));
    let cookie = ana.cookie.clone();
    server.stop();
    let server = Server::start_in(elsewhere);
    let mut ana = server.visitor();
    ana.cookie = cookie;
    let id = case["id"].as_str().unwrap();
    assert_eq!(ana.json(&format!("/api/v1/cases/{id}"))["documents"], case["documents"]);
    let file = case["files"][0]["number"].as_i64().unwrap();
    assert_eq!(ana.get(&format!("/cases/{id}/files/{file}/pages/1.png")).status(), 200);
}
