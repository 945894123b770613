//! Characters of a line piece become words with boxes: split at spaces, edges at the blank columns
//! between, everything that is no text left out.

use super::crop::LineImage;
use super::ctc::DecodedChar;
use super::lines::LinePiece;
use super::spaces::{Kind, with_overlooked};
use crate::domain::{CharReading, Rect, Word};

/// Columns of the line image for each frame of the recogniser.
const FRAME_COLUMNS: f32 = 4.0;
/// A column holds ink when it differs from the paper by this part of the line's contrast.
const INK_CONTRAST: f32 = 0.35;
/// So many blank columns beside a letter, a seventh of the line's height, end its word.
const END_BLANK: usize = 6;
/// Words whose characters are on average less sure than this are scrawls, specks or pictures.
const MIN_MEAN_PROBABILITY: f32 = 0.38;
/// Marks without a letter or digit must be surer: specks and rules are read as punctuation.
const MIN_PUNCTUATION_PROBABILITY: f32 = 0.75;

/// Words of one or two characters are noise below the second confidence, or below the first when they
/// are also lower than this part of the page's usual text.
const NOISE_HEIGHT: f32 = 0.6;
const NOISE_CONFIDENCE: f32 = 0.75;
const SHORT_CONFIDENCE: f32 = 0.3;

/// The words of a decoded line.
pub(super) fn words_of(
    chars: &[DecodedChar],
    line: &LinePiece,
    image: &LineImage,
    alphabet: &[char],
) -> Vec<Word> {
    let ink = ink_columns(image);
    let chars = &spaced(chars, &ink, alphabet);
    let readings: Vec<Option<CharReading>> = chars.iter().map(|ch| reading(ch, alphabet)).collect();
    let mut words = Vec::new();
    let (mut left, line_right) = ends(&readings, chars, line, image, &ink);
    let mut start = 0;
    let stands_alone = readings.iter().flatten().all(|reading| !reading.ch.is_alphanumeric());
    for index in 0..=chars.len() {
        let is_space = readings.get(index).is_none_or(Option::is_none);
        if !is_space {
            continue;
        }
        let next_start = (index..chars.len()).find(|at| readings[*at].is_some());
        let (right, next_left) = match (index.checked_sub(1), next_start) {
            (Some(last), Some(next)) if last >= start => part(&chars[last], &chars[next], image, &ink),
            _ => (line_right, left),
        };
        let letters: Vec<CharReading> = readings[start..index.max(start)].iter().flatten().cloned().collect();
        words.extend(word(letters, left, right, line).filter(|word| !(stands_alone && is_speck(word))));
        if next_start.is_some() && index > start {
            left = next_left;
        }
        start = index + 1;
    }
    words
}

/// The characters with the spaces among them that were overlooked.
fn spaced(chars: &[DecodedChar], ink: &[f32], alphabet: &[char]) -> Vec<DecodedChar> {
    let Some(space) = alphabet.iter().position(|ch| *ch == ' ') else { return chars.to_vec() };
    let kinds: Vec<Kind> = chars
        .iter()
        .map(|decoded| match reading(decoded, alphabet) {
            None => Kind::Space,
            Some(read) => Kind::of(read.ch, read.probability),
        })
        .collect();
    with_overlooked(chars, &kinds, space + 1, |before, after| {
        let (from, to) = widest_blank(&chars[before], &chars[after], ink);
        to - from
    })
}

fn reading(decoded: &DecodedChar, alphabet: &[char]) -> Option<CharReading> {
    let ch = *alphabet.get(decoded.class.checked_sub(1)?)?;
    // A bar is the ruled line between two cells.
    if ch.is_whitespace() || ch == '|' {
        return None;
    }
    let alternatives = decoded
        .rivals
        .iter()
        .filter_map(|(class, probability)| Some((*alphabet.get(class.checked_sub(1)?)?, *probability)))
        .collect();
    Some(CharReading { ch, probability: decoded.probability, alternatives })
}

fn word(chars: Vec<CharReading>, left: f32, right: f32, line: &LinePiece) -> Option<Word> {
    if chars.is_empty() || right - left < 0.5 {
        return None;
    }
    let mean = chars.iter().map(|ch| ch.probability).sum::<f32>() / chars.len() as f32;
    let is_punctuation = chars.iter().all(|ch| !ch.ch.is_alphanumeric());
    let floor = if is_punctuation { MIN_PUNCTUATION_PROBABILITY } else { MIN_MEAN_PROBABILITY };
    if mean < floor {
        return None;
    }
    let middle = line.middle(f32::midpoint(left, right));
    let bounds = Rect::new(left, middle - line.height / 2.0, right - left, line.height);
    let text = chars.iter().map(|ch| ch.ch).collect();
    let confidence = chars.iter().map(|ch| ch.probability).product();
    Some(Word { text, bounds, confidence, bold: false, chars })
}

