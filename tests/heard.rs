//! Who hears of decisions while everything is killed: a webhook that sometimes refuses, a folder of results, and
//! applicants by mail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dossier::deliver::Occasion;
use dossier::deliver::testing::{Letter, MailServer};
use dossier::store::{Delivery, DeliveryState, Event, EventKind, Store, StoreAddress};

use crate::flood::{FLOW, Flood};
use crate::outside::{Request, Side};

/// What is in the hands of somebody who was killed comes back after a minute; what was refused waits.
const PATIENCE: Duration = Duration::from_mins(6);
/// One in so many is refused, and one letter in so many is taken without a word.
const REFUSED: usize = 5;
const UNANSWERED: usize = 7;

/// What came to the webhook, as it came.
#[derive(Default)]
struct Came {
    calls: usize,
    /// By id: each body, and how often it was taken.
    taken: BTreeMap<String, (BTreeSet<String>, usize)>,
}

/// Now and then it refuses a letter for the time being, and now and then it hangs up once it has taken one, so that the
/// sender cannot know.
fn mail_server() -> MailServer {
    let came = AtomicUsize::new(0);
    MailServer::start(move |said| {
        if said != "." {
            return Some("250 fine");
        }
        let number = 1 + came.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(REFUSED) {
            return Some("451 not now");
        }
        (!number.is_multiple_of(UNANSWERED)).then_some("250 taken")
    })
}

pub(crate) struct Heard {
    side: Side,
    came: Arc<Mutex<Came>>,
    mail: MailServer,
}

impl Heard {
    pub(crate) fn start() -> Self {
        let came: Arc<Mutex<Came>> = Arc::default();
        let kept = Arc::clone(&came);
        let side = Side::start(move |request: &Request| {
            // Who sent it was killed in the middle.
            if request.header("content-length") != request.body.len().to_string() {
                return (400, String::new());
            }
            let mut came = kept.lock().unwrap();
            came.calls += 1;
            if came.calls.is_multiple_of(REFUSED) {
                return (503, String::new());
            }
            let (bodies, times) = came.taken.entry(request.header("webhook-id").to_owned()).or_default();
            bodies.insert(request.body.clone());
            *times += 1;
            (200, String::new())
        });
        Self { side, came, mail: mail_server() }
    }

