//! The connection, and what has to be there on the other side of it.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::consumer::{AckPolicy, Consumer};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{Config as StreamConfig, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, Context, ErrorCode};

use crate::config::NatsSettings;

/// Files to be read, by what they are read with.
const READ_STREAM: &str = "DOSSIER_READ";
/// What was read, by the server that asked.
const RESULT_STREAM: &str = "DOSSIER_RESULTS";
/// What was read and is too long for a message.
const READINGS: &str = "DOSSIER_READINGS";
/// What nobody has taken by then was asked for anew, or nobody wants it any more.
const LONGEST_STAY: Duration = Duration::from_hours(48);
/// Somebody who asks waits so long for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("cannot read the password of NATS in {path}")]
    Password { path: PathBuf, source: std::io::Error },
    #[error("cannot reach NATS at {url}")]
    Connect { url: String, source: async_nats::ConnectError },
    #[error("cannot {doing} over NATS")]
    Ask { doing: &'static str, source: async_nats::Error },
}

pub(super) fn ask<E: Into<async_nats::Error>>(doing: &'static str) -> impl FnOnce(E) -> LinkError {
    move |source| LinkError::Ask { doing, source: source.into() }
}

/// What there is on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsHealth {
    /// Of the server.
    pub version: String,
    /// Files that wait for a worker, and files that workers have.
    pub waiting: u64,
    pub with_workers: usize,
    /// Readers of workers that wait for a file.
    pub idle: usize,
}

/// A connection to NATS; cheap to clone.
#[derive(Debug, Clone)]
pub struct Link {
    pub(super) context: Context,
    /// After so long without a word from its worker another one gets a file.
    pub(super) worker_patience: Duration,
}

impl Link {
    /// Connects. Without `waits` it fails when nobody answers; else it goes on trying, now and later.
    ///
    /// # Errors
    /// When the settings cannot be used or nobody answers.
    pub async fn connect(settings: &NatsSettings, name: &str, waits: bool) -> Result<Self, LinkError> {
        let mut options = ConnectOptions::new().name(name).request_timeout(Some(PATIENCE));
        if let Some(user) = &settings.user {
            let password = match &settings.password_file {
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|source| LinkError::Password { path: path.clone(), source })?,
                None => String::new(),
            };
            options = options.user_and_password(user.clone(), password.trim().to_owned());
        }
        if let Some(path) = &settings.authority_file {
            options = options.add_root_certificates(path.clone());
        }
        if waits {
            options = options.retry_on_initial_connect();
        }
        let urls: Vec<&str> = settings.url.split(',').map(str::trim).collect();
        let client = options
            .connect(urls)
            .await
            .map_err(|source| LinkError::Connect { url: settings.url.clone(), source })?;
        let mut context = jetstream::new(client);
        context.set_timeout(PATIENCE);
        Ok(Self { context, worker_patience: Duration::from_secs(settings.worker_patience_s.max(1)) })
    }

    /// The stream of files to be read, made where it is missing.
    pub(super) async fn read_stream(&self) -> Result<Stream, LinkError> {
        self.stream(READ_STREAM, "dossier.read.*").await
    }

    pub(super) async fn result_stream(&self) -> Result<Stream, LinkError> {
        self.stream(RESULT_STREAM, "dossier.result.*").await
    }

    async fn stream(&self, name: &str, subjects: &str) -> Result<Stream, LinkError> {
        let config = StreamConfig {
            name: name.to_owned(),
            subjects: vec![subjects.to_owned()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            max_age: LONGEST_STAY,
            ..StreamConfig::default()
        };
        self.context.get_or_create_stream(config).await.map_err(ask("make a stream"))
    }

    /// Files for workers of this version, as the server makes it.
    pub(super) async fn make_read_consumer(&self, version: &str) -> Result<Consumer<Pull>, LinkError> {
        let config = Pull {
            durable_name: Some(read_consumer_name(version)),
            filter_subject: read_subject(version),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.worker_patience,
            max_ack_pending: 50_000,
            inactive_threshold: LONGEST_STAY,
            ..Pull::default()
        };
        let stream = self.read_stream().await?;
        stream
            .get_or_create_consumer(&read_consumer_name(version), config)
            .await
            .map_err(ask("make a consumer"))
    }

    /// The same as a worker finds it; none when no server has asked for this version yet.
    pub(super) async fn read_consumer(&self, version: &str) -> Option<Consumer<Pull>> {
        self.context.get_consumer_from_stream(read_consumer_name(version), READ_STREAM).await.ok()
    }

    pub(super) async fn result_consumer(&self, server: &str) -> Result<Consumer<Pull>, LinkError> {
        let name = format!("server-{server}");
        let config = Pull {
            durable_name: Some(name.clone()),
            filter_subject: result_subject(server),
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_mins(2),
            inactive_threshold: LONGEST_STAY,
            ..Pull::default()
        };
        let stream = self.result_stream().await?;
        stream.get_or_create_consumer(&name, config).await.map_err(ask("make a consumer"))
    }

    /// Where long readings lie, made where it is missing.
    pub(super) async fn make_readings(&self) -> Result<ObjectStore, LinkError> {
        if let Ok(store) = self.context.get_object_store(READINGS).await {
            return Ok(store);
        }
        let config = object_store::Config {
            bucket: READINGS.to_owned(),
            max_age: LONGEST_STAY,
            storage: StorageType::File,
            num_replicas: 1,
            ..object_store::Config::default()
        };
        self.context.create_object_store(config).await.map_err(ask("make a store for readings"))
    }

    pub(super) async fn readings(&self) -> Result<ObjectStore, LinkError> {
        self.context.get_object_store(READINGS).await.map_err(ask("find the store for readings"))
    }

    /// What the other side says of itself and of the work for this version.
    ///
    /// # Errors
    /// When `JetStream` does not answer.
    pub async fn health(&self, version: &str) -> Result<NatsHealth, LinkError> {
        if let Err(error) = self.context.get_stream(READ_STREAM).await {
            let is_new = matches!(error.kind(), GetStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND);
            if !is_new {
                return Err(ask("ask for JetStream")(error));
            }
        }
        let server = self.context.client().server_info();
        let mut health = NatsHealth { version: server.version, waiting: 0, with_workers: 0, idle: 0 };
        if let Some(consumer) = self.read_consumer(version).await {
            let info = consumer.get_info().await.map_err(ask("ask for the files that wait"))?;
            health.waiting = info.num_pending;
            health.with_workers = info.num_ack_pending;
            health.idle = info.num_waiting;
        }
        Ok(health)
    }
}

fn read_consumer_name(version: &str) -> String {
    format!("read-{version}")
}

pub(super) fn read_subject(version: &str) -> String {
    format!("dossier.read.{version}")
}

pub(super) fn result_subject(server: &str) -> String {
    format!("dossier.result.{server}")
}

/// How far workers are, for this server. What is lost of it is not missed.
pub(super) fn progress_subject(server: &str) -> String {
    format!("dossier.progress.{server}")
}