/// A lone mark that carries no meaning of its own: what specks and corners of frames are read as.
fn is_speck(word: &Word) -> bool {
    !word.text.chars().any(|ch| "€$£%-–—+*/".contains(ch))
        || word.text.chars().count() == 1 && word.confidence < 0.9
}

/// Without the short doubtful words, much lower than the page's text, that patterns are read as.
pub(super) fn without_noise(mut words: Vec<Word>) -> Vec<Word> {
    let mut heights: Vec<f32> =
        words.iter().filter(|word| word.confidence > 0.8).map(|word| word.bounds.height).collect();
    heights.sort_by(f32::total_cmp);
    let usual = heights.get(heights.len() / 2).copied().unwrap_or(0.0);
    words.retain(|word| {
        let is_short = word.text.chars().count() <= 2;
        let is_low = word.bounds.height < NOISE_HEIGHT * usual;
        !(is_short && word.confidence < if is_low { NOISE_CONFIDENCE } else { SHORT_CONFIDENCE })
    });
    words
}

/// For each column the strongest difference from the paper within the text's height, 0 to 1.
fn ink_columns(image: &LineImage) -> Vec<f32> {
    let rows = image.pixels.len() / image.width.max(1);
    let mut sorted = image.pixels.clone();
    sorted.sort_by(f32::total_cmp);
    let at = |part: f32| sorted.get((part * sorted.len() as f32) as usize).copied().unwrap_or(0.0);
    let (dark, middle, light) = (at(0.04), at(0.5), at(0.96));
    // The paper is the more common side.
    let (paper, text) = if light - middle <= middle - dark { (light, dark) } else { (dark, light) };
    let contrast = (paper - text).abs().max(0.05);
    let (top, bottom) = (rows / 6, rows - rows / 6);
    (0..image.width)
        .map(|column| {
            let strongest = (top..bottom)
                .map(|row| (image.pixels[row * image.width + column] - paper).abs())
                .fold(0.0, f32::max);
            strongest / contrast
        })
        .collect()
}

/// Left and right edge of the line's ink: where the first letter's ink begins and the last one's ends,
/// for the detector's boxes reach into whatever touches them.
fn ends(
    readings: &[Option<CharReading>],
    chars: &[DecodedChar],
    line: &LinePiece,
    image: &LineImage,
    ink: &[f32],
) -> (f32, f32) {
    let first = readings.iter().position(Option::is_some).and_then(|index| chars.get(index));
    let last = readings.iter().rposition(Option::is_some).and_then(|index| chars.get(index));
    let (Some(first), Some(last)) = (first, last) else { return (line.left, line.right) };
    let is_blank = |column: usize| ink.get(column).is_none_or(|ink| *ink < INK_CONTRAST);
    let from = ((first.first as f32 * FRAME_COLUMNS) as usize).min(ink.len());
    let to = ((last.end as f32 * FRAME_COLUMNS) as usize).min(ink.len());
    let begins = (END_BLANK..=from).rev().find(|end| (end - END_BLANK..*end).all(is_blank));
    let ends = (to..ink.len()).find(|start| (*start..start + END_BLANK).all(is_blank));
    let left = begins.map_or(line.left, |column| image.page_x(column as f32).max(line.left));
    let right = ends.map_or(line.right, |column| image.page_x(column as f32).min(line.right));
    (left, right.max(left + 1.0))
}

/// Where the word of `before` ends and that of `after` begins: the edges of the widest blank between.
fn part(before: &DecodedChar, after: &DecodedChar, image: &LineImage, ink: &[f32]) -> (f32, f32) {
    let (from, to) = between(before, after);
    let widest = widest_blank(before, after, ink);
    if widest.1 - widest.0 < 2 {
        let middle = image.page_x(f32::midpoint(from, to));
        return (middle, middle);
    }
    (image.page_x(widest.0 as f32), image.page_x(widest.1 as f32))
}

/// The columns from where one character was read to where the next was.
fn between(before: &DecodedChar, after: &DecodedChar) -> (f32, f32) {
    ((before.end as f32 - 0.5) * FRAME_COLUMNS, (after.first as f32 + 0.5) * FRAME_COLUMNS)
}

