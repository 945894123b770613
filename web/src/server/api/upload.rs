//! Sending a case in.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Extension, Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use dossier::intake::accept::{AcceptError, Content, Delivered, Delivery, accept, is_reference};
use dossier::intake::folder::{is_application, parse_application};
use dossier::store::{Accepted, BlobError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::shapes;
use crate::server::access::Signed;
use crate::server::problem::Problem;
use crate::server::state::AppState;

const MOST_FILES: usize = 200;
const LONGEST_KEY: usize = 200;

struct Upload {
    flow: String,
    reference: String,
    declared: Option<Value>,
    files: Vec<Delivered>,
    hash: String,
}

/// `POST /api/v1/cases`: multipart with `flow`, `reference`, an optional `application` (JSON) and any
/// number of `file` parts. With an `Idempotency-Key` the same request gives the same case. 201 for a
/// new case, 200 for a known one.
#[utoipa::path(
    post,
    path = "/api/v1/cases",
    tag = "cases",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 printable characters: the same request again gives the same case", min_length = 1, max_length = 200)),
    request_body(content = shapes::Upload, content_type = "multipart/form-data"),
    responses((status = 201, description = "A new case", body = shapes::Uploaded), (status = 200, description = "A known one", body = shapes::Uploaded), (status = 429, description = "Too many cases wait for the machine: send it again after the seconds that Retry-After names", body = shapes::Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn upload(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default().to_owned());
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY) {
        return Err(Problem::bad_request("the idempotency key must be 1 to 200 printable characters"));
    }
    // Before the files are read: they would lie in memory.
    if state.shop.pressure.is_full(&state.shop.store, state.now()).await? {
        return Err(Problem::busy("too many cases wait for the machine: send it again later"));
    }
    let form = form.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let upload = read(form).await?;
    if state.shop.engine.flow(&upload.flow).is_none() {
        return Err(Problem::invalid("there is no such flow").about("flow"));
    }
    let store = &state.shop.store;
    if let Some(key) = &key
        && let Some((hash, id)) = store.idempotent(&signed.user.id, key).await?
    {
        if hash != upload.hash {
            let detail = "this idempotency key was used for another request";
            return Err(Problem::conflict("key_reused", detail));
        }
        return Ok((StatusCode::OK, Json(json!({"id": id, "status": "unchanged"}))));
    }
    let delivery = Delivery {
        flow: upload.flow,
        reference: upload.reference,
        declared: upload.declared,
        files: upload.files,
        findings: Vec::new(),
        channel: "upload",
        actor: signed.user.id.clone(),
    };
    let accepted = accept(store, &state.shop.blobs, state.shop.clock.as_ref(), delivery).await;
    let accepted = accepted.map_err(refused)?;
    let (status, what) = match &accepted {
        Accepted::New { .. } => (StatusCode::CREATED, "new"),
        Accepted::Resumed { .. } => (StatusCode::OK, "resumed"),
        Accepted::Unchanged { .. } => (StatusCode::OK, "unchanged"),
        Accepted::Closed { .. } => {
            let detail = "this case is decided already: send new documents under a new reference";
            return Err(Problem::conflict("closed", detail));
        }
    };
    if let Some(key) = &key {
        store.remember_upload(&signed.user.id, key, &upload.hash, accepted.id(), state.now()).await?;
    }
    state.shop.wake.notify_one();
    state.live.tell(accepted.id(), "received");
    Ok((status, Json(json!({"id": accepted.id(), "status": what}))))
}

async fn read(mut form: Multipart) -> Result<Upload, Problem> {
    let mut upload = Upload {
        flow: String::new(),
        reference: String::new(),
        declared: None,
        files: Vec::new(),
        hash: String::new(),
    };
    let mut hasher = Sha256::new();
    let broken = |error: axum::extract::multipart::MultipartError| Problem::bad_request(error.body_text());
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(broken)?;
        for piece in [name.as_bytes(), file_name.as_deref().unwrap_or_default().as_bytes(), &bytes] {
            hasher.update((piece.len() as u64).to_le_bytes());
            hasher.update(piece);
        }
        let text = || {
            String::from_utf8(bytes.to_vec()).map_err(|_| Problem::invalid("not UTF-8").about(name.as_str()))
        };
        match name.as_str() {
            "flow" => upload.flow = text()?,
            "reference" => upload.reference = text()?,
            "application" => upload.declared = Some(declared(&bytes)?),
            "file" => {
                let file_name = plain_name(file_name.as_deref().unwrap_or_default())?;
                if is_application(&file_name) {
                    upload.declared = Some(declared(&bytes)?);
                } else {
                    upload.files.push(Delivered { name: file_name, content: Content::Bytes(bytes.to_vec()) });
                }
            }
            _ => {
                return Err(
                    Problem::invalid("the parts are flow, reference, application and file").about(name)
                );
            }
        }
        if upload.files.len() > MOST_FILES {
            return Err(Problem::invalid(format!("a case has at most {MOST_FILES} files")));
        }
    }
    if !is_reference(&upload.reference) {
        return Err(Problem::invalid("a reference of at most 200 bytes is needed").about("reference"));
    }
    if upload.files.is_empty() && upload.declared.is_none() {
        return Err(Problem::invalid("there is no file").about("file"));
    }
    upload.hash = hex::encode(hasher.finalize());
    Ok(upload)
}

fn declared(bytes: &[u8]) -> Result<Value, Problem> {
    parse_application(bytes).map_err(|finding| Problem::invalid(finding.message).about("application"))
}

/// The last part of a name that a client sends: never a path.
fn plain_name(name: &str) -> Result<String, Problem> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(Problem::invalid("every file needs a name of at most 200 bytes").about("file"));
    }
    Ok(name.to_owned())
}

fn refused(error: AcceptError) -> Problem {
    match error {
        AcceptError::Blob(BlobError::TooLarge { .. }) => {
            Problem::invalid("a file is too large").about("file")
        }
        AcceptError::Reference => Problem::invalid("this cannot be a reference").about("reference"),
        error => Problem::internal(&error),
    }
}
