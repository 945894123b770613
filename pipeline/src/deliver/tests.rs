//! Deliveries from the store to other sides on loopback.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::testing::MailServer;
use super::*;
use crate::clock::FixedClock;
use crate::net::NetworkSettings;
use crate::store::testing::{TestStore, plain_result, stores};
use crate::store::{Arrival, DeliveryState, EventKind, Finished};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn waits_grow_are_spread_and_listen_to_the_other_side() {
    assert_eq!(wait_after(1, 0, 0.0), FIRST_WAIT / 2);
    assert_eq!(wait_after(1, 0, 1.0), FIRST_WAIT);
    assert_eq!(wait_after(3, 0, 1.0), FIRST_WAIT * 4);
    assert_eq!(wait_after(99, 0, 1.0), LONGEST_WAIT);
    assert_eq!(wait_after(1, 60, 0.5), 60_000_000);
    assert_eq!(wait_after(1, u32::MAX, 0.5), LONGEST_WAIT);
    let share = random_share();
    assert!((0.0..1.0).contains(&share));
}

fn outbox(settings: &str) -> Result<Outbox, DeliveryError> {
    let network = NetworkSettings { private: ["127.0.0.1".to_owned()].into(), ..NetworkSettings::default() };
    let settings: DeliverySettings = toml::from_str(settings).unwrap();
    Outbox::of(&settings, &Outside::new(network).unwrap(), &Bundle::embedded_rules())
}

fn webhook(folder: &tempfile::TempDir, port: u16) -> String {
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    format!(
        "attempts = 3\n[[webhook]]\nname = \"core\"\nurl = \"http://127.0.0.1:{port}/hook\"\nsecret = {{ file = {:?} }}\n",
        secret.to_str().unwrap()
    )
}

/// What a decision is to the store, with what others are told of it.
fn finished(outbox: &Outbox, id: &str, revision: i64, outcome: Outcome) -> Finished {
    let flow = Flow::load(&Bundle::embedded_rules(), "consumer_loan").unwrap();
    let declared = serde_json::json!({"applicant": {"email": "ana@example.org", "given_names": "Ana"}});
    let result = plain_result(id, outcome);
    let occasion = Occasion::of(outcome);
    let news = News { occasion, result: &result, declared: &declared, message: "nómina" };
    Finished {
        case_id: id.to_owned(),
        revision,
        job: None,
        amount_cents: 0,
        goal_at: None,
        due_at: None,
        request: None,
        events: vec![(EventKind::Decided, serde_json::json!({"outcome": outcome}))],
        page_counts: Vec::new(),
        deliveries: outbox.letters(&flow, news),
        result,
    }
}

/// A decided case with what its flow's destinations are told.
async fn decided(store: &TestStore, outbox: &Outbox, id: &str, outcome: Outcome, at: Micros) {
    let arrival = Arrival {
        flow: "consumer_loan".to_owned(),
        reference: id.to_owned(),
        today: "2026-03-14".parse().unwrap(),
        declared: None,
        files: Vec::new(),
        findings: Vec::new(),
        channel: "folder",
        actor: "machine".to_owned(),
    };
    store.accept(id, &arrival, at).await.unwrap();
    assert!(store.finish(finished(outbox, id, 1, outcome), at).await.unwrap());
}

/// A receiver that answers with these statuses in turn, the last one for ever, and keeps what came: heads
/// and bodies.
async fn receiver(statuses: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<(String, String)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let keeping = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let begin = head.len();
                stream.read_line(&mut head).await.unwrap();
                let line = head.get(begin..).unwrap().to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let count = {
                let mut kept = keeping.lock().unwrap();
                kept.push((head, String::from_utf8(body).unwrap()));
                kept.len()
            };
            let status = statuses[(count - 1).min(statuses.len() - 1)];
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, kept)
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_webhook_is_signed_and_sent_again_with_the_same_id_until_it_is_taken() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let (port, kept) = receiver(&["500 x", "200 x"]).await;
        let outbox = outbox(&webhook(&folder, port)).unwrap();
        decided(&store, &outbox, "c1", Outcome::Accept, 1_000_000).await;
        decided(&store, &outbox, "c2", Outcome::Review, 1_000_000).await;
        assert_eq!(
            deliver_due(&outbox, &store, &FixedClock(2_000_000)).await.unwrap(),
            1,
            "reviews are no news"
        );
        assert_eq!(deliver_due(&outbox, &store, &FixedClock(2_000_001)).await.unwrap(), 0, "it waits");
        let waiting = store.deliveries(Some(DeliveryState::Waiting), None, None, 9).await.unwrap();
        assert_eq!((waiting[0].attempts, waiting[0].problem.as_deref()), (1, Some("it answered 500")));
        assert_eq!(deliver_due(&outbox, &store, &FixedClock(20_000_000)).await.unwrap(), 1);
        let delivered = store.deliveries(None, Some("c1"), None, 9).await.unwrap();
        assert_eq!((delivered[0].state, delivered[0].attempts), (DeliveryState::Delivered, 2));
        assert_eq!((delivered[0].problem.as_ref(), delivered.len()), (None, 1));
        let kept = kept.lock().unwrap().clone();
        assert_eq!(kept[0].1, kept[1].1);
        let result: CaseResult = serde_json::from_str(&kept[1].1).unwrap();
        assert_eq!(result, plain_result("c1", Outcome::Accept));
        assert_eq!(header(&kept[0].0, "webhook-id"), delivered[0].id);
        assert_eq!(header(&kept[1].0, "webhook-id"), delivered[0].id);
        let stamps = [0, 1].map(|index: usize| header(&kept[index].0, "webhook-timestamp"));
        assert_eq!(stamps, ["2", "20"]);
        assert_ne!(header(&kept[0].0, "webhook-signature"), header(&kept[1].0, "webhook-signature"));
        assert!(header(&kept[1].0, "webhook-signature").starts_with("v1,"));
        assert_eq!(header(&kept[1].0, "dossier-event"), "decided");
        let body: Option<String> = store.delivery_body(&delivered[0].id).await.unwrap();
        assert_eq!(body, None, "what was delivered is not kept");
    }
}

