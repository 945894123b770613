//! `dossier serve`: watches the inbox, works, and serves the web, in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use dossier::accounts::{hash_password, one_time_password};
use dossier::clock::{Clock as _, SystemClock};
use dossier::connectors::Connectors;
use dossier::deliver::deliver;
use dossier::dispatch::nats::Workers;
use dossier::dispatch::{Dispatch, ServerId};
use dossier::intake::pressure::{MOST_WAITING, Pressure};
use dossier::intake::watch::{Event, WatchOptions, watch};
use dossier::meters::Meters;
use dossier::process::Engine;
use dossier::store::{Keyring, NewUser, Role, Store, StoreAddress};
use dossier::sweep::sweep;
use dossier::work::{Board, Workshop, work};
use rust_embed::RustEmbed;
use tokio::sync::watch as signal;

use super::args::ServeArguments;
use super::installation::{Installed, open_store};
use super::output::{note, say};
use super::sign_in;
use crate::server::{AppState, Live, ServerOptions, router};

/// Largest file, and largest upload.
pub(super) const LARGEST_FILE: u64 = 200 << 20;
const LEASE_MICROS: i64 = 5 * 60 * 1_000_000;
const SESSION_MICROS: i64 = 12 * 3600 * 1_000_000;

/// The sample cases, so that somebody new sees a filled queue.
#[derive(RustEmbed)]
#[folder = "../sample_docs/"]
#[include = "inbox/*"]
#[include = "records/*.csv"]
struct Samples;

