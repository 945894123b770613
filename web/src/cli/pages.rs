//! Page images with the boxes of what was read.

use std::path::Path;

use dossier::domain::Document;
use dossier::process::{Engine, ReadFile};

pub(crate) async fn draw(_: &Engine, _: &[ReadFile], _: &[Document], _: &Path) -> anyhow::Result<()> {
    anyhow::bail!("page images cannot be drawn yet")
}
