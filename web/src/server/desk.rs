//! What a reviewer does, for pages and API alike: takes a case, changes it, decides it. Joins the pure
//! rules of [`dossier::review`] with the store; who may do it was looked at before.

use dossier::clock::Micros;
use dossier::deliver::{News, Occasion};
use dossier::domain::{CaseResult, DocumentType, Part};
use dossier::process::ReadFile;
use dossier::recheck::recheck;
use dossier::review::{Change, ChangeError, Judgement, RowsError, amount_cents, change, judge};
use dossier::rules::Flow;
use dossier::store::{
    CaseState, Committed, Effect, EventKind, Lease, Postponed, ReviewCommit, StoredCase, Taken,
};
use dossier::understand::FilePages;

use super::access::Signed;
use super::problem::Problem;
use super::state::AppState;

/// Longest text that people write to a decision.
const LONGEST_NOTE: usize = 4_000;
/// Longest time that a case is set aside.
const LONGEST_PAUSE: Micros = 30 * 24 * 3_600_000_000;

/// What a change is made under: the lease's generation and the case's revision that the person saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Grip {
    pub(crate) generation: i64,
    pub(crate) revision: i64,
}

/// The case with this id.
pub(crate) async fn case(state: &AppState, id: &str) -> Result<StoredCase, Problem> {
    state.shop.store.case(id).await?.ok_or_else(Problem::not_found)
}

/// The case as people are shown it and act on it: in review it is as the rules in force decide it.
pub(crate) async fn current(state: &AppState, id: &str) -> Result<StoredCase, Problem> {
    let case = case(state, id).await?;
    if !recheck(&state.shop, &case).await? {
        return Ok(case);
    }
    state.live.tell(id, "changed");
    self::case(state, id).await
}

fn flow<'a>(state: &'a AppState, case: &StoredCase) -> Result<&'a Flow, Problem> {
    let flow = state.shop.engine.flow(&case.flow);
    flow.ok_or_else(|| Problem::conflict("flow_gone", format!("there is no flow {} any more", case.flow)))
}

fn result_of(case: &StoredCase) -> Result<CaseResult, Problem> {
    let result = case.result.clone();
    result.ok_or_else(|| Problem::conflict("not_in_review", "the case has not been read yet"))
}

/// The most urgent case for this user.
pub(crate) async fn claim_next(
    state: &AppState,
    signed: &Signed,
    flow: Option<&str>,
) -> Result<Option<Lease>, Problem> {
    let now = state.now();
    let until = now + state.options.lease;
    let lease = state.shop.store.claim_next(&signed.user.id, signed.is_senior(), flow, now, until).await?;
    if let Some(lease) = &lease {
        state.live.tell(&lease.case_id, "claimed");
    }
    Ok(lease)
}

/// This case for this user.
pub(crate) async fn claim(state: &AppState, signed: &Signed, id: &str) -> Result<Lease, Problem> {
    let now = state.now();
    case(state, id).await?;
    let taken = state
        .shop
        .store
        .claim(id, &signed.user.id, signed.is_senior(), now, now + state.options.lease)
        .await?;
    match taken {
        Taken::Yes(lease) => {
            state.live.tell(id, "claimed");
            Ok(lease)
        }
        Taken::Held { by, .. } => Err(Problem::conflict("held", format!("{by} is working on this case"))),
        Taken::NotForYou => Err(Problem::conflict(
            "not_in_review",
            "this case does not wait for a decision of yours: it is not in review, a senior has to decide it, or \
             another person has to confirm what you decided",
        )),
    }
}

/// Keeps the case in this user's hands.
pub(crate) async fn heartbeat(
    state: &AppState,
    signed: &Signed,
    id: &str,
    generation: i64,
) -> Result<Micros, Problem> {
    let now = state.now();
    let until = now + state.options.lease;
    let kept = state.shop.store.heartbeat(id, &signed.user.id, generation, now, until).await?;
    if kept { Ok(until) } else { Err(lost_lease()) }
}

/// Gives the case back; seniors may take it from others without a generation.
pub(crate) async fn release(
    state: &AppState,
    signed: &Signed,
    id: &str,
    generation: Option<i64>,
) -> Result<(), Problem> {
    if generation.is_none() && !signed.is_senior() {
        return Err(Problem::forbidden("senior_only", "only a senior takes cases from others"));
    }
    if !state.shop.store.release(id, &signed.user.id, generation, state.now()).await? {
        return Err(lost_lease());
    }
    state.live.tell(id, "released");
    Ok(())
}

