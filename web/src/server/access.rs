//! Who may do what: the one place where requests are let through or refused.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use dossier::store::{Role, User};

use super::language::Language;
use super::problem::{Problem, as_page};
use super::router::Kind;
use super::session;
use super::state::AppState;

/// What a route lets people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the queue and cases with their documents.
    ViewCases,
    /// Take cases, correct and decide them.
    Review,
    /// Take cases away from others, change priorities, decide escalated cases.
    Supervise,
    /// Send cases in.
    Upload,
    /// Read reports.
    Report,
    /// Read the audit trail.
    Audit,
    /// See what is delivered to others, and have it sent again.
    Deliver,
    /// Manage users and tokens.
    Administer,
}

impl Permission {
    /// Whether somebody with this role has it.
    pub fn is_given_to(self, role: Role) -> bool {
        use Permission::{Audit, Deliver, Report, Review, Supervise, Upload, ViewCases};
        match role {
            Role::Administrator => true,
            Role::Reviewer => matches!(self, ViewCases | Review | Upload),
            Role::Senior => matches!(self, ViewCases | Review | Supervise | Upload | Report),
            Role::Manager => matches!(self, ViewCases | Report | Deliver),
            Role::Auditor => matches!(self, ViewCases | Report | Audit),
        }
    }
}

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Nothing.
    Public,
    /// Being logged in, even with a password that must be changed.
    SignedIn,
    Needs(Permission),
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) user: User,
    /// Hash of the session's token; none for API tokens.
    pub(crate) session: Option<String>,
}

impl Signed {
    pub(crate) fn may(&self, permission: Permission) -> bool {
        permission.is_given_to(self.user.role)
    }

    pub(crate) fn is_senior(&self) -> bool {
        self.may(Permission::Supervise)
    }
}

/// What the guard knows of its route.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) state: AppState,
    pub(crate) access: Access,
    pub(crate) kind: Kind,
}

/// Lets a request through to its handler, or not. Every route of the table has it.
pub(crate) async fn guard(State(guard): State<Guard>, mut request: Request<Body>, next: Next) -> Response {
    let signed = match session::signed(&guard.state, request.headers()).await {
        Ok(signed) => signed,
        Err(problem) => return shown(&guard, request.headers(), None, problem.into_response()),
    };
    let language = Language::chosen(signed.as_ref().map(|signed| &signed.user), request.headers());
    if let Some(refusal) = refusal(&guard, &request, signed.as_ref()) {
        return match refusal {
            Refusal::ToLogin(target) => Redirect::to(&target).into_response(),
            Refusal::Problem(problem) => {
                shown(&guard, request.headers(), signed.as_ref(), problem.into_response())
            }
        };
    }
    let headers = request.headers().clone();
    request.extensions_mut().insert(language);
    if let Some(signed) = signed.clone() {
        request.extensions_mut().insert(signed);
    }
    let response = next.run(request).await;
    shown(&guard, &headers, signed.as_ref(), response)
}

enum Refusal {
    ToLogin(String),
    Problem(Problem),
}

fn refusal(guard: &Guard, request: &Request<Body>, signed: Option<&Signed>) -> Option<Refusal> {
    if guard.access == Access::Public {
        return None;
    }
    let Some(signed) = signed else {
        let is_page = guard.kind == Kind::Page && request.method() == Method::GET;
        return Some(if is_page {
            let wanted = request.uri().path_and_query().map_or("/", |target| target.as_str());
            Refusal::ToLogin(format!("/login?next={}", session::escape(wanted)))
        } else {
            Refusal::Problem(Problem::not_signed_in())
        });
    };
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    if is_change && signed.session.is_some() && !tells_its_origin(request.headers()) {
        return Some(Refusal::Problem(Problem::forbidden(
            "origin",
            "the request does not say where it comes from",
        )));
    }
    let Access::Needs(permission) = guard.access else { return None };
    if signed.user.must_change_password {
        return Some(if guard.kind == Kind::Page && !is_change {
            Refusal::ToLogin("/password".to_owned())
        } else {
            Refusal::Problem(Problem::forbidden("password_first", "the password must be changed first"))
        });
    }
    (!signed.may(permission))
        .then(|| Refusal::Problem(Problem::forbidden("role", "this role may not do that")))
}

/// A browser says by one of these headers which site a request comes from; the layer for cross-site
/// requests looks at what they say.
fn tells_its_origin(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// Problems become pages on routes for people.
fn shown(guard: &Guard, headers: &HeaderMap, signed: Option<&Signed>, response: Response) -> Response {
    if guard.kind != Kind::Page {
        return response;
    }
    let language = Language::chosen(signed.map(|signed| &signed.user), headers);
    as_page(language, signed, response)
}
