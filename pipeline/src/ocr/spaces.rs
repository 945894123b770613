//! Spaces that the recogniser overlooked, most of them beside words of one letter: found by the blank
//! between two characters, measured against the spaces that it did see on the same line.

use super::ctc::DecodedChar;

/// Spaces that a line must show to be a measure.
const MIN_SEEN: usize = 2;
/// Narrower ones, in columns, are none: blurred letters that run into each other.
const MIN_SPACE: f32 = 4.0;
/// A blank is a space from this part of the line's narrower spaces on…
const OF_A_SPACE: f32 = 0.85;
/// …when it is also so many times the usual blank between two letters, and so many columns more.
const OF_A_GAP: f32 = 2.0;
const MORE_COLUMNS: f32 = 2.0;

/// Characters less sure than this may be two, or half of one: what is between them tells nothing.
const SURE: f32 = 0.8;

/// What stands at a place of the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Letter,
    Figure,
    Mark,
    /// Read without certainty.
    Doubtful,
    Space,
}

impl Kind {
    pub(super) fn of(ch: char, probability: f32) -> Self {
        match ch {
            _ if probability < SURE => Self::Doubtful,
            _ if ch.is_alphabetic() => Self::Letter,
            _ if ch.is_numeric() => Self::Figure,
            _ => Self::Mark,
        }
    }
}

/// The places in `kinds` before which a space was overlooked. `blank` measures the widest blank between
/// two characters in columns.
pub(super) fn overlooked(kinds: &[Kind], blank: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let mut gaps: Vec<(usize, f32)> = Vec::new();
    let mut spaces: Vec<f32> = Vec::new();
    let mut before = None;
    for (index, kind) in kinds.iter().enumerate() {
        if *kind == Kind::Space {
            continue;
        }
        if let Some(last) = before {
            let width = blank(last, index) as f32;
            if last + 1 == index { gaps.push((index, width)) } else { spaces.push(width) }
        }
        before = Some(index);
    }
    if spaces.len() < MIN_SEEN || gaps.is_empty() {
        return Vec::new();
    }
    let space = lower(&mut spaces, 4);
    if space < MIN_SPACE {
        return Vec::new();
    }
    let usual = lower(&mut gaps.iter().map(|gap| gap.1).collect::<Vec<_>>(), 2);
    let least = (OF_A_SPACE * space).max(OF_A_GAP * usual).max(usual + MORE_COLUMNS);
    gaps.into_iter()
        .filter(|(at, width)| *width >= least && may_part(kinds[at - 1], kinds[*at]))
        .map(|(at, _)| at)
        .collect()
}

/// Words may; numbers and codes keep together, for one in two is a wrong one.
fn may_part(before: Kind, after: Kind) -> bool {
    matches!((before, after), (Kind::Letter, Kind::Letter | Kind::Mark) | (Kind::Mark, Kind::Letter))
}

/// The line with the overlooked spaces in it.
pub(super) fn with_overlooked(
    chars: &[DecodedChar],
    kinds: &[Kind],
    space_class: usize,
    blank: impl Fn(usize, usize) -> usize,
) -> Vec<DecodedChar> {
    let places = overlooked(kinds, blank);
    let mut out = Vec::with_capacity(chars.len() + places.len());
    for (index, decoded) in chars.iter().enumerate() {
        if places.contains(&index) {
            let frame = decoded.first;
            out.push(DecodedChar {
                class: space_class,
                probability: 1.0,
                rivals: Vec::new(),
                first: frame,
                end: frame,
            });
        }
        out.push(decoded.clone());
    }
    out
}

/// The value that one of `parts` lies below.
fn lower(values: &mut [f32], parts: usize) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get((values.len() - 1) / parts).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of `text` whose blanks have these widths; `_` is a space that was read.
    fn found(text: &str, blanks: &[usize]) -> Vec<usize> {
        let kinds: Vec<Kind> = text
            .chars()
            .map(|ch| match ch {
                '_' => Kind::Space,
                '?' => Kind::of('a', 0.5),
                ch => Kind::of(ch, 0.9),
            })
            .collect();
        let shown: Vec<usize> = (0..kinds.len()).filter(|at| kinds[*at] != Kind::Space).collect();
        overlooked(&kinds, |before, _| blanks[shown.iter().position(|at| *at == before).unwrap()])
    }

    #[test]
    fn a_blank_as_wide_as_the_spaces_is_one() {
        assert_eq!(found("ab_ala_cd", &[2, 9, 8, 2, 9, 2]), [4]);
        assert_eq!(found("ab_ala_cd", &[2, 9, 3, 2, 9, 2]), [0usize; 0]);
    }

    #[test]
    fn one_space_is_no_measure() {
        assert!(found("ab_ala", &[2, 9, 8, 2]).is_empty());
    }

    #[test]
    fn wide_set_letters_are_not_taken_apart() {
        assert!(found("abc_de_fgh", &[7, 7, 9, 7, 9, 8, 7]).is_empty());
    }

    #[test]
    fn figures_keep_together() {
        assert!(found("ab_1.2_cd", &[2, 9, 8, 2, 9, 2]).is_empty());
        assert!(found("ab_ES2_cd", &[2, 9, 2, 8, 9, 2]).is_empty());
    }

    #[test]
    fn what_is_not_sure_is_not_parted() {
        assert!(found("ab_a?a_cd", &[2, 9, 8, 2, 9, 2]).is_empty());
    }
}
