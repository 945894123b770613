//! Fixed histories with figures worked out by hand.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value as Json, json};

use super::*;
use crate::clock::Micros;
use crate::domain::{CaseResult, Document, DocumentType, Field, Mode, Outcome, Reason, Timings, Value};
use crate::store::testing::plain_result;
use crate::store::{Correction, Event, EventKind};

const SECOND: Micros = 1_000_000;

fn event(sequence: usize, at_s: i64, kind: EventKind, actor: &str, detail: Json) -> Event {
    Event {
        sequence: i64::try_from(sequence).unwrap() + 1,
        kind,
        at: at_s * SECOND,
        actor: actor.to_owned(),
        detail,
        previous_hash: String::new(),
        hash: String::new(),
    }
}

fn events(lines: &[(i64, EventKind, &str, Json)]) -> Vec<Event> {
    let lines = lines.iter().enumerate();
    lines.map(|(index, (at, kind, actor, detail))| event(index, *at, *kind, actor, detail.clone())).collect()
}

fn field(confidence: f64) -> Field {
    Field {
        value: Value::Text("x".to_owned()),
        raw: "x".to_owned(),
        confidence,
        page: 1,
        file: "a.pdf".to_owned(),
        bounds: [0.0; 4],
        checks: vec![],
        repaired: false,
        confirmed: false,
        entered: false,
    }
}

fn document(kind: &str, fields: &[(&str, Field)]) -> Document {
    Document {
        document_type: DocumentType::new(kind),
        type_confidence: 0.99,
        parts: vec![],
        fields: fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect(),
        findings: vec![],
    }
}

fn result(outcome: Outcome, mode: Option<Mode>, codes: &[&str]) -> CaseResult {
    let reason = |code: &&str| Reason {
        code: (*code).to_owned(),
        message: String::new(),
        rule: String::new(),
        fields: vec![],
    };
    CaseResult {
        mode,
        reasons: codes.iter().map(reason).collect(),
        documents: vec![
            document("payslip", &[("net_pay", field(0.99)), ("employer_name", field(0.80))]),
            document("contract", &[("iban", field(0.95))]),
        ],
        pages: 3,
        timings_ms: Timings { total: 500, ocr: 400, ..Timings::default() },
        ..plain_result("A-1", outcome)
    }
}

fn record(result: CaseResult, events: Vec<Event>) -> CaseRecord {
    let is_final = result.mode.is_some();
    let end = events.last().map_or(0, |event| event.at);
    CaseRecord {
        created_at: 0,
        first_response_at: is_final.then_some(end),
        final_at: is_final.then_some(end),
        result,
        machine_result: None,
        events,
        corrections: vec![],
        blind: None,
    }
}

fn facts(record: &CaseRecord) -> CaseFacts {
    CaseFacts::of(record, &FlowPolicy::default())
}

/// Received at 0, decided by the machine at 10.
fn end_to_end() -> CaseRecord {
    let history = events(&[
        (0, EventKind::Received, "machine", json!({})),
        (10, EventKind::Decided, "machine", json!({"outcome": "accept", "reasons": []})),
    ]);
    record(result(Outcome::Accept, Some(Mode::E2e), &["ALL_CHECKS_PASSED"]), history)
}

/// Received at 0, in the queue at 10 (due at 1000), taken by ana at 100, corrected at 160, rejected at 220.
fn reviewed() -> CaseRecord {
    let reasons = json!([{"code": "NAME_MISMATCH", "rule": "r", "fields": ["payslip.employer_name"]},
                         {"code": "UNCERTAIN_FIELD", "rule": "r", "fields": ["payslip.net_pay"]}]);
    let history = events(&[
        (0, EventKind::Received, "machine", json!({})),
        (10, EventKind::Decided, "machine", json!({"outcome": "review", "reasons": reasons})),
        (10, EventKind::Queued, "machine", json!({"goal_at": 500 * SECOND, "due_at": 1000 * SECOND})),
        (100, EventKind::Claimed, "ana", json!({})),
        (
            160,
            EventKind::Corrected,
            "ana",
            json!({"document": 0, "type": "payslip", "field": "net_pay", "changed": true}),
        ),
        (160, EventKind::Decided, "ana", json!({"outcome": "review", "reasons": ["NAME_MISMATCH"]})),
        (220, EventKind::Judged, "ana", json!({"outcome": "reject", "rules_said": "review"})),
    ]);
    let mut decided = result(Outcome::Reject, Some(Mode::Hybrid), &["NAME_MISMATCH", "DECIDED_BY_PERSON"]);
    let machine = decided.clone();
    let corrected = decided.documents[0].fields.get_mut("net_pay").unwrap();
    (corrected.confirmed, corrected.entered, corrected.confidence) = (true, true, 1.0);
    let mut case = record(decided, history);
    case.machine_result = Some(machine);
    case.corrections = vec![correction("net_pay", "corrected", Some("\"1\""), Some("\"2\""), Some(0.99))];
    case
}

