//! Logging in and out: server-side sessions behind a cookie, API tokens as bearer.

use std::net::SocketAddr;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use dossier::accounts::{AccountError, hash_password, hash_secret, new_secret, password_matches, waste_time};
use dossier::store::User;
use serde::Deserialize;

use super::access::Signed;
use super::language::Language;
use super::problem::{Problem, too_many};
use super::state::AppState;
use super::view::Page;

/// With TLS the prefix keeps other hosts and paths from setting it.
const SECURE_COOKIE: &str = "__Host-dossier";
const PLAIN_COOKIE: &str = "dossier";
/// Wrong passwords within a quarter of an hour, before further ones are not looked at.
const FAILURES_OF_LOGIN: usize = 8;
const FAILURES_OF_ADDRESS: usize = 60;
/// A session in use is written again only so often.
const TOUCH_EVERY: i64 = 60_000_000;

/// Who sent this request, if anybody says so.
pub(crate) async fn signed(state: &AppState, headers: &HeaderMap) -> Result<Option<Signed>, Problem> {
    if let Some(token) = bearer(headers) {
        let user = state.shop.store.token_user(&hash_secret(token), state.now()).await?;
        return Ok(user.map(|user| Signed { user, session: None }));
    }
    let Some(token) = cookie(headers, cookie_name(state)) else { return Ok(None) };
    let hash = hash_secret(token);
    let now = state.now();
    let Some(found) = state.shop.store.session(&hash, now).await? else { return Ok(None) };
    if found.seen_at + TOUCH_EVERY < now {
        state.shop.store.touch_session(&hash, now, now + state.options.session).await?;
    }
    Ok(Some(Signed { user: found.user, session: Some(hash) }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The value of this cookie, when the request has it.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn cookie_name(state: &AppState) -> &'static str {
    if state.options.secure_cookies { SECURE_COOKIE } else { PLAIN_COOKIE }
}

fn set_cookie(state: &AppState, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    cookie_line(state, cookie_name(state), value, seconds)
}

/// What sets a cookie that scripts cannot read and other sites' forms do not send.
pub(super) fn cookie_line(
    state: &AppState,
    name: &str,
    value: &str,
    seconds: i64,
) -> Result<HeaderValue, Problem> {
    let secure = if state.options.secure_cookies { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    page: Page<'a>,
    next: &'a str,
    login: &'a str,
    /// One sentence; empty when nothing is wrong.
    complaint: &'a str,
    /// What the `OpenID` provider is called, where people may log in through one.
    provider: Option<&'a str>,
}

impl<'a> LoginPage<'a> {
    fn new(state: &'a AppState, language: Language, next: &'a str) -> Self {
        let provider = state.provider_title();
        Self { page: Page::new(language, None, "login"), next, login: "", complaint: "", provider }
    }

    /// Where the provider's link leads.
    fn provider_link(&self) -> String {
        format!("/login/oidc?next={}", escape(self.next))
    }
}

/// The login page, with a sentence that says why somebody was not let in.
#[cfg(feature = "oidc")]
pub(super) fn login_again(
    state: &AppState,
    language: Language,
    status: StatusCode,
    complaint: &str,
) -> Result<Response, Problem> {
    let page = LoginPage { complaint: language.text(complaint), ..LoginPage::new(state, language, "") };
    Ok((status, Html(page.render()?)).into_response())
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// `GET /login`
pub(crate) async fn login_page(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    signed: Option<Extension<Signed>>,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    if signed.is_some() {
        return Ok(Redirect::to(local(&query.next)).into_response());
    }
    Ok(Html(LoginPage::new(&state, language, &query.next).render()?).into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct LoginForm {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(crate) async fn log_in(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Form(form): Form<LoginForm>,
) -> Result<Response, Problem> {
    let now = state.now();
    // Many people may come from one address: a proxy's.
    let keys = [
        (format!("login {}", form.login.to_lowercase()), FAILURES_OF_LOGIN),
        (address_key(address), FAILURES_OF_ADDRESS),
    ];
    if let Some(seconds) = keys.iter().find_map(|(key, most)| state.logins.wait_seconds(key, *most, now)) {
        return too_often(&state, language, &form, seconds);
    }
    let Some(user) = check_password(&state, &form.login, form.password).await? else {
        for (key, _) in &keys {
            state.logins.failed(key, now);
        }
        let page = LoginPage {
            login: &form.login,
            complaint: language.text("login.failed"),
            ..LoginPage::new(&state, language, &form.next)
        };
        return Ok((StatusCode::UNAUTHORIZED, Html(page.render()?)).into_response());
    };
    state.logins.succeeded(&keys[0].0);
    let target = if user.must_change_password { "/password" } else { local(&form.next) };
    let mut response = Redirect::to(target).into_response();
    let cookie = open(&state, &user).await?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The login page that says how long to wait.
fn too_often(
    state: &AppState,
    language: Language,
    form: &LoginForm,
    seconds: i64,
) -> Result<Response, Problem> {
    let complaint = too_many(language, seconds);
    let again = LoginPage::new(state, language, &form.next);
    let page = LoginPage { login: &form.login, complaint: &complaint, ..again };
    let body = Html(page.render()?);
    Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], body).into_response())
}

fn address_key(address: SocketAddr) -> String {
    format!("address {}", address.ip())
}

/// Refuses an address that too many failed logins came from.
#[cfg(feature = "oidc")]
pub(super) fn check_address(state: &AppState, address: SocketAddr) -> Result<(), Problem> {
    let wait = state.logins.wait_seconds(&address_key(address), FAILURES_OF_ADDRESS, state.now());
    wait.map_or(Ok(()), |seconds| Err(Problem::too_many(seconds)))
}

/// Counts a failed login.
#[cfg(feature = "oidc")]
pub(super) fn failed_from(state: &AppState, address: SocketAddr) {
    state.logins.failed(&address_key(address), state.now());
}

/// Opens a session; gives what sets its cookie.
pub(super) async fn open(state: &AppState, user: &User) -> Result<HeaderValue, Problem> {
    let secret = new_secret().map_err(|error| Problem::internal(&error))?;
    let now = state.now();
    state.shop.store.open_session(&hash_secret(&secret), &user.id, now, now + state.options.session).await?;
    set_cookie(state, &secret, state.options.session / 1_000_000)
}

/// The user, when the password is theirs. Takes as long for a login that nobody has.
async fn check_password(state: &AppState, login: &str, password: String) -> Result<Option<User>, Problem> {
    let found = state.shop.store.user_by_login(login).await?;
    // The semaphore is never closed.
    let _permit = state.hashing.acquire().await.ok();
    let work = move || {
        let Some((user, hash)) = found else {
            waste_time(&password);
            return None;
        };
        (password_matches(&password, &hash) && !user.disabled).then_some(user)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

/// `POST /logout`
pub(crate) async fn log_out(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
) -> Result<Response, Problem> {
    if let Some(session) = &signed.session {
        state.shop.store.close_session(session).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(&state, "", 0)?);
    Ok(response)
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    page: Page<'a>,
    must: bool,
    complaint: &'a str,
    /// An `OpenID` provider keeps the password.
    vouched: bool,
}

/// `GET /password`
pub(crate) async fn password_page(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    Extension(signed): Extension<Signed>,
) -> Result<Html<String>, Problem> {
    let page = PasswordPage {
        page: Page::new(language, Some(&signed), "password"),
        must: signed.user.must_change_password,
        complaint: "",
        vouched: state.shop.store.vouched_users().await?.contains(&signed.user.id),
    };
    Ok(Html(page.render()?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct PasswordForm {
    current: String,
    new: String,
    again: String,
}

/// `POST /password`: ends all sessions of the user and opens a new one.
pub(crate) async fn change_password(
    State(state): State<AppState>,
    Extension(language): Extension<Language>,
    Extension(signed): Extension<Signed>,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Problem> {
    let now = state.now();
    let key = format!("login {}", signed.user.login);
    if let Some(seconds) = state.logins.wait_seconds(&key, FAILURES_OF_LOGIN, now) {
        return Err(Problem::too_many(seconds));
    }
    let complain = |complaint: &str| -> Result<Response, Problem> {
        let page = PasswordPage {
            page: Page::new(language, Some(&signed), "password"),
            must: signed.user.must_change_password,
            complaint: language.text(complaint),
            vouched: false,
        };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response())
    };
    if form.new != form.again {
        return complain("password.differ");
    }
    if form.new == form.current {
        return complain("password.same");
    }
    if check_password(&state, &signed.user.login, form.current).await?.is_none() {
        state.logins.failed(&key, now);
        return complain("password.wrong");
    }
    let hash = tokio::task::spawn_blocking(move || hash_password(&form.new)).await;
    let hash = match hash.map_err(|error| Problem::internal(&error))? {
        Ok(hash) => hash,
        Err(AccountError::TooShort | AccountError::TooLong) => return complain("password.length"),
        Err(error) => return Err(Problem::internal(&error)),
    };
    state.shop.store.set_password(&signed.user.id, &hash, false).await?;
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().insert(header::SET_COOKIE, open(&state, &signed.user).await?);
    Ok(response)
}

#[derive(Debug, Deserialize)]
pub(crate) struct LanguageForm {
    language: String,
    #[serde(default)]
    next: String,
}

/// `POST /language`
pub(crate) async fn set_language(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Form(form): Form<LanguageForm>,
) -> Result<Redirect, Problem> {
    let language =
        Language::parse(&form.language).ok_or_else(|| Problem::invalid("there is no such language"))?;
    state.shop.store.set_language(&signed.user.id, language.code()).await?;
    Ok(Redirect::to(local(&form.next)))
}

/// A path on this server; anything else becomes the start page, so that nobody is led away.
pub(crate) fn local(target: &str) -> &str {
    let is_path =
        target.starts_with('/') && !target.starts_with("//") && !target.contains(['\\', '\r', '\n']);
    if is_path { target } else { "/" }
}

/// A text as part of a query.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away() {
        assert_eq!(local("/cases/1?x=y"), "/cases/1?x=y");
        for target in ["//evil.example", "https://evil.example", "", "/\\evil.example", "/a\r\nb"] {
            assert_eq!(local(target), "/");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "xdossier=1; dossier=2".parse().unwrap());
        assert_eq!(cookie(&headers, "dossier"), Some("2"));
    }
}
