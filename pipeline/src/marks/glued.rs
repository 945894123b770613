//! Boxes to tick that the recogniser took for letters: `EJColisión`, `XJ`. What lies in the frame is cut off
//! the word; the frame itself says whether it is ticked.

use crate::domain::{Rect, TickBox, Word};

/// What a frame with or without a cross is read as.
const FRAME_LETTERS: &str = "EJXLDIli[]|10OCUQFTxZWM/\\_()☐□☒☑■";
/// A frame is read as so many letters at most.
const MOST_LETTERS: usize = 3;
/// Frames lower than this share of their word are letters.
const LEAST_SIDE: f32 = 0.7;
/// Between a frame and its words, as a share of its side.
const GAP: f32 = 0.25;

/// The words without the letters that stand for a frame.
pub(super) fn without_boxes(words: Vec<Word>, boxes: &[TickBox]) -> Vec<Word> {
    let frame_of = |word: &Word| boxes.iter().find(|frame| opens_with(&word.bounds, &frame.bounds));
    let letter_width = letter_width(words.iter().filter(|word| frame_of(word).is_none()));
    let cut = |word: Word| match frame_of(&word) {
        Some(frame) => rest_of(word, &frame.bounds, letter_width),
        None => Some(word),
    };
    words.into_iter().filter_map(cut).collect()
}

fn opens_with(word: &Rect, frame: &Rect) -> bool {
    let tall = frame.height >= LEAST_SIDE * word.height;
    let in_line = frame.overlap_y(word) > 0.6 * frame.height;
    let first = (frame.left - word.left).abs() < 0.4 * frame.width || frame.left < word.left;
    tall && in_line && first && frame.center_x() > word.left && frame.center_x() < word.right()
}

/// The word behind the frame; nothing when all of it is the frame.
fn rest_of(word: Word, frame: &Rect, letter_width: f32) -> Option<Word> {
    let letters: Vec<char> = word.text.chars().collect();
    let opening = letters.iter().take_while(|ch| FRAME_LETTERS.contains(**ch)).count();
    let left = frame.right() + GAP * frame.width;
    let width = word.bounds.right() - left;
    if width < 0.5 * letter_width {
        return if opening == letters.len() { None } else { Some(word) };
    }
    let misfit = |cut: usize| (width / (letters.len() - cut) as f32 - letter_width).abs();
    let most = opening.min(MOST_LETTERS).min(letters.len().saturating_sub(1));
    let Some(cut) = (1..=most).min_by(|a, b| misfit(*a).total_cmp(&misfit(*b))) else { return Some(word) };
    let chars = word.chars.get(cut..).unwrap_or_default().to_vec();
    let bounds = Rect::from_edges(left, word.bounds.top, word.bounds.right(), word.bounds.bottom());
    Some(Word { text: letters[cut..].iter().collect(), bounds, chars, ..word })
}

/// Mean width of the letters of the longer words.
fn letter_width<'a>(words: impl Iterator<Item = &'a Word>) -> f32 {
    let (mut width, mut letters) = (0.0, 0);
    for word in words.filter(|word| word.text.chars().count() > 3) {
        width += word.bounds.width;
        letters += word.text.chars().count();
    }
    width / letters.max(1) as f32
}
