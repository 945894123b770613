//! `dossier serve` from the outside: files come in, people log in, correct and decide; who may do what.

use serde_json::{Value, json};

use crate::server::{Server, read};
use crate::station::{ALL, doubtful_server, drop_loan};

fn id_of(case: &Value) -> String {
    case["id"].as_str().unwrap().to_owned()
}

/// A sample whose statement does not add up: a review by its rules, whatever is read well.
const REVIEW_CASE: (&str, &str) = ("consumer_loan", "A-3123");

#[test]
fn a_case_is_dropped_reviewed_corrected_and_decided() {
    let server = Server::start();
    let ana = server.user("ana", "reviewer");
    let (flow, reference) = REVIEW_CASE;
    server.drop_sample(flow, reference, "W-1");
    let case = ana.wait_for("W-1", "in_review");
    let id = id_of(&case);
    assert!(!server.inbox().join(flow).join("W-1").exists(), "the originals left the inbox");
    assert!(ana.text("/queue").contains("W-1"));

    let (status, lease) = ana.post_json("/api/v1/queue/next", &json!({}));
    assert_eq!((status, lease["case_id"].as_str()), (200, Some(id.as_str())));
    let page = ana.text(&format!("/cases/{id}"));
    assert!(page.contains("data-generation"), "the case is in hand");
    let file = case["files"][0]["number"].as_i64().unwrap();
    let image = ana.get(&format!("/cases/{id}/files/{file}/pages/1.png"));
    assert_eq!(
        (image.status().as_u16(), image.headers()["content-type"].to_str().unwrap()),
        (200, "image/png")
    );

    let (document, field) = text_field(&case);
    let body = json!({"generation": lease["generation"], "revision": case["revision"], "action": "correct",
                      "document": document, "field": field, "value": "Nombre Corregido"});
    let (status, corrected) = ana.post_json(&format!("/api/v1/cases/{id}/corrections"), &body);
    assert_eq!(status, 200, "{corrected}");
    let changed = &corrected["documents"][document]["fields"][&field];
    assert_eq!(changed["value"], "Nombre Corregido");
    assert_eq!(changed["confirmed"], true);
    let (status, problem) = ana.post_json(&format!("/api/v1/cases/{id}/corrections"), &body);
    assert_eq!((status, problem["code"].as_str()), (409, Some("stale")), "the same again is refused");

    let decision = json!({"generation": lease["generation"], "revision": corrected["revision"],
                          "outcome": "reject", "reason": "no es la misma persona"});
    let (status, decided) = ana.post_json(&format!("/api/v1/cases/{id}/decision"), &decision);
    assert_eq!(status, 200, "{decided}");
    assert_eq!(decided["effect"], "closed");
    assert_eq!(decided["case"]["mode"], "hybrid");
    let (status, problem) = ana.post_json(&format!("/api/v1/cases/{id}/decision"), &decision);
    assert_eq!(
        (status, problem["code"].as_str()),
        (409, Some("not_in_review")),
        "a double click decides once"
    );

    let eva = server.user("eva", "auditor");
    let trail = eva.json(&format!("/api/v1/cases/{id}/events"));
    assert_eq!(trail["intact"], true);
    let kinds: Vec<&str> =
        trail["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["received", "read", "decided", "queued", "claimed", "corrected", "decided", "judged"]);
    assert!(!trail.to_string().contains("Nombre Corregido"), "the history names no value");
    assert!(eva.text(&format!("/cases/{id}/history")).contains("ana"));
}

/// A field of names, which takes any text.
fn text_field(case: &Value) -> (usize, String) {
    for (index, document) in case["documents"].as_array().unwrap().iter().enumerate() {
        for name in document["fields"].as_object().unwrap().keys() {
            if name.ends_with("_name") {
                return (index, name.clone());
            }
        }
    }
    panic!("no document carries a name");
}

#[test]
fn a_case_that_was_begun_is_finished_after_a_power_cut_and_the_same_bytes_change_nothing() {
    let server = Server::start();
    let ana = server.user("ana", "reviewer");
    let (flow, reference) = REVIEW_CASE;
    let events = ana.events();
    server.drop_sample(flow, reference, "P-1");
    // The record is there; reading takes longer.
    events.wait_for("received");
    let cookie = ana.cookie.clone();
    let server = Server::start_in(server.kill());
    assert!(server.admin_password.is_none(), "there are users already");
    let mut ana = server.visitor();
    ana.cookie = cookie;
    let case = ana.wait_for("P-1", "in_review");
    let revision = case["revision"].clone();

    let events = ana.events();
    server.drop_sample(flow, reference, "P-1");
    assert_eq!(events.wait_for("unchanged")["case_id"].as_str(), Some(id_of(&case).as_str()));
    assert!(!server.inbox().join(flow).join("P-1").exists());
    let again = ana.json(&format!("/api/v1/cases/{}", id_of(&case)));
    assert_eq!(again["revision"], revision);
    server.stop();
}

/// Makes every loan one that is too large.
pub(crate) fn with_other_limit(server: Server) -> Server {
    server.restart("rules = \"rules\"\n", |folder| {
        let flow = folder.join("rules/consumer_loan/flow.toml");
        let text = std::fs::read_to_string(&flow).unwrap();
        let changed = text.replace("largest_principal = 30000", "largest_principal = 1");
        assert_ne!(text, changed);
        std::fs::write(&flow, changed).unwrap();
    })
}

#[test]
fn when_the_rules_change_nobody_decides_by_others_than_were_shown() {
    let server = doubtful_server();
    let ana = server.user("ana", "reviewer");
    for name in ["G-1", "G-2"] {
        drop_loan(&server, name, &ALL);
    }
    let shown = ana.wait_for("G-1", "in_review");
    let untouched = id_of(&ana.wait_for("G-2", "in_review"));
    let id = id_of(&shown);
    let (_, lease) = ana.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    let codes = |case: &Value| case["reasons"].to_string();
    assert!(!codes(&shown).contains("AMOUNT_LIMIT"));

    let server = with_other_limit(server);
    let decision = |case: &Value| {
        json!({"generation": lease["generation"], "revision": case["revision"], "outcome": "accept",
               "reason": "todo en orden"})
    };
    let decide = |body: &Value| ana.post_json(&format!("/api/v1/cases/{id}/decision"), body);
    let (status, problem) = decide(&decision(&shown));
    assert_eq!((status, problem["code"].as_str()), (409, Some("rules_changed")), "{problem}");
    let (document, field) = text_field(&shown);
    let body = json!({"generation": lease["generation"], "revision": shown["revision"], "action": "correct",
                      "document": document, "field": field, "value": "Nombre Corregido"});
    let (status, problem) = ana.post_json(&format!("/api/v1/cases/{id}/corrections"), &body);
    assert_eq!((status, problem["code"].as_str()), (409, Some("rules_changed")), "{problem}");

    let now = ana.json(&format!("/api/v1/cases/{id}"));
    assert!(codes(&now).contains("AMOUNT_LIMIT"), "the rules in force are shown: {}", now["reasons"]);
    assert_ne!(now["rules"], shown["rules"]);
    assert_eq!(now["documents"], shown["documents"], "what was read is as it was");
    assert_eq!(now["lease"]["generation"], lease["generation"], "the case is still in hand");
    assert!(codes(&ana.json(&format!("/api/v1/cases/{untouched}"))).contains("AMOUNT_LIMIT"));
    let (status, decided) = decide(&decision(&now));
    assert_eq!(status, 200, "{decided}");

    let trail = server.user("eva", "auditor").json(&format!("/api/v1/cases/{id}/events"));
    assert_eq!(trail["intact"], true);
    let events = trail["events"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["received", "read", "decided", "queued", "claimed", "rechecked", "judged"]);
    assert_eq!(events[6]["detail"]["rules"], now["rules"]["version"], "the decision names its rules");
    assert_eq!(events[5]["detail"]["rules_before"], shown["rules"]["version"]);
}

#[test]
fn of_two_who_correct_at_once_one_is_told_to_look_again() {
    let server = doubtful_server();
    let ana = server.user("ana", "reviewer");
    drop_loan(&server, "B-1", &ALL);
    let case = ana.wait_for("B-1", "in_review");
    let id = id_of(&case);
    let (_, lease) = ana.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    let (document, field) = text_field(&case);
    // The same person in two tabs: both hold the lease, and both saw the same revision.
    let correct = |value: &str| {
        let body = json!({"generation": lease["generation"], "revision": case["revision"], "action": "correct",
                          "document": document, "field": field, "value": value});
        ana.post_json(&format!("/api/v1/cases/{id}/corrections"), &body)
    };
    let answers = std::thread::scope(|scope| {
        let tabs = ["Uno Primero", "Dos Segundo"].map(|value| scope.spawn(move || (value, correct(value))));
        tabs.map(|tab| tab.join().unwrap())
    });
    let won: Vec<&str> = answers.iter().filter(|(_, (status, _))| *status == 200).map(|one| one.0).collect();
    let refused: Vec<&Value> =
        answers.iter().filter(|(_, (status, _))| *status == 409).map(|one| &one.1.1).collect();
    assert_eq!((won.len(), refused.len()), (1, 1), "{answers:?}");
    assert_eq!(refused[0]["code"], "stale");
    let now = ana.json(&format!("/api/v1/cases/{id}"));
    assert_eq!(now["documents"][document]["fields"][&field]["value"], won[0]);
    assert_eq!(now["revision"].as_i64().unwrap(), case["revision"].as_i64().unwrap() + 1);

    // Another person has no lease of the case: nothing of theirs comes in between.
    let bruno = server.user("bruno", "reviewer");
    let body = json!({"generation": lease["generation"], "revision": now["revision"], "action": "correct",
                      "document": document, "field": field, "value": "Tres Tercero"});
    let (status, problem) = bruno.post_json(&format!("/api/v1/cases/{id}/corrections"), &body);
    assert_eq!((status, problem["code"].as_str()), (409, Some("lost_lease")));
}

#[test]
fn of_many_reviewers_one_gets_the_case() {
    let server = Server::start();
    let (flow, reference) = REVIEW_CASE;
    let people: Vec<_> = ["r1", "r2", "r3", "r4"].map(|login| server.user(login, "reviewer")).into();
    server.drop_sample(flow, reference, "L-1");
    let case = people[0].wait_for("L-1", "in_review");
    let id = id_of(&case);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let path = "/api/v1/queue/next";
        let takers: Vec<_> =
            people.iter().map(|person| scope.spawn(move || person.post_json(path, &json!({})).0)).collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 204).count(), 3, "{answers:?}");
    let holder = answers.iter().position(|status| *status == 200).unwrap();
    let other = &people[(holder + 1) % 4];
    let (status, problem) = other.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    assert_eq!((status, problem["code"].as_str()), (409, Some("held")));

    let senior = server.user("sol", "senior");
    let taken = senior.call("DELETE", &format!("/api/v1/cases/{id}/lease"));
    assert_eq!(taken.status(), 204);
    let lost = json!({"generation": 1, "revision": case["revision"], "outcome": "accept", "reason": "x"});
    let (status, problem) = people[holder].post_json(&format!("/api/v1/cases/{id}/decision"), &lost);
    assert_eq!((status, problem["code"].as_str()), (409, Some("lost_lease")));
}

