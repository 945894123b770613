//! The whole URL table. Each line says what a route asks for; the guard holds it to that.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, delete, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

use super::access::Permission::{Administer, Audit, Deliver, Report, Review, Supervise, Upload, ViewCases};
use super::access::{Access, Guard, guard};
#[cfg(feature = "oidc")]
use super::oidc;
use super::problem::Problem;
use super::state::AppState;
use super::{api, assets, health, images, live, pages, security, session};

/// Forms are small.
const FORM_BYTES: usize = 2 << 20;
/// Longest time for an answer, streams aside.
const ANSWER_TIME: Duration = Duration::from_mins(1);

/// How problems are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As a page; who is not logged in is led to the login.
    Page,
    /// As problem+json.
    Api,
    /// As they are; the answer may go on for ever.
    Stream,
}

/// One line of the table, for tests and documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteRow {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
}

struct Route {
    row: RouteRow,
    kind: Kind,
    handler: MethodRouter<AppState>,
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    use Access::{Needs, Public, SignedIn};
    let page = |method, path, access, handler| Route { row: RouteRow { method, path, access }, kind: Kind::Page, handler };
    let api = |method, path, access, handler| Route { row: RouteRow { method, path, access }, kind: Kind::Api, handler };
    let stream = |method, path, access, handler| Route { row: RouteRow { method, path, access }, kind: Kind::Stream, handler };
    #[cfg_attr(not(feature = "oidc"), expect(unused_mut, reason = "rows of a feature follow"))]
    let mut routes = vec![
        // People.
        page("GET", "/", SignedIn, get(pages::start)),
        page("GET", "/login", Public, get(session::login_page)),
        page("POST", "/login", Public, post(session::log_in)),
        page("POST", "/logout", SignedIn, post(session::log_out)),
        page("GET", "/password", SignedIn, get(session::password_page)),
        page("POST", "/password", SignedIn, post(session::change_password)),
        page("POST", "/language", SignedIn, post(session::set_language)),
        page("GET", "/queue", Needs(ViewCases), get(pages::queue::show)),
        page("POST", "/queue/next", Needs(Review), post(pages::queue::next)),
        page("GET", "/cases", Needs(ViewCases), get(pages::cases::show)),
        page("GET", "/cases/{id}", Needs(ViewCases), get(pages::case::show)),
        page("POST", "/cases/{id}/claim", Needs(Review), post(pages::acts::claim)),
        page("POST", "/cases/{id}/release", Needs(Review), post(pages::acts::release)),
        page("POST", "/cases/{id}/postpone", Needs(Review), post(pages::acts::postpone)),
        page("POST", "/cases/{id}/handover", Needs(Review), post(pages::acts::hand_over)),
        page("POST", "/cases/{id}/fields", Needs(Review), post(pages::acts::correct)),
        page("POST", "/cases/{id}/decision", Needs(Review), post(pages::acts::decide)),
        page("POST", "/cases/{id}/priority", Needs(Supervise), post(pages::acts::prioritise)),
        page("GET", "/cases/{id}/history", Needs(Audit), get(pages::history::show)),
        page("GET", "/reports", Needs(Report), get(pages::reports::show)),
        page("GET", "/blind", Needs(Review), get(pages::blind::show)),
        page("POST", "/blind/next", Needs(Review), post(pages::blind::next)),
        page("GET", "/blind/{id}", Needs(Review), get(pages::blind::sample)),
        page("POST", "/blind/{id}", Needs(Review), post(pages::blind::judge)),
        page("GET", "/users", Needs(Administer), get(pages::users::show)),
        page("POST", "/users", Needs(Administer), post(pages::users::add)),
        page("POST", "/users/{id}", Needs(Administer), post(pages::users::change)),
        page("POST", "/users/{id}/password", Needs(Administer), post(pages::users::reset_password)),
        page("POST", "/tokens", Needs(Administer), post(pages::users::add_token)),
        page("POST", "/tokens/{id}/revoke", Needs(Administer), post(pages::users::revoke_token)),

        // Documents.
        api("GET", "/cases/{id}/files/{number}/pages/{page}", Needs(ViewCases), get(images::page_image)),
        api("GET", "/cases/{id}/files/{number}/pages/{page}/words", Needs(ViewCases), get(images::page_words)),
        api("GET", "/cases/{id}/files/{number}/original", Needs(ViewCases), get(images::original)),

        // Systems, and the pages' scripts.
        api("GET", "/api/v1/me", Needs(ViewCases), get(api::me)),
        api("GET", "/api/v1/cases", Needs(ViewCases), get(api::cases::list)),
        api("POST", "/api/v1/cases", Needs(Upload), post(api::upload::upload)),
        api("GET", "/api/v1/cases/{id}", Needs(ViewCases), get(api::cases::read)),
        api("GET", "/api/v1/cases/{id}/events", Needs(Audit), get(api::cases::events)),
        api("GET", "/api/v1/queue", Needs(ViewCases), get(api::cases::queue)),
        api("POST", "/api/v1/queue/next", Needs(Review), post(api::review::next)),
        api("POST", "/api/v1/cases/{id}/lease", Needs(Review), post(api::review::claim)),
        api("PUT", "/api/v1/cases/{id}/lease", Needs(Review), put(api::review::heartbeat)),
        api("DELETE", "/api/v1/cases/{id}/lease", Needs(Review), delete(api::review::release)),
        api("POST", "/api/v1/cases/{id}/postponement", Needs(Review), post(api::review::postpone)),
        api("POST", "/api/v1/cases/{id}/handover", Needs(Review), post(api::review::hand_over)),
        api("POST", "/api/v1/cases/{id}/corrections", Needs(Review), post(api::review::correct)),
        api("POST", "/api/v1/cases/{id}/preview", Needs(Review), post(api::review::preview)),
        api("POST", "/api/v1/cases/{id}/decision", Needs(Review), post(api::review::decide)),
        api("POST", "/api/v1/blind/next", Needs(Review), post(api::blind::next)),
        api("GET", "/api/v1/blind/{id}", Needs(Review), get(api::blind::read)),
        api("POST", "/api/v1/blind/{id}/judgement", Needs(Review), post(api::blind::judge)),
        api("GET", "/api/v1/report", Needs(Report), get(api::reports::report)),
        api("GET", "/api/v1/deliveries", Needs(Deliver), get(api::deliveries::list)),
        api("POST", "/api/v1/deliveries/{id}/attempt", Needs(Deliver), post(api::deliveries::resend)),
        api("GET", "/api/v1/openapi.json", SignedIn, get(api::document::document)),
        page("GET", "/api/docs", SignedIn, get(api::document::start)),
        page("GET", "/api/docs/{*file}", SignedIn, get(api::document::page)),
        stream("GET", "/events", Needs(ViewCases), get(live::events)),

        // Operators.
        api("GET", "/health/live", Public, get(health::live)),
        api("GET", "/health/ready", Public, get(health::ready)),
        api("GET", "/metrics", Public, get(health::metrics)),
        api("GET", "/static/{*file}", Public, get(assets::asset)),
    ];
    #[cfg(feature = "oidc")]
    routes.extend([
        page("GET", "/login/oidc", Public, get(oidc::begin)),
        page("GET", "/login/oidc/callback", Public, get(oidc::finish)),
    ]);
    routes
}

/// Every route with what it asks for.
pub fn route_table() -> Vec<RouteRow> {
    routes().into_iter().map(|route| route.row).collect()
}

/// The routes with their guards and the layers around them.
pub(crate) fn router(state: AppState) -> Router {
    let mut router: Router<AppState> = Router::new();
    for route in routes() {
        let guarded = Guard { state: state.clone(), access: route.row.access, kind: route.kind };
        let mut handler = route.handler;
        if route.row.path == "/api/v1/cases" && route.row.method == "POST" {
            handler = handler.layer(DefaultBodyLimit::max(state.options.upload_bytes));
        }
        if route.kind != Kind::Stream {
            handler =
                handler.layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIME));
        }
        router = router.route(route.row.path, handler.route_layer(from_fn_with_state(guarded, guard)));
    }
    router
        .fallback(|| async { Problem::not_found() })
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(map_response(security::add_headers))
        .with_state(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_stands_twice_and_changes_are_never_public() {
        let mut seen = std::collections::HashSet::new();
        for row in route_table() {
            assert!(seen.insert((row.method, row.path)), "{} {}", row.method, row.path);
            let is_login = row.path == "/login";
            assert!(row.method == "GET" || row.access != Access::Public || is_login, "{}", row.path);
        }
    }
}
