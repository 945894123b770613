//! Style sheets, scripts and pictures that the binary carries.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Assets;

/// `GET /static/{file}`
pub(crate) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = Assets::get(&file).ok_or_else(Problem::not_found)?;
    let tag = format!("\"{}\"", hex::encode(asset.metadata.sha256_hash()));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    // A new version of the program brings new files under the old names: browsers ask, and are told fast.
    let caching = [(header::CACHE_CONTROL, "no-cache".to_owned()), (header::ETAG, tag)];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let content_type = [(header::CONTENT_TYPE, content_type(&file))];
    Ok((caching, content_type, asset.data.into_owned()).into_response())
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
