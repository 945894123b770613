//! The shapes of answers, for the API's document. Answers are written from the library's own types and
//! from JSON made on the spot; the tests hold both to these shapes.
#![expect(dead_code, reason = "described in the document, never made")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What went wrong (RFC 9457).
#[derive(ToSchema, Serialize)]
pub(super) struct Problem {
    /// Always `about:blank`: `code` says what exactly.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// One sentence: what is wrong and what to do.
    detail: Option<String>,
    /// Such as `stale`, `rules_changed`, `lost_lease`, `held`, `not_in_review`, `four_eyes`, `closed`, `key_reused`.
    code: Option<String>,
    /// The part of the request that it is about.
    field: Option<String>,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Accept,
    Reject,
    RequestDocuments,
    Review,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    E2e,
    Hybrid,
    Manual,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Processing,
    WaitingDocuments,
    InReview,
    Final,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sla {
    InTime,
    Late,
    Overdue,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Reason {
    code: String,
    message: String,
    rule: String,
    /// `document_type.field`.
    fields: Vec<String>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Check {
    name: String,
    passed: bool,
}

/// A value that was read, with where it stands and how sure it is.
#[derive(ToSchema, Serialize)]
pub(super) struct Field {
    /// A text (a date is `YYYY-MM-DD`, money a decimal with a point), an integer, a boolean, or the rows of a statement.
    value: Value,
    raw: String,
    /// Calibrated probability that the value is right.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f64,
    page: u32,
    file: String,
    /// Left, top, width, height as fractions of the page as shown upright.
    #[serde(rename = "box")]
    bounds: [f64; 4],
    checks: Vec<Check>,
    repaired: Option<bool>,
    /// A person confirmed or entered it.
    confirmed: Option<bool>,
    entered: Option<bool>,
}

/// A file and the pages of it that belong to a document.
#[derive(ToSchema, Serialize)]
pub(super) struct Part {
    file: String,
    sha256: String,
    pages: Vec<u32>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Finding {
    code: String,
    message: String,
    page: Option<u32>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct FileFinding {
    file: String,
    code: String,
    message: String,
    page: Option<u32>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Document {
    #[serde(rename = "type")]
    document_type: String,
    type_confidence: f64,
    parts: Vec<Part>,
    fields: BTreeMap<String, Field>,
    findings: Option<Vec<Finding>>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Version {
    version: String,
}

/// Milliseconds by stage.
#[derive(ToSchema, Serialize)]
pub(super) struct Timings {
    decode: u64,
    ocr: u64,
    classify: u64,
    extract: u64,
    decide: u64,
    total: u64,
}

/// What was decided, and on what.
#[derive(ToSchema, Serialize)]
pub(super) struct CaseResult {
    reference: String,
    flow: String,
    outcome: Option<Outcome>,
    /// Null until the outcome is final.
    mode: Option<Mode>,
    #[schema(format = Date)]
    received_on: String,
    reasons: Vec<Reason>,
    outputs: BTreeMap<String, Value>,
    documents: Vec<Document>,
    findings: Option<Vec<FileFinding>>,
    rules: Option<Version>,
    models: Option<Version>,
    pages: Option<u32>,
    timings_ms: Option<Timings>,
}

/// A case: its result, and where it stands. Moments are microseconds since 1970 UTC.
#[derive(ToSchema, Serialize)]
pub(super) struct Case {
    #[serde(flatten)]
    result: CaseResult,
    #[serde(flatten)]
    standing: Standing,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Standing {
    id: String,
    state: State,
    /// Counts every change; a change of the case names the one that it was made on.
    revision: i64,
    priority: i64,
    due_at: Option<i64>,
    goal_at: Option<i64>,
    escalated: bool,
    /// In `GET /api/v1/cases/{id}` alone, as `lease`.
    files: Option<Vec<CaseFile>>,
    lease: Option<Lease>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct CaseFile {
    number: i64,
    name: String,
    sha256: String,
    pages: Option<i64>,
    size_bytes: i64,
    /// Number of the archive that it was unpacked from.
    archive: Option<i64>,
    unpacked: bool,
}

/// A case in somebody's hands. A change of the case names the generation.
#[derive(ToSchema, Serialize)]
pub(super) struct Lease {
    case_id: String,
    user_id: String,
    generation: i64,
    acquired_at: i64,
    expires_at: i64,
}

/// A case as lists show it.
#[derive(ToSchema, Serialize)]
pub(super) struct CaseSummary {
    id: String,
    flow: String,
    reference: String,
    state: State,
    outcome: Option<Outcome>,
    mode: Option<Mode>,
    received_on: String,
    created_at: i64,
    queued_at: Option<i64>,
    goal_at: Option<i64>,
    due_at: Option<i64>,
    postponed_until: Option<i64>,
    priority: i64,
    amount_cents: i64,
    escalated: bool,
    reasons: Vec<String>,
    revision: i64,
    held_by: Option<String>,
    assigned_to: Option<String>,
    /// It may come to you as a blind sample: outcome and reasons are left out.
    sealed: bool,
}

#[derive(ToSchema, Serialize)]
pub(super) struct CaseList {
    cases: Vec<CaseSummary>,
    /// For `after`, when there are more.
    next: Option<String>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct QueueLine {
    #[serde(flatten)]
    case: CaseSummary,
    sla: Option<Sla>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Queue {
    cases: Vec<QueueLine>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Event {
    sequence: i64,
    kind: String,
    at: i64,
    /// `machine`, or a user's id.
    actor: String,
    detail: Value,
    previous_hash: String,
    hash: String,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Trail {
    /// Whether the chain of hashes holds.
    intact: bool,
    events: Vec<Event>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Me {
    login: String,
    name: String,
    role: String,
}

/// A case that comes in.
#[derive(ToSchema, Serialize)]
pub(super) struct Upload {
    flow: String,
    /// At most 200 bytes; with the flow it names the case.
    reference: String,
    /// `application.json`, as JSON text.
    application: Option<String>,
    /// Any number.
    #[schema(format = Binary)]
    file: Option<String>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Uploaded {
    id: String,
    /// `new`, `resumed` or `unchanged`.
    status: String,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Kept {
    expires_at: i64,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Decided {
    /// `closed`, `waiting_documents`, `second_opinion` or `escalated`.
    effect: String,
    case: Case,
}

/// A case without how it was decided.
#[derive(ToSchema, Serialize)]
pub(super) struct Sample {
    id: String,
    flow: String,
    reference: String,
    received_on: String,
    declared: Value,
    documents: Vec<Document>,
    files: Vec<SampleFile>,
    held_until: i64,
}

#[derive(ToSchema, Serialize)]
pub(super) struct SampleFile {
    number: i64,
    name: String,
    pages: Option<i64>,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeliveryState {
    Waiting,
    Delivered,
    Dead,
}

#[derive(ToSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Occasion {
    Decided,
    DocumentsRequested,
    Reminded,
    Expired,
    InReview,
}

#[derive(ToSchema, Serialize)]
pub(super) struct Delivery {
    /// The `webhook-id` that the receiver sees on every attempt.
    id: String,
    case_id: String,
    flow: String,
    reference: String,
    destination: String,
    occasion: Occasion,
    state: DeliveryState,
    attempts: i64,
    next_attempt_at: i64,
    created_at: i64,
    finished_at: Option<i64>,
    /// Why the last attempt came to nothing.
    problem: Option<String>,
}

#[derive(ToSchema, Serialize)]
pub(super) struct DeliveryList {
    deliveries: Vec<Delivery>,
    /// For `after` of the next list; null at the end.
    next: Option<String>,
}
