//! Made-up cases in any number, written as the server would have left them: with results, hash-chained
//! histories, corrections and blind samples. For tests of lists, reports and the queue; follows from a seed.
//! Fails by panicking, as tests do.
#![expect(clippy::unwrap_used, reason = "tests alone call it, those of other crates too")]

use serde_json::{Value as Json, json};

use super::connect::Store;
use super::event::{Event, EventKind};
use super::query::{Transaction, query};
use super::record::insert_event;
use crate::clock::{Micros, date_of};

pub const FLOWS: [&str; 3] = ["consumer_loan", "energy_claim", "insurance_claim"];
const REASONS: [&str; 6] = [
    "NAME_MISMATCH",
    "UNCERTAIN_FIELD",
    "INCOME_NOT_CONFIRMED",
    "AMOUNT_LIMIT",
    "UNDERAGE",
    "DEBT_TO_INCOME",
];
const FIELDS: [(&str, &str); 8] = [
    ("payslip", "net_pay"),
    ("payslip", "employer_name"),
    ("payslip", "employee_name"),
    ("contract", "iban"),
    ("contract", "principal"),
    ("contract", "instalment"),
    ("id_card", "document_number"),
    ("id_card", "expiry_date"),
];
const REVIEWERS: usize = 40;
const HOUR: Micros = 3_600_000_000;
const BATCH: usize = 1_000;

/// The end of the time in which all cases came in.
const NOW: Micros = 1_780_000_000_000_000;

/// Writes cases that came in evenly over `span`, and says what time it is when all have.
pub async fn fill(store: &Store, cases: usize, span: Micros) -> Micros {
    for number in 0..REVIEWERS {
        query(
            "insert into users (id, login, name, role, password_hash, created_at)
             values ($1, $1, $1, 'reviewer', '', 0)",
        )
        .bind(format!("reviewer-{number}"))
        .execute(&store.pool)
        .await
        .unwrap();
    }
    let step = span / i64::try_from(cases).unwrap();
    for first in (0..cases).step_by(BATCH) {
        let mut transaction = store.begin().await.unwrap();
        for number in first..cases.min(first + BATCH) {
            let at = NOW - span + step * i64::try_from(number).unwrap();
            Case::new(number, at).write(&mut transaction).await;
        }
        transaction.commit().await.unwrap();
    }
    NOW
}

/// Writes cases that came to the queue at `now`, decided by the rules of this version.
pub async fn fill_queue(store: &Store, cases: usize, now: Micros, rules: &str) {
    for first in (0..cases).step_by(BATCH) {
        let mut transaction = store.begin().await.unwrap();
        for number in first..cases.min(first + BATCH) {
            let mut case = Case::new(number, now);
            case.id = format!("queue-{number:08}");
            case.reference = format!("Q-{number}");
            case.rules = rules.to_owned();
            let codes = [case.random.pick(&REASONS)];
            case.come_in(now);
            let state = case.queued(now, &codes);
            case.insert(&mut transaction, &state, &codes).await;
        }
        transaction.commit().await.unwrap();
    }
}

/// xorshift64*: enough to mix.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

struct Case {
    id: String,
    flow: &'static str,
    reference: String,
    at: Micros,
    rules: String,
    random: Random,
    events: Vec<Event>,
}

/// What `cases` keeps of a case beside its result.
struct State {
    name: &'static str,
    outcome: &'static str,
    mode: Option<&'static str>,
    decided_at: Micros,
    final_at: Option<Micros>,
    queued_at: Option<Micros>,
    due_at: Option<Micros>,
    touched: bool,
}

impl Case {
    fn new(number: usize, at: Micros) -> Self {
        let seed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = Random(seed);
        random.below(2);
        Self {
            id: format!("case-{number:08}"),
            flow: random.pick(&FLOWS),
            reference: format!("S-{number}"),
            at,
            rules: "sha256:0".to_owned(),
            random,
            events: Vec::new(),
        }
    }

    fn event(&mut self, kind: EventKind, at: Micros, actor: &str, detail: Json) {
        let previous_hash = self.events.last().map(|event| event.hash.clone()).unwrap_or_default();
        let mut event = Event {
            sequence: i64::try_from(self.events.len()).unwrap() + 1,
            kind,
            at,
            actor: actor.to_owned(),
            detail,
            previous_hash,
            hash: String::new(),
        };
        event.hash = event.expected_hash(&self.id);
        self.events.push(event);
    }