/// Serves. With `by_workers` files are read on other machines.
pub(crate) async fn run(
    installed: &Installed,
    arguments: ServeArguments,
    by_workers: bool,
) -> anyhow::Result<ExitCode> {
    sign_in::check(installed.settings.oidc.is_some())?;
    let places = Places::of(installed, &arguments)?;
    let store = open_store(&places.db).await?;
    let blobs = installed.blobs(&places.data)?;
    let server = ServerId::of(&places.data)?;
    let scratch = own_scratch(&places.data, &server)
        .with_context(|| format!("cannot use a folder in {}", places.data.display()))?;
    let readings = places.data.join("readings");
    let engine = installed.engine()?.with_sealed_cache(readings, blobs.keys().cloned());
    // Sealed originals are opened below TMPDIR, which may be memory; others may as well lie where there is room.
    let engine = if blobs.keys().is_some() { engine } else { engine.with_scratch(scratch) };
    let workers = if by_workers {
        Some(workers(installed, &engine, &store, &server, &places, blobs.keys().cloned()).await?)
    } else {
        None
    };
    let engine = match &workers {
        Some(workers) => engine.with_dispatch(Arc::clone(workers) as Arc<dyn Dispatch>),
        None => engine,
    };
    let flows: Vec<String> = engine.flow_names().into_iter().map(str::to_owned).collect();
    let records = records(installed, &arguments, &places.data)?;
    let shop = Arc::new(Workshop {
        engine: Arc::new(engine),
        records: Arc::new(records),
        outbox: installed.outbox()?,
        store: store.clone(),
        blobs,
        clock: Arc::new(SystemClock),
        server: server.as_str().to_owned(),
        pressure: Arc::new(Pressure::new(installed.settings.most_waiting.unwrap_or(MOST_WAITING))),
        wake: tokio::sync::Notify::new(),
        board: Board::default(),
        meters: Meters::default(),
    });
    first_administrator(&store).await?;
    let listener = tokio::net::TcpListener::bind(&places.listen)
        .await
        .with_context(|| format!("cannot listen on {}", places.listen))?;
    let address = listener.local_addr()?;
    if arguments.demo {
        feed_samples(&places.inbox)?;
    }
    let (stop, stopped) = signal::channel(false);
    let live = Live::new();
    let sending = workers.map(|workers| {
        let stopped = stopped.clone();
        tokio::spawn(async move { workers.run(until(stopped)).await })
    });
    let watching =
        tokio::spawn(watch_inbox(places.clone(), flows, Arc::clone(&shop), live.clone(), stopped.clone()));
    let mut working = tokio::spawn(work_cases(Arc::clone(&shop), live.clone(), stopped.clone()));
    let delivering = tokio::spawn(deliver_decisions(Arc::clone(&shop), stopped.clone()));
    let sweeping = tokio::spawn(sweep_cases(Arc::clone(&shop), live.clone(), stopped.clone()));
    let state = AppState::new(shop, server_options(installed, &places, address), live);
    #[cfg(feature = "oidc")]
    let state = state.with_sign_in(sign_in::registered(&installed.settings, address)?);
    say(&format!("dossier serves http://{address} and watches {}\n", places.inbox.display()))?;
    let app = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(until(stopped));
    let serving = tokio::spawn(async move { serving.await });
    let broken = tokio::select! {
        () = asked_to_stop() => None,
        ended = &mut working => Some(ended),
    };
    note("dossier stops: it finishes the cases that it has begun");
    stop.send(true).ok();
    let ended = match broken {
        Some(ended) => ended,
        None => working.await,
    };
    ended.context("the work ended early")??;
    watching.await.context("watching ended early")??;
    sweeping.await.context("sweeping ended early")?;
    if let Some(sending) = sending {
        sending.await.context("sending to workers ended early")?;
    }
    delivering.await.context("delivering ended early")?;
    // Open event streams would keep the server for ever.
    tokio::time::timeout(std::time::Duration::from_secs(3), serving).await.ok();
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Has files read by workers, over NATS.
async fn workers(
    installed: &Installed,
    engine: &Engine,
    store: &Store,
    server: &ServerId,
    places: &Places,
    keys: Option<Arc<Keyring>>,
) -> anyhow::Result<Arc<Workers>> {
    let link = installed.nats("dossier web", true).await?;
    let link = link
        .context("`dossier web` needs the section [nats] in dossier.toml; `dossier serve` reads by itself")?;
    let cases_ahead = installed.settings.nats.as_ref().map_or(1, |nats| nats.cases_ahead);
    Ok(Arc::new(Workers::new(
        link,
        store.clone(),
        Arc::new(SystemClock),
        server.as_str().to_owned(),
        installed.reading_version()?,
        engine.readings_in(places.data.join("readings"), keys),
        installed.read_options(),
        cases_ahead,
    )))
}

/// Where everything is.
#[derive(Debug, Clone)]
struct Places {
    inbox: PathBuf,
    data: PathBuf,
    db: StoreAddress,
    listen: String,
}

impl Places {
    fn of(installed: &Installed, arguments: &ServeArguments) -> anyhow::Result<Self> {
        let settings = &installed.settings;
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let data = absolute(installed.data());
        make_private(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
        Ok(Self {
            inbox: absolute(installed.inbox()),
            db: settings.db.clone().unwrap_or_else(|| StoreAddress::Sqlite(data.join("cases.db"))),
            listen: arguments
                .listen
                .clone()
                .or_else(|| settings.listen.clone())
                .unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            data,
        })
    }
}

/// Documents of people lie in it: nobody else on the machine looks in.
pub(super) fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A new folder for members of archives and opened originals while their case is worked on. What a server that
/// was killed left behind goes.
fn own_scratch(data: &Path, server: &ServerId) -> std::io::Result<PathBuf> {
    let scratch = data.join("scratch");
    if server.is_alone() && scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    make_private(&scratch)?;
    Ok(scratch)
}

fn records(installed: &Installed, arguments: &ServeArguments, data: &Path) -> anyhow::Result<Connectors> {
    if !arguments.demo || installed.settings.records.is_some() {
        return installed.records(None);
    }
    // The samples' customers and policies belong to the samples.
    let folder = data.join("demo-records");
    for name in Samples::iter().filter(|name| name.starts_with("records/")) {
        let target = folder.join(name.trim_start_matches("records/"));
        write_sample(&name, &target)?;
    }
    installed.records(Some(&folder))
}

/// Puts the sample cases into the inbox. Cases that are known already change nothing.
fn feed_samples(inbox: &Path) -> anyhow::Result<()> {
    for name in Samples::iter().filter(|name| name.starts_with("inbox/")) {
        write_sample(&name, &inbox.join(name.trim_start_matches("inbox/")))?;
    }
    Ok(())
}

fn write_sample(name: &str, target: &Path) -> anyhow::Result<()> {
    let Some(sample) = Samples::get(name) else { return Ok(()) };
    let folder = target.parent().unwrap_or(target);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(target, &sample.data));
    written.with_context(|| format!("cannot write {}", target.display()))
}

/// On the first start somebody must be able to log in.
async fn first_administrator(store: &Store) -> anyhow::Result<()> {
    if !store.users().await?.is_empty() {
        return Ok(());
    }
    let password = one_time_password()?;
    let user = NewUser {
        id: uuid::Uuid::now_v7().to_string(),
        login: "admin".to_owned(),
        name: "Administrator".to_owned(),
        role: Role::Administrator,
        password_hash: hash_password(&password)?,
        must_change_password: true,
    };
    if store.add_user(&user, SystemClock.now()).await? {
        say(&format!("first start: log in as admin with the one-time password {password}\n"))?;
    }
    Ok(())
}

fn server_options(installed: &Installed, places: &Places, address: SocketAddr) -> ServerOptions {
    let public = installed.settings.public_url.as_deref().unwrap_or_default();
    let secure_cookies = public.starts_with("https://");
    if !secure_cookies && !address.ip().is_loopback() {
        tracing::warn!("cookies are sent without TLS: put a proxy with TLS before it and set public_url");
    }
    ServerOptions {
        cache: places.data.join("cache"),
        secure_cookies,
        lease: LEASE_MICROS,
        session: SESSION_MICROS,
        upload_bytes: usize::try_from(LARGEST_FILE).unwrap_or(usize::MAX),
    }
}

async fn watch_inbox(
    places: Places,
    flows: Vec<String>,
    shop: Arc<Workshop>,
    live: Live,
    stopped: signal::Receiver<bool>,
) -> std::io::Result<()> {
    let woken = Arc::clone(&shop);
    let on_event = move |event| match event {
        Event::Taken { flow, reference, case_id } => {
            tracing::info!(flow, reference, "a case came in");
            live.tell(&case_id, "received");
            woken.wake.notify_one();
        }
        Event::Known { flow, reference, case_id } => {
            tracing::info!(flow, reference, "a case came in once more");
            live.tell(&case_id, "unchanged");
        }
        Event::Rejected { flow, reference, why } => {
            tracing::warn!(flow, reference, why, "a case could not be taken");
        }
    };
    let options = WatchOptions { pressure: Arc::clone(&shop.pressure), ..WatchOptions::new(places.inbox) };
    watch(options, flows, &shop.store, &shop.blobs, shop.clock.as_ref(), on_event, until(stopped)).await
}

async fn work_cases(
    shop: Arc<Workshop>,
    live: Live,
    stopped: signal::Receiver<bool>,
) -> Result<(), dossier::store::StoreError> {
    let progress = live.clone();
    let on_done = move |id: &str| live.tell(id, "processed");
    work(&shop, on_done, move |id: &str| progress.tell(id, "reading"), until(stopped)).await
}

async fn sweep_cases(shop: Arc<Workshop>, live: Live, stopped: signal::Receiver<bool>) {
    sweep(&shop, |id| live.tell(id, "changed"), until(stopped)).await;
}

async fn deliver_decisions(shop: Arc<Workshop>, stopped: signal::Receiver<bool>) {
    deliver(&shop.outbox, &shop.store, shop.clock.as_ref(), until(stopped)).await;
}

async fn until(mut stopped: signal::Receiver<bool>) {
    // A sender that is gone means the same.
    stopped.wait_for(|stopped| *stopped).await.ok();
}

/// Ctrl-C, or what service managers send.
pub(super) async fn asked_to_stop() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            tokio::signal::ctrl_c().await.ok();
        }
    }
}
