//! S3-compatible storage for tests: the requests that `object_store` makes, with their signatures verified (AWS Signature
//! Version 4). Can be out of reach, and tells what was asked of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

pub(crate) const BUCKET: &str = "originals";
const KEY_ID: &str = "AKIDTESTS";
const SECRET: &str = "a secret of the tests alone";
const REGION: &str = "eu-south-2";
/// So few that listings go over several answers.
const LISTED_AT_ONCE: usize = 2;

#[derive(Debug, Clone)]
struct Object {
    bytes: Vec<u8>,
    written_at: SystemTime,
}

#[derive(Debug, Default)]
struct Kept {
    objects: Mutex<BTreeMap<String, Object>>,
    uploads: Mutex<BTreeMap<String, BTreeMap<u32, Vec<u8>>>>,
    is_down: AtomicBool,
}

#[expect(clippy::disallowed_methods, reason = "storage has a clock of its own")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A running storage; it ends with the tests.
pub(crate) struct Storage {
    kept: Arc<Kept>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Storage {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let kept = Arc::new(Kept::default());
        let router = Router::new().fallback(answer).layer(axum::extract::DefaultBodyLimit::disable());
        let router = router.with_state(Arc::clone(&kept));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { kept, address, _runtime: runtime }
    }

    /// The section of the configuration, with its secrets as files in this folder.
    pub(crate) fn settings(&self, folder: &Path) -> String {
        std::fs::write(folder.join("bucket.id"), KEY_ID).unwrap();
        std::fs::write(folder.join("bucket.secret"), format!("{SECRET}\n")).unwrap();
        format!(
            "[blobs.bucket]\nname = \"{BUCKET}\"\nendpoint = \"http://{}\"\nregion = \"{REGION}\"\nprefix = \"loans\"\n\
             access_key_id = {{ file = \"bucket.id\" }}\nsecret_access_key = {{ file = \"bucket.secret\" }}\n",
            self.address
        )
    }

    /// From now on every request fails, or none.
    pub(crate) fn is_down(&self, is_down: bool) {
        self.kept.is_down.store(is_down, Ordering::Relaxed);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.kept.objects.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.kept.objects.lock().unwrap().get(key).map(|object| object.bytes.clone())
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        let object = Object { bytes: bytes.to_vec(), written_at: now() };
        self.kept.objects.lock().unwrap().insert(key.to_owned(), object);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.kept.objects.lock().unwrap().remove(key);
    }

    /// As if all objects had come long ago.
    pub(crate) fn age(&self) {
        for object in self.kept.objects.lock().unwrap().values_mut() {
            object.written_at -= Duration::from_hours(1);
        }
    }
}

async fn answer(
    State(kept): State<Arc<Kept>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if kept.is_down.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let query: BTreeMap<String, String> = pairs(uri.query().unwrap_or_default());
    if let Err(why) = verified(&method, &uri, &query, &headers, &body) {
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let path = decoded(uri.path());
    let Some(key) =
        path.strip_prefix(&format!("/{BUCKET}")).map(|key| key.trim_start_matches('/').to_owned())
    else {
        return failed("NoSuchBucket");
    };
    if key.is_empty() {
        return list(&kept, &query);
    }
    let mut objects = kept.objects.lock().unwrap();
    let object = Object { bytes: body.to_vec(), written_at: now() };
    match (method.as_str(), query.get("uploadId")) {
        ("PUT", Some(upload)) => {
            let part = query["partNumber"].parse().unwrap();
            kept.uploads.lock().unwrap().entry(upload.clone()).or_default().insert(part, object.bytes);
            [(header::ETAG, format!("\"part-{part}\""))].into_response()
        }
        ("PUT", None) => {
            objects.insert(key, object);
            [(header::ETAG, "\"whole\"")].into_response()
        }
        ("POST", None) => {
            let upload = hex::encode(Sha256::digest(&key));
            format!(
                "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
            .into_response()
        }
        ("POST", Some(upload)) => {
            let parts = kept.uploads.lock().unwrap().remove(upload).unwrap();
            objects.insert(key, Object { bytes: parts.into_values().flatten().collect(), ..object });
            "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>"
                .into_response()
        }
        ("DELETE", _) => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        (_, _) => match objects.get(&key) {
            None => failed("NoSuchKey"),
            Some(found) => {
                let written =
                    DateTime::<Utc>::from(found.written_at).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                let headers = [(header::LAST_MODIFIED, written), (header::ETAG, "\"whole\"".to_owned())];
                (headers, found.bytes.clone()).into_response()
            }
        },
    }
}

fn failed(code: &str) -> Response {
    let text = format!("<Error><Code>{code}</Code><Message>there is none</Message></Error>");
    (StatusCode::NOT_FOUND, text).into_response()
}

fn list(kept: &Kept, query: &BTreeMap<String, String>) -> Response {
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let after = query.get("continuation-token").cloned().unwrap_or_default();
    let objects = kept.objects.lock().unwrap();
    let mut found: Vec<(&String, &Object)> =
        objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after).collect();
    let has_more = found.len() > LISTED_AT_ONCE;
    found.truncate(LISTED_AT_ONCE);
    let mut text = format!("<ListBucketResult><IsTruncated>{has_more}</IsTruncated>");
    for (key, object) in &found {
        let (written, size) = (DateTime::<Utc>::from(object.written_at).to_rfc3339(), object.bytes.len());
        text += &format!(
            "<Contents><Key>{key}</Key><LastModified>{written}</LastModified><ETag>\"whole\"</ETag><Size>{size}</Size></Contents>"
        );
    }
    if has_more {
        text += &format!("<NextContinuationToken>{}</NextContinuationToken>", found[LISTED_AT_ONCE - 1].0);
    }
    (text + "</ListBucketResult>").into_response()
}

/// Whether the request is signed with the key of the tests, and its body is what was signed.
fn verified(
    method: &Method,
    uri: &Uri,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authorization = text("authorization").strip_prefix("AWS4-HMAC-SHA256 ").ok_or("it is not signed")?;
    let parts: BTreeMap<String, String> = authorization
        .split(", ")
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .collect();
    let scope = parts["Credential"].strip_prefix(&format!("{KEY_ID}/")).ok_or("the key is unknown")?;
    let day = scope.split('/').next().unwrap_or_default();
    if scope != format!("{day}/{REGION}/s3/aws4_request") {
        return Err("the scope is another one");
    }
    let hash = text("x-amz-content-sha256");
    if hash != hex::encode(Sha256::digest(body)) {
        return Err("the body is not what was signed");
    }
    let signed = &parts["SignedHeaders"];
    let shown: Vec<String> =
        signed.split(';').map(|name| format!("{name}:{}\n", text(name).trim())).collect();
    let shown = shown.concat();
    let asked: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let canonical = format!("{method}\n{}\n{}\n{shown}\n{signed}\n{hash}", uri.path(), asked.join("&"));
    let digest = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", text("x-amz-date"));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [day, REGION, "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    if hex::encode(mac(&key, &to_sign)) == parts["Signature"] {
        Ok(())
    } else {
        Err("the signature is wrong")
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *byte == b'%').and_then(|hex| hex::decode(hex).ok());
        bytes.push(hex.as_ref().map_or(*byte, |hex| hex[0]));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}

/// RFC 3986, as the signature wants it.
fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
