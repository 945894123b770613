//! Where rules, models and settings come from: command line and environment, then `dossier.toml`,
//! then what the binary carries.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dossier::config::{Bundle, Settings};
use dossier::connectors::Connectors;
use dossier::deliver::Outbox;
use dossier::dispatch::nats::Link;
use dossier::dispatch::reading_version;
use dossier::net::Outside;
use dossier::process::Engine;
use dossier::read::{ReadOptions, Sandbox, SandboxLimits};
use dossier::rules::{CsvRecords, Flow};
use dossier::store::{BlobStore, Store, StoreAddress, bucket};

use super::args::Installation;
use super::serve::LARGEST_FILE;

/// The file looked for in the working directory when none is named.
const DEFAULT_CONFIG: &str = "dossier.toml";

#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) config: Option<PathBuf>,
    pub(crate) settings: Settings,
}

impl Installed {
    pub(crate) fn find(installation: Installation) -> anyhow::Result<Self> {
        let config = installation.config.or_else(|| {
            let default = PathBuf::from(DEFAULT_CONFIG);
            default.is_file().then_some(default)
        });
        let mut settings = config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        settings.rules = installation.rules.or(settings.rules);
        settings.models = installation.models.or(settings.models);
        if let Some(db) = installation.db {
            settings.db = Some(db.parse()?);
        }
        Ok(Self { config, settings })
    }

    /// Where the server keeps what it has.
    pub(crate) fn data(&self) -> PathBuf {
        self.settings.data.clone().unwrap_or_else(|| PathBuf::from("data"))
    }

    /// The watched folder.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.settings.inbox.clone().unwrap_or_else(|| PathBuf::from("inbox"))
    }

    /// Where cases are kept: as configured, else in the data folder.
    pub(crate) fn db(&self) -> StoreAddress {
        self.settings.db.clone().unwrap_or_else(|| StoreAddress::Sqlite(self.data().join("cases.db")))
    }

    /// The store that is there already.
    pub(crate) async fn existing_store(&self) -> anyhow::Result<Store> {
        let db = self.db();
        if let Some(file) = db.file().filter(|file| !file.is_file()) {
            bail!(
                "there is no store at {}: `dossier serve` makes one, and `dossier process PATH --db {}`",
                file.display(),
                file.display()
            );
        }
        open_store(&db).await
    }

    pub(crate) fn rules(&self) -> anyhow::Result<Bundle> {
        self.settings.rule_bundle().context("cannot load the rules")
    }

    pub(crate) fn models(&self) -> anyhow::Result<Bundle> {
        self.settings.model_bundle().context("cannot load the models")
    }

    pub(crate) fn sandbox(&self) -> anyhow::Result<Sandbox> {
        let executable = std::env::current_exe().context("cannot find the dossier program itself")?;
        let models = self.settings.models.clone();
        Ok(Sandbox::new(executable, models, self.parallel(), SandboxLimits::default()))
    }

    /// Files read at a time.
    pub(crate) fn parallel(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.settings.parallel.unwrap_or_else(cores)
    }

    /// What files are read with here.
    pub(crate) fn reading_version(&self) -> anyhow::Result<String> {
        Ok(reading_version(&self.models()?, &self.read_options()))
    }

    /// The connection to NATS. With `waits` it is there when NATS is.
    pub(crate) async fn nats(&self, name: &str, waits: bool) -> anyhow::Result<Option<Link>> {
        let Some(settings) = &self.settings.nats else { return Ok(None) };
        Ok(Some(Link::connect(settings, name, waits).await?))
    }

    pub(crate) fn read_options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.open.passwords.clone_from(&self.settings.passwords);
        options
    }

    pub(crate) fn engine(&self) -> anyhow::Result<Engine> {
        Engine::load(&self.rules()?, &self.models()?, self.sandbox()?, self.read_options())
            .context("the configuration is not usable")
    }

    /// The look-up tables: of the folder named alone; else through the flows' connectors, and the rest of the
    /// folder configured, else those of the rules.
    pub(crate) fn records(&self, folder: Option<&Path>) -> anyhow::Result<Connectors> {
        let rules = self.rules()?;
        let names = Flow::names(&rules);
        let flows: Vec<Flow> = names.iter().map(|name| Flow::load(&rules, name)).collect::<Result<_, _>>()?;
        self.records_of(folder, &flows)
    }

    /// As [`Installed::records`], for these flows.
    pub(crate) fn records_of<'f>(
        &self,
        folder: Option<&Path>,
        flows: impl IntoIterator<Item = &'f Flow>,
    ) -> anyhow::Result<Connectors> {
        let records = match folder.or(self.settings.records.as_deref()) {
            Some(folder) if folder.is_dir() => CsvRecords::from_directory(folder),
            Some(folder) => bail!("there is no folder of records at {}", folder.display()),
            None => CsvRecords::from_bundle(&self.rules()?),
        };
        if folder.is_some() {
            return Ok(Connectors::csv(records));
        }
        Connectors::of(flows, &self.settings, records).context("the records cannot be looked up")
    }
}

impl Installed {
    /// Originals, in the bucket of the configuration or below the data folder, where what is made from them lies.
    pub(crate) fn blobs(&self, data: &Path) -> anyhow::Result<BlobStore> {
        let keys = self.settings.blobs.keyring().context("originals cannot be kept")?;
        let derived = vec![data.join("readings"), data.join("cache").join("pages")];
        let folder = data.join("blobs");
        let blobs = match &self.settings.blobs.bucket {
            None => BlobStore::open(folder, LARGEST_FILE),
            Some(settings) => {
                let objects = bucket(settings).context("originals cannot be kept")?;
                BlobStore::in_bucket(folder, objects, &settings.name, &settings.prefix, LARGEST_FILE)
            }
        };
        let blobs = blobs.context("cannot use the blob store")?;
        Ok(blobs.with_keys(keys).with_derived(derived))
    }

    /// Where decisions go.
    pub(crate) fn outbox(&self) -> anyhow::Result<Outbox> {
        let outside = Outside::new(self.settings.network.clone())
            .context("the system's certificates cannot be used")?;
        Outbox::of(&self.settings.delivery, &outside, &self.rules()?).context("decisions cannot be delivered")
    }
}

/// The store at this address.
pub(crate) async fn open_store(db: &StoreAddress) -> anyhow::Result<Store> {
    Store::open(db).await.with_context(|| format!("cannot use the store {db}"))
}