/// Sets the case aside.
pub(crate) async fn postpone(
    state: &AppState,
    signed: &Signed,
    id: &str,
    generation: i64,
    until: Micros,
) -> Result<(), Problem> {
    let now = state.now();
    if until <= now || until > now + LONGEST_PAUSE {
        return Err(Problem::invalid("the moment must lie within the next 30 days").about("until"));
    }
    let done = state.shop.store.postpone(id, &signed.user.id, generation, until, now).await?;
    handed_on(state, id, done)
}

/// Hands the case to a user by login, or to the seniors.
pub(crate) async fn hand_over(
    state: &AppState,
    signed: &Signed,
    id: &str,
    generation: i64,
    to: Option<&str>,
    note: &str,
) -> Result<(), Problem> {
    let note = note_text(note)?;
    let to = match to {
        None => None,
        Some(login) => {
            let found = state.shop.store.user_by_login(login).await?.map(|(user, _)| user);
            let may = |user: &dossier::store::User| {
                !user.disabled && super::access::Permission::Review.is_given_to(user.role)
            };
            let user = found.filter(may);
            Some(user.ok_or_else(|| Problem::invalid("there is no reviewer with this login").about("to"))?.id)
        }
    };
    let note_id = new_id();
    let done = state
        .shop
        .store
        .hand_over(id, &signed.user.id, generation, to.as_deref(), (&note_id, note), state.now())
        .await?;
    handed_on(state, id, done)
}

fn handed_on(state: &AppState, id: &str, done: Postponed) -> Result<(), Problem> {
    match done {
        Postponed::Done => {
            state.live.tell(id, "released");
            Ok(())
        }
        Postponed::LostLease => Err(lost_lease()),
    }
}

/// Applies a change and runs the rules again. The case as it is now comes back.
pub(crate) async fn apply(
    state: &AppState,
    signed: &Signed,
    id: &str,
    grip: Grip,
    wanted: Change,
) -> Result<StoredCase, Problem> {
    let case = current(state, id).await?;
    let flow = flow(state, &case)?;
    let types = state.shop.engine.understanding().types();
    let changed = change(types, result_of(&case)?, wanted, new_id()).map_err(refused)?;
    let mut result = changed.result;
    let engine = &state.shop.engine;
    engine
        .decide_again(&mut result, &case.declared, state.shop.records.as_ref())
        .await
        .map_err(|error| Problem::internal(&error))?;
    let decided = (
        EventKind::Decided,
        serde_json::json!({"outcome": result.outcome, "rules": result.rules.version,
            "reasons": result.reasons.iter().map(|reason| &reason.code).collect::<Vec<_>>()}),
    );
    let commit = ReviewCommit {
        case_id: case.id.clone(),
        user_id: signed.user.id.clone(),
        generation: grip.generation,
        revision: grip.revision,
        amount_cents: amount_cents(flow, &result, &case.declared),
        result,
        corrections: changed.corrections,
        events: vec![changed.event, decided],
        effect: Effect::Stay,
        note: None,
        deliveries: Vec::new(),
    };
    commit_review(state, commit, "changed").await?;
    self::case(state, id).await
}

/// What would be decided after a change, without recording anything.
pub(crate) async fn preview(
    state: &AppState,
    case: &StoredCase,
    wanted: Change,
) -> Result<CaseResult, Problem> {
    let types = state.shop.engine.understanding().types();
    let mut result = change(types, result_of(case)?, wanted, new_id()).map_err(refused)?.result;
    let again =
        state.shop.engine.decide_again(&mut result, &case.declared, state.shop.records.as_ref()).await;
    again.map_err(|error| Problem::internal(&error))?;
    Ok(result)
}

