//! Repair by check digit: among the recogniser's runner-ups, the one combination that holds.
//!
//! A repair is accepted only when exactly one candidate with the fewest changes passes; two that
//! pass are a guess, and a guess is not made.

use crate::domain::CharReading;

/// A runner-up less likely than this is noise: it would only make unique solutions ambiguous.
/// A print that is itself wrong must stay wrong: clean digits have runner-ups far below this.
const LEAST_PROBABILITY: f32 = 0.01;

/// More candidates than this are not tried at one number of changes.
const MOST_TRIALS: usize = 20_000;

/// A text that passes its check, and in how many characters it differs from what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    pub text: String,
    pub changes: usize,
}

/// The text as read if `check` holds for it; else the only combination of runner-ups with the fewest
/// changes, at most `max_changes`, for which it holds.
pub fn unique_candidate(
    chars: &[CharReading],
    check: impl Fn(&str) -> bool,
    max_changes: usize,
) -> Option<Repaired> {
    let options: Vec<Vec<char>> = chars.iter().map(options_of).collect();
    unique_among(&options, check, max_changes)
}

/// The same over explicit options: for each place its characters, the one read first.
pub fn unique_among(
    options: &[Vec<char>],
    check: impl Fn(&str) -> bool,
    max_changes: usize,
) -> Option<Repaired> {
    let mut passed = all_among(options, check, max_changes, 2);
    if passed.len() == 1 { passed.pop() } else { None }
}

/// Up to `most` combinations that pass with the fewest changes; none when there are too many
/// combinations to try.
pub fn all_among(
    options: &[Vec<char>],
    check: impl Fn(&str) -> bool,
    max_changes: usize,
    most: usize,
) -> Vec<Repaired> {
    let first: Option<Vec<char>> = options.iter().map(|place| place.first().copied()).collect();
    let Some(mut text) = first else { return Vec::new() };
    for changes in 0..=max_changes {
        let mut search = Search { options, check: &check, passed: Vec::new(), most, trials: 0 };
        search.vary(&mut text, 0, changes);
        if search.trials >= MOST_TRIALS {
            return Vec::new();
        }
        if !search.passed.is_empty() {
            return search.passed.into_iter().map(|text| Repaired { text, changes }).collect();
        }
    }
    Vec::new()
}

/// The character read, then its runner-ups.
pub fn options_of(reading: &CharReading) -> Vec<char> {
    let mut options = vec![reading.ch];
    for (ch, probability) in &reading.alternatives {
        if *probability >= LEAST_PROBABILITY && !options.contains(ch) {
            options.push(*ch);
        }
    }
    options
}

struct Search<'a, Check> {
    options: &'a [Vec<char>],
    check: &'a Check,
    passed: Vec<String>,
    most: usize,
    trials: usize,
}

impl<Check: Fn(&str) -> bool> Search<'_, Check> {
    fn vary(&mut self, text: &mut Vec<char>, from: usize, changes_left: usize) {
        if self.passed.len() >= self.most || self.trials >= MOST_TRIALS {
            return;
        }
        if changes_left == 0 {
            self.trials += 1;
            let candidate: String = text.iter().collect();
            if (self.check)(&candidate) && !self.passed.contains(&candidate) {
                self.passed.push(candidate);
            }
            return;
        }
        let options = self.options;
        for (place, choices) in options.iter().enumerate().skip(from) {
            let read = text[place];
            for other in choices.iter().skip(1) {
                text[place] = *other;
                self.vary(text, place + 1, changes_left - 1);
            }
            text[place] = read;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(ch: char, alternatives: &[char]) -> CharReading {
        let alternatives = alternatives.iter().map(|ch| (*ch, 0.1)).collect();
        CharReading { ch, probability: 0.8, alternatives }
    }

    #[test]
    fn one_solution_is_taken_and_two_are_not() {
        let chars = [reading('1', &['7']), reading('2', &['3'])];
        let found = unique_candidate(&chars, |text| text == "72", 2);
        assert_eq!(found, Some(Repaired { text: "72".into(), changes: 1 }));
        assert_eq!(unique_candidate(&chars, |text| text == "72" || text == "13", 2), None);
        assert_eq!(unique_candidate(&chars, |text| text == "12", 2).map(|found| found.changes), Some(0));
        assert_eq!(unique_candidate(&chars, |text| text == "99", 2), None);
    }
}