fn correction(
    name: &str,
    kind: &str,
    before: Option<&str>,
    after: Option<&str>,
    machine_confidence: Option<f64>,
) -> Correction {
    Correction {
        id: String::new(),
        document_type: "payslip".to_owned(),
        field: name.to_owned(),
        kind: kind.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        machine_confidence,
    }
}

#[test]
fn a_case_that_nobody_touched_is_the_machines_time_alone() {
    let facts = facts(&end_to_end());
    assert_eq!(facts.stages, BTreeMap::from([(Stage::Machine, 10)]));
    assert_eq!((facts.first_response_s, facts.resolution_s, facts.in_time), (Some(10), Some(10), None));
    assert_eq!((facts.documents, facts.untouched_documents), (2, 2));
    assert_eq!((facts.field_count, facts.untouched_fields), (3, 3));
    assert_eq!(facts.fields["contract.iban"].certain, 1, "0.95 reaches the threshold of 0.95");
    assert_eq!(facts.fields["payslip.employer_name"], FieldFacts { read: 1, ..FieldFacts::default() });
    assert!(facts.work.is_empty() && facts.sent.is_empty() && facts.reviewer.is_none());
    assert_eq!(facts.marks().into_iter().collect::<Vec<_>>(), ["by:nobody"]);
}

#[test]
fn a_reviewed_case_is_told_apart_by_stage_person_reason_and_field() {
    let facts = facts(&reviewed());
    let stages = BTreeMap::from([(Stage::Machine, 10), (Stage::Queue, 90), (Stage::Review, 120)]);
    assert_eq!(facts.stages, stages);
    let work = Work { seconds: 120, corrections: 1, decisions: 1 };
    assert_eq!(facts.work, BTreeMap::from([("ana".to_owned(), work)]));
    assert_eq!(facts.in_time, Some(true));
    let sent = |code: &str, agreed| SentReason {
        code: code.to_owned(),
        judged: Some(Outcome::Reject),
        agreed: Some(agreed),
    };
    // The objection was upheld; the uncertain value was not.
    assert_eq!(facts.sent, [sent("NAME_MISMATCH", true), sent("UNCERTAIN_FIELD", false)]);
    assert_eq!((facts.documents, facts.untouched_documents), (2, 1));
    assert_eq!((facts.field_count, facts.untouched_fields), (3, 2));
    let net_pay =
        FieldFacts { read: 1, certain: 1, corrected: true, certain_but_wrong: true, ..FieldFacts::default() };
    assert_eq!(facts.fields["payslip.net_pay"], net_pay);
    let marks = facts.marks();
    for mark in
        ["by:ana", "worked:ana", "sla:met", "sent:NAME_MISMATCH:reject", "sent:UNCERTAIN_FIELD:disagreed"]
    {
        assert!(marks.contains(mark), "{mark} is not in {marks:?}");
    }
    assert!(marks.contains("field:payslip.net_pay:certain_but_wrong"));
}

#[test]
fn decisions_at_the_deadline_are_in_time_and_a_microsecond_later_they_are_not() {
    let judged_at = |at: Micros| {
        let mut case = reviewed();
        case.events.last_mut().unwrap().at = at;
        facts(&case).in_time
    };
    assert_eq!(judged_at(1000 * SECOND), Some(true));
    assert_eq!(judged_at(1000 * SECOND + 1), Some(false));
}

