//! Pages for people: one file a page.

pub(super) mod queue;
pub(super) mod cases;
mod case_view;
pub(super) mod case;
pub(super) mod acts;
pub(super) mod history;
pub(super) mod reports;
pub(super) mod blind;
pub(super) mod users;

use axum::extract::Extension;
use axum::response::Redirect;

use super::access::{Permission, Signed};

/// `GET /`: where somebody begins.
pub(crate) async fn start(Extension(signed): Extension<Signed>) -> Redirect {
    if signed.user.must_change_password {
        return Redirect::to("/password");
    }
    Redirect::to(if signed.may(Permission::Review) { "/queue" } else { "/cases" })
}

/// An absent and an empty parameter of a form are the same.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
