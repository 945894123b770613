//! What processing needs, loaded and checked before the first case, and the reading of a case's files with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;

use super::ProcessError;
use crate::classify::WordModel;
use crate::confidence::ConfidenceModel;
use crate::config::{Bundle, BundleError, DocumentTypesError, load_document_types};
use crate::dispatch::{Dispatch, FileToRead, Local};
use crate::intake::{CaseSource, SourceFile, hash_file};
use crate::read::{FileOutcome, PageImage, ReadOptions, ReadingCache, Sandbox};
use crate::rules::{Flow, RulesError};
use crate::store::Keyring;
use crate::understand::{FilePages, Understanding};

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    DocumentTypes(#[from] DocumentTypesError),
    #[error(transparent)]
    Flow(#[from] RulesError),
    #[error("calibration.json of the models is not valid")]
    Confidence(#[source] serde_json::Error),
    #[error("page-types.json of the models is not valid")]
    PageTypes(#[source] serde_json::Error),
}

/// Everything that processing needs: rules, document types, the confidence model, the sandbox.
#[derive(Debug)]
pub struct Engine {
    flows: BTreeMap<String, Flow>,
    pub(super) understanding: Understanding,
    /// Opens archives and draws pages, here.
    sandbox: Sandbox,
    /// Has files read, here or elsewhere.
    dispatch: Arc<dyn Dispatch>,
    options: ReadOptions,
    /// Where members of archives are for as long as their case is worked on.
    scratch: Option<PathBuf>,
    cache: Option<ReadingCache>,
    pub(super) calibrated: bool,
    pub(super) rules_version: String,
    pub(super) models_version: String,
    /// Of the models that reading rests on: confidence comes after it.
    reading_version: String,
}

/// A case with its archives opened and its files read.
#[derive(Debug)]
pub struct ReadCase {
    pub source: CaseSource,
    pub files: Vec<ReadFile>,
}

/// A file with what was read in it.
#[derive(Debug)]
pub struct ReadFile {
    pub name: String,
    pub path: PathBuf,
    pub sha256: String,
    pub outcome: FileOutcome,
}

impl ReadFile {
    pub fn pages(&self) -> FilePages<'_> {
        FilePages { name: &self.name, sha256: &self.sha256, reading: &self.outcome.reading }
    }
}

impl Engine {
    /// Loads and checks all configuration, so that mistakes in it show before the first case.
    ///
    /// # Errors
    /// When a rule, a document type or the confidence model cannot be understood.
    pub fn load(
        rules: &Bundle,
        models: &Bundle,
        sandbox: Sandbox,
        options: ReadOptions,
    ) -> Result<Self, EngineError> {
        let names = Flow::names(rules).into_iter();
        let flows = names.map(|name| Flow::load(rules, &name).map(|flow| (name, flow)));
        let flows = flows.collect::<Result<_, RulesError>>()?;
        let model = match models.find("calibration.json") {
            Some(bytes) => serde_json::from_slice(bytes).map_err(EngineError::Confidence)?,
            None => ConfidenceModel::identity(),
        };
        let words = match models.find("page-types.json") {
            Some(bytes) => serde_json::from_slice(bytes).map_err(EngineError::PageTypes)?,
            None => WordModel::default(),
        };
        Ok(Self {
            flows,
            understanding: Understanding::new(load_document_types(rules)?, words, model),
            dispatch: Arc::new(Local(sandbox.clone())),
            sandbox,
            options,
            scratch: None,
            cache: None,
            calibrated: true,
            rules_version: rules.version(),
            models_version: models.version(),
            reading_version: models.only(|name| name.ends_with(".rten") || name == "alphabet.txt").version(),
        })
    }

    /// Opens the archives of a case and reads all its files, each in a child.
    ///
    /// # Errors
    /// When the sandbox itself fails or a file cannot be read from the disk.
    pub async fn read(&self, source: &CaseSource, scratch: &Path) -> Result<ReadCase, ProcessError> {
        let source = self.sandbox.expand(source.clone(), scratch).await?;
        let reading = source.files.iter().map(|file| self.read_file(file));
        let files = join_all(reading).await.into_iter().collect::<Result<_, _>>()?;
        Ok(ReadCase { source, files })
    }

    async fn read_file(&self, file: &SourceFile) -> Result<ReadFile, ProcessError> {
        let sha256 = hash_file(&file.path)
            .await
            .map_err(|source| ProcessError::File { path: file.path.clone(), source })?;
        let kept = self.cache.as_ref().and_then(|cache| cache.find(&sha256, &self.options));
        let outcome = match kept {
            Some(outcome) => outcome,
            None => self.read_anew(&file.path, &sha256).await?,
        };
        Ok(ReadFile { name: file.name.clone(), path: file.path.clone(), sha256, outcome })
    }

    /// The upright pictures of a file's pages.
    ///
    /// # Errors
    /// When the sandbox itself fails.
    pub async fn pictures(&self, file: &ReadFile) -> Result<Vec<PageImage>, ProcessError> {
        Ok(self.sandbox.pictures(&file.path, &self.options).await?)
    }

    /// Puts the members of a case's archives in the place of the archives.
    ///
    /// # Errors
    /// When the sandbox itself fails or `scratch` cannot be written.
    pub async fn expand(&self, source: &CaseSource, scratch: &Path) -> Result<CaseSource, ProcessError> {
        Ok(self.sandbox.expand(source.clone(), scratch).await?)
    }

    /// The upright picture of one page; `None` when it cannot be made.
    ///
    /// # Errors
    /// When the sandbox itself fails.
    pub async fn picture(&self, path: &Path, page: u32) -> Result<Option<PageImage>, ProcessError> {
        Ok(self.sandbox.picture(path, page, &self.options).await?)
    }

    /// What was read in a file, from the kept readings where it is there.
    ///
    /// # Errors
    /// When the sandbox itself fails or the file cannot be read from the disk.
    pub async fn reading(&self, path: &Path, sha256: &str) -> Result<FileOutcome, ProcessError> {
        match self.cache.as_ref().and_then(|cache| cache.find(sha256, &self.options)) {
            Some(outcome) => Ok(outcome),
            None => self.read_anew(path, sha256).await,
        }
    }

    async fn read_anew(&self, path: &Path, sha256: &str) -> Result<FileOutcome, ProcessError> {
        let outcome = self.dispatch.read(FileToRead { path, sha256, options: &self.options }).await?;
        if let Some(cache) = &self.cache {
            let kept = cache.keep(sha256, &self.options, &outcome);
            kept.map_err(|source| ProcessError::File { path: path.to_owned(), source })?;
        }
        Ok(outcome)
    }

    /// Keeps readings in this folder and takes them from there.
    #[must_use]
    pub fn with_cache(self, folder: PathBuf) -> Self {
        self.with_sealed_cache(folder, None)
    }

    /// As [`Engine::with_cache`]; what is kept is sealed where there are keys.
    #[must_use]
    pub fn with_sealed_cache(mut self, folder: PathBuf, keys: Option<Arc<Keyring>>) -> Self {
        self.cache = Some(self.readings_in(folder, keys));
        self
    }

    /// Readings kept in this folder, as this engine reads; sealed where there are keys.
    pub fn readings_in(&self, folder: PathBuf, keys: Option<Arc<Keyring>>) -> ReadingCache {
        ReadingCache::new(folder, self.reading_version.clone()).with_keys(keys)
    }

    /// What was asked for is read although nobody waits for it any more.
    pub fn reads_without_askers(&self) -> bool {
        self.dispatch.outlives_its_asker()
    }

    /// Has files read by others than children of this process.
    #[must_use]
    pub fn with_dispatch(mut self, dispatch: Arc<dyn Dispatch>) -> Self {
        self.dispatch = dispatch;
        self
    }

    /// Unpacks archives below this folder rather than where the system puts temporary files.
    #[must_use]
    pub fn with_scratch(mut self, folder: PathBuf) -> Self {
        self.scratch = Some(folder);
        self
    }

    /// A folder for the members of a case's archives; it goes with the value.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_folder(&self) -> std::io::Result<tempfile::TempDir> {
        self.scratch.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in)
    }

    /// How many cases are worth having in work at a time.
    pub fn cases_ahead(&self) -> usize {
        self.dispatch.cases_ahead()
    }

    /// Leaves the extractors' scores as they are, as fitting the confidence model needs them: no model, and no
    /// raising by what other documents say.
    #[must_use]
    pub fn without_calibration(mut self) -> Self {
        self.calibrated = false;
        self.understanding = self.understanding.without_calibration();
        self
    }

    /// How pages become documents with fields.
    pub fn understanding(&self) -> &Understanding {
        &self.understanding
    }

    pub fn flow_names(&self) -> Vec<&str> {
        self.flows.keys().map(String::as_str).collect()
    }

    pub fn flow(&self, name: &str) -> Option<&Flow> {
        self.flows.get(name)
    }

    /// `sha256:…` of the rules in force.
    pub fn rules_version(&self) -> &str {
        &self.rules_version
    }
}
