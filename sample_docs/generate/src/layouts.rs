//! The catalogue of layouts on disk: what exists, in which language, what each does not print.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::dice::Dice;
use crate::documents::{Doc, Fields};

/// What a layout's toml may say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    language: String,
    #[serde(default)]
    omits: Vec<String>,
    #[serde(default)]
    omits_columns: Vec<String>,
    #[serde(default, rename = "signed_by_default")]
    _signed_by_default: Option<bool>,
    #[serde(default, rename = "sides")]
    _sides: Option<usize>,
    #[serde(default, rename = "currencies")]
    _currencies: Vec<String>,
    /// The variants of its type that it is for: `dni`, `tie`, `abroad`, `energy`, `insurance`, …
    #[serde(default, rename = "for")]
    variants: Vec<String>,
    /// Printed on card stock, never as a PDF of letters.
    #[serde(default)]
    card: bool,
}

#[derive(Debug, Clone)]
pub struct Layout {
    pub kind: String,
    pub name: String,
    pub seen: bool,
    pub english: bool,
    pub omits: Vec<String>,
    pub omits_columns: Vec<String>,
    pub variants: Vec<String>,
    pub card: bool,
    /// As typst names it, from the layouts' folder: `/payslip/seen/x.typ`.
    pub path: String,
}

impl Layout {
    pub fn language(&self) -> &'static str {
        if self.english { "en" } else { "es" }
    }

    pub fn prints(&self, field: &str) -> bool {
        !self.omits.iter().any(|omitted| omitted == field)
    }

    /// The fields as this layout prints them: the truth.
    pub fn printed(&self, doc: &Doc) -> Fields {
        let mut printed: Fields = doc
            .fields
            .iter()
            .filter(|(name, _)| self.prints(name))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if let Some(Value::Array(rows)) = printed.get_mut("transactions") {
            for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                row.retain(|column, _| !self.omits_columns.contains(column));
            }
        }
        printed
    }
}

/// Which layouts a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    Seen,
    Unseen,
    All,
}

#[derive(Debug)]
pub struct Catalogue {
    layouts: Vec<Layout>,
}

impl Catalogue {
    pub fn open(root: &Path, choice: Choice) -> Result<Self> {
        let mut layouts = Vec::new();
        for kind in sorted(root)? {
            if !kind.is_dir() {
                continue;
            }
            for (folder, seen) in [("seen", true), ("unseen", false)] {
                let wanted = choice == Choice::All || (choice == Choice::Seen) == seen;
                if wanted && kind.join(folder).is_dir() {
                    read_folder(&kind, folder, seen, &mut layouts)?;
                }
            }
        }
        if layouts.is_empty() {
            bail!("no layouts under {}", root.display());
        }
        Ok(Self { layouts })
    }

    /// A layout of `kind` for `variant`, in the wanted language if there is a choice of it, and among
    /// those printing `needs` when `complete`.
    pub fn pick(
        &self,
        dice: &mut Dice,
        kind: &str,
        variant: Option<&str>,
        needs: &[&str],
    ) -> Result<&Layout> {
        let of_kind: Vec<&Layout> = self
            .layouts
            .iter()
            .filter(|l| {
                l.kind == kind
                    && variant.is_none_or(|v| l.variants.is_empty() || l.variants.iter().any(|x| x == v))
            })
            .collect();
        let complete: Vec<&Layout> =
            of_kind.iter().copied().filter(|l| needs.iter().all(|field| l.prints(field))).collect();
        let pool: &[&Layout] = if complete.is_empty() { &of_kind } else { &complete };
        if pool.is_empty() {
            bail!("no layout of {kind} for {variant:?}");
        }
        Ok(*dice.pick(pool))
    }
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_folder(kind: &Path, folder: &str, seen: bool, layouts: &mut Vec<Layout>) -> Result<()> {
    let kind_name = name_of(kind);
    for path in sorted(&kind.join(folder))? {
        if path.extension().is_none_or(|e| e != "toml") || !path.with_extension("typ").is_file() {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let settings: Settings =
            toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        let name = name_of(&path);
        layouts.push(Layout {
            path: format!("/{kind_name}/{folder}/{name}.typ"),
            kind: kind_name.clone(),
            name,
            seen,
            english: settings.language == "en",
            omits: settings.omits,
            omits_columns: settings.omits_columns,
            variants: settings.variants,
            card: settings.card,
        });
    }
    Ok(())
}