    /// What `dossier.toml` says of it, below all that stands before the first table there.
    pub(crate) fn settings(&self, root: &Path) -> String {
        fs::write(root.join("secret"), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n").unwrap();
        let on = "on = [\"decided\", \"documents_requested\", \"in_review\"]";
        let mut text = "[network]\nprivate = [\"127.0.0.1\"]\n".to_owned();
        writeln!(
            text,
            "[[delivery.webhook]]\nname = \"core\"\nurl = \"http://127.0.0.1:{}/\"\n\
             secret = {{ file = \"secret\" }}\n{on}\n\
             [[delivery.folder]]\nname = \"results\"\npath = \"results\"\n{on}\n\
             [delivery.mail]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"loans@example.org\"",
            self.side.port, self.mail.port
        )
        .unwrap();
        text
    }

    /// Waits until nothing is to be delivered any more.
    pub(crate) async fn settle(&self, db: &StoreAddress) {
        let store = Store::open(db).await.unwrap();
        let started = Instant::now();
        loop {
            let counts = store.delivery_counts().await.unwrap();
            if counts.iter().all(|(state, count)| *state != DeliveryState::Waiting || *count == 0) {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "{counts:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        store.close().await;
    }

    /// Each decision was written down once for everybody who hears of it, arrived, and arrived as the same under the
    /// same id; the folder holds one file for each case, which says what was decided last.
    pub(crate) async fn check(&self, flood: &Flood, db: &StoreAddress) {
        let store = Store::open(db).await.unwrap();
        let taken = std::mem::take(&mut self.came.lock().unwrap().taken);
        let letters = self.mail.take();
        let (mut told, mut again, mut letter_ids) = (BTreeSet::new(), 0, BTreeSet::new());
        for (bodies, times) in taken.values() {
            assert_eq!(bodies.len(), 1, "under one id the same is said");
            again += times - 1;
        }
        for reference in flood.cases.keys() {
            let id = store.case_id(FLOW, reference).await.unwrap().unwrap();
            let result = serde_json::to_value(store.case(&id).await.unwrap().unwrap().result).unwrap();
            let events = store.events(&id).await.unwrap();
            let decided = events.iter().filter(|event| event.kind == EventKind::Decided).count();
            let deliveries = store.deliveries(None, Some(&id), None, 1_000).await.unwrap();
            assert!(deliveries.iter().all(|one| one.state == DeliveryState::Delivered), "{deliveries:?}");
            for destination in ["core", "results"] {
                let of = deliveries.iter().filter(|one| one.destination == destination).count();
                assert_eq!(of, decided, "{reference}: each decision once to {destination}");
            }
            // The newest stands first.
            let mut of_core = deliveries.iter().filter(|one| one.destination == "core").map(|one| &one.id);
            let newest = of_core.next().unwrap();
            let (bodies, _) = taken.get(newest).unwrap_or_else(|| panic!("{reference} was told to nobody"));
            let said: serde_json::Value = serde_json::from_str(bodies.first().unwrap()).unwrap();
            assert_eq!(said, result, "{reference}");
            letter_ids.append(&mut check_letters(flood, reference, &deliveries, &events, &letters));
            told.extend(of_core.chain([newest]).cloned());
            let file = flood.root.join("results").join(FLOW).join(format!("{reference}.json"));
            let written: serde_json::Value =
                serde_json::from_slice(&fs::read(file).unwrap_or_else(|_| panic!("{reference} has no file")))
                    .unwrap();
            assert_eq!(written, result, "{reference}");
        }
        assert_eq!(told, taken.keys().cloned().collect(), "what is told is what is on record");
        let files = fs::read_dir(flood.root.join("results").join(FLOW)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.ends_with(".json")).count(), flood.cases.len());
        let taken: BTreeSet<&str> = letters.iter().map(|letter| letter.header("message-id")).collect();
        assert_eq!(
            taken,
            letter_ids.iter().map(String::as_str).collect(),
            "what is written is what is on record"
        );
        eprintln!(
            "{} webhooks arrived, {again} of them once more; {} letters, {} of them once more",
            told.len(),
            taken.len(),
            letters.len() - taken.len()
        );
        store.close().await;
    }
}

/// The applicant of a case got a letter about each decision that is one, once it was known where to: at least once, each
/// time the same, under the same id, and about nothing else. Gives the ids.
fn check_letters(
    flood: &Flood,
    reference: &str,
    deliveries: &[Delivery],
    events: &[Event],
    letters: &[Letter],
) -> BTreeSet<String> {
    let of_mail: Vec<&Delivery> = deliveries.iter().filter(|one| one.destination == "mail").collect();
    let Some(address) = flood.addresses.get(reference) else {
        assert!(of_mail.is_empty(), "{reference}: nobody knows where to");
        return BTreeSet::new();
    };
    let decided: Vec<(&Event, &str)> = events
        .iter()
        .filter(|event| event.kind == EventKind::Decided)
        .map(|event| (event, event.detail["outcome"].as_str().unwrap()))
        .collect();
    // A copy that was dropped without the declaration may have been decided first.
    let (last, outcome) = decided.last().unwrap();
    let about_last = of_mail.iter().filter(|one| one.created_at == last.at).count();
    assert_eq!(about_last, usize::from(*outcome != "review"), "{reference}: the last decision, {outcome}");
    let mut ids = BTreeSet::new();
    for delivery in of_mail {
        let (_, outcome) = decided
            .iter()
            .find(|(event, _)| event.at == delivery.created_at)
            .unwrap_or_else(|| panic!("{reference}: a letter about what did not happen"));
        let (occasion, subject) = match *outcome {
            "accept" => (Occasion::Decided, "aceptado"),
            "reject" => (Occasion::Decided, "no aceptado"),
            "request_documents" => (Occasion::DocumentsRequested, "necesitamos documentos"),
            other => panic!("{reference}: a letter about {other}"),
        };
        assert_eq!(delivery.occasion, occasion, "{reference}");
        let id = format!("<{}@example.org>", delivery.id);
        let copies: BTreeSet<&Letter> =
            letters.iter().filter(|letter| letter.header("message-id") == id).collect();
        assert_eq!(copies.len(), 1, "{reference}: it arrives, each time the same: {copies:?}");
        let letter = copies.first().unwrap();
        let expected = format!("Su expediente {reference}: {subject}");
        assert_eq!((letter.header("to"), letter.header("subject")), (address.as_str(), expected.as_str()));
        assert!(ids.insert(id), "{reference}: each letter has an id of its own");
    }
    ids
}
