//! A case's history as time: how long it stood at each stage, who worked on it for how long, and what
//! became of each stay in the queue.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::store::{Event, EventKind};

/// Where a case spends its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The machine reads and decides.
    Machine,
    /// It waits for a person.
    Queue,
    /// Somebody works on it.
    Review,
    /// Somebody set it aside.
    Postponed,
    /// The applicant has to send something.
    Applicant,
}

impl Stage {
    pub const ALL: [Stage; 5] =
        [Stage::Machine, Stage::Queue, Stage::Review, Stage::Postponed, Stage::Applicant];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Machine => "machine",
            Stage::Queue => "queue",
            Stage::Review => "review",
            Stage::Postponed => "postponed",
            Stage::Applicant => "applicant",
        }
    }
}

/// What one person did with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Work {
    pub seconds: u32,
    /// Fields changed, added or removed.
    pub corrections: u32,
    pub decisions: u32,
}

/// One stay in the queue: from the machine's handing over to a person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stay {
    /// Codes of the reasons, with the fields that each names.
    pub(super) reasons: BTreeMap<String, BTreeSet<String>>,
    pub(super) due_at: Option<Micros>,
    /// What the rules had decided before the flow was made to fall back.
    pub(super) held_back: Option<String>,
    /// When and what a person decided.
    pub(super) judged: Option<(Micros, String)>,
    /// `type.field` that people changed meanwhile.
    pub(super) corrected: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timeline {
    pub(super) stages: BTreeMap<Stage, Micros>,
    pub(super) work: BTreeMap<String, Work>,
    pub(super) stays: Vec<Stay>,
    /// Documents, by their place in the result, that people changed, confirmed or retyped.
    pub(super) touched_documents: BTreeSet<u64>,
    /// Who last corrected, proposed or decided.
    pub(super) last_person: Option<String>,
}

/// Who has the case since when, and when they last did something.
struct Hands {
    user: String,
    since: Micros,
    last_act: Micros,
}

struct Walk {
    line: Timeline,
    stage: Option<(Stage, Micros)>,
    hands: Option<Hands>,
    /// Reasons of the machine's last decision.
    reasons: BTreeMap<String, BTreeSet<String>>,
    held_back: Option<String>,
}

/// Reads a history. Time after its last event is not counted.
pub(super) fn timeline(events: &[Event]) -> Timeline {
    let mut walk = Walk {
        line: Timeline::default(),
        stage: None,
        hands: None,
        reasons: BTreeMap::new(),
        held_back: None,
    };
    for event in events {
        walk.step(event);
    }
    let end = events.last().map_or(0, |event| event.at);
    walk.lay_down(end);
    walk.enter(None, end);
    walk.line
}

impl Walk {
    fn step(&mut self, event: &Event) {
        let (at, actor) = (event.at, event.actor.as_str());
        match event.kind {
            EventKind::Received => {
                self.lay_down(at);
                self.enter(Some(Stage::Machine), at);
            }
            EventKind::Decided if actor == "machine" => {
                self.reasons = reasons_of(&event.detail);
                self.held_back = event.detail["held_back"].as_str().map(str::to_owned);
                if is_final(&event.detail) {
                    self.enter(None, at);
                }
            }
            EventKind::Queued => {
                self.enter(Some(Stage::Queue), at);
                let due_at = event.detail["due_at"].as_i64();
                let (reasons, held_back) = (self.reasons.clone(), self.held_back.clone());
                self.line.stays.push(Stay { reasons, due_at, held_back, ..Stay::default() });
            }
            EventKind::DocumentsRequested => self.enter(Some(Stage::Applicant), at),
            EventKind::Claimed => {
                self.lay_down(at);
                self.hands = Some(Hands { user: actor.to_owned(), since: at, last_act: at });
                self.enter(Some(Stage::Review), at);
                self.line.work.entry(actor.to_owned()).or_default();
            }
            EventKind::Corrected | EventKind::Confirmed | EventKind::Retyped => self.changed(event),
            EventKind::Judged | EventKind::Proposed => self.decided(event),
            EventKind::Postponed => {
                self.act(at);
                self.lay_down(at);
                self.enter(Some(Stage::Postponed), at);
            }
            EventKind::Released | EventKind::HandedOver => {
                self.act(at);
                self.lay_down(at);
                self.enter(Some(Stage::Queue), at);
            }
            EventKind::Escalated if actor != "machine" => {
                self.act(at);
                self.lay_down(at);
                self.enter(Some(Stage::Queue), at);
            }
            EventKind::Read | EventKind::Decided | EventKind::Escalated | EventKind::Prioritised => {}
            EventKind::GivenUp | EventKind::Rechecked | EventKind::Sampled | EventKind::BlindJudged => {}
            EventKind::RecordsAwaited | EventKind::Reminded | EventKind::Expired | EventKind::Erased => {}
        }
    }

