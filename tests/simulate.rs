//! An analyst tries changed rules on past cases before putting them in force.

use std::path::Path;

use crate::server::copy;
use crate::support::{dossier, run, samples, stderr, stdout};

/// The shipped rules in another folder, with the largest refund that is paid without a person.
fn rules_with_largest_refund(folder: &Path, refund: &str) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    copy(&shipped, folder);
    let file = folder.join("energy_claim/flow.toml");
    let flow = std::fs::read_to_string(&file).unwrap();
    let changed = flow.replace("largest_refund = 500\n", &format!("largest_refund = {refund}\n"));
    assert_ne!(flow, changed);
    std::fs::write(file, changed).unwrap();
}

#[test]
fn past_cases_are_replayed_under_changed_rules_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let records = samples().join("records");
    let case = samples().join("inbox/energy_claim/E-3102");
    let mut process = dossier(folder.path());
    process.arg("process").arg(case).arg("--records").arg(&records).args(["--db", "cases.db"]);
    assert!(run(&mut process).status.success());
    rules_with_largest_refund(&folder.path().join("strict"), "1");

    let simulate = |arguments: &[&str]| {
        let mut command = dossier(folder.path());
        command.args(["rules", "simulate", "--db", "cases.db", "--records"]).arg(&records).args(arguments);
        run(&mut command)
    };
    for arguments in [&["strict"][..], &["--rules", "strict"]] {
        let told = simulate(arguments);
        let text = stdout(&told);
        assert!(
            text.contains("1 past cases replayed: 1 would be decided otherwise"),
            "{text}{}",
            stderr(&told)
        );
        assert!(text.contains("energy_claim/E-3102: accept → review"), "{text}");
        assert!(text.contains("now AMOUNT_LIMIT"), "{text}");
        assert!(text.contains("1 (100.0 %) before, 0 (0.0 %) under the changed rules"), "{text}");
    }
    let same = stdout(&simulate(&[]));
    assert!(same.contains("0 would be decided otherwise, 0 for other reasons alone"), "{same}");
    let json: serde_json::Value = serde_json::from_slice(&simulate(&["strict", "--json"]).stdout).unwrap();
    assert_eq!(json["outcomes"]["accept"]["review"], 1, "{json}");
    assert_eq!(
        stdout(&simulate(&["strict", "--to", "2020-01-01"])).lines().next().unwrap().split(' ').next(),
        Some("0")
    );
}

#[test]
fn changed_rules_that_cannot_be_used_are_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for (arguments, said) in
        [(["nowhere", "--json"], "no folder of rules"), (["empty", "--json"], "has no flow")]
    {
        let output = run(dossier(folder.path()).args(["rules", "simulate"]).args(arguments));
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
