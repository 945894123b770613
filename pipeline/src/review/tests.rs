//! A person's changes and decisions, on a case made by hand.

use super::*;
use crate::config::{Bundle, DocumentTypeConfig, load_document_types};
use crate::domain::{CaseResult, Check, Document, DocumentType, Field, Mode, Outcome, Part, Value};
use crate::rules::{Flow, Language};
use crate::store::testing::plain_result;
use crate::store::{Effect, Event, EventKind};

fn types() -> Vec<DocumentTypeConfig> {
    load_document_types(&Bundle::embedded_rules()).unwrap()
}

fn flow() -> Flow {
    Flow::load(&Bundle::embedded_rules(), "consumer_loan").unwrap()
}

fn field(value: &str) -> Field {
    Field {
        value: Value::Text(value.to_owned()),
        raw: value.to_owned(),
        confidence: 0.8,
        page: 1,
        file: "payslip.pdf".to_owned(),
        bounds: [0.1, 0.2, 0.3, 0.02],
        checks: vec![],
        repaired: false,
        confirmed: false,
        entered: false,
    }
}

fn payslip() -> Document {
    Document {
        document_type: DocumentType::new("payslip"),
        type_confidence: 0.99,
        parts: vec![Part { file: "payslip.pdf".to_owned(), sha256: "aa".to_owned(), pages: vec![1, 2] }],
        fields: [("net_pay".to_owned(), field("1500.00")), ("employer_name".to_owned(), field("ACME"))]
            .into(),
        findings: vec![],
    }
}

fn result() -> CaseResult {
    let plain = plain_result("A-1", Outcome::Review);
    CaseResult { reasons: vec![], documents: vec![payslip()], ..plain }
}

fn correct(field: &str, input: &str, place: Option<Place>) -> Result<Changed, ChangeError> {
    let wanted = Change::Correct { document: 0, field: field.to_owned(), input: input.to_owned(), place };
    change(&types(), result(), wanted, "x1".to_owned())
}

#[test]
fn a_corrected_field_is_confirmed_normalised_and_told_without_its_value() {
    let changed = correct("net_pay", "1.512,30 €", None).unwrap();
    let net_pay = &changed.result.documents[0].fields["net_pay"];
    assert_eq!(net_pay.value, Value::Text("1512.30".to_owned()));
    assert!(net_pay.confirmed && net_pay.entered);
    assert_eq!(format!("{:?}", net_pay.bounds), "[0.1, 0.2, 0.3, 0.02]", "it stays where it was");
    assert_eq!(changed.corrections[0].before.as_deref(), Some("\"1500.00\""));
    assert_eq!(changed.corrections[0].machine_confidence, Some(0.8));
    let (kind, detail) = &changed.event;
    assert_eq!((*kind, detail["field"].as_str()), (EventKind::Corrected, Some("net_pay")));
    assert!(!detail.to_string().contains("15"), "{detail}");
}

#[test]
fn a_value_typed_as_it_was_read_is_still_the_machines() {
    let changed = correct("net_pay", "1500,00", None).unwrap();
    let net_pay = &changed.result.documents[0].fields["net_pay"];
    assert!(net_pay.confirmed && !net_pay.entered);
    assert_eq!(changed.event.1["changed"], false);
}

#[test]
fn a_new_field_gets_the_place_that_was_pointed_at() {
    let place = Place {
        file: "payslip.pdf".to_owned(),
        page: 2,
        bounds: [0.5, 0.5, 0.1, 0.9],
        raw: "B1234".to_owned(),
    };
    let changed = correct("employer_tax_id", "B-12345674", Some(place.clone())).unwrap();
    let added = &changed.result.documents[0].fields["employer_tax_id"];
    assert_eq!((added.page, added.value.as_text()), (2, Some("B12345674")));
    assert_eq!(added.checks, [Check::new("tax_id_control", true)]);
    assert_eq!(changed.corrections[0].kind, "added");
    let elsewhere = correct("employer_tax_id", "B12345674", Some(Place { page: 7, ..place }));
    assert!(matches!(elsewhere, Err(ChangeError::NoPlace { page: 7, .. })), "{elsewhere:?}");
}

