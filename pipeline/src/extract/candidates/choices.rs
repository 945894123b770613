//! Candidates of an enumeration: the words that stand for its values, and which of them has its box
//! marked when they are a list to tick.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Typed};
use crate::config::FieldConfig;
use crate::domain::{InkMark, Rect, TickBox};
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::sheet::Sheet;
use crate::extract::labels::tokens::tokens_of_phrase;

/// As many different options on a page are a list to tick, not a value in words.
const LIST_LENGTH: usize = 3;
/// A ticked box holds this many times the ink of the next at least; an empty box has only its frame.
const INK_LEAD: f32 = 1.2;
/// A box is ticked when so much of its inside is ink, and any other has at most a share of that: paper and
/// blur leave a little in each.
const TICKED: f32 = 0.08;
const EMPTY_SHARE: f32 = 0.4;
/// Between a frame and its words, in text heights.
const NEAR: std::ops::Range<f32> = -0.6..2.8;
/// Of an option whose frame is ticked.
const FRAMED: f32 = 0.97;
/// Of an option that has no mark among options of which one has.
const UNMARKED: f32 = 0.02;

#[derive(Debug, Clone, Copy, PartialEq)]
enum BoxState {
    Marked,
    Empty,
    /// A letter that recognisers take an empty box for.
    LooksEmpty,
    /// A frame with this share of ink within.
    Frame(f32),
    /// A box or mark with this share of ink.
    Ink(f32),
    Unknown,
}

pub(super) fn find(field: &FieldConfig, sheet: &Sheet, occurrences: &[Occurrence]) -> Vec<Candidate> {
    let mut found: Vec<(Candidate, BoxState)> = Vec::new();
    for choice in &field.choices {
        for words in &choice.words {
            let tokens = tokens_of_phrase(words);
            for (first, end) in matches(sheet, &tokens) {
                if !covered_by_label(sheet, occurrences, first, end, tokens.len()) {
                    let candidate = candidate(sheet, first, end, &choice.value);
                    let state = box_state(sheet, first, end);
                    found.push((candidate, state));
                }
            }
        }
    }
    longest_only(&mut found);
    see_frames(sheet, &mut found);
    match by_legend(sheet, &found) {
        Some(told) => told,
        None => judge(found),
    }
}

/// Runs of words that spell these tokens.
fn matches(sheet: &Sheet, tokens: &[String]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    if tokens.is_empty() {
        return runs;
    }
    let joined: String = tokens.concat();
    let tolerant = sheet.page.source.is_ocr() && joined.len() >= 6;
    for piece in &sheet.pieces {
        let all = &sheet.tokens[piece.first_token..piece.end_token];
        for window in all.windows(tokens.len()) {
            let text: String = window.iter().map(|token| token.text.as_str()).collect();
            let allowed = if tolerant { joined.len() / 7 } else { 0 };
            let near = text == joined
                || allowed > 0
                    && text.len().abs_diff(joined.len()) <= allowed
                    && strsim::levenshtein(&text, &joined) <= allowed;
            if near {
                runs.push((window[0].word, window[window.len() - 1].word + 1));
            }
        }
    }
    runs
}

/// The words belong to a label as long as they are: `lectura actual` is no reading that is `actual`.
fn covered_by_label(
    sheet: &Sheet,
    occurrences: &[Occurrence],
    first: usize,
    end: usize,
    length: usize,
) -> bool {
    occurrences.iter().any(|occurrence| {
        let words: Vec<usize> = occurrence.tokens.iter().map(|token| sheet.tokens[*token].word).collect();
        (first..end).all(|word| words.contains(&word)) && occurrence.tokens.len() > length
    })
}

fn candidate(sheet: &Sheet, first: usize, end: usize, value: &str) -> Candidate {
    let piece = sheet.piece_of_word[first];
    let short = sheet.pieces[piece].end - sheet.pieces[piece].first <= end - first + 3;
    Candidate {
        piece,
        last_piece: piece,
        first,
        end,
        bounds: sheet.bounds(first, end),
        raw: sheet.text(first, end),
        value: Typed::Text(value.to_owned()),
        format: if short { 0.95 } else { 0.75 },
        checks: Vec::new(),
        repaired: false,
    }
}

