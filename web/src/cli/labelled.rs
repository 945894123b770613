//! Labelled documents with the pages that were read of them: where values get lost, and what words pages of
//! each type have.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use dossier::classify::{WordModel, page_words, weigh};
use dossier::domain::Page;
use dossier::eval::{Stage, TruthCase, TruthDocument, stages};
use dossier::intake::discover;
use dossier::process::Engine;
use serde_json::json;

/// Reads all files and hands each labelled document with its pages to `look`.
async fn for_each(
    engine: &Engine,
    inbox: &Path,
    truths: &[TruthCase],
    mut look: impl FnMut(&TruthDocument, &[&Page]),
) -> anyhow::Result<()> {
    for source in discover(inbox, None, &engine.flow_names())? {
        let labels = truths
            .iter()
            .find(|truth| truth.reference == source.reference && Some(&truth.flow) == source.flow.as_ref());
        let scratch = tempfile::tempdir()?;
        let read = engine.read(&source, scratch.path()).await?;
        for label in labels.into_iter().flat_map(|truth| &truth.documents) {
            let pages: Vec<&Page> = label
                .parts
                .iter()
                .flat_map(|part| {
                    let file = read.files.iter().find(|file| file.name.ends_with(&part.file));
                    let pages = file.map_or(&[][..], |file| &file.outcome.reading.pages);
                    pages.iter().filter(|page| part.pages.contains(&page.number))
                })
                .collect();
            look(label, &pages);
        }
    }
    Ok(())
}

/// How far the right values of labelled fields come, by split, field and step.
pub(super) async fn count_losses(
    engine: &Engine,
    inbox: &Path,
    truths: &[TruthCase],
) -> anyhow::Result<String> {
    let mut counts: BTreeMap<(String, Stage), u32> = BTreeMap::new();
    for_each(engine, inbox, truths, |label, pages| {
        let Some(config) = engine.understanding().document_type(&label.document_type) else { return };
        let split = if label.seen { "seen" } else { "unseen" };
        let source = if label.rendering == "born_digital" { "native" } else { "ocr" };
        for (field, stage) in stages(config, pages, label) {
            let name = format!("{split}/{source}/{}.{field}", label.document_type);
            *counts.entry((name, stage)).or_default() += 1;
            *counts.entry((format!("{split}/{source}/*"), stage)).or_default() += 1;
        }
    })
    .await?;
    let mut text = String::new();
    let mut last = String::new();
    for ((name, stage), count) in counts {
        if name != last {
            write!(text, "\n{name}:")?;
            last = name;
        }
        write!(text, " {stage} {count},")?;
    }
    Ok(text + "\n")
}

/// A JSON object a line for each labelled page: its type, layout, whether that was seen, its words, and what
/// the phrases of the configuration weigh for each type.
pub(super) async fn list_page_words(
    engine: &Engine,
    inbox: &Path,
    truths: &[TruthCase],
) -> anyhow::Result<String> {
    let mut text = String::new();
    let types = engine.understanding().types();
    for_each(engine, inbox, truths, |label, pages| {
        for page in pages {
            let evidence = weigh(page, types, &WordModel::default());
            let phrases: BTreeMap<&str, f32> =
                evidence.weights.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
            let line = json!({
                "type": label.document_type, "layout": label.layout, "seen": label.seen,
                "rendering": label.rendering, "words": page_words(page), "phrases": phrases,
            });
            text.push_str(&format!("{line}\n"));
        }
    })
    .await?;
    Ok(text)
}
