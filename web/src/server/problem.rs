//! What went wrong, as `application/problem+json` (RFC 9457) for systems and as a page for people.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use dossier::causes::with_causes;
use dossier::store::StoreError;
use serde::Serialize;

use super::access::Signed;
use super::language::Language;
use super::view::Page;

/// An answer that is no success.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    pub(crate) status: StatusCode,
    /// One sentence: what is wrong and what to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    /// What exactly, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'static str>,
    /// The field of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    #[serde(skip)]
    retry_after_seconds: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title,
            status,
            detail: detail.into(),
            code: None,
            field: None,
            retry_after_seconds: None,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", "")
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Not signed in", "log in, or send an API token as bearer")
    }

    pub(crate) fn forbidden(code: &'static str, detail: &str) -> Self {
        Self { code: Some(code), ..Self::new(StatusCode::FORBIDDEN, "Forbidden", detail) }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail)
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    /// The state of things is not what the request takes it for.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(StatusCode::CONFLICT, "Conflict", detail) }
    }

    pub(crate) fn too_many(retry_after_seconds: i64) -> Self {
        let detail = format!("too many attempts; wait {retry_after_seconds} seconds");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", detail);
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// More than the machine can do: to be sent again in half a minute.
    pub(crate) fn busy(detail: &str) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", detail);
        Self { code: Some("busy"), retry_after_seconds: Some(30), ..problem }
    }

    pub(crate) fn about(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The machine failed. What failed goes to the log, not to the client.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = with_causes(error), "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "the server failed; try again")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page<'a>,
    problem: &'a Problem,
}

impl ErrorPage<'_> {
    /// What is wrong, in the language of the page where there is a text for it.
    fn sentence(&self) -> String {
        if let Some(seconds) = self.problem.retry_after_seconds {
            return too_many(self.page.language, seconds);
        }
        let status = self.problem.status.as_str();
        let (family, code) = self.problem.code.map_or(("error", status), |code| ("problem", code));
        let text = self.page.code(family, code);
        if text == code && !self.problem.detail.is_empty() { self.problem.detail.clone() } else { text }
    }
}

/// The sentence for somebody who tried too often.
pub(crate) fn too_many(language: Language, seconds: i64) -> String {
    format!("{} {}\u{a0}min.", language.text("error.too_many"), seconds.unsigned_abs().div_ceil(60))
}

/// Shows a problem as a page; other answers stay as they are.
pub(crate) fn as_page(language: Language, signed: Option<&Signed>, response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let page = ErrorPage { page: Page::new(language, signed, ""), problem };
    match page.render() {
        Ok(body) => {
            let retry = response.headers().get(header::RETRY_AFTER).cloned();
            let mut shown = (problem.status, Html(body)).into_response();
            if let Some(retry) = retry {
                shown.headers_mut().insert(header::RETRY_AFTER, retry);
            }
            shown
        }
        Err(_) => response,
    }
}
