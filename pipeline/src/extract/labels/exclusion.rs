//! What looks like a value of a field and is something else: the label of another field, the number of a
//! cell, the other end of a period.

use super::lexicon::Role;
use super::occurrence::Occurrence;
use super::relation::View;
use crate::config::{DocumentTypeConfig, FieldConfig, FieldKind};
use crate::extract::candidates::{Candidate, Class, Typed};

/// A label read at least so well is one.
const SURE_LABEL: f32 = 0.9;

/// Whether the candidate cannot be a value of the field, whatever labels say.
pub(super) fn is_excluded(
    field: usize,
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    view: &View,
    candidate: &Candidate,
) -> bool {
    is_other_end(settings.kind, candidate, view.candidates)
        || is_name_of_a_field(field, settings, config, view, candidate)
        || is_list_number(view, candidate)
}

/// The number of a cell, a question or a heading: `15 CANTIDAD QUE SOLICITA`, `4. Devolución`.
fn is_list_number(view: &View, candidate: &Candidate) -> bool {
    let is_short = candidate.raw.chars().count() <= 2 && candidate.raw.chars().all(|ch| ch.is_ascii_digit());
    let opens = view.sheet.pieces[candidate.piece].first == candidate.first;
    let is_unit = |role: &Role| matches!(role, Role::After { .. });
    let follows = |label: &Occurrence| {
        label.piece == candidate.piece && label.first == candidate.end && !label.roles.iter().any(is_unit)
    };
    is_short && opens && (view.occurrences.iter().any(follows) || numbers_a_heading(view, candidate))
}

/// A point or bracket parts it from words that begin with a capital.
fn numbers_a_heading(view: &View, candidate: &Candidate) -> bool {
    let words = &view.sheet.page.words;
    let end = view.sheet.pieces[candidate.piece].end;
    let marked =
        words.get(candidate.first).is_some_and(|word| word.text.ends_with(['.', ')', '-', 'º', 'ª']));
    let next = words.get(candidate.end..end).and_then(<[_]>::first);
    marked && next.is_some_and(|word| word.text.chars().next().is_some_and(char::is_uppercase))
}

/// What looks like a name and is the label of something else: `Annual Percentage Rate`.
fn is_name_of_a_field(
    field: usize,
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    view: &View,
    candidate: &Candidate,
) -> bool {
    if !matches!(settings.kind, FieldKind::Person | FieldKind::Party | FieldKind::Company) {
        return false;
    }
    let is_own =
        |role: &Role| role.field().is_some_and(|other| Class::of(config, other) == Class::of(config, field));
    let labels_another = |role: &Role| matches!(role, Role::Label { .. }) && !is_own(role);
    view.occurrences.iter().any(|label| {
        let covers = label.first <= candidate.first
            && candidate.end <= label.end
            && label.piece == candidate.piece
            && label.last_piece == candidate.piece;
        let roles = &label.roles;
        covers && label.quality >= SURE_LABEL && roles.iter().any(labels_another) && !roles.iter().any(is_own)
    })
}

/// A date that is the first day of a printed period is not the last day of another, nor the other way
/// round.
fn is_other_end(kind: FieldKind, candidate: &Candidate, all: &[Candidate]) -> bool {
    let Typed::Date(date) = candidate.value else { return false };
    all.iter().filter(|other| other.format >= 1.0).any(|other| match (&other.value, kind) {
        (Typed::Period(period), FieldKind::PeriodEnd) => {
            other.first == candidate.first && period.start == date && period.end != date
        }
        (Typed::Period(period), FieldKind::PeriodStart) => {
            other.end == candidate.end && period.end == date && period.start != date
        }
        _ => false,
    })
}
