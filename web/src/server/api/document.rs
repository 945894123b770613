//! The API's document (`OpenAPI`), and the pages that show it.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Response as Answer};
use utoipa::{Modify, OpenApi};

use super::{blind, cases, deliveries, reports, review, shapes, upload};
use crate::server::problem::Problem;

/// Where the document is.
const ADDRESS: &str = "/api/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dossier",
        description = "Cases in, decisions out: what the review station and other systems call. Lists go on by \
                       cursor (`after`, `next`); an upload with an `Idempotency-Key` can be sent again; an \
                       answer that is no success is a problem (RFC 9457). Moments are microseconds since 1970 UTC.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        super::me, cases::list, upload::upload, cases::read, cases::events, cases::queue, review::next, review::claim,
        review::heartbeat, review::release, review::postpone, review::hand_over, review::correct, review::preview,
        review::decide, blind::next, blind::read, blind::judge, reports::report, deliveries::list, deliveries::resend
    ),
    components(schemas(shapes::Problem)),
    security(("session" = []), ("token" = [])),
    modifiers(&Common)
)]
struct Api;

/// What all operations share: who may call, and how problems are told.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let cookie = "from `POST /login`; `__Host-dossier` where the server is reached over TLS. A change says where it \
             comes from by `Origin` or `Sec-Fetch-Site`, as browsers do";
        let session = ApiKey::Cookie(ApiKeyValue::with_description("dossier", cookie));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let token = token.description(Some("an API token, which an administrator makes")).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let refusals = [
            ("401", "Nobody is logged in, and there is no valid token."),
            ("403", "The role may not do that."),
            ("default", "A problem; `code` and `field` say what exactly."),
        ];
        for item in document.paths.paths.values_mut() {
            let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            for operation in methods.into_iter().flatten() {
                operation.summary = operation.summary.take().map(|summary| without_address(&summary));
                for (status, description) in refusals {
                    operation.responses.responses.insert(status.to_owned(), RefOr::T(problem(description)));
                }
            }
        }
    }
}

/// What a handler does, without the method and path that its comment begins with.
fn without_address(summary: &str) -> String {
    summary.split_once("`: ").map_or(summary, |(_, what)| what).to_owned()
}

fn problem(description: &str) -> Answer {
    let mut answer = Answer::new(description);
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    answer.content.insert("application/problem+json".to_owned(), RefOr::T(content));
    answer
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(Api::openapi);

/// `GET /api/v1/openapi.json`
pub(crate) async fn document() -> Json<&'static Document> {
    Json(&DOCUMENT)
}

/// `GET /api/docs`: to the pages, whose addresses are relative.
pub(crate) async fn start() -> Redirect {
    Redirect::to("/api/docs/index.html")
}

/// `GET /api/docs/{file}`: Swagger UI, which the binary carries.
pub(crate) async fn page(Path(file): Path<String>) -> Result<Response, Problem> {
    // Another site would be asked to validate the document.
    let config = utoipa_swagger_ui::Config::from(ADDRESS).validator_url("none");
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config)).ok().flatten();
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, found.content_type)], found.bytes.into_owned()).into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::server::route_table;

    #[test]
    fn every_route_stands_in_the_document_and_nothing_else() {
        let document = serde_json::to_value(&*DOCUMENT).unwrap();
        let mut told = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                told.insert((method.to_uppercase(), path.clone()));
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
                let problem = &answers["default"]["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
                let summary = operation["summary"].as_str().unwrap();
                assert!(!summary.is_empty() && !summary.contains("/api/v1"), "{method} {path}: {summary}");
            }
        }
        let is_api = |path: &str| path.starts_with("/api/v1/") && path != ADDRESS;
        let rows = route_table().into_iter().filter(|row| is_api(row.path));
        let served: BTreeSet<_> = rows.map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
        assert_eq!(told, served);
        assert!(document.to_string().contains("Idempotency-Key"));
    }

    #[test]
    fn whatever_the_document_refers_to_stands_in_it() {
        let document = serde_json::to_value(&*DOCUMENT).unwrap();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut referred = 0;
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
            referred += 1;
        }
        assert!(referred > 20);
    }
}