#[test]
fn every_route_lets_the_right_roles_through_and_nobody_else() {
    let server = Server::start();
    let roles = ["reviewer", "senior", "manager", "auditor", "administrator"];
    let people: Vec<_> = roles.iter().map(|role| (*role, server.user(&format!("u-{role}"), role))).collect();
    let visitor = server.visitor();
    let mut table = dossier_web::route_table();
    // Logging out ends the session that the other rows need.
    table.sort_by_key(|row| row.path == "/logout");
    for row in &table {
        let path = row.path.replace("{id}", "none").replace("{number}", "1").replace("{page}", "1.png");
        let mut path = path.replace("{*file}", "app.css");
        if row.method == "DELETE" {
            // Without one it would be taken from somebody else, which is a senior's alone.
            path.push_str("?generation=1");
        }
        let unknown = visitor.call(row.method, &path).status().as_u16();
        let expected = expected_of(row);
        match expected {
            None => assert!(unknown != 403, "{} {path} is public: {unknown}", row.method),
            Some(_) => {
                assert!([303, 401].contains(&unknown), "{} {path} to a visitor: {unknown}", row.method);
            }
        }
        for (role, client) in &people {
            let status = client.call(row.method, &path).status().as_u16();
            let allowed = expected.is_none_or(|roles| roles.contains(role));
            assert_eq!(status != 403, allowed, "{} {path} as {role}: {status}", row.method);
            assert!(status < 500, "{} {path} as {role}: {status}", row.method);
        }
    }
    assert!(table.len() > 60, "only {} routes were tried", table.len());
    assert!(people.iter().all(|(_, client)| client.get("/api/v1/me").status() == 401), "all logged out");
}

