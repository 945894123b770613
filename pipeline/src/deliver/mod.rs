//! What others hear of a case: signed webhooks, result files, mail to the applicant.
//!
//! [`Outbox::letters`] says what is to be delivered when a case changes; the store writes that in the
//! transaction of the change. [`deliver`] sends what is due, again and again until it arrived or nobody
//! believes in it any more: then it is a dead letter, which people look at and send again.

mod webhook;
mod folder;
mod mail;
mod words;
#[cfg(any(test, feature = "synthetic"))]
pub mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::causes::with_causes;
use crate::clock::{Clock, Micros};
use crate::config::{Bundle, BundleError, DeliverySettings, SecretError};
use crate::domain::{CaseResult, Outcome};
use crate::net::{DestinationError, Outside};
use crate::rules::Flow;
use crate::store::{DueDelivery, NewDelivery, Store, StoreError};
use folder::Folder;
use mail::Mail;
use webhook::Webhook;
pub use words::{LetterWords, WordsError};

/// How often due deliveries are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often is looked for what waits for destinations that the configuration does not have any more.
const LOOK_FOR_UNKNOWN_EVERY: Duration = Duration::from_mins(1);
/// Deliveries on their way to one destination at the same time.
const AT_ONCE: i64 = 8;
/// One that is being sent is nobody else's for so long; every attempt takes less.
const IN_HAND: Micros = 60_000_000;
/// Longest time of one attempt.
const ATTEMPT_TIME: Duration = Duration::from_secs(30);
/// Waits between attempts double from the first to the last of these.
const FIRST_WAIT: Micros = 5_000_000;
const LONGEST_WAIT: Micros = 6 * 3_600_000_000;

/// Why something is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The case is accepted or rejected.
    Decided,
    /// The applicant has to send something.
    DocumentsRequested,
    /// They have not sent it yet.
    Reminded,
    /// They have not sent it in time.
    Expired,
    /// A person has to look.
    InReview,
}

impl Occasion {
    pub const ALL: [Occasion; 5] = [
        Occasion::Decided,
        Occasion::DocumentsRequested,
        Occasion::Reminded,
        Occasion::Expired,
        Occasion::InReview,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Occasion::Decided => "decided",
            Occasion::DocumentsRequested => "documents_requested",
            Occasion::Reminded => "reminded",
            Occasion::Expired => "expired",
            Occasion::InReview => "in_review",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|occasion| occasion.as_str() == name)
    }

    /// What a case's new outcome is to others.
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accept | Outcome::Reject => Occasion::Decided,
            Outcome::RequestDocuments => Occasion::DocumentsRequested,
            Outcome::Review => Occasion::InReview,
        }
    }
}

/// Why nothing can be delivered there.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("two destinations of [delivery] are called {0}")]
    Twice(String),
    #[error("the webhook {name} cannot be called: {source}")]
    Destination { name: String, source: DestinationError },
    #[error("the secret of {name} cannot be used: {source}")]
    Secret { name: String, source: SecretError },
    #[error("the secret of the webhook {0} is not whsec_ and 24 to 64 bytes in base64")]
    Key(String),
    #[error("{0} of [delivery.mail] is no mail address")]
    Address(&'static str),
    #[error("[delivery.mail] has a user without a password, or a password without a user")]
    Credentials,
    #[error(
        "[delivery.mail] sends without TLS to {0}: use starttls, or name the host under [network] private"
    )]
    Plain(String),
    #[error("the mail server of [delivery.mail] cannot be used: {0}")]
    MailServer(String),
    #[error("the system's certificates cannot be used")]
    Certificates(#[source] reqwest::Error),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Why one attempt came to nothing. Names no content of the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// Trying again may help; not before so many seconds.
    Passing(String, u32),
    /// It will not.
    Lasting(String),
}

/// The destinations of an installation.
#[derive(Debug, Default)]
pub struct Outbox {
    destinations: Vec<Destination>,
    words: LetterWords,
    attempts: u32,
}

#[derive(Debug)]
struct Destination {
    name: String,
    /// All without any.
    flows: BTreeSet<String>,
    on: BTreeSet<Occasion>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Webhook(Webhook),
    Folder(Folder),
    Mail(Box<Mail>),
}

/// A change of a case that others may hear of.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    pub occasion: Occasion,
    pub result: &'a CaseResult,
    pub declared: &'a serde_json::Value,
    /// What the applicant is asked for, where they are.
    pub message: &'a str,
}