#[test]
fn who_lets_a_case_lie_worked_until_their_last_act() {
    let case = |lines: &[(i64, EventKind, &str, Json)]| {
        facts(&record(result(Outcome::Review, None, &[]), events(lines)))
    };
    let none = || json!({});
    let lost = case(&[
        (0, EventKind::Received, "machine", none()),
        (0, EventKind::Queued, "machine", none()),
        (10, EventKind::Claimed, "ana", none()),
        (40, EventKind::Confirmed, "ana", json!({"document": 1, "type": "t", "field": "f"})),
        (500, EventKind::Claimed, "eva", none()),
        (520, EventKind::Postponed, "eva", none()),
        (620, EventKind::Claimed, "eva", none()),
        (630, EventKind::Released, "eva", none()),
    ]);
    assert_eq!(lost.work["ana"].seconds, 30);
    assert_eq!(lost.work["eva"].seconds, 20 + 10);
    let stages = BTreeMap::from([
        (Stage::Machine, 0),
        (Stage::Queue, 10 + 460),
        (Stage::Review, 30 + 20 + 10),
        (Stage::Postponed, 100),
    ]);
    assert_eq!(lost.stages, stages);
    assert_eq!(lost.untouched_documents, 1);
    assert_eq!(lost.reviewer.as_deref(), Some("ana"), "who took it and did nothing is not who decided");
}

#[test]
fn waiting_for_the_applicant_is_a_stage_of_its_own_and_no_touch() {
    let history = events(&[
        (0, EventKind::Received, "machine", json!({})),
        (5, EventKind::Decided, "machine", json!({"outcome": "request_documents", "reasons": []})),
        (5, EventKind::DocumentsRequested, "machine", json!({"wanted": ["payslip"]})),
        (1005, EventKind::Received, "machine", json!({})),
        (1010, EventKind::Decided, "machine", json!({"outcome": "accept", "reasons": []})),
        (1010, EventKind::Sampled, "machine", json!({})),
        (9000, EventKind::BlindJudged, "eva", json!({"outcome": "reject"})),
    ]);
    let mut case = record(result(Outcome::Accept, Some(Mode::E2e), &[]), history);
    case.final_at = Some(1010 * SECOND);
    case.first_response_at = Some(5 * SECOND);
    case.blind = Some(Blind { was_wrong: Some(true) });
    let facts = facts(&case);
    assert_eq!(facts.stages, BTreeMap::from([(Stage::Machine, 10), (Stage::Applicant, 1000)]));
    assert_eq!((facts.first_response_s, facts.resolution_s), (Some(5), Some(1010)));
    assert_eq!(facts.mode, Some(Mode::E2e));
    assert!(facts.work.is_empty() && facts.reviewer.is_none(), "a blind review is no work on the case");
    assert!(facts.marks().contains("blind:wrong"));
}

