//! Users and the tokens of other systems.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use dossier::accounts::{hash_password, hash_secret, new_secret, one_time_password};
use dossier::store::{NewUser, Role, Token, User};
use serde::Deserialize;

use crate::server::access::Signed;
use crate::server::desk::new_id;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::state::AppState;
use crate::server::view::Page;

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage<'a> {
    page: Page<'a>,
    users: Vec<User>,
    /// Those whose passwords and roles are an `OpenID` provider's.
    vouched: Vec<String>,
    tokens: Vec<(Token, String)>,
    roles: [Role; 5],
    /// What is shown once: whose it is, and the secret.
    secret: Option<(String, String)>,
}

/// `GET /users`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
) -> Result<Html<String>, Problem> {
    render(&state, &signed, language, None).await
}

async fn render(
    state: &AppState,
    signed: &Signed,
    language: Language,
    secret: Option<(String, String)>,
) -> Result<Html<String>, Problem> {
    let users = state.shop.store.users().await?;
    let login = |id: &str| {
        users.iter().find(|user| user.id == id).map_or_else(String::new, |user| user.login.clone())
    };
    let tokens = state.shop.store.tokens().await?;
    let page = UsersPage {
        page: Page::new(language, Some(signed), "users"),
        tokens: tokens
            .into_iter()
            .map(|token| {
                let login = login(&token.user_id);
                (token, login)
            })
            .collect(),
        users,
        vouched: state.shop.store.vouched_users().await?,
        roles: Role::ALL,
        secret,
    };
    Ok(Html(page.render()?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserForm {
    login: String,
    name: String,
    role: String,
}

/// `POST /users`: the new user's one-time password is shown once.
pub(crate) async fn add(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Form(form): Form<UserForm>,
) -> Result<Response, Problem> {
    let role = role_of(&form.role)?;
    let login = login_of(&form.login)?;
    let (password, password_hash) = fresh_password().await?;
    let user = NewUser {
        id: new_id(),
        login: login.to_owned(),
        name: if form.name.trim().is_empty() { login.to_owned() } else { form.name.trim().to_owned() },
        role,
        password_hash,
        must_change_password: true,
    };
    if !state.shop.store.add_user(&user, state.now()).await? {
        return Err(Problem::conflict("login_taken", "this login is taken").about("login"));
    }
    tracing::info!(by = signed.user.id, user = user.id, role = role.as_str(), "a user was added");
    Ok(render(&state, &signed, language, Some((login.to_owned(), password))).await?.into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChangeForm {
    role: String,
    #[serde(default)]
    disabled: Option<String>,
}

/// `POST /users/{id}`
pub(crate) async fn change(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Result<Redirect, Problem> {
    let role = role_of(&form.role)?;
    let disabled = form.disabled.is_some();
    if id == signed.user.id && (disabled || role != Role::Administrator) {
        return Err(Problem::conflict("own_account", "nobody takes their own administration away"));
    }
    find(&state, &id).await?;
    state.shop.store.change_user(&id, role, disabled, state.now()).await?;
    tracing::info!(by = signed.user.id, user = id, role = role.as_str(), disabled, "a user was changed");
    Ok(Redirect::to("/users"))
}

/// `POST /users/{id}/password`: a new one-time password, shown once.
pub(crate) async fn reset_password(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let user = find(&state, &id).await?;
    if state.shop.store.vouched_users().await?.contains(&id) {
        return Err(Problem::conflict("vouched", "this account has no password: a provider vouches for it"));
    }
    let (password, hash) = fresh_password().await?;
    state.shop.store.set_password(&id, &hash, true).await?;
    tracing::info!(by = signed.user.id, user = id, "a password was reset");
    render(&state, &signed, language, Some((user.login, password))).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct TokenForm {
    name: String,
    login: String,
}

/// `POST /tokens`: the token is shown once.
pub(crate) async fn add_token(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Form(form): Form<TokenForm>,
) -> Result<Html<String>, Problem> {
    let found = state.shop.store.user_by_login(&form.login).await?;
    let (user, _) = found.ok_or_else(|| Problem::invalid("there is no such user").about("login"))?;
    let secret = new_secret().map_err(|error| Problem::internal(&error))?;
    let (id, now) = (new_id(), state.now());
    state.shop.store.add_token(&id, &hash_secret(&secret), &user.id, form.name.trim(), now).await?;
    tracing::info!(by = signed.user.id, user = user.id, token = id, "a token was made");
    render(&state, &signed, language, Some((form.name, secret))).await
}

/// `POST /tokens/{id}/revoke`
pub(crate) async fn revoke_token(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    state.shop.store.revoke_token(&id, state.now()).await?;
    tracing::info!(by = signed.user.id, token = id, "a token was revoked");
    Ok(Redirect::to("/users"))
}

async fn find(state: &AppState, id: &str) -> Result<User, Problem> {
    let users = state.shop.store.users().await?;
    users.into_iter().find(|user| user.id == id).ok_or_else(Problem::not_found)
}

async fn fresh_password() -> Result<(String, String), Problem> {
    let work = || {
        let password = one_time_password()?;
        let hash = hash_password(&password)?;
        Ok::<_, dossier::accounts::AccountError>((password, hash))
    };
    let made = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?;
    made.map_err(|error| Problem::internal(&error))
}

fn role_of(name: &str) -> Result<Role, Problem> {
    Role::parse(name).ok_or_else(|| Problem::invalid("there is no such role").about("role"))
}

/// A login is short and simple, so that it can be said on the telephone.
fn login_of(login: &str) -> Result<&str, Problem> {
    let login = login.trim();
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || ".-_@+".contains(ch);
    if login.is_empty() || login.len() > 100 || !login.chars().all(is_plain) {
        return Err(Problem::invalid("a login has letters, digits and . - _ @ + alone").about("login"));
    }
    Ok(login)
}
