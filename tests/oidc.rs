//! Logging in through an `OpenID` provider, which the tests are themselves: on loopback, with a key made
//! anew. What it says is right at first; each refusal changes one thing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use rsa::pkcs1v15::SigningKey;
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::server::{Answer, Client, Server};
use crate::support::{dossier, run, stderr, stdout};

const SECRET: &str = "the client's secret";

/// What the provider answers with; a test changes one thing at a time.
#[derive(Clone)]
struct Plan {
    /// Over the right claims of the ID token; null takes one away.
    claims: Value,
    /// Signs with a key that is not among the published ones.
    forged: bool,
    /// Replaces the header of the token and leaves it unsigned.
    unsigned: bool,
    no_token: bool,
}

impl Plan {
    fn right() -> Self {
        Self { claims: json!({}), forged: false, unsigned: false, no_token: false }
    }

    fn with(claims: Value) -> Self {
        Self { claims, ..Self::right() }
    }
}

struct Keys {
    published: SigningKey<Sha256>,
    other: SigningKey<Sha256>,
    jwks: Value,
}

#[derive(Clone)]
struct Provider {
    issuer: String,
    keys: Arc<Keys>,
    plan: Arc<Mutex<Plan>>,
    /// What was asked for, by the code that was given for it. A code is taken once.
    codes: Arc<Mutex<HashMap<String, HashMap<String, String>>>>,
}

impl Provider {
    /// Runs until the test ends.
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let key = |_| rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
        let [published, other] = [0, 1].map(key);
        let number = |number: &rsa::BigUint| BASE64_URL.encode(number.to_bytes_be());
        let jwks = json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
                                    "n": number(published.n()), "e": number(published.e())}]});
        let keys = Keys { published: SigningKey::new(published), other: SigningKey::new(other), jwks };
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Arc::new(keys),
            plan: Arc::new(Mutex::new(Plan::right())),
            codes: Arc::default(),
        };
        let routes = axum::Router::new()
            .route("/.well-known/openid-configuration", axum::routing::get(discovery))
            .route(
                "/keys",
                axum::routing::get(
                    |State(here): State<Provider>| async move { Json(here.keys.jwks.clone()) },
                ),
            )
            .route("/authorize", axum::routing::get(authorize))
            .route("/token", axum::routing::post(token))
            .with_state(provider.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        provider
    }

    fn plans(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
    }

    /// The lines of configuration that name it.
    fn settings(&self) -> String {
        format!(
            "[oidc]\nissuer = \"{}\"\nclient_id = \"dossier\"\nclient_secret_file = \"oidc-secret\"\ntitle = \"Prueba\"\n\
             [[oidc.roles]]\ngroup = \"heads\"\nrole = \"senior\"\n[[oidc.roles]]\ngroup = \"staff\"\nrole = \"reviewer\"\n",
            self.issuer
        )
    }

    fn server(&self) -> Server {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("oidc-secret"), format!("{SECRET}\n")).unwrap();
        Server::start_logged(folder, &self.settings())
    }

    /// What came of a whole login in a fresh browser.
    fn log_in(&self, server: &Server) -> Answer {
        let mut browser = server.visitor();
        let callback = self.come_back(&mut browser, "/cases");
        browser.get(&callback)
    }

    /// Leads a browser to the provider and back; gives the path that it is sent to.
    fn come_back(&self, browser: &mut Client, next: &str) -> String {
        let begun = browser.get(&format!("/login/oidc?next={next}"));
        assert_eq!(begun.status(), 303);
        browser.keep_cookie(&begun);
        let there = begun.headers()["location"].to_str().unwrap();
        assert!(there.starts_with(&format!("{}/authorize?", self.issuer)), "{there}");
        let config = ureq::Agent::config_builder().max_redirects(0).build();
        let back = ureq::Agent::new_with_config(config).get(there).call().unwrap();
        let back = back.headers()["location"].to_str().unwrap();
        let path = back.split_once("/login/oidc/callback").expect("the callback").1;
        format!("/login/oidc/callback{path}")
    }

    fn id_token(&self, asked: &HashMap<String, String>) -> String {
        let plan = self.plan.lock().unwrap().clone();
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.issuer, "aud": "dossier", "sub": "subject-1", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "preferred_username": "Marta", "name": "Marta Ruiz Gil",
            "email": "marta@example.com", "groups": ["others", "staff"],
        });
        for (name, value) in plan.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let algorithm = if plan.unsigned { "none" } else { "RS256" };
        let part = |value: &Value| BASE64_URL.encode(value.to_string());
        let header = json!({"alg": algorithm, "kid": "one", "typ": "JWT"});
        let text = format!("{}.{}", part(&header), part(&claims));
        let key = if plan.forged { &self.keys.other } else { &self.keys.published };
        let signature = if plan.unsigned {
            String::new()
        } else {
            BASE64_URL.encode(key.sign(text.as_bytes()).to_bytes())
        };
        format!("{text}.{signature}")
    }
}

