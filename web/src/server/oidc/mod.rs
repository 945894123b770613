//! Logging in through an `OpenID` provider: a browser is led there and comes back with a code; what the
//! provider then says becomes an account and a session like any other. Logging out ends the session here.

mod provider;

pub(crate) use provider::{Provider, Registration};

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use dossier::accounts::new_secret;
use dossier::clock::Micros;
use dossier::config::OidcSettings;
use dossier::store::{Admission, Vouched};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::desk::new_id;
use super::language::Language;
use super::problem::Problem;
use super::session::{self, Next, local};
use super::state::AppState;
use provider::{Person, Trouble, is_state_of};

/// With TLS the prefix keeps other hosts and paths from setting it.
const SECURE_COOKIE: &str = "__Host-dossier-oidc";
const PLAIN_COOKIE: &str = "dossier-oidc";
/// How long somebody may take at the provider.
const LOGIN_SECONDS: i64 = 10 * 60;
/// Longest path that is remembered until somebody comes back.
const LONGEST_NEXT: usize = 1000;
/// Questions to the provider at the same time; each may take a thread for ten seconds.
const QUESTIONS: usize = 8;
/// As long as logins and names of users that administrators add.
const LONGEST_NAME: usize = 100;

/// The provider and what its groups are here.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) settings: OidcSettings,
    provider: Arc<Provider>,
    asking: Semaphore,
}

impl SignIn {
    pub(crate) fn new(settings: OidcSettings, registration: Registration) -> Self {
        let provider = Arc::new(Provider::new(registration));
        Self { settings, provider, asking: Semaphore::new(QUESTIONS) }
    }

    /// Whether the provider answers as it should; blocks until it did.
    ///
    /// # Errors
    /// Why it does not, in a few words.
    pub(crate) fn reach(&self) -> Result<(), &'static str> {
        let asked = self.provider.reach(dossier::clock::Clock::now(&dossier::clock::SystemClock));
        asked.map_err(|trouble| match trouble {
            Trouble::Unreachable(why) | Trouble::Refused(why) => why,
        })
    }

    /// Asks the provider, off the async threads.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Provider) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<Result<T, Trouble>, Problem> {
        // The semaphore is never closed.
        let _permit = self.asking.acquire().await.ok();
        let provider = Arc::clone(&self.provider);
        let answer = tokio::task::spawn_blocking(move || question(&provider)).await;
        answer.map_err(|error| Problem::internal(&error))
    }
}

