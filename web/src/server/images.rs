//! Documents as people see them: pictures of pages, the words on them, the original. Each look is
//! recorded before anything is shown.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use dossier::read::PageImage;
use dossier::store::{Access, BlobError, CaseFile, Keyring, LocalCopy};
use image::ImageEncoder as _;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use super::access::Signed;
use super::problem::Problem;
use super::state::AppState;

/// `GET /cases/{id}/files/{number}/pages/{page}`, where the page is `1.png`.
pub(crate) async fn page_image(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path((id, number, page)): Path<(String, i64, String)>,
) -> Result<Response, Problem> {
    let page: u32 =
        page.strip_suffix(".png").and_then(|page| page.parse().ok()).ok_or_else(Problem::not_found)?;
    let file = find(&state, &id, number).await?;
    if page == 0 || file.page_count.is_some_and(|count| i64::from(page) > count) {
        return Err(Problem::not_found());
    }
    record(&state, &signed, &id, number, i64::from(page), "page").await?;
    let png = picture(&state, &file.sha256, page).await?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=600")];
    Ok((headers, png).into_response())
}

/// `GET /cases/{id}/files/{number}/pages/{page}/words`: the words with their boxes as fractions of the
/// page, to fill fields from a selection.
pub(crate) async fn page_words(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path((id, number, page)): Path<(String, i64, u32)>,
) -> Result<Json<serde_json::Value>, Problem> {
    let file = find(&state, &id, number).await?;
    record(&state, &signed, &id, number, i64::from(page), "page").await?;
    let copy = original_of(&state, &file.sha256).await?;
    let outcome = state.shop.engine.reading(copy.path(), &file.sha256).await;
    let outcome = outcome.map_err(|error| Problem::internal(&error))?;
    let page =
        outcome.reading.pages.iter().find(|found| found.number == page).ok_or_else(Problem::not_found)?;
    let words: Vec<_> = page
        .words
        .iter()
        .map(|word| {
            serde_json::json!({"text": word.text, "box": word.bounds.as_fractions(page.width, page.height)})
        })
        .collect();
    Ok(Json(serde_json::json!({"file": file.name, "page": page.number, "words": words})))
}

/// `GET /cases/{id}/files/{number}/original`: the bytes as they came, to be saved and never shown.
pub(crate) async fn original(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let file = find(&state, &id, number).await?;
    record(&state, &signed, &id, number, 0, "original").await?;
    let bytes = state.shop.blobs.bytes(&file.sha256).await.map_err(lost)?;
    let name = file.name.rsplit('/').next().unwrap_or_default();
    let disposition =
        format!("attachment; filename*=UTF-8''{}", super::session::escape(name).replace('/', "_"));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

async fn find(state: &AppState, id: &str, number: i64) -> Result<CaseFile, Problem> {
    let file = state.shop.store.file(id, number).await?;
    file.filter(|file| !file.unpacked).ok_or_else(Problem::not_found)
}

/// Puts a look at a document on record.
pub(crate) async fn record(
    state: &AppState,
    signed: &Signed,
    case_id: &str,
    file: i64,
    page: i64,
    kind: &str,
) -> Result<(), Problem> {
    let access = Access {
        at: state.now(),
        user_id: signed.user.id.clone(),
        case_id: case_id.to_owned(),
        file,
        page,
        kind: kind.to_owned(),
    };
    Ok(state.shop.store.record_access(&access).await?)
}

/// The picture of a page, drawn in a child and kept on the disk.
async fn picture(state: &AppState, sha256: &str, page: u32) -> Result<Vec<u8>, Problem> {
    let place = state.options.cache.join("pages").join(format!("{sha256}-{page}.png"));
    let keys = state.shop.blobs.keys().cloned();
    if let Ok(kept) = tokio::fs::read(&place).await {
        let png = match &keys {
            Some(keys) => keys.opened(&kept).ok(),
            None => Some(kept),
        };
        // One of another key is drawn anew.
        if let Some(png) = png {
            return Ok(png);
        }
    }
    let copy = original_of(state, sha256).await?;
    let drawn = state.shop.engine.picture(copy.path(), page).await;
    let image = drawn.map_err(|error| Problem::internal(&error))?.ok_or_else(Problem::not_found)?;
    let work = move || keep(&place, image, keys.as_deref());
    let kept = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?;
    kept.map_err(|error| Problem::internal(&error))
}

async fn original_of(state: &AppState, sha256: &str) -> Result<LocalCopy, Problem> {
    state.shop.blobs.local(sha256).await.map_err(lost)
}

/// An original that was erased is not there.
pub(super) fn lost(error: BlobError) -> Problem {
    match error {
        BlobError::Missing { .. } => Problem::not_found(),
        error => Problem::internal(&error),
    }
}

fn keep(place: &std::path::Path, image: PageImage, keys: Option<&Keyring>) -> std::io::Result<Vec<u8>> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
    let colour = image::ExtendedColorType::Rgb8;
    encoder.write_image(&image.rgb, image.width, image.height, colour).map_err(std::io::Error::other)?;
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    match keys {
        Some(keys) => std::io::Write::write_all(&mut draft, &keys.sealed(&png)?)?,
        None => std::io::Write::write_all(&mut draft, &png)?,
    }
    draft.persist(place).map_err(|error| error.error)?;
    Ok(png)
}