#[tokio::test]
async fn after_all_attempts_it_is_a_dead_letter_which_can_be_sent_again() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let (port, kept) = receiver(&["302 x", "302 x", "302 x", "204 x", "410 x"]).await;
        let outbox = outbox(&webhook(&folder, port)).unwrap();
        decided(&store, &outbox, "c1", Outcome::Reject, 1).await;
        for day in 1..=4 {
            deliver_due(&outbox, &store, &FixedClock(day * 86_400_000_000)).await.unwrap();
        }
        let dead = store.deliveries(Some(DeliveryState::Dead), None, None, 9).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts, kept.lock().unwrap().len()), (1, 3, 3));
        assert!(dead[0].problem.as_deref().unwrap().contains("redirects are not followed"));
        let counts = store.delivery_counts().await.unwrap();
        assert!(counts.contains(&(DeliveryState::Dead, 1)), "{counts:?}");
        assert_eq!(store.resend(Some("no such"), 9).await.unwrap(), 0);
        assert_eq!(store.resend(None, 9).await.unwrap(), 1);
        assert_eq!(store.resend(None, 9).await.unwrap(), 0, "it waits already");
        deliver_due(&outbox, &store, &FixedClock(10)).await.unwrap();
        let sent = store.deliveries(None, None, None, 9).await.unwrap();
        assert_eq!((sent[0].state, &sent[0].id), (DeliveryState::Delivered, &dead[0].id));
        assert_eq!(store.resend(None, 9).await.unwrap(), 0, "what arrived is not sent again");
        decided(&store, &outbox, "c2", Outcome::Reject, 20).await;
        deliver_due(&outbox, &store, &FixedClock(30)).await.unwrap();
        let gone = store.deliveries(Some(DeliveryState::Dead), None, None, 9).await.unwrap();
        assert_eq!((gone[0].attempts, gone[0].case_id.as_str()), (1, "c2"), "410 wants no more");
    }
}

#[tokio::test]
async fn a_destination_that_is_gone_or_inside_is_told_nothing() {
    let store = stores().await.swap_remove(0);
    let folder = tempfile::tempdir().unwrap();
    let settings = webhook(&folder, 9);
    let before = outbox(&settings).unwrap();
    decided(&store, &before, "c1", Outcome::Accept, 1).await;
    deliver_due(&outbox("").unwrap(), &store, &FixedClock(2)).await.unwrap();
    let dead = store.deliveries(Some(DeliveryState::Dead), None, None, 9).await.unwrap();
    assert!(dead[0].problem.as_deref().unwrap().contains("no destination core any more"));
    let inside = settings.replace("127.0.0.1", "10.0.0.1").replace("http:", "https:");
    assert!(outbox(&inside).unwrap_err().to_string().contains("not public"));
    let twice = format!("{settings}[[folder]]\nname = \"core\"\npath = \"x\"\n");
    assert!(matches!(outbox(&twice), Err(DeliveryError::Twice(_))));
}