    async fn write(mut self, transaction: &mut Transaction) {
        let fate = self.random.below(100);
        let mut codes: Vec<&str> = Vec::new();
        let read_at = self.at + 2_000_000 + i64::try_from(self.random.below(20_000_000)).unwrap();
        self.come_in(read_at);
        let (state, corrected) = match fate {
            0..62 => (self.decided_end_to_end(read_at), None),
            62..68 => (self.waiting(read_at), None),
            _ => {
                let first = self.random.pick(&REASONS);
                codes.push(first);
                let second = self.random.pick(&REASONS);
                if second != first {
                    codes.push(second);
                }
                self.reviewed(read_at, &codes)
            }
        };
        self.insert(transaction, &state, &codes).await;
        if let Some((user, (document_type, field), at)) = corrected {
            insert_correction(transaction, &self.id, &user, document_type, field, at).await;
        }
        if state.mode == Some("e2e") && self.random.happens(5) {
            self.insert_sample(transaction, &state).await;
        }
    }

    fn come_in(&mut self, read_at: Micros) {
        self.event(EventKind::Received, self.at, "machine", json!({"files": 4}));
        self.event(EventKind::Read, read_at, "machine", json!({}));
    }

    fn decided_end_to_end(&mut self, at: Micros) -> State {
        let outcome = if self.random.happens(80) { "accept" } else { "reject" };
        self.event(EventKind::Decided, at, "machine", json!({"outcome": outcome, "reasons": []}));
        State {
            name: "final",
            outcome,
            mode: Some("e2e"),
            decided_at: at,
            final_at: Some(at),
            queued_at: None,
            due_at: None,
            touched: false,
        }
    }

    fn waiting(&mut self, at: Micros) -> State {
        self.event(EventKind::Decided, at, "machine", json!({"outcome": "request_documents", "reasons": []}));
        self.event(EventKind::DocumentsRequested, at, "machine", json!({"wanted": ["payslip"]}));
        State {
            name: "waiting_documents",
            outcome: "request_documents",
            mode: None,
            decided_at: at,
            final_at: None,
            queued_at: None,
            due_at: None,
            touched: false,
        }
    }

    fn queued(&mut self, at: Micros, codes: &[&str]) -> State {
        let due_at = at + 48 * HOUR;
        let reasons: Vec<Json> = codes
            .iter()
            .map(|code| json!({"code": code, "rule": "r", "fields": ["payslip.net_pay"]}))
            .collect();
        self.event(EventKind::Decided, at, "machine", json!({"outcome": "review", "reasons": reasons}));
        self.event(EventKind::Queued, at, "machine", json!({"goal_at": at + 24 * HOUR, "due_at": due_at}));
        State {
            name: "in_review",
            outcome: "review",
            mode: None,
            decided_at: at,
            final_at: None,
            queued_at: Some(at),
            due_at: Some(due_at),
            touched: false,
        }
    }

    #[expect(clippy::type_complexity, reason = "what is written beside the case, once")]
    fn reviewed(
        &mut self,
        at: Micros,
        codes: &[&str],
    ) -> (State, Option<(String, (&'static str, &'static str), Micros)>) {
        let mut state = self.queued(at, codes);
        let claimed_at = at + i64::try_from(self.random.below(60 * 3_600)).unwrap() * 1_000_000;
        let corrected_at = claimed_at + 90_000_000;
        let judged_at = corrected_at + i64::try_from(self.random.below(900)).unwrap() * 1_000_000;
        // Some that nobody took yet, and a few that were left lying.
        if judged_at >= NOW || self.random.happens(5) {
            return (state, None);
        }
        let user = format!("reviewer-{}", self.random.below(REVIEWERS as u64));
        self.event(EventKind::Claimed, claimed_at, &user, json!({}));
        let corrected = self.random.happens(50).then(|| self.random.pick(&FIELDS));
        if let Some((document_type, field)) = corrected {
            let detail = json!({"document": 0, "type": document_type, "field": field, "changed": true});
            self.event(EventKind::Corrected, corrected_at, &user, detail);
        }
        let outcome = if self.random.happens(60) { "accept" } else { "reject" };
        self.event(EventKind::Judged, judged_at, &user, json!({"outcome": outcome, "rules_said": "review"}));
        state.name = "final";
        state.outcome = outcome;
        state.mode = Some(if self.random.happens(96) { "hybrid" } else { "manual" });
        (state.decided_at, state.final_at) = (judged_at, Some(judged_at));
        (state.due_at, state.touched) = (None, true);
        (state, corrected.map(|field| (user, field, corrected_at)))
    }

