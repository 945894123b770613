//! The audit trail of a case: events that each carry the hash of the one before.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Micros;

/// What happened to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Its files came in: names, sizes and hashes.
    Received,
    /// Work on it failed too often and it goes to a person unread: how often.
    GivenUp,
    /// Its documents were read: types and page counts.
    Read,
    /// Rules decided: outcome, reason codes, versions, fields rested on.
    Decided,
    /// The rules changed while it was in review, and those in force decided: outcome, reason codes, versions.
    Rechecked,
    /// It came to the queue; with the goal and the deadline.
    Queued,
    /// Documents were asked for: which types, by whom.
    DocumentsRequested,
    /// A reviewer took it.
    Claimed,
    /// A reviewer gave it back, or their time ran out.
    Released,
    /// Set aside until a moment.
    Postponed,
    /// Given to somebody else.
    HandedOver,
    /// A person changed, added or removed a field: its path and the kind of change, no value.
    Corrected,
    /// A person found a field right as read.
    Confirmed,
    /// A person gave a document another type, or parted it.
    Retyped,
    /// A person decided and another has to agree.
    Proposed,
    /// A person decided: outcome, and what the rules said.
    Judged,
    /// Only a senior may go on with it.
    Escalated,
    /// Its place in the queue was changed.
    Prioritised,
    /// Drawn for a blind review of the machine's decision.
    Sampled,
    /// A person judged it without seeing the machine's decision: both outcomes. Changes nothing.
    BlindJudged,
    /// Records that its rules ask for cannot be consulted: it is tried again, until when at the longest.
    RecordsAwaited,
    /// The applicant was reminded of the documents that they were asked for.
    Reminded,
    /// The documents did not come in time: what becomes of the case.
    Expired,
    /// Its documents and personal data were erased: which events of the history lost their detail, each with
    /// the hash of what is left of it.
    Erased,
}

impl EventKind {
    const ALL: [EventKind; 24] = [
        EventKind::Received,
        EventKind::GivenUp,
        EventKind::Read,
        EventKind::Decided,
        EventKind::Rechecked,
        EventKind::Queued,
        EventKind::DocumentsRequested,
        EventKind::Claimed,
        EventKind::Released,
        EventKind::Postponed,
        EventKind::HandedOver,
        EventKind::Corrected,
        EventKind::Confirmed,
        EventKind::Retyped,
        EventKind::Proposed,
        EventKind::Judged,
        EventKind::Escalated,
        EventKind::Prioritised,
        EventKind::Sampled,
        EventKind::BlindJudged,
        EventKind::RecordsAwaited,
        EventKind::Reminded,
        EventKind::Expired,
        EventKind::Erased,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Received => "received",
            EventKind::GivenUp => "given_up",
            EventKind::Read => "read",
            EventKind::Decided => "decided",
            EventKind::Rechecked => "rechecked",
            EventKind::Queued => "queued",
            EventKind::DocumentsRequested => "documents_requested",
            EventKind::Claimed => "claimed",
            EventKind::Released => "released",
            EventKind::Postponed => "postponed",
            EventKind::HandedOver => "handed_over",
            EventKind::Corrected => "corrected",
            EventKind::Confirmed => "confirmed",
            EventKind::Retyped => "retyped",
            EventKind::Proposed => "proposed",
            EventKind::Judged => "judged",
            EventKind::Escalated => "escalated",
            EventKind::Prioritised => "prioritised",
            EventKind::Sampled => "sampled",
            EventKind::BlindJudged => "blind_judged",
            EventKind::RecordsAwaited => "records_awaited",
            EventKind::Reminded => "reminded",
            EventKind::Expired => "expired",
            EventKind::Erased => "erased",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One entry of a case's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// From 1, without gaps.
    pub sequence: i64,
    pub kind: EventKind,
    pub at: Micros,
    /// `machine`, or a user's id.
    pub actor: String,
    pub detail: serde_json::Value,
    /// Hash of the event before; empty for the first.
    pub previous_hash: String,
    /// SHA-256 in hex over the case, all of the above and the previous hash.
    pub hash: String,
}

impl Event {
    /// The hash that this event must carry in the history of `case_id`.
    pub fn expected_hash(&self, case_id: &str) -> String {
        let detail = self.detail.to_string();
        let sequence = self.sequence.to_string();
        let at = self.at.to_string();
        hash_of(&[case_id, &sequence, self.kind.as_str(), &at, &self.actor, &detail, &self.previous_hash])
    }
}

impl Event {
    /// The detail of an event that was emptied.
    pub(super) fn nothing_left() -> serde_json::Value {
        serde_json::json!({"erased": true})
    }

    /// Whether its detail was taken away.
    pub(super) fn is_emptied(&self) -> bool {
        self.detail == Self::nothing_left()
    }

    /// What the event that tells of the emptying says of this one: nothing but the detail may differ from
    /// what was.
    pub(super) fn hash_of_what_is_left(&self, case_id: &str) -> String {
        let (sequence, at) = (self.sequence.to_string(), self.at.to_string());
        hash_of(&[case_id, &sequence, self.kind.as_str(), &at, &self.actor, &self.previous_hash, &self.hash])
    }
}

fn hash_of(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Where a history was tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} does not follow from the one before it")]
pub struct BrokenChain {
    pub sequence: i64,
}

/// Checks that events follow one another without gap or change. The detail of one may be gone where a later
/// event says so, which carries the hash of all the rest of it.
///
/// # Errors
/// The first event that does not fit.
pub fn verify_chain(case_id: &str, events: &[Event]) -> Result<(), BrokenChain> {
    let mut previous_hash = "";
    let emptied = emptied(case_id, events);
    for (expected, event) in (1..).zip(events) {
        let follows = event.sequence == expected && event.previous_hash == previous_hash;
        let is_whole = event.hash == event.expected_hash(case_id);
        let was_emptied = event.is_emptied()
            && emptied.get(&event.sequence).is_some_and(|(by, left)| {
                *by > event.sequence && *left == event.hash_of_what_is_left(case_id)
            });
        if !follows || !(is_whole || was_emptied) {
            return Err(BrokenChain { sequence: event.sequence });
        }
        previous_hash = &event.hash;
    }
    Ok(())
}

/// Events that were emptied, as whole events say: by which one, and the hash of what is left.
fn emptied<'e>(case_id: &str, events: &'e [Event]) -> HashMap<i64, (i64, &'e str)> {
    let said = events
        .iter()
        .filter(|event| event.kind == EventKind::Erased && event.hash == event.expected_hash(case_id));
    let each = said.flat_map(|event| {
        let list = event.detail["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .filter_map(|one| Some((one["sequence"].as_i64()?, (event.sequence, one["left"].as_str()?))))
    });
    each.collect()
}