/// The matrix by hand, not by the code that it is about. `None` is open to all.
fn expected_of(row: &dossier_web::RouteRow) -> Option<&'static [&'static str]> {
    const ALL: &[&str] = &["reviewer", "senior", "manager", "auditor", "administrator"];
    const REVIEWERS: &[&str] = &["reviewer", "senior", "administrator"];
    match (row.method, row.path) {
        ("GET", "/login/oidc" | "/login/oidc/callback") => None,
        (_, "/login" | "/health/live" | "/health/ready" | "/metrics" | "/static/{*file}") => None,
        (_, "/password" | "/logout" | "/events") => Some(ALL),
        (_, "/" | "/language" | "/api/v1/openapi.json" | "/api/docs" | "/api/docs/{*file}") => Some(ALL),
        ("GET", "/queue" | "/cases" | "/cases/{id}") => Some(ALL),
        ("GET", path) if path.starts_with("/cases/{id}/files") => Some(ALL),
        ("GET", "/api/v1/me" | "/api/v1/cases" | "/api/v1/cases/{id}" | "/api/v1/queue") => Some(ALL),
        ("POST", "/cases/{id}/priority") => Some(&["senior", "administrator"]),
        ("GET", "/cases/{id}/history" | "/api/v1/cases/{id}/events") => Some(&["auditor", "administrator"]),
        (_, path) if path.starts_with("/api/v1/deliveries") => Some(&["manager", "administrator"]),
        ("GET", "/reports" | "/api/v1/report") => Some(&["senior", "manager", "auditor", "administrator"]),
        (_, path) if path.starts_with("/blind") => Some(REVIEWERS),
        (_, path) if path.starts_with("/users") || path.starts_with("/tokens") => Some(&["administrator"]),
        (_, path) if path.starts_with("/queue") || path.starts_with("/cases") || path.starts_with("/api") => {
            Some(REVIEWERS)
        }
        (method, path) => panic!("{method} {path} has no row in the matrix"),
    }
}

