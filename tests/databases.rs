//! The same installation on another database.

use std::io::Write as _;

use dossier::store::StoreAddress;
use dossier::store::testing::PrivatePostgres;

use crate::support::{dossier, run, stderr, stdout};

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
    for command in ["doctor", "migrate", "report"] {
        let output = run(dossier(folder.path()).env("DOSSIER_LOG", "debug").arg(command));
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!output.status.success() && said.contains("postgres://ana@127.0.0.1:1/cases"), "{said}");
        assert!(!said.contains("geheim"), "{said}");
    }
}