#[test]
fn what_people_did_to_a_field_is_told_by_the_corrections() {
    let mut case = reviewed();
    case.corrections = vec![
        correction("net_pay", "corrected", Some("1"), Some("1"), Some(0.5)),
        correction("gross_pay", "added", None, Some("3"), None),
        correction("employer_name", "removed", Some("1"), None, Some(0.94)),
        correction("employer_name", "added", None, Some("2"), None),
    ];
    let facts = facts(&case);
    let net_pay = facts.fields["payslip.net_pay"];
    assert!(net_pay.confirmed && !net_pay.corrected, "keyed as it was read is confirmed");
    let gross = facts.fields["payslip.gross_pay"];
    assert_eq!((gross.read, gross.added), (0, true));
    let employer = facts.fields["payslip.employer_name"];
    assert!(employer.removed && employer.added && !employer.certain_but_wrong, "0.94 is not certain");
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn flow_day(date: &str, flow: &str, cases: &[&CaseRecord]) -> FlowDay {
    let mut rollup = Rollup::default();
    for case in cases {
        rollup.add(&facts(case));
    }
    FlowDay { day: day(date), flow: flow.to_owned(), rollup }
}

fn query(by: GroupBy) -> ReportQuery {
    ReportQuery { from: None, to: None, flow: None, by }
}

/// Two end to end and one reviewed on a day; a review in another flow the next day.
fn material() -> Material {
    let (e2e, hybrid) = (end_to_end(), reviewed());
    let mut wrong = end_to_end();
    wrong.blind = Some(Blind { was_wrong: Some(true) });
    let mut open = reviewed();
    open.result.outcome = Outcome::Review;
    open.result.mode = None;
    open.events.pop();
    (open.final_at, open.first_response_at) = (None, None);
    Material {
        days: vec![
            flow_day("2026-03-14", "consumer_loan", &[&e2e, &wrong, &hybrid]),
            flow_day("2026-03-15", "energy_claim", &[&open]),
        ],
        logins: [("ana".to_owned(), "a.garcia".to_owned())].into(),
        ..Material::default()
    }
}

fn report(by: GroupBy) -> Report {
    Report::of(&material(), &query(by), &Policies::default())
}

#[test]
fn a_report_adds_up() {
    let report = report(GroupBy::Flow);
    let total =
        Split { cases: 4, accepted: 2, rejected: 1, e2e: 2, hybrid: 1, review: 1, ..Split::default() };
    assert_eq!(report.total, total);
    assert_eq!(report.groups["consumer_loan"], Split { cases: 3, review: 0, ..total });
    let loans = &report.automation["consumer_loan"];
    assert_eq!((loans.counts.cases, loans.counts.cases_e2e), (3, 2));
    // Six documents, one touched; nine fields, one entered.
    assert_eq!((loans.counts.documents, loans.counts.documents_untouched), (6, 5));
    assert_eq!((loans.counts.fields, loans.counts.fields_untouched), (9, 8));
    assert_eq!(report.automation["energy_claim"].cases_share, None, "nothing is decided there");
    // 10, 10 and 220 seconds.
    let times = &report.times["consumer_loan"];
    assert_eq!(
        (times.resolution.cases, times.resolution.median_s, times.resolution.p90_s),
        (3, Some(10), Some(220))
    );
    assert_eq!((times.sla_met, times.sla_missed, times.sla_share), (1, 0, Some(1.0)));
    assert_eq!(report.sent_cases, 2);
    let names = &report.reasons[0];
    assert_eq!((names.code.as_str(), names.counts.cases, names.counts.agreed), ("NAME_MISMATCH", 2, 1));
    assert_eq!(names.agreed_share, Some(1.0), "of the one that was decided");
    let reviewer = &report.reviewers[0];
    assert_eq!((reviewer.login.as_str(), reviewer.cases, reviewer.decisions), ("a.garcia", 2, 1));
    // The open one ends with the correction, 60 seconds after it was taken.
    assert_eq!((reviewer.total_s, reviewer.median_s, reviewer.corrections), (180, Some(60), 2));
    let queue = report.stages.iter().find(|line| line.stage == Stage::Queue).unwrap();
    assert_eq!((queue.spread.cases, queue.total_s), (2, 180));
    let all: f64 = report.stages.iter().filter_map(|line| line.share).sum();
    assert!((all - 1.0).abs() < 1e-9);
}

#[test]
fn effort_is_reckoned_by_the_flows_parameters() {
    // By default 20 minutes a case by hand, 30 EUR an hour; three cases, 120 seconds of work.
    let loans = report(GroupBy::Flow).effort["consumer_loan"];
    assert_eq!((loans.cases, loans.manual_minutes, loans.worked_minutes), (3, 60.0, 2.0));
    assert!((loans.saved_minutes - 58.0).abs() < 1e-9);
    assert!((loans.cost_per_case.unwrap() - 1.0 / 3.0).abs() < 1e-9);
    assert!((loans.manual_cost_per_case - 10.0).abs() < 1e-9);
    assert_eq!(report(GroupBy::Flow).effort["energy_claim"].cost_per_case, None);
}

#[test]
fn the_rate_of_wrong_decisions_is_of_those_judged() {
    let quality = report(GroupBy::Flow).quality["consumer_loan"];
    assert_eq!((quality.decided_e2e, quality.drawn, quality.judged, quality.wrong), (2, 1, 1, 1));
    assert!((quality.wrong_rate.unwrap().rate - 1.0).abs() < 1e-9);
    assert_eq!(report(GroupBy::Flow).quality["energy_claim"].wrong_rate, None);
}

#[test]
fn groups_are_what_was_asked_for() {
    let groups = |by| report(by).groups.into_keys().collect::<Vec<_>>();
    assert_eq!(groups(GroupBy::Day), ["2026-03-14", "2026-03-15"]);
    assert_eq!(groups(GroupBy::Week), ["2026-W11"]);
    assert_eq!(groups(GroupBy::Month), ["2026-03"]);
    assert_eq!(groups(GroupBy::Reviewer), ["a.garcia", "nobody (end to end)"]);
    let reasons = report(GroupBy::Reason);
    assert_eq!(reasons.groups["NAME_MISMATCH"].cases, 2);
    assert_eq!(reasons.total.cases, 4, "a case with two reasons counts once in all");
}

#[test]
fn merging_days_is_counting_their_cases() {
    let (one, two) = (end_to_end(), reviewed());
    let mut merged = flow_day("2026-03-14", "f", &[&one]).rollup;
    merged.merge(&flow_day("2026-03-15", "f", &[&two, &one]).rollup);
    assert_eq!(merged, flow_day("2026-03-14", "f", &[&one, &two, &one]).rollup);
}

#[test]
fn links_lead_to_the_days_of_a_group_and_no_farther() {
    let asked = ReportQuery { from: Some(day("2026-03-14")), to: None, flow: None, by: GroupBy::Week };
    let report = Report::of(&material(), &asked, &Policies::default());
    let split = &report.sheets()[0];
    let Cell::Count { count: 4, cases: Some(link), .. } = &split.rows[0][1] else {
        panic!("{:?}", split.rows[0]);
    };
    // The week began on the 9th, the report on the 14th; it ends with the week's last day.
    assert_eq!(
        (link.0["decided_from"].as_str(), link.0["decided_to"].as_str()),
        ("2026-03-14", "2026-03-15")
    );
    let Cell::Count { count: 0, cases: None, .. } = &split.rows[0][6] else {
        panic!("nothing leads to no case: {:?}", split.rows[0]);
    };
}

#[test]
fn every_format_holds_the_figures() {
    let report = report(GroupBy::Flow);
    for format in [ReportFormat::Table, ReportFormat::Json, ReportFormat::Csv, ReportFormat::Html] {
        let text = String::from_utf8(render(&report, format, None).unwrap()).unwrap();
        assert!(text.contains("consumer_loan"), "{format:?}");
    }
    let csv = String::from_utf8(render(&report, ReportFormat::Csv, None).unwrap()).unwrap();
    assert_eq!(
        csv.lines().next().unwrap(),
        "flow,cases,accepted,rejected,end to end,hybrid,manual,waiting for documents,review"
    );
    assert_eq!(csv.lines().last().unwrap(), "total,4,2,1,2,1,0,0,1");
    let reviewers =
        String::from_utf8(render(&report, ReportFormat::Csv, Some("reviewers")).unwrap()).unwrap();
    assert_eq!(reviewers.lines().nth(1).unwrap(), "a.garcia,2,1,2,60,180");
    assert!(render(&report, ReportFormat::Xlsx, None).unwrap().starts_with(b"PK"));
    for sheet in report.sheets() {
        let widths: Vec<usize> = sheet.rows.iter().map(Vec::len).collect();
        assert!(widths.iter().all(|width| *width == sheet.columns.len()), "{}: {widths:?}", sheet.code);
    }
}

#[test]
fn an_empty_report_is_one() {
    let report = Report::of(&Material::default(), &query(GroupBy::Day), &Policies::default());
    assert_eq!(report.total, Split::default());
    for format in
        [ReportFormat::Table, ReportFormat::Json, ReportFormat::Csv, ReportFormat::Xlsx, ReportFormat::Html]
    {
        assert!(!render(&report, format, None).unwrap().is_empty());
    }
}