fn box_state(sheet: &Sheet, first: usize, end: usize) -> BoxState {
    let words = &sheet.page.words;
    let piece = &sheet.pieces[sheet.piece_of_word[first]];
    let before = (first > piece.first).then(|| words[first - 1].text.as_str());
    let far_before = piece_before(sheet, first);
    let sign = words[first].text.chars().next().filter(|ch| !ch.is_alphanumeric());
    let glued = sign.and_then(|ch| glyph_state(&ch.to_string()));
    // Behind the option only at the end of its line: `Robo o hurto` has no box between its words.
    let after = (end + 1 == piece.end).then(|| words[end].text.as_str());
    let glyph = glued
        .or_else(|| before.and_then(glyph_state))
        .or_else(|| far_before.and_then(glyph_state))
        .or_else(|| after.and_then(glyph_state).filter(|_| before.is_none()));
    // The number of an option stands between its box and its words.
    let is_number =
        |word: usize| words[word].text.chars().all(|ch| ch.is_ascii_digit() || ".-)".contains(ch));
    let start = (piece.first..first).rev().take_while(|word| is_number(*word)).last().unwrap_or(first);
    glyph.unwrap_or_else(|| ink_state(sheet, &sheet.bounds(start, end)))
}

/// Gives the options the frames that stand beside them, all on the same side. A box that is typed is known;
/// what was recognised is a guess beside the frame itself.
fn see_frames(sheet: &Sheet, found: &mut [(Candidate, BoxState)]) {
    let frames = |side: fn(&Rect, &Rect) -> f32| -> Vec<Option<(f32, f32)>> {
        found.iter().map(|(option, _)| frame_beside(sheet, &option.bounds, side)).collect()
    };
    let before = frames(|frame, words| words.left - frame.right());
    let behind = frames(|frame, words| frame.left - words.right());
    // A row of options has a frame on both sides of each; its own is the nearer one.
    let frames = if farness(&behind) < farness(&before) { behind } else { before };
    for ((_, state), frame) in found.iter_mut().zip(frames) {
        let frame = frame.map(|(ink, _)| ink);
        let typed = matches!(state, BoxState::Marked | BoxState::Empty) && !sheet.page.source.is_ocr();
        if let Some(ink) = frame.filter(|_| !typed) {
            *state = BoxState::Frame(ink);
        }
    }
}

/// Options of a legend, `R=REAL E=ESTIMADA`: the one whose letter stands alone in a cell. None is told when several
/// letters do or no letter does. `None` when there is no legend.
fn by_legend(sheet: &Sheet, found: &[(Candidate, BoxState)]) -> Option<Vec<Candidate>> {
    let keys: Vec<Option<&str>> = found.iter().map(|(option, _)| legend_key(sheet, option)).collect();
    let values: BTreeMap<&str, &str> =
        found.iter().zip(&keys).filter_map(|((option, _), key)| Some(((*key)?, value_of(option)?))).collect();
    let distinct: BTreeSet<&str> = values.values().copied().collect();
    if distinct.len() < 2 {
        return None;
    }
    let alone = |key: &str| {
        let mut cells = sheet.pieces.iter().filter(|piece| piece.end == piece.first + 1);
        cells.any(|piece| sheet.page.words[piece.first].text == key)
    };
    let told: BTreeSet<&str> = values.iter().filter(|(key, _)| alone(key)).map(|(_, value)| *value).collect();
    let only = (told.len() == 1).then(|| told.first().copied()).flatten();
    let rated = found.iter().zip(&keys).map(|((option, _), key)| {
        let mut option = option.clone();
        if key.is_some() {
            option.format = if value_of(&option) == only { FRAMED } else { UNMARKED };
        }
        option
    });
    Some(rated.collect())
}

fn value_of(option: &Candidate) -> Option<&str> {
    match &option.value {
        Typed::Text(value) => Some(value),
        _ => None,
    }
}

/// The letter that a legend gives an option: `E` of `E=ESTIMADA` and `E = Estimada`.
fn legend_key<'a>(sheet: &'a Sheet, option: &Candidate) -> Option<&'a str> {
    let words = &sheet.page.words;
    let text = |word: usize| words.get(word).map(|word| word.text.as_str());
    let glued = text(option.first)?.split_once('=').map(|(key, _)| key);
    let apart = || {
        let sign = option.first.checked_sub(1).filter(|at| text(*at) == Some("="))?;
        text(sign.checked_sub(1)?)
    };
    glued
        .or_else(apart)
        .filter(|key| (1..=2).contains(&key.len()) && key.chars().all(|ch| ch.is_ascii_uppercase()))
}