    fn changed(&mut self, event: &Event) {
        self.act(event.at);
        self.line.last_person = Some(event.actor.clone());
        let detail = &event.detail;
        self.line.touched_documents.extend(detail["document"].as_u64());
        if event.kind == EventKind::Corrected {
            self.line.work.entry(event.actor.clone()).or_default().corrections += 1;
            let is_change = detail["changed"].as_bool().unwrap_or(true);
            if let (Some(stay), true) = (self.line.stays.last_mut(), is_change) {
                stay.corrected.insert(path_of(detail));
            }
        }
    }

    fn decided(&mut self, event: &Event) {
        self.act(event.at);
        self.lay_down(event.at);
        self.line.last_person = Some(event.actor.clone());
        self.line.work.entry(event.actor.clone()).or_default().decisions += 1;
        if event.kind == EventKind::Proposed {
            return self.enter(Some(Stage::Queue), event.at);
        }
        let outcome = event.detail["outcome"].as_str().unwrap_or_default().to_owned();
        if let Some(stay) = self.line.stays.last_mut() {
            stay.judged.get_or_insert((event.at, outcome));
        }
        // A request for documents says so by an event of its own.
        self.enter(None, event.at);
    }

    fn act(&mut self, at: Micros) {
        if let Some(hands) = &mut self.hands {
            hands.last_act = at;
        }
    }

    /// The case leaves somebody's hands. Who did nothing since (a lease that ended by itself) worked on
    /// it until their last act; from then on it was in the queue.
    fn lay_down(&mut self, at: Micros) {
        let Some(hands) = self.hands.take() else { return };
        let seconds = seconds(hands.last_act - hands.since);
        self.line.work.entry(hands.user).or_default().seconds += seconds;
        if hands.last_act < at {
            self.enter(Some(Stage::Queue), hands.last_act);
        }
    }

    fn enter(&mut self, stage: Option<Stage>, at: Micros) {
        if let Some((before, since)) = self.stage.take() {
            *self.line.stages.entry(before).or_default() += (at - since).max(0);
        }
        self.stage = stage.map(|stage| (stage, at));
    }
}

/// `type.field` of a change.
fn path_of(detail: &serde_json::Value) -> String {
    let part = |key: &str| detail[key].as_str().unwrap_or_default();
    format!("{}.{}", part("type"), part("field"))
}

fn is_final(detail: &serde_json::Value) -> bool {
    matches!(detail["outcome"].as_str(), Some("accept" | "reject"))
}

/// Reasons as the machine records them: objects with a code and fields.
fn reasons_of(detail: &serde_json::Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut reasons: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reason in detail["reasons"].as_array().into_iter().flatten() {
        let Some(code) = reason["code"].as_str().or_else(|| reason.as_str()) else { continue };
        let fields = reason["fields"].as_array().into_iter().flatten();
        let fields = fields.filter_map(|field| field.as_str().map(str::to_owned));
        reasons.entry(code.to_owned()).or_default().extend(fields);
    }
    reasons
}

/// Whole seconds, at most what fits.
pub(super) fn seconds(micros: Micros) -> u32 {
    u32::try_from(micros.max(0) / 1_000_000).unwrap_or(u32::MAX)
}