/// Decides the case. What came of it comes back.
pub(crate) async fn decide(
    state: &AppState,
    signed: &Signed,
    id: &str,
    grip: Grip,
    judgement: Judgement,
    reason: &str,
) -> Result<Effect, Problem> {
    let case = current(state, id).await?;
    let reason = note_text(reason)?;
    if case.state != CaseState::InReview {
        return Err(Problem::conflict("not_in_review", "this case does not wait for a decision"));
    }
    let flow = flow(state, &case)?;
    let first = case.first_opinion.as_ref();
    if first.is_some_and(|(user, _)| *user == signed.user.id) {
        return Err(Problem::conflict("four_eyes", "another person has to confirm what you decided"));
    }
    let first = first.map(|(_, outcome)| *outcome);
    let judged = judge(flow, result_of(&case)?, judgement, case.amount_cents, first, signed.is_senior());
    let effect = judged.effect.clone();
    let told = match &effect {
        Effect::Close => Some((Occasion::Decided, "")),
        Effect::Request { message, .. } => Some((Occasion::DocumentsRequested, message.as_str())),
        Effect::Stay | Effect::SecondOpinion { .. } | Effect::Escalate => None,
    };
    let (result, declared) = (&judged.result, &case.declared);
    let news = told.map(|(occasion, message)| News { occasion, result, declared, message });
    let deliveries = news.map_or_else(Vec::new, |news| state.shop.outbox.letters(flow, news));
    let commit = ReviewCommit {
        case_id: case.id.clone(),
        user_id: signed.user.id.clone(),
        generation: grip.generation,
        revision: grip.revision,
        result: judged.result,
        amount_cents: case.amount_cents,
        corrections: Vec::new(),
        events: vec![judged.event],
        effect: judged.effect,
        note: Some((new_id(), reason.to_owned())),
        deliveries,
    };
    commit_review(state, commit, "decided").await?;
    Ok(effect)
}

/// What came of a decision, for the API and the pages.
pub(crate) fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Stay => "unchanged",
        Effect::Close => "closed",
        Effect::Request { .. } => "waiting_documents",
        Effect::SecondOpinion { .. } => "second_opinion",
        Effect::Escalate => "escalated",
    }
}

/// The document read anew as another type, for [`Change::Retype`] and [`Change::Split`].
pub(crate) async fn reread(
    state: &AppState,
    case: &StoredCase,
    document_type: &str,
    parts: &[Part],
) -> Result<dossier::domain::Document, Problem> {
    let mut files = Vec::new();
    for part in parts {
        if files.iter().any(|file: &ReadFile| file.sha256 == part.sha256) {
            continue;
        }
        let copy = state.shop.blobs.local(&part.sha256).await.map_err(super::images::lost)?;
        let path = copy.path().to_owned();
        let outcome = state.shop.engine.reading(&path, &part.sha256).await;
        let outcome = outcome.map_err(|error| Problem::internal(&error))?;
        files.push(ReadFile { name: part.file.clone(), path, sha256: part.sha256.clone(), outcome });
    }
    tracing::debug!(case = case.id, "a document is read as another type");
    let pages: Vec<FilePages<'_>> = files.iter().map(ReadFile::pages).collect();
    Ok(state.shop.engine.understanding().read_as(DocumentType::new(document_type), parts, &pages))
}

async fn commit_review(state: &AppState, commit: ReviewCommit, what: &'static str) -> Result<i64, Problem> {
    let id = commit.case_id.clone();
    match state.shop.store.commit_review(commit, state.now()).await? {
        Committed::Done { revision } => {
            state.live.tell(&id, what);
            Ok(revision)
        }
        Committed::LostLease => Err(lost_lease()),
        Committed::Stale => Err(stale(state, &id).await?),
    }
}

/// What has changed since somebody looked at the case, as far as they need to know.
async fn stale(state: &AppState, id: &str) -> Result<Problem, Problem> {
    let last = state.shop.store.events(id).await?.pop();
    if last.is_some_and(|event| event.kind == EventKind::Rechecked) {
        let detail =
            "the rules have changed since you looked at the case, and it was decided anew; look again";
        return Ok(Problem::conflict("rules_changed", detail));
    }
    Ok(Problem::conflict("stale", "the case has changed since you looked at it; look again"))
}

fn lost_lease() -> Problem {
    Problem::conflict("lost_lease", "this case is no longer in your hands; take it again")
}

fn refused(error: ChangeError) -> Problem {
    let problem = Problem::invalid(error.to_string());
    match error {
        ChangeError::NoValue { field, .. } | ChangeError::NoField { field, .. } => problem.about(field),
        ChangeError::NoRows(RowsError::Cell { row, column }) => {
            problem.about(format!("transactions.{row}.{column}"))
        }
        ChangeError::NoRows(_) => problem.about("transactions"),
        ChangeError::NoDocument(_) | ChangeError::NoPlace { .. } | ChangeError::NoType(_) => problem,
    }
}

/// What a person wrote: something, and not a book.
fn note_text(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_NOTE {
        let detail = format!("a reason of at most {LONGEST_NOTE} bytes is needed");
        return Err(Problem::invalid(detail).about("reason"));
    }
    Ok(text)
}

pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
