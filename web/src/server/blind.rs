//! What people do in blind reviews, for pages and API alike.

use dossier::clock::Micros;
use dossier::domain::Outcome;
use dossier::store::{BlindJudged, BlindSample};

use super::access::Signed;
use super::desk;
use super::problem::Problem;
use super::state::AppState;

/// A sample goes back when it was not judged for so long.
const HELD: Micros = 60 * 60 * 1_000_000;
const LONGEST_REASON: usize = 4_000;

/// How many samples wait. They are drawn when cases are counted, so what changed is counted first.
pub(crate) async fn waiting(state: &AppState) -> Result<i64, Problem> {
    state.shop.store.count_first(&state.shop.policies(), state.now()).await?;
    Ok(state.shop.store.blind_waiting().await?)
}

/// A sample for this user, if there is one.
pub(crate) async fn take(state: &AppState, signed: &Signed) -> Result<Option<BlindSample>, Problem> {
    let now = state.now();
    state.shop.store.count_first(&state.shop.policies(), now).await?;
    Ok(state.shop.store.take_blind(&signed.user.id, now, now + HELD).await?)
}

/// The sample that this user holds.
pub(crate) async fn held(state: &AppState, signed: &Signed, id: &str) -> Result<BlindSample, Problem> {
    state.shop.store.blind_sample(id, &signed.user.id, state.now()).await?.ok_or_else(gone)
}

/// Records a judgement. The case stays as it is.
pub(crate) async fn judge(
    state: &AppState,
    signed: &Signed,
    id: &str,
    outcome: &str,
    reason: &str,
) -> Result<(), Problem> {
    let outcome = match outcome {
        "accept" => Outcome::Accept,
        "reject" => Outcome::Reject,
        "request_documents" => Outcome::RequestDocuments,
        _ => {
            let detail = "the outcome must be accept, reject or request_documents";
            return Err(Problem::invalid(detail).about("outcome"));
        }
    };
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > LONGEST_REASON {
        let detail = format!("a reason of at most {LONGEST_REASON} bytes is needed");
        return Err(Problem::invalid(detail).about("reason"));
    }
    let note = desk::new_id();
    let store = &state.shop.store;
    match store.judge_blind(id, &signed.user.id, outcome, (&note, reason), state.now()).await? {
        BlindJudged::Done => Ok(()),
        BlindJudged::NotYours => Err(gone()),
    }
}

fn gone() -> Problem {
    Problem::conflict("blind_gone", "this sample is not in your hands; take the next one")
}