impl Outbox {
    /// The configured destinations. Asks no network.
    ///
    /// # Errors
    /// When one of them cannot be used, in a sentence for the operator.
    pub fn of(settings: &DeliverySettings, outside: &Outside, rules: &Bundle) -> Result<Self, DeliveryError> {
        let mut destinations = Vec::new();
        for webhook in &settings.webhooks {
            destinations.push(Destination {
                name: webhook.name.clone(),
                flows: webhook.flows.clone(),
                on: webhook.on.clone(),
                kind: Kind::Webhook(Webhook::new(webhook, outside)?),
            });
        }
        for folder in &settings.folders {
            destinations.push(Destination {
                name: folder.name.clone(),
                flows: folder.flows.clone(),
                on: folder.on.clone(),
                kind: Kind::Folder(Folder::new(folder.path.clone())),
            });
        }
        if let Some(mail) = &settings.mail {
            destinations.push(Destination {
                name: "mail".to_owned(),
                flows: mail.flows.clone(),
                on: mail.on.clone(),
                kind: Kind::Mail(Box::new(Mail::new(mail, outside)?)),
            });
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = destinations.iter().find(|destination| !names.insert(&destination.name)) {
            return Err(DeliveryError::Twice(twice.name.clone()));
        }
        let words = LetterWords::of(rules)?;
        Ok(Self { words, attempts: settings.attempts.max(1), destinations })
    }

    /// Names and kinds of the destinations, for people.
    pub fn destinations(&self) -> Vec<(String, String)> {
        let described = self.destinations.iter().map(|destination| {
            let kind = match &destination.kind {
                Kind::Webhook(webhook) => format!("webhook to {}", webhook.host()),
                Kind::Folder(folder) => format!("files below {}", folder.root().display()),
                Kind::Mail(mail) => format!("mail through {}", mail.server()),
            };
            (destination.name.clone(), kind)
        });
        described.collect()
    }

    /// What is to be delivered because of this news of a case.
    pub fn letters(&self, flow: &Flow, news: News<'_>) -> Vec<NewDelivery> {
        let hear = |destination: &&Destination| {
            destination.on.contains(&news.occasion)
                && (destination.flows.is_empty() || destination.flows.contains(&flow.name))
        };
        let letters = self.destinations.iter().filter(hear).filter_map(|destination| {
            let body = match &destination.kind {
                // A result is plain data: it can always be written.
                Kind::Webhook(_) => serde_json::to_string(news.result).ok()?,
                Kind::Folder(_) => serde_json::to_string_pretty(news.result).ok()? + "\n",
                Kind::Mail(_) => self.words.letter(flow, news)?,
            };
            Some(NewDelivery {
                id: format!("msg_{}", uuid::Uuid::now_v7().simple()),
                destination: destination.name.clone(),
                occasion: news.occasion,
                body,
            })
        });
        letters.collect()
    }

    /// Whether each destination can be reached or written, as far as that can be told without sending.
    pub async fn examine(&self) -> Vec<(String, Result<(), String>)> {
        let mut found = Vec::new();
        for destination in &self.destinations {
            let answer = match &destination.kind {
                // Whoever listens must not get an empty message.
                Kind::Webhook(_) => Ok(()),
                Kind::Folder(folder) => folder.examine(),
                Kind::Mail(mail) => mail.examine().await,
            };
            found.push((destination.name.clone(), answer));
        }
        found
    }

    async fn send(&self, due: &DueDelivery, now: Micros) -> Result<(), Failure> {
        let destination = self.destinations.iter().find(|destination| destination.name == due.destination);
        let Some(destination) = destination else {
            let name = &due.destination;
            return Err(Failure::Lasting(format!("the configuration has no destination {name} any more")));
        };
        let sent = async {
            match &destination.kind {
                Kind::Webhook(webhook) => webhook.send(due, now).await,
                // What came later says more.
                Kind::Folder(_) if due.is_superseded => Ok(()),
                Kind::Folder(folder) => folder.write(due).await,
                Kind::Mail(mail) => mail.send(due).await,
            }
        };
        let late = |_| Err(Failure::Passing("it took too long".to_owned(), 0));
        tokio::time::timeout(ATTEMPT_TIME, sent).await.unwrap_or_else(late)
    }
}

/// Sends what is due until `stop` is done, then finishes what is begun. Each destination has a loop of its own, so that
/// one that hangs holds up no other.
pub async fn deliver(outbox: &Outbox, store: &Store, clock: &dyn Clock, stop: impl Future<Output = ()>) {
    let stop = stop.shared();
    let known = outbox.destinations.iter().map(|destination| {
        let name = destination.name.as_str();
        repeat(LOOK_EVERY, stop.clone(), move || deliver_to(outbox, store, clock, name))
    });
    let unknown = repeat(LOOK_FOR_UNKNOWN_EVERY, stop.clone(), || deliver_to_unknown(outbox, store, clock));
    tokio::join!(join_all(known), unknown);
}

/// Sends again and again; a failure is told and the next time comes.
async fn repeat<F: Future<Output = Result<usize, StoreError>>>(
    every: Duration,
    mut stop: impl Future<Output = ()> + Unpin,
    send: impl Fn() -> F,
) {
    loop {
        let tried = match send().await {
            Ok(tried) => tried,
            Err(error) => {
                tracing::error!(error = %with_causes(&error), "deliveries stand still; they are tried again");
                0
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = std::future::ready(()), if tried > 0 => {}
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Sends what is due to anybody now; says how many were tried.
///
/// # Errors
/// When the database fails; what was sent and not noted is sent again with the same id.
pub async fn deliver_due(outbox: &Outbox, store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    let mut tried = 0;
    for name in store.waiting_destinations().await? {
        tried += deliver_to(outbox, store, clock, &name).await?;
    }
    Ok(tried)
}

/// What waits for destinations that the configuration does not have any more becomes dead letters, and what waits for
/// longer than anything does is due.
async fn deliver_to_unknown(outbox: &Outbox, store: &Store, clock: &dyn Clock) -> Result<usize, StoreError> {
    let now = clock.now();
    store.bring_deliveries_forward(now, now + 2 * LONGEST_WAIT).await?;
    let mut tried = 0;
    for name in store.waiting_destinations().await? {
        if !outbox.destinations.iter().any(|destination| destination.name == name) {
            tried += deliver_to(outbox, store, clock, &name).await?;
        }
    }
    Ok(tried)
}

/// Sends what is due to one destination now, at most some; says how many were tried.
async fn deliver_to(
    outbox: &Outbox,
    store: &Store,
    clock: &dyn Clock,
    destination: &str,
) -> Result<usize, StoreError> {
    let now = clock.now();
    let due = store.take_due_deliveries(destination, now, now + IN_HAND, AT_ONCE).await?;
    let sending = due.iter().map(|delivery| async move {
        let sent = outbox.send(delivery, now).await;
        note(outbox, store, delivery, sent, clock.now()).await
    });
    for noted in join_all(sending).await {
        noted?;
    }
    Ok(due.len())
}

async fn note(
    outbox: &Outbox,
    store: &Store,
    due: &DueDelivery,
    sent: Result<(), Failure>,
    now: Micros,
) -> Result<(), StoreError> {
    let (id, destination) = (&due.id, &due.destination);
    match sent {
        Ok(()) => {
            tracing::info!(delivery = id, destination, case = due.case_id, "delivered");
            store.delivered(id, now).await
        }
        Err(Failure::Passing(problem, seconds)) if due.attempts < i64::from(outbox.attempts) => {
            let next = now + wait_after(due.attempts, seconds, random_share());
            tracing::warn!(delivery = id, destination, problem, attempts = due.attempts, "not delivered yet");
            store.delivery_failed(id, &problem, next).await
        }
        Err(Failure::Passing(problem, _) | Failure::Lasting(problem)) => {
            tracing::error!(delivery = id, destination, problem, "a delivery is a dead letter");
            store.delivery_died(id, &problem, now).await
        }
    }
}

/// The wait after so many attempts: doubling, and between half and all of that, so that what failed
/// together does not come back together. At least what the other side asked for.
fn wait_after(attempts: i64, asked_seconds: u32, share: f64) -> Micros {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    let whole = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
    #[expect(clippy::cast_possible_truncation, reason = "at most some hours, in microseconds")]
    let part = (whole as f64 * (0.5 + share / 2.0)) as Micros;
    part.max(i64::from(asked_seconds) * 1_000_000).min(LONGEST_WAIT)
}

/// From 0 up to 1; without random numbers one half, which only lets waits coincide.
fn random_share() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}