/// How far the options stand from their frames on one side; an option without any counts as far.
fn farness(frames: &[Option<(f32, f32)>]) -> f32 {
    frames.iter().map(|frame| frame.map_or(NEAR.end, |(_, gap)| gap.max(0.0))).sum()
}

/// The nearest frame in the line of the words on one side: the ink in it and how far it is.
fn frame_beside(sheet: &Sheet, words: &Rect, gap: fn(&Rect, &Rect) -> f32) -> Option<(f32, f32)> {
    let gap = |frame: &TickBox| gap(&frame.bounds, words) / sheet.height;
    let beside = sheet.page.boxes.iter().filter(|frame| {
        let in_line = frame.bounds.overlap_y(words) > 0.4 * frame.bounds.height.min(sheet.height);
        in_line && NEAR.contains(&gap(frame))
    });
    let nearest = beside.min_by(|a, b| gap(a).total_cmp(&gap(b)))?;
    Some((nearest.ink_ratio, gap(nearest)))
}

/// The last word of the neighbouring segment on the left, when it is close.
fn piece_before<'a>(sheet: &'a Sheet, first: usize) -> Option<&'a str> {
    let index = sheet.piece_of_word[first];
    let piece = &sheet.pieces[index];
    let left = sheet.pieces.get(index.checked_sub(1)?)?;
    let close = left.row == piece.row && piece.bounds.left - left.bounds.right() < 2.5 * sheet.height;
    (close && first == piece.first)
        .then(|| sheet.page.words.get(left.end.checked_sub(1)?).map(|word| word.text.as_str()))?
}

fn glyph_state(text: &str) -> Option<BoxState> {
    let bare: String = text.chars().filter(|ch| !ch.is_whitespace()).collect();
    match bare.as_str() {
        "☒" | "☑" | "✓" | "✔" | "✗" | "✘" | "✕" | "■" | "●" | "◉" | "⊠" | "⊗" | "◼" | "▣" | "x" | "X"
        | "[x]" | "[X]" | "(x)" | "(X)" | "[X" | "X]" | "[x" | "x]" | "×" | "\u{f0fe}" | "\u{f052}"
        | "\u{f0fc}" => Some(BoxState::Marked),
        "☐" | "□" | "○" | "◯" | "[]" | "()" | "❏" | "❑" | "▢" | "\u{f0a8}" | "\u{f06f}" => {
            Some(BoxState::Empty)
        }
        "D" | "O" | "0" | "Q" | "o" | "U" | "C" | "L" | "[" | "]" | "|" | "I" | "l" | "J" | "LI" | "[_]"
        | "L]" | "[J" | "D." | "1" => Some(BoxState::LooksEmpty),
        _ => None,
    }
}

/// The share of ink of the small square mark beside the words.
fn ink_state(sheet: &Sheet, words: &Rect) -> BoxState {
    let height = sheet.height;
    let beside = |mark: &&InkMark| {
        let bounds = &mark.bounds;
        let left = words.left - bounds.right();
        let in_line = bounds.overlap_y(words) > 0.4 * bounds.height.min(words.height);
        let size = bounds.height > 0.4 * height && bounds.height < 2.8 * height;
        let square = bounds.width > 0.4 * bounds.height && bounds.width < 2.2 * bounds.height;
        in_line && size && square && (-0.4 * height..2.8 * height).contains(&left)
    };
    let boxes: Vec<&InkMark> = sheet.page.marks.iter().filter(beside).collect();
    let Some(nearest) = boxes.iter().max_by(|a, b| a.bounds.right().total_cmp(&b.bounds.right())) else {
        return BoxState::Unknown;
    };
    // A cross that does not touch its frame is a mark of its own within it.
    let group = boxes.iter().filter(|mark| mark.bounds.overlap_x(&nearest.bounds) > 0.0);
    let (mut area, mut ink) = (nearest.bounds, 0.0);
    for mark in group {
        area = area.union(&mark.bounds);
        ink += mark.ink_ratio * mark.bounds.area();
    }
    BoxState::Ink(ink / area.area().max(0.1))
}

