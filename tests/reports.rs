//! Reports and blind reviews from the outside: what the page shows, what the command prints and what
//! was done are the same.

use serde_json::{Value, json};

use crate::server::{Client, Server, copy};
use crate::support::{dossier, run, stderr, stdout};

/// Of these some are decided by their rules, one goes to a person.
const CASES: [(&str, &str); 3] =
    [("consumer_loan", "A-3123"), ("energy_claim", "E-3106"), ("insurance_claim", "S-3116")];

/// A server whose every own decision is drawn for a blind review.
fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    copy(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"), &rules);
    for (flow, _) in CASES {
        let file = rules.join(flow).join("flow.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let drawn = text.replace("sample_share = 0.05", "sample_share = 1.0");
        assert_ne!(text, drawn);
        std::fs::write(&file, drawn).unwrap();
    }
    Server::start_with(folder, "rules = \"rules\"\n")
}

fn all_processed(client: &Client) -> Vec<Value> {
    let events = client.events();
    loop {
        let listed = client.json("/api/v1/cases");
        let cases = listed["cases"].as_array().unwrap().clone();
        if cases.len() == CASES.len() && cases.iter().all(|case| case["state"] != "processing") {
            return cases;
        }
        events.next();
    }
}

#[test]
fn the_page_the_api_and_the_command_tell_what_was_done() {
    let server = server();
    let (ana, eva) = (server.user("ana", "reviewer"), server.user("eva", "reviewer"));
    let manager = server.user("gil", "manager");
    for (flow, reference) in CASES {
        server.drop_sample(flow, reference, reference);
    }
    let cases = all_processed(&ana);
    let e2e = cases.iter().filter(|case| case["mode"] == "e2e").count();
    let review = ana.wait_for("A-3123", "in_review");
    assert!(e2e > 0, "the samples have cases that rules decide: {cases:?}");

    decide(&ana, &review);
    assert_eq!(judge_blind(&eva, &manager), e2e, "every decision of the rules is drawn");

    let report = manager.json("/api/v1/report?by=reviewer");
    assert_eq!(report["total"]["cases"], CASES.len());
    assert_eq!((&report["total"]["e2e"], &report["total"]["hybrid"]), (&json!(e2e), &json!(1)));
    assert_eq!(report["groups"]["ana"]["hybrid"], 1);
    assert_eq!(report["reviewers"][0]["login"], "ana");
    assert_eq!(report["reviewers"].as_array().unwrap().len(), 1, "a blind review is no work on the case");
    let quality: u64 =
        report["quality"].as_object().unwrap().values().map(|line| line["judged"].as_u64().unwrap()).sum();
    assert_eq!(quality, e2e as u64);

    for by in ["flow", "day", "week", "month", "reviewer", "reason"] {
        let shown = manager.json(&format!("/api/v1/report?by={by}"));
        let printed = run(dossier(server.folder.path()).args([
            "report",
            "--db",
            "data/cases.db",
            "--by",
            by,
            "--format",
            "json",
        ]));
        assert!(printed.status.success(), "{}", stderr(&printed));
        let printed: Value = serde_json::from_str(&stdout(&printed)).unwrap();
        assert_eq!(shown, printed, "by {by}");
    }
    for view in ["overview", "trend", "decisions", "fields", "times", "people", "quality"] {
        follow_figures(&manager, &format!("/reports?from=&view={view}&by=reviewer"));
    }
    for format in ["csv", "xlsx", "html"] {
        assert_eq!(manager.get(&format!("/api/v1/report?format={format}")).status(), 200, "{format}");
    }
    assert_eq!(manager.get("/api/v1/report?format=csv&table=moon").status(), 400);
    assert_eq!(manager.get("/api/v1/report?from=yesterday").status(), 400);
}

/// Takes the case and rejects it.
fn decide(client: &Client, case: &Value) {
    let id = case["id"].as_str().unwrap();
    let (status, lease) = client.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    assert_eq!(status, 200, "{lease}");
    let decision = json!({"generation": lease["generation"], "revision": case["revision"],
                          "outcome": "reject", "reason": "no cuadra"});
    let (status, decided) = client.post_json(&format!("/api/v1/cases/{id}/decision"), &decision);
    assert_eq!(status, 200, "{decided}");
}

/// Judges every sample, always by the same outcome, until there is none left; how many these were.
fn judge_blind(client: &Client, manager: &Client) -> usize {
    let mut judged = 0;
    loop {
        let next = client.post("/blind/next", &[]);
        let target = next.headers()["location"].to_str().unwrap().to_owned();
        if target == "/blind?empty=true" {
            return judged;
        }
        let id = target.rsplit('/').next().unwrap();
        let before = state_of(manager, id);
        assert_ne!(before["outcome"], Value::Null);
        assert_eq!(listed(client, id)["sealed"], true, "the list does not tell it either");
        assert_eq!(state_of(client, id)["outcome"], Value::Null);
        let told = client.json(&format!("/api/v1/cases?outcome={}", before["outcome"].as_str().unwrap()));
        assert!(!told["cases"].as_array().unwrap().iter().any(|case| case["id"] == id), "nor do filters");
        let page = client.text(&target);
        for told in ["DECIDED_BY", "class=\"outcome", "ALL_CHECKS_PASSED", "class=\"tag\""] {
            assert!(!page.contains(told), "the page tells the decision by {told}");
        }
        let refused = client.post(&target, &[("outcome", "reject"), ("reason", " ")]);
        assert_eq!(refused.status(), 422, "a reason is needed");
        let done = client.post(&target, &[("outcome", "reject"), ("reason", "así lo veo")]);
        assert_eq!(done.headers()["location"], "/blind?done=true");
        assert_eq!(client.get(&target).status(), 409, "a second judgement is refused");
        assert_eq!(state_of(manager, id), before, "the case is as it was");
        judged += 1;
    }
}

fn listed(client: &Client, id: &str) -> Value {
    let listed = client.json("/api/v1/cases");
    listed["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone()
}

/// From the list: who opens the case itself sees the decision and gets no sample of it.
fn state_of(client: &Client, id: &str) -> Value {
    let case = listed(client, id);
    json!({"state": case["state"], "mode": case["mode"], "outcome": case["outcome"], "revision": case["revision"]})
}

/// Follows every link of the page that leads to cases: as many are listed as the figure says.
fn follow_figures(client: &Client, path: &str) {
    let page = client.text(path);
    let mut followed = 0;
    for anchor in page.split("<a href=\"/cases?").skip(1) {
        let (target, rest) = anchor.split_once("\">").unwrap();
        let figure: usize = rest.split_once("</a>").unwrap().0.replace('.', "").parse().unwrap();
        // Askama escapes ampersands as numbers.
        let target = target.replace("&#38;", "&").replace("&amp;", "&");
        let listed = client.json(&format!("/api/v1/cases?limit=200&{target}"));
        assert_eq!(listed["cases"].as_array().unwrap().len(), figure, "{path}: {target}");
        assert!(client.text(&format!("/cases?{target}")).contains("<td>"), "{target}");
        followed += 1;
    }
    assert!(followed > 0 || path.contains("fields"), "{path} leads nowhere");
}