/// `GET /login/oidc`: leads to the provider.
pub(crate) async fn begin(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    let sign_in = state.sign_in.as_ref().ok_or_else(Problem::not_found)?;
    let secret = new_secret().map_err(|error| Problem::internal(&error))?;
    let (kept, now) = (secret.clone(), state.now());
    let url = match sign_in.ask(move |provider| provider.authorize_url(&kept, now)).await? {
        Ok(url) => url,
        Err(trouble) => return refused(&state, language, trouble.into()),
    };
    let next = if query.next.len() > LONGEST_NEXT { "/" } else { local(&query.next) };
    let cookie = cookie(&state, &format!("{secret}.{}", hex::encode(next)), LOGIN_SECONDS)?;
    let mut response = Redirect::to(&url).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// What the provider sends a browser back with.
#[derive(Debug, Deserialize)]
pub(crate) struct Return {
    code: Option<String>,
    state: Option<String>,
}

/// `GET /login/oidc/callback`
pub(crate) async fn finish(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(query): Query<Return>,
) -> Result<Response, Problem> {
    if state.sign_in.is_none() {
        return Err(Problem::not_found());
    }
    session::check_address(&state, address)?;
    let mut response = match let_in(&state, &headers, query).await? {
        Ok(response) => response,
        Err(refusal) => {
            // Nothing is guessed and nobody asked where it was not begun here.
            if matches!(refusal, Refusal::Refused(_)) {
                session::failed_from(&state, address);
            }
            refused(&state, language, refusal)?
        }
    };
    // A code is used once, and so is what the browser kept for it.
    response.headers_mut().append(header::SET_COOKIE, cookie(&state, "", 0)?);
    Ok(response)
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The browser did not begin this login, or too long ago.
    NotBegun,
    /// The provider was not reached.
    Unreachable(&'static str),
    /// The provider did not say who it is, or nothing to be believed.
    Refused(&'static str),
    NoRole,
    Disabled,
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable(why) => Refusal::Unreachable(why),
            Trouble::Refused(why) => Refusal::Refused(why),
        }
    }
}

async fn let_in(
    state: &AppState,
    headers: &HeaderMap,
    query: Return,
) -> Result<Result<Response, Refusal>, Problem> {
    let Some(sign_in) = &state.sign_in else { return Err(Problem::not_found()) };
    let Some((secret, next)) = kept(state, headers) else { return Ok(Err(Refusal::NotBegun)) };
    if !query.state.is_some_and(|returned| is_state_of(&returned, &secret)) {
        return Ok(Err(Refusal::NotBegun));
    }
    let Some(code) = query.code else {
        return Ok(Err(Refusal::Refused("the provider did not let them in")));
    };
    let now = state.now();
    let person = match sign_in.ask(move |provider| provider.identify(code, &secret, now)).await? {
        Ok(person) => person,
        Err(trouble) => return Ok(Err(trouble.into())),
    };
    let issuer = sign_in.provider.issuer();
    let Some(role) = sign_in.settings.role_of(&person.groups) else {
        state.shop.store.dismiss(issuer, &person.subject).await?;
        return Ok(Err(Refusal::NoRole));
    };
    let vouched = vouched(issuer, person, role);
    let user = match admit(state, &vouched, now).await? {
        Ok(user) => user,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut response = Redirect::to(local(&next)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, session::open(state, &user).await?);
    Ok(Ok(response))
}

async fn admit(
    state: &AppState,
    vouched: &Vouched,
    now: Micros,
) -> Result<Result<dossier::store::User, Refusal>, Problem> {
    match state.shop.store.admit(vouched, &new_id(), now).await? {
        Admission::Known(user) => Ok(Ok(user)),
        Admission::Added(user) => {
            let role = user.role.as_str();
            tracing::info!(user = user.id, role, "the provider vouched for somebody new");
            Ok(Ok(user))
        }
        Admission::Disabled { user_id } => {
            tracing::warn!(user = user_id, "somebody whose account is switched off came by the provider");
            Ok(Err(Refusal::Disabled))
        }
    }
}

fn vouched(issuer: &str, person: Person, role: dossier::store::Role) -> Vouched {
    let login = plain_login(person.login.as_deref().unwrap_or_default());
    let name = person.name.map(|name| name.trim().chars().take(LONGEST_NAME).collect::<String>());
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| login.clone());
    Vouched { issuer: issuer.to_owned(), subject: person.subject, login, name, role }
}

/// A login as the pages take it, of what the provider calls somebody.
fn plain_login(claimed: &str) -> String {
    let is_plain = |ch: &char| ch.is_ascii_alphanumeric() || ".-_@+".contains(*ch);
    let login: String = claimed.chars().filter(is_plain).take(LONGEST_NAME).collect();
    if login.is_empty() { "oidc".to_owned() } else { login.to_lowercase() }
}

/// The login page with one sentence that says what is wrong.
fn refused(state: &AppState, language: Language, refusal: Refusal) -> Result<Response, Problem> {
    let (status, complaint) = match refusal {
        Refusal::NotBegun => (StatusCode::BAD_REQUEST, "oidc.not_begun"),
        Refusal::Unreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, "oidc.unreachable"),
        Refusal::Refused(_) => (StatusCode::UNAUTHORIZED, "oidc.refused"),
        Refusal::NoRole => (StatusCode::FORBIDDEN, "oidc.no_role"),
        Refusal::Disabled => (StatusCode::FORBIDDEN, "oidc.disabled"),
    };
    if let Refusal::Unreachable(why) | Refusal::Refused(why) = refusal {
        tracing::warn!(why, "a login through the provider came to nothing");
    }
    session::login_again(state, language, status, complaint)
}

/// What the browser kept since it was led to the provider: its secret, and where it wanted to go.
fn kept(state: &AppState, headers: &HeaderMap) -> Option<(String, String)> {
    let (secret, next) = session::cookie(headers, cookie_name(state))?.split_once('.')?;
    let next = String::from_utf8(hex::decode(next).ok()?).ok()?;
    // An empty or short one would be no secret.
    (secret.len() == 64).then(|| (secret.to_owned(), next))
}

fn cookie_name(state: &AppState) -> &'static str {
    if state.options.secure_cookies { SECURE_COOKIE } else { PLAIN_COOKIE }
}

/// Comes back with a browser that another site sends here, and no script reads it.
fn cookie(state: &AppState, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    session::cookie_line(state, cookie_name(state), value, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_plain_signs_alone() {
        assert_eq!(plain_login("Ana.García@Example.com"), "ana.garca@example.com");
        assert_eq!(plain_login("../ <b>"), "..b");
        assert_eq!(plain_login("ñ"), "oidc");
    }
}