/// Begin and end of the widest blank between two characters, in columns.
fn widest_blank(before: &DecodedChar, after: &DecodedChar, ink: &[f32]) -> (usize, usize) {
    let (from, to) = between(before, after);
    let (first, last) = (from as usize, (to.ceil() as usize).min(ink.len()));
    let mut widest = (0usize, 0usize);
    let mut start = None;
    for column in first..=last {
        let blank = column < last && ink.get(column).is_some_and(|ink| *ink < INK_CONTRAST);
        match (blank, start) {
            (true, None) => start = Some(column),
            (false, Some(begun)) => {
                if column - begun > widest.1 - widest.0 {
                    widest = (begun, column);
                }
                start = None;
            }
            _ => {}
        }
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocr::TextBox;
    use crate::ocr::lines::find_lines;

    const ALPHABET: [char; 3] = [' ', 'a', '.'];

    fn decoded(class: usize, frame: usize, probability: f32) -> DecodedChar {
        DecodedChar { class, probability, rivals: vec![(3, 0.1)], first: frame, end: frame + 1 }
    }

    /// A line of 100 columns with ink at the given ranges, one page pixel a column from x = 0.
    fn line_image(ink: &[(usize, usize)]) -> (LinePiece, LineImage) {
        let mut pixels = vec![0.5f32; 40 * 100];
        for &(start, end) in ink {
            for row in 8..32 {
                pixels[row * 100 + start..row * 100 + end].fill(-0.5);
            }
        }
        let found = TextBox { center_x: 50.0, center_y: 20.0, width: 80.0, height: 30.0, slope: 0.0 };
        let line = find_lines(vec![found]).remove(0);
        (line, LineImage { pixels, width: 100, left: 0.0, step: 1.0 })
    }

    #[test]
    fn words_part_at_the_blank_between_them() {
        let (line, image) = line_image(&[(10, 40), (52, 90)]);
        let chars = [
            decoded(2, 3, 0.9),
            decoded(2, 8, 0.9),
            decoded(1, 11, 0.9),
            decoded(2, 14, 0.9),
            decoded(2, 20, 0.9),
        ];
        let words = words_of(&chars, &line, &image, &ALPHABET);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["aa", "aa"]);
        assert!((words[0].bounds.left - 10.0).abs() < 0.01 && (words[0].bounds.right() - 40.0).abs() < 1.1);
        assert!((words[1].bounds.left - 52.0).abs() < 1.1 && (words[1].bounds.right() - 90.0).abs() < 0.01);
        assert!((words[0].confidence - 0.81).abs() < 1e-4);
        assert_eq!(words[0].chars[0].alternatives, [('.', 0.1)]);
    }

    #[test]
    fn words_part_where_the_blank_is_as_wide_as_a_space() {
        let letters = [(4, 10), (12, 18), (28, 34), (44, 50), (52, 58), (68, 74), (76, 82)];
        let (line, image) = line_image(&letters);
        let frames = [(2, 1), (2, 3), (1, 5), (2, 7), (1, 9), (2, 11), (2, 13), (2, 17), (2, 19)];
        let chars: Vec<DecodedChar> =
            frames.iter().map(|&(class, frame)| decoded(class, frame, 0.9)).collect();
        let words = words_of(&chars, &line, &image, &ALPHABET);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["aa", "a", "aa", "aa"]);
    }

    #[test]
    fn spaces_at_the_ends_make_no_words() {
        let (line, image) = line_image(&[(10, 90)]);
        let chars = [decoded(1, 1, 0.9), decoded(2, 10, 0.9), decoded(1, 23, 0.9)];
        assert_eq!(words_of(&chars, &line, &image, &ALPHABET).len(), 1);
        assert!(words_of(&[], &line, &image, &ALPHABET).is_empty());
        assert!(words_of(&chars[..1], &line, &image, &ALPHABET).is_empty());
    }

    #[test]
    fn patterns_read_as_low_letters_are_noise() {
        let word = |text: &str, height: f32, confidence: f32| Word {
            text: text.to_owned(),
            bounds: Rect::new(0.0, 0.0, 30.0, height),
            confidence,
            bold: false,
            chars: Vec::new(),
        };
        let words = vec![
            word("Nombre", 20.0, 0.95),
            word("Fecha", 22.0, 0.99),
            word("C", 8.0, 0.6),
            word("7", 20.0, 0.6),
            word("e", 20.0, 0.2),
            word("nota", 8.0, 0.6),
        ];
        let kept: Vec<String> = without_noise(words).into_iter().map(|word| word.text).collect();
        assert_eq!(kept, ["Nombre", "Fecha", "7", "nota"]);
    }

    #[test]
    fn a_box_that_reaches_too_far_is_cut_to_the_ink() {
        let (line, image) = line_image(&[(20, 60)]);
        let chars = [decoded(2, 7, 0.9), decoded(2, 12, 0.9)];
        let words = words_of(&chars, &line, &image, &ALPHABET);
        let bounds = words[0].bounds;
        assert!((bounds.left - 20.0).abs() < 1.1 && (bounds.right() - 60.0).abs() < 1.1, "{bounds:?}");
    }

    #[test]
    fn what_is_hardly_read_is_left_out() {
        let (line, image) = line_image(&[(10, 90)]);
        assert!(words_of(&[decoded(2, 10, 0.2)], &line, &image, &ALPHABET).is_empty());
        assert!(words_of(&[decoded(3, 10, 0.6)], &line, &image, &ALPHABET).is_empty());
        assert!(words_of(&[decoded(3, 10, 0.9)], &line, &image, &ALPHABET).is_empty());
        let with_point = [decoded(2, 10, 0.9), decoded(3, 18, 0.9)];
        assert_eq!(words_of(&with_point, &line, &image, &ALPHABET)[0].text, "a.");
    }
}
