//! A folder with an empty store, to which somebody may send cases, and the servers that work there.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use dossier::store::StoreAddress;
use tokio::runtime::Runtime;

use crate::flood::{Flood, check, reconcile, sender, settle};
use crate::victim::Victim;

/// Arguments of a server.
pub(crate) const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
/// In which a server starts.
pub(crate) const STARTS_IN: Duration = Duration::from_mins(1);

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) struct Room {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) db: StoreAddress,
    pub(crate) runtime: Runtime,
    pub(crate) flood: Flood,
}

impl Room {
    /// With a `SQLite` store, and cases without pictures.
    pub(crate) fn new() -> Self {
        Self::with(1, false)
    }

    /// With a `SQLite` store, and cases as [`Flood::new`] makes them.
    pub(crate) fn with(seed: u64, with_loans: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let db = StoreAddress::Sqlite(folder.path().join("data/cases.db"));
        let flood = Flood::new(folder.path(), seed, with_loans);
        Self::of(folder, db, flood)
    }

    pub(crate) fn on(db: StoreAddress) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flood = Flood::new(folder.path(), 1, false);
        Self::of(folder, db, flood)
    }

    fn of(folder: tempfile::TempDir, db: StoreAddress, flood: Flood) -> Self {
        let runtime = runtime();
        runtime.block_on(sender(&db));
        fs::write(folder.path().join("dossier.toml"), format!("db = \"{db}\"\n")).unwrap();
        Self { folder, db, runtime, flood }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Says more in `dossier.toml`.
    pub(crate) fn configure(&self, more: &str) {
        let mut file = fs::File::options().append(true).open(self.root().join("dossier.toml")).unwrap();
        file.write_all(more.as_bytes()).unwrap();
    }

    /// A server that may not have started yet.
    pub(crate) fn start(&self) -> Victim {
        Victim::start(self.root(), &SERVE, "serve.log")
    }

    pub(crate) fn serve(&self) -> (Victim, String) {
        let mut server = self.start();
        let address = server.address(STARTS_IN).expect("the server starts");
        (server, address)
    }

    /// Waits until everything is done, and looks whether all of it is right.
    pub(crate) fn end(&mut self, mut servers: Vec<Victim>, address: &str) {
        self.settle(address);
        assert!(servers.iter_mut().all(|server| !server.has_ended()), "a server goes on whatever happens");
        servers.into_iter().for_each(Victim::stop);
        self.check();
    }

    /// Waits until everything is done.
    pub(crate) fn settle(&mut self, address: &str) {
        settle(&mut self.flood, address, &self.db, &self.runtime);
    }

    /// Looks whether all that was done is right.
    pub(crate) fn check(&self) {
        self.runtime.block_on(check(&self.flood, &self.db));
        reconcile(&self.flood);
    }

    pub(crate) fn waiting_in_the_inbox(&self) -> usize {
        fs::read_dir(self.root().join("inbox/consumer_loan")).unwrap().count()
    }
}
