//! What people see when they type something that cannot be done.

use crate::support::{dossier, run, stderr, stdout};

#[test]
fn a_usage_error_has_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["process"][..], &["nonsense"], &["report", "--by", "moon"]] {
        assert_eq!(run(dossier(folder.path()).args(arguments)).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_path_without_anything_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(dossier(folder.path()).args(["process", "nowhere"]));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn a_case_without_a_flow_fails_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    for case in ["energy_claim/E-1", "letters/L-1"] {
        std::fs::create_dir_all(folder.path().join(case)).unwrap();
        std::fs::write(folder.path().join(case).join("note.txt"), "no document").unwrap();
    }
    let output = run(dossier(folder.path()).args(["process", "energy_claim", "letters", "--json"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--flow"), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn an_unknown_key_of_the_configuration_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dossier.toml"), "ruless = \"rules\"").unwrap();
    let output = run(dossier(folder.path()).arg("doctor"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("ruless"), "{}", stderr(&output));
}

#[test]
fn the_doctor_finds_a_fresh_installation_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(dossier(folder.path()).arg("doctor"));
    assert!(output.status.success(), "{}", stdout(&output));
}