#[test]
fn what_is_not_there_is_refused() {
    assert!(matches!(correct("net_pay", "much", None), Err(ChangeError::NoValue { .. })));
    assert!(matches!(correct("iban_of_the_moon", "1", None), Err(ChangeError::NoField { .. })));
    let confirm = Change::Confirm { document: 3, field: "net_pay".to_owned() };
    assert_eq!(change(&types(), result(), confirm, String::new()).unwrap_err(), ChangeError::NoDocument(3));
}

#[test]
fn what_people_said_outlives_a_new_reading_of_the_same_pages() {
    let before = correct("net_pay", "1600", None).unwrap().result;
    let mut again = vec![payslip(), payslip()];
    again[1].parts[0].sha256 = "bb".to_owned();
    carry_over(&before, &mut again);
    assert_eq!(again[0].fields["net_pay"].value.as_text(), Some("1600.00"));
    assert_eq!(again[1].fields["net_pay"].value.as_text(), Some("1500.00"));
    assert!(!again[0].fields["employer_name"].confirmed);
}

#[test]
fn a_decision_over_the_limit_needs_a_second_person() {
    let flow = flow();
    let limit = flow.config.review.four_eyes_above.expect("the shipped flow has one");
    let under = i64::try_from(limit.mantissa()).unwrap() * 100;
    let judge = |cents, first, senior| judge(&flow, result(), Judgement::Accept, cents, first, senior);
    assert_eq!(judge(under, None, false).effect, Effect::Close);
    let first = judge(under + 1, None, true);
    assert_eq!(first.effect, Effect::SecondOpinion { outcome: Outcome::Accept });
    assert_eq!((first.result.outcome, first.result.mode), (Outcome::Review, None), "it is not decided yet");
    assert_eq!(judge(under + 1, Some(Outcome::Accept), false).effect, Effect::Close);
    assert_eq!(judge(under + 1, Some(Outcome::Reject), false).effect, Effect::Escalate);
    assert_eq!(judge(under + 1, Some(Outcome::Reject), true).effect, Effect::Close);
}

#[test]
fn a_case_is_manual_when_nothing_of_the_machine_was_used() {
    let flow = flow();
    let decided = judge(&flow, result(), Judgement::Reject, 0, None, false).result;
    assert_eq!((decided.outcome, decided.mode), (Outcome::Reject, Some(Mode::Hybrid)));
    let mut keyed = result();
    for field in keyed.documents[0].fields.values_mut() {
        field.entered = true;
    }
    assert_eq!(mode_after(&keyed), Mode::Manual);
}

#[test]
fn the_request_names_what_is_missing() {
    let flow = flow();
    assert_eq!(wanted_documents(&flow, &result()), ["id_card|passport", "bank_statement", "contract"]);
    let draft = draft_request(&flow, &result(), Language::En);
    assert!(draft.contains("the bank statement") && !draft.contains("payslip"), "{draft}");
}

#[test]
fn what_is_at_stake_is_the_first_amount_that_is_there() {
    let declared = serde_json::json!({"loan": {"principal": "12000.50"}});
    assert_eq!(amount_cents(&flow(), &result(), &declared), 1_200_050);
    assert_eq!(amount_cents(&flow(), &result(), &serde_json::json!({})), 0);
}

fn at(text: &str) -> i64 {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp_micros()
}

fn event(kind: EventKind, at: i64) -> Event {
    Event {
        sequence: 1,
        kind,
        at,
        actor: "machine".to_owned(),
        detail: serde_json::json!({}),
        previous_hash: String::new(),
        hash: String::new(),
    }
}