    fn result(&mut self, state: &State, codes: &[&str]) -> Json {
        let mut documents: Vec<Json> = Vec::new();
        for kind in ["payslip", "contract", "id_card"] {
            let fields: serde_json::Map<String, Json> = FIELDS
                .iter()
                .filter(|(document_type, _)| *document_type == kind)
                .map(|(_, name)| {
                    let confidence = 0.7 + self.random.below(300) as f64 / 1000.0;
                    let field = json!({"value": "value as read", "raw": "Value as read", "confidence": confidence,
                        "page": 1, "file": format!("{kind}.pdf"), "box": [0.1, 0.2, 0.3, 0.02],
                        "checks": [{"name": "check", "passed": true}]});
                    ((*name).to_owned(), field)
                })
                .collect();
            documents.push(json!({"type": kind, "type_confidence": 0.99, "fields": fields,
                "parts": [{"file": format!("{kind}.pdf"), "sha256": "00".repeat(32), "pages": [1, 2]}]}));
        }
        let reasons: Vec<Json> = codes
            .iter()
            .map(|code| json!({"code": code, "message": "Why, in a sentence.", "rule": "r", "fields": []}))
            .collect();
        json!({"reference": self.reference, "flow": self.flow, "outcome": state.outcome, "mode": state.mode,
               "received_on": date_of(self.at).to_string(), "reasons": reasons, "outputs": {}, "documents": documents,
               "rules": {"version": self.rules}, "models": {"version": "sha256:0"}, "pages": 6,
               "timings_ms": {"decode": 40, "ocr": 900, "classify": 1, "extract": 9, "decide": 1, "total": 1000}})
    }

    async fn insert(&mut self, transaction: &mut Transaction, state: &State, codes: &[&str]) {
        let result = self.result(state, codes).to_string();
        query(
            "insert into cases (id, flow, reference, received_on, created_at, decided_at, outcome, mode, pages,
                    rules_version, models_version, result, state, reason_codes, touched, queued_at, goal_at, due_at,
                    waiting_since, first_response_at, final_at, amount_cents)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 6, $16, '', $9, $10, $11, $12, $13, $14, $14,
                     case when $10 = 'waiting_documents' then $6 end,
                     case when $10 <> 'in_review' then $6 end, $15, 100000)",
        )
        .bind(&self.id)
        .bind(self.flow)
        .bind(&self.reference)
        .bind(date_of(self.at).to_string())
        .bind(self.at)
        .bind(state.decided_at)
        .bind(state.outcome)
        .bind(state.mode)
        .bind(result)
        .bind(state.name)
        .bind(json!(codes).to_string())
        .bind(state.touched)
        .bind(state.queued_at)
        .bind(state.due_at)
        .bind(state.final_at)
        .bind(&self.rules)
        .execute(&mut *transaction)
        .await
        .unwrap();
        for code in codes {
            query("insert into case_reasons (case_id, code) values ($1, $2)")
                .bind(&self.id)
                .bind(*code)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        for event in &self.events {
            insert_event(transaction, &self.id, event).await.unwrap();
        }
    }

    async fn insert_sample(&mut self, transaction: &mut Transaction, state: &State) {
        let was_wrong = self.random.happens(3);
        query(
            "insert into blind_samples (case_id, flow, drawn_at, outcome, judged_at, judged_by, judged_outcome, was_wrong)
             values ($1, $2, $3, $4, $5, 'reviewer-0', $4, $6)",
        )
        .bind(&self.id)
        .bind(self.flow)
        .bind(state.decided_at)
        .bind(state.outcome)
        .bind(state.decided_at + HOUR)
        .bind(was_wrong)
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
}

async fn insert_correction(
    transaction: &mut Transaction,
    case_id: &str,
    user: &str,
    document_type: &str,
    field: &str,
    at: Micros,
) {
    query(
        "insert into corrections (id, case_id, revision, user_id, at, document_type, field, kind, before, after,
                                  machine_confidence)
         values ($1, $1, 2, $2, $3, $4, $5, 'corrected', '\"a\"', '\"b\"', 0.9)",
    )
    .bind(case_id)
    .bind(user)
    .bind(at)
    .bind(document_type)
    .bind(field)
    .execute(&mut *transaction)
    .await
    .unwrap();
}