async fn discovery(State(here): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", here.issuer);
    Json(json!({
        "issuer": here.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        // A provider that offers what must not be taken.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    }))
}

/// Everybody is let in at once, as somebody who is logged in there already.
async fn authorize(State(here): State<Provider>, Query(asked): Query<HashMap<String, String>>) -> Redirect {
    assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), ("dossier", "code"));
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"), "{}", asked["scope"]);
    let mut codes = here.codes.lock().unwrap();
    let code = format!("code-{}", codes.len());
    let back = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
    codes.insert(code, asked);
    Redirect::to(&back)
}

async fn token(
    State(here): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    // RFC 6749, 2.3.1: both parts are form-encoded before they are put together.
    let secret = SECRET.replace('\'', "%27").replace(' ', "+");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("dossier:{secret}")));
    assert_eq!(headers["authorization"].to_str().unwrap(), basic);
    let taken = here.codes.lock().unwrap().insert(form["code"].clone(), HashMap::new());
    let Some(asked) = taken.filter(|asked| !asked.is_empty()) else { return refused() };
    let challenge = BASE64_URL.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] {
        return refused();
    }
    let mut answer = json!({"access_token": "an-access-token", "token_type": "Bearer", "expires_in": 300});
    if !here.plan.lock().unwrap().no_token {
        answer["id_token"] = here.id_token(&asked).into();
    }
    Json(answer).into_response()
}

fn body(mut answer: Answer) -> String {
    answer.body_mut().read_to_string().unwrap()
}

/// A browser with the session that a login gave.
fn browser_of(server: &Server, answer: &Answer) -> Client {
    let mut browser = server.visitor();
    browser.keep_cookie(answer);
    browser
}

#[test]
fn somebody_logs_in_through_a_provider_and_is_what_it_says() {
    let provider = Provider::start();
    let server = provider.server();
    let page = server.visitor().text("/login?next=/cases%3Fflow=x");
    assert!(
        page.contains("Entrar con Prueba") && page.contains("/login/oidc?next=/cases%3Fflow%3Dx"),
        "{page}"
    );

    let answer = provider.log_in(&server);
    assert_eq!(answer.status(), 303, "{}", body(answer));
    assert_eq!(answer.headers()["location"], "/cases", "to where they wanted to go");
    let session = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    let marta = browser_of(&server, &answer);
    let me = marta.json("/api/v1/me");
    assert_eq!((me["login"].as_str(), me["role"].as_str()), (Some("marta"), Some("reviewer")), "{me}");
    assert_eq!(me["name"], "Marta Ruiz Gil");
    assert_eq!(marta.get("/reports").status(), 403);
    assert!(marta.text("/password").contains("se cambia allí"));

    // Another role there is another role here, at once and in every browser.
    provider.plans(Plan::with(json!({"groups": ["staff", "heads"], "name": "Marta Ruiz"})));
    let again = browser_of(&server, &provider.log_in(&server));
    let now = again.json("/api/v1/me");
    assert_eq!(now, json!({"login": "marta", "name": "Marta Ruiz", "role": "senior"}), "the same account");
    assert_eq!(again.get("/reports").status(), 200);
    assert_eq!(marta.get("/api/v1/me").status(), 401, "what the old role opened is closed");

    // Logging out ends the session here.
    assert_eq!(again.post("/logout", &[]).status(), 303);
    assert_eq!(again.get("/api/v1/me").status(), 401);
}