#[test]
fn deadlines_run_on_working_days_and_stand_still_while_documents_are_awaited() {
    let mut flow = flow();
    flow.config.sla = crate::rules::Sla { goal_days: 1.0, deadline_days: 2.0, escalate_days: 0.5 };
    // Thursday before the Good Friday of 2026.
    let received = at("2026-04-02 12:00");
    let (goal, due) = goal_and_deadline(&flow, received, 0);
    assert_eq!((goal, due), (at("2026-04-06 12:00"), at("2026-04-07 12:00")));

    let history = [
        event(EventKind::Received, received),
        event(EventKind::DocumentsRequested, at("2026-04-02 18:00")),
        event(EventKind::Received, at("2026-04-13 09:00")),
    ];
    let now = at("2026-04-13 10:00");
    let used = working_time_used(&flow, &history, now);
    assert_eq!(used, at("2026-04-13 07:00") - at("2026-04-13 00:00"), "six hours before, one after");
    let (goal, due) = goal_and_deadline(&flow, now, used);
    assert_eq!((goal, due), (at("2026-04-14 03:00"), at("2026-04-15 03:00")));
    let waiting = working_time_used(&flow, &history[..2], now);
    assert_eq!(waiting, at("2026-04-02 18:00") - received, "it runs for nobody while documents are awaited");
    let late = goal_and_deadline(&flow, now, 10 * used);
    assert_eq!(late, (now, now), "what is used up is due now");
    assert_eq!(escalation_horizon(&flow, at("2026-04-02 18:00")), Some(at("2026-04-06 06:00")));
}

#[test]
fn a_flow_that_is_wrong_too_often_sends_its_decisions_to_people() {
    let mut decided = result();
    (decided.outcome, decided.mode) = (Outcome::Accept, Some(Mode::E2e));
    let detail = serde_json::json!({"outcome": "accept", "reasons": []});
    let mut events = vec![(EventKind::Decided, detail)];
    hold_back(&flow(), &mut decided, &mut events);
    assert_eq!((decided.outcome, decided.mode), (Outcome::Review, None));
    assert_eq!(decided.reasons.last().unwrap().code, "QUALITY_FALLBACK");
    assert_eq!((&events[0].1["outcome"], &events[0].1["held_back"]), (&"review".into(), &"accept".into()));

    let mut open = result();
    hold_back(&flow(), &mut open, &mut events);
    assert!(open.reasons.is_empty(), "what goes to a person anyway stays as it is");
}

#[test]
fn rows_of_a_statement_are_corrected_and_checked_again() {
    let rows = |second: &str| {
        format!(
            r#"[{{"date": "2026-01-02", "description": "a", "amount": "-10,00", "balance": "90,00"}},
                {{"date": "2026-01-03", "description": "b", "amount": "{second}", "balance": "95"}}]"#
        )
    };
    let mut before = result();
    before.documents[0].document_type = DocumentType::new("bank_statement");
    before.documents[0].fields =
        [("opening_balance".to_owned(), field("100.00")), ("closing_balance".to_owned(), field("95.00"))]
            .into();
    let mut edit = |field: &str, input: &str| -> Result<Vec<Check>, ChangeError> {
        let wanted =
            Change::Correct { document: 0, field: field.to_owned(), input: input.to_owned(), place: None };
        let changed = change(&types(), before.clone(), wanted, "x1".to_owned())?;
        before = changed.result;
        Ok(before.documents[0].fields["transactions"].checks.clone())
    };
    let checks = |running, total| {
        Ok(vec![Check::new("running_balance", running), Check::new("balances_add_up", total)])
    };
    assert_eq!(edit("transactions", &rows("4,00")), checks(false, false));
    assert_eq!(edit("transactions", &rows("5,00")), checks(true, true));
    assert_eq!(edit("opening_balance", "101,00"), checks(false, false), "balances are part of it");
    let broken = edit("transactions", &rows("much"));
    assert_eq!(broken, Err(ChangeError::NoRows(RowsError::Cell { row: 2, column: "amount" })));
}