#[tokio::test]
async fn a_result_is_a_whole_file_and_the_newest_news_win() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("results");
        let settings = format!(
            "[[folder]]\nname = \"files\"\npath = {:?}\nflows = [\"consumer_loan\"]\n",
            root.to_str().unwrap()
        );
        let outbox = outbox(&settings).unwrap();
        assert_eq!(outbox.examine().await, [("files".to_owned(), Ok(()))]);
        decided(&store, &outbox, "A/../1", Outcome::RequestDocuments, 5).await;
        let rejected = finished(&outbox, "A/../1", 2, Outcome::Reject);
        assert!(store.expire(rejected, 6).await.unwrap());
        assert_eq!(deliver_due(&outbox, &store, &FixedClock(7)).await.unwrap(), 2);
        let file = root.join("consumer_loan/A_.._1.json");
        let result: CaseResult = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(result.outcome, Outcome::Reject, "whatever is written last");
        assert_eq!(std::fs::read_dir(root.join("consumer_loan")).unwrap().count(), 1, "no drafts are left");
    }
}

#[tokio::test]
async fn a_clock_that_was_put_back_holds_no_delivery_up() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            format!("[[folder]]\nname = \"files\"\npath = {:?}\n", folder.path().to_str().unwrap());
        let outbox = outbox(&settings).unwrap();
        let now = FixedClock(1_000_000);
        decided(&store, &outbox, "A-1", Outcome::Reject, now.0 + LONGEST_WAIT).await;
        decided(&store, &outbox, "A-2", Outcome::Reject, now.0 + 3 * LONGEST_WAIT).await;
        deliver_to_unknown(&outbox, &store, &now).await.unwrap();
        assert_eq!(deliver_due(&outbox, &store, &now).await.unwrap(), 1);
        assert!(folder.path().join("consumer_loan/A-2.json").exists(), "the other may well wait so long");
    }
}

fn mail(port: u16) -> String {
    format!(
        "[mail]\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Préstamos <loans@example.org>\"\n"
    )
}

#[tokio::test]
async fn an_applicant_gets_mail_and_an_address_that_is_refused_is_a_dead_letter() {
    for store in stores().await {
        let server = MailServer::start(|_| Some("250 fine"));
        let outbox_ = outbox(&mail(server.port)).unwrap();
        assert_eq!(outbox_.examine().await, [("mail".to_owned(), Ok(()))]);
        decided(&store, &outbox_, "c1", Outcome::RequestDocuments, 1).await;
        assert_eq!(deliver_due(&outbox_, &store, &FixedClock(2)).await.unwrap(), 1);
        let sent = store.deliveries(Some(DeliveryState::Delivered), None, None, 9).await.unwrap();
        let letters = server.take();
        assert_eq!(letters.len(), 1, "{letters:?}");
        let header = |name: &str| letters[0].header(name);
        assert_eq!(header("to"), "ana@example.org");
        assert_eq!(header("message-id"), format!("<{}@example.org>", sent[0].id));
        assert_eq!(header("auto-submitted"), "auto-generated");

        let refusal = "550 nobody ana@example.org here";
        let server =
            MailServer::start(move |said| Some(if said.starts_with("RCPT") { refusal } else { "250 fine" }));
        let refusing = outbox(&mail(server.port)).unwrap();
        decided(&store, &refusing, "c2", Outcome::Accept, 3).await;
        deliver_due(&refusing, &store, &FixedClock(4)).await.unwrap();
        let dead = store.deliveries(Some(DeliveryState::Dead), None, None, 9).await.unwrap();
        assert_eq!(dead[0].problem.as_deref(), Some("the mail server answered 550"), "it names nobody");
    }
}

#[test]
fn mail_without_tls_or_with_half_a_login_is_refused() {
    let told = |settings: &str| outbox(settings).unwrap_err().to_string();
    assert!(told(&mail(25).replace("127.0.0.1", "mail.example.org")).contains("without TLS"));
    assert!(told(&(mail(25) + "user = \"x\"\n")).contains("without a password"));
    assert!(told(&mail(25).replace("loans@example.org", "loans")).contains("from of [delivery.mail]"));
}

#[tokio::test]
async fn a_destination_that_hangs_holds_up_no_other() {
    let store = stores().await.swap_remove(0);
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = folder.path().join("results");
    let both = format!(
        "{}[[folder]]\nname = \"files\"\npath = {:?}\n",
        webhook(&folder, silent.local_addr().unwrap().port()),
        root.to_str().unwrap()
    );
    let outbox = outbox(&both).unwrap();
    for number in 0..20 {
        decided(&store, &outbox, &format!("c{number}"), Outcome::Accept, 1).await;
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let delivering = deliver(&outbox, &store, &FixedClock(2), async { drop(stopped.await) });
    let written = async {
        let place = root.join("consumer_loan");
        while std::fs::read_dir(&place).map_or(0, Iterator::count) < 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = delivering => unreachable!("nobody stopped it"),
        () = written => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("files wait for the webhook"),
    }
    let waiting = store.deliveries(Some(DeliveryState::Waiting), None, None, 99).await.unwrap();
    let of_the_webhook = waiting.iter().filter(|delivery| delivery.destination == "core");
    assert_eq!(of_the_webhook.count(), 20);
    drop(stop);
}