#[test]
fn the_configuration_is_looked_at_before_anything_is_served() {
    let provider = Provider::start();
    let folder = tempfile::tempdir().unwrap();
    let complaint = |settings: &str| {
        std::fs::write(folder.path().join("dossier.toml"), settings).unwrap();
        let served = run(dossier(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
        assert_eq!(served.status.code(), Some(1), "{settings}");
        stderr(&served)
    };
    let settings = provider.settings();
    assert!(complaint(&settings).contains("cannot read the client's secret in"));
    let plain = settings.replace("http://127.0.0.1", "http://login.example");
    assert!(complaint(&plain).contains("must begin with https://"));
    assert!(complaint(&settings.replace("title", "titel")).contains("unknown field `titel`"));
    std::fs::write(folder.path().join("oidc-secret"), SECRET).unwrap();
    std::fs::write(folder.path().join("dossier.toml"), &settings).unwrap();
    let doctor = stdout(&run(dossier(folder.path()).arg("doctor")));
    assert!(doctor.contains(&format!("passwords and {}", provider.issuer)), "{doctor}");
}

#[test]
fn what_the_provider_does_not_prove_lets_nobody_in() {
    let provider = Provider::start();
    let server = provider.server();
    let past = chrono::Utc::now().timestamp() - 5;
    let refusals = [
        ("another login's nonce", Plan::with(json!({"nonce": "another"}))),
        ("no nonce", Plan::with(json!({"nonce": null}))),
        ("another audience", Plan::with(json!({"aud": "another"}))),
        ("a further audience", Plan::with(json!({"aud": ["dossier", "another"]}))),
        ("another issuer", Plan::with(json!({"iss": "http://127.0.0.1:1"}))),
        ("an expired token", Plan::with(json!({"exp": past}))),
        ("another key", Plan { forged: true, ..Plan::right() }),
        ("no signature", Plan { unsigned: true, ..Plan::right() }),
        ("no token", Plan { no_token: true, ..Plan::right() }),
    ];
    for (what, plan) in refusals {
        provider.plans(plan);
        let answer = provider.log_in(&server);
        assert_eq!(answer.status(), 401, "{what}");
        assert!(!answer.headers()["set-cookie"].to_str().unwrap().starts_with("dossier="), "{what}");
        assert!(body(answer).contains("no ha confirmado quién es usted"), "{what}");
    }
    for groups in [json!(["others"]), json!(null), json!("Staff")] {
        provider.plans(Plan::with(json!({"groups": groups})));
        let answer = provider.log_in(&server);
        assert_eq!(answer.status(), 403);
        assert!(body(answer).contains("ningún rol"), "{groups}");
    }

    // A login belongs to the browser that began it, and is finished once.
    provider.plans(Plan::right());
    let (mut browser, mut other) = (server.visitor(), server.visitor());
    let callback = provider.come_back(&mut browser, "/");
    provider.come_back(&mut other, "/");
    for (who, path) in [
        (&server.visitor(), callback.clone()),
        (&other, callback.clone()),
        (&browser, callback.replace("state=", "state=0")),
        (&browser, callback.split("&state").next().unwrap().to_owned()),
    ] {
        let answer = who.get(&path);
        assert_eq!(answer.status(), 400, "{path}");
        assert!(body(answer).contains("no se inició en este navegador"));
    }
    assert_eq!(browser.get(&callback).status(), 303);
    assert_eq!(browser.get(&callback).status(), 401, "the provider takes a code once");
    let mut cancelled = server.visitor();
    let callback = provider.come_back(&mut cancelled, "/");
    let state = callback.split_once("&state=").unwrap().1;
    let answer = cancelled.get(&format!("/login/oidc/callback?error=access_denied&state={state}"));
    assert_eq!(answer.status(), 401);

    // Nothing of it all is in the log, however much it tells.
    let folder = server.stop();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("the ID token has expired") && log.contains("signature does not hold"), "{log}");
    for told in ["marta", "Marta", "subject-1", "an-access-token", "eyJ", SECRET, "code-0"] {
        assert!(!log.contains(told), "{told} in the log: {log}");
    }
}

#[test]
fn accounts_are_switched_off_here_and_never_taken_over() {
    let provider = Provider::start();
    let server = provider.server();
    // Somebody here has the login that the provider names.
    let local = server.user("marta", "administrator");
    let marta = browser_of(&server, &provider.log_in(&server));
    let me = marta.json("/api/v1/me");
    let login = me["login"].as_str().unwrap();
    assert_eq!(
        (me["role"].as_str(), local.json("/api/v1/me")["login"].as_str()),
        (Some("reviewer"), Some("marta"))
    );
    assert!(login.starts_with("marta-"), "{login}");
    assert_eq!(server.visitor().post("/login", &[("login", login), ("password", "")]).status(), 401);
    let users = local.text("/users");
    assert!(users.contains("Sin contraseña aquí"));
    let (_, row) = users.split_once(&format!("<th scope=\"row\">{login}</th>")).expect("a row of theirs");
    let id = row.split_once("action=\"/users/").and_then(|(_, rest)| rest.split('"').next()).unwrap();
    assert_eq!(local.post(&format!("/users/{id}/password"), &[]).status(), 409);

    let off = local.post(&format!("/users/{id}"), &[("role", "reviewer"), ("disabled", "on")]);
    assert_eq!(off.status(), 303);
    assert_eq!(marta.get("/api/v1/me").status(), 401);
    let answer = provider.log_in(&server);
    assert_eq!(answer.status(), 403);
    assert!(body(answer).contains("desactivada"));

    // On again; who loses the role there loses the session here at the next attempt.
    assert_eq!(local.post(&format!("/users/{id}"), &[("role", "reviewer")]).status(), 303);
    let marta = browser_of(&server, &provider.log_in(&server));
    provider.plans(Plan::with(json!({"groups": []})));
    assert_eq!(provider.log_in(&server).status(), 403);
    assert_eq!(marta.get("/api/v1/me").status(), 401);
}

#[test]
fn without_its_provider_the_server_still_serves() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"dossier\"\nroles = []\n";
    let server = Server::start_with(folder, settings);
    let answer = server.visitor().get("/login/oidc");
    assert_eq!(answer.status(), 503);
    assert!(body(answer).contains("no responde"));
    server.user("ana", "reviewer");
    let doctor = run(dossier(server.folder.path()).arg("doctor"));
    assert!(
        stdout(&doctor).contains("http://127.0.0.1:1: the provider does not answer"),
        "{}",
        stdout(&doctor)
    );
}