/// Of overlapping matches the longest counts: `lectura estimada`, not `estimada`.
fn longest_only(found: &mut Vec<(Candidate, BoxState)>) {
    found.sort_by_key(|(candidate, _)| std::cmp::Reverse(candidate.end - candidate.first));
    let mut kept: Vec<(Candidate, BoxState)> = Vec::new();
    for (candidate, state) in found.drain(..) {
        if !kept.iter().any(|(longer, _)| candidate.first < longer.end && longer.first < candidate.end) {
            kept.push((candidate, state));
        }
    }
    *found = kept;
}

fn judge(found: Vec<(Candidate, BoxState)>) -> Vec<Candidate> {
    // An option stands by itself or behind a box; what explains another option does neither.
    let has_box = |state: &BoxState| !matches!(state, BoxState::Unknown);
    let options: Vec<&Typed> = found
        .iter()
        .filter(|(candidate, state)| candidate.format > 0.9 || has_box(state))
        .fold(Vec::new(), |mut values, (candidate, _)| {
            if !values.contains(&&candidate.value) {
                values.push(&candidate.value);
            }
            values
        });
    if let Some(ticked) = ticked_frame(&found) {
        let rated = found.into_iter().enumerate().map(|(index, (mut candidate, _))| {
            candidate.format = if ticked.contains(&index) { FRAMED } else { UNMARKED };
            candidate
        });
        return rated.collect();
    }
    let any_glyph = found.iter().any(|(_, state)| *state == BoxState::Marked);
    if options.len() < LIST_LENGTH && !any_glyph {
        return found.into_iter().map(|(candidate, _)| candidate).collect();
    }
    let inks: Vec<f32> = found
        .iter()
        .filter_map(|(_, state)| match state {
            BoxState::Ink(ink) => Some(*ink),
            _ => None,
        })
        .collect();
    let most = inks.iter().copied().fold(0.0, f32::max);
    let next = inks.iter().copied().filter(|ink| *ink < most).fold(0.0, f32::max);
    let single = inks.len() == 1;
    let clear = inks.iter().filter(|ink| **ink >= most).count() == 1 && (single || most > INK_LEAD * next);
    // Where the empty boxes were read as letters, the ticked one is the option without such a letter.
    let empty = found.iter().filter(|(_, state)| *state == BoxState::LooksEmpty).count();
    let others =
        found.iter().filter(|(candidate, state)| *state != BoxState::LooksEmpty && candidate.format > 0.9);
    let odd_one_out = empty >= 2 && others.count() == 1 && !any_glyph;
    let rate = |state: BoxState| match state {
        BoxState::Marked => 1.0,
        BoxState::LooksEmpty => UNMARKED,
        BoxState::Ink(_) | BoxState::Unknown if odd_one_out => 0.85,
        BoxState::Ink(ink) if !any_glyph && clear && ink >= most => {
            if single {
                0.7
            } else {
                0.95
            }
        }
        _ => UNMARKED,
    };
    let rated = found.into_iter().map(|(mut candidate, state)| {
        candidate.format = rate(state);
        candidate
    });
    rated.collect()
}

/// Of a list whose frames are seen, the option that is ticked, wherever its words stand; nothing when it
/// has none or several. `None` when there is no such list.
fn ticked_frame(found: &[(Candidate, BoxState)]) -> Option<Vec<usize>> {
    let frames = || {
        found.iter().enumerate().filter_map(|(index, (_, state))| match state {
            BoxState::Frame(ink) => Some((index, *ink)),
            _ => None,
        })
    };
    if frames().count() < 2 {
        return None;
    }
    let (first, most) = frames().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let others = || frames().filter(|(index, _)| *index != first);
    let next = others().map(|(_, ink)| ink).fold(0.0, f32::max);
    if most >= TICKED {
        return Some(if next <= EMPTY_SHARE * most { vec![first] } else { Vec::new() });
    }
    // A tick may hide its frame: the one option without any, when all others are seen to be empty.
    let bare: Vec<usize> = found
        .iter()
        .enumerate()
        .filter(|(_, (option, state))| !matches!(state, BoxState::Frame(_)) && option.format > 0.9)
        .map(|(index, _)| index)
        .collect();
    Some(if bare.len() == 1 { bare } else { Vec::new() })
}