#[test]
fn behind_tls_cookies_are_sent_over_tls_alone() {
    let settings = "public_url = \"https://dossier.example\"\n";
    let server = Server::start_with(tempfile::tempdir().unwrap(), settings);
    let password = server.admin_password.clone().unwrap();
    let answer = server.visitor().post("/login", &[("login", "admin"), ("password", &password)]);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-dossier="), "{cookie}");
    for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
}

#[test]
fn requests_of_other_sites_and_guessed_passwords_are_refused() {
    let server = Server::start();
    let mut ana = server.user("ana", "reviewer");
    let headers = ana.get("/queue").headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["cache-control"], "no-store");

    ana.origin = false;
    assert_eq!(ana.post("/queue/next", &[]).status(), 403, "nothing says where this comes from");
    ana.origin = true;
    assert_eq!(ana.post("/queue/next", &[]).status(), 303);

    let visitor = server.visitor();
    let guess = |_| visitor.post("/login", &[("login", "ana"), ("password", "guess")]).status().as_u16();
    let answers: Vec<u16> = (0..10).map(guess).collect();
    assert_eq!(answers[0], 401);
    assert_eq!(answers[9], 429, "{answers:?}");
    let (status, problem) = read(visitor.get("/api/v1/cases"));
    assert_eq!((status, problem["status"].as_u64()), (401, Some(401)));
}
