//! Words with boxes become rows and segments, in reading order: the same for born-digital text and
//! for OCR. Knows nothing of what the words mean.

use crate::domain::{Rect, Row, RuleLine, Segment, Word};

/// A gap wider than this many word heights parts two segments of a row. A space is about a quarter
/// of the height.
const SEGMENT_GAP: f32 = 1.0;
/// Justified text stretches spaces to at most this many heights.
const JUSTIFIED_GAP: f32 = 1.7;
/// A row is justified text when it has this many gaps, and the widest is at most so many times the
/// middle one: the gaps of a table differ more.
const JUSTIFIED_GAPS: usize = 4;
const JUSTIFIED_SPREAD: f32 = 1.5;
/// Middles (or feet, for words of different size) of one row's words differ at most by these parts of
/// the lower height.
const MIDDLE_TOLERANCE: f32 = 0.42;
const FOOT_TOLERANCE: f32 = 0.22;
/// Neighbours that tell the page's slope stand closer than this many heights.
const NEIGHBOUR_GAP: f32 = 4.0;
/// A comb has at least this many characters, no further apart than so many heights, at distances that are
/// even within this share.
const SHORTEST_COMB: usize = 6;
const COMB_REACH: f32 = 6.0;
const COMB_SLACK: f32 = 0.22;
/// What is further apart than so many cells is in two combs.
const NEXT_COMB: f32 = 1.5;
/// Pages are straightened before; what is left of slope is small.
const MAX_SLOPE: f32 = 0.03;

/// Puts words in reading order and groups them to rows and segments.
pub fn arrange(words: Vec<Word>) -> (Vec<Word>, Vec<Row>) {
    arrange_with_rules(words, &[])
}

/// As [`arrange`]; a vertical ruled line between two words parts their segments.
pub fn arrange_with_rules(mut words: Vec<Word>, rules: &[RuleLine]) -> (Vec<Word>, Vec<Row>) {
    let slope = residual_slope(&words);
    let level = |word: &Word| word.bounds.center_y() - slope * word.bounds.center_x();
    words.sort_by(|a, b| level(a).total_cmp(&level(b)).then(a.bounds.left.total_cmp(&b.bounds.left)));
    let mut lines: Vec<Line> = Vec::new();
    for word in words {
        let leveled = Rect { top: word.bounds.top - slope * word.bounds.center_x(), ..word.bounds };
        let best = lines
            .iter_mut()
            .rev()
            .take(12)
            .filter_map(|line| Some((line.distance(&leveled)?, line)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((_, line)) => line.add(word, leveled),
            None => lines.push(Line::new(word, leveled)),
        }
    }
    lines.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let mut ordered = Vec::new();
    let mut rows = Vec::new();
    for mut line in lines {
        line.words.sort_by(|a, b| a.bounds.left.total_cmp(&b.bounds.left));
        join_combs(&mut line.words);
        let bounds = Rect::around(line.words.iter().map(|word| word.bounds)).unwrap_or_default();
        let segments = segments(&line.words, ordered.len(), rules);
        ordered.extend(line.words);
        rows.push(Row { bounds, segments });
    }
    (ordered, rows)
}

/// Characters that stand alone in the cells of a comb, as forms have for codes, become words. A cell left
/// empty parts them.
fn join_combs(words: &mut Vec<Word>) {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut rest = std::mem::take(words).into_iter().peekable();
    while let Some(word) = rest.next() {
        let mut comb = vec![word];
        while is_single(&comb[0]) && rest.peek().is_some_and(|next| is_single(next) && is_near(&comb, next)) {
            comb.extend(rest.next());
        }
        match pitch_of(&comb) {
            Some(pitch) => joined.extend(cells(comb, pitch)),
            None => joined.extend(comb),
        }
    }
    *words = joined;
}

fn is_single(word: &Word) -> bool {
    word.text.chars().count() == 1
}

fn is_near(comb: &[Word], next: &Word) -> bool {
    comb.last().is_some_and(|last| next.bounds.left - last.bounds.right() < COMB_REACH * last.bounds.height)
}

/// The even distance of a comb's characters; `None` when they are too few or stand otherwise.
fn pitch_of(comb: &[Word]) -> Option<f32> {
    let mut gaps: Vec<f32> = centre_gaps(comb).collect();
    gaps.sort_by(f32::total_cmp);
    let pitch = *gaps.get(gaps.len() / 3)?;
    // Wider ones part two combs of a line, which need not stand in one raster.
    let within = || gaps.iter().filter(|gap| **gap < NEXT_COMB * pitch);
    let is_even = |gap: &f32| (gap / pitch - 1.0).abs() < COMB_SLACK;
    let height = comb.iter().map(|word| word.bounds.height).fold(0.0, f32::max);
    let long = comb.len() >= SHORTEST_COMB && within().count() >= SHORTEST_COMB / 2;
    (long && pitch > 0.6 * height && within().all(is_even)).then_some(pitch)
}

fn centre_gaps(comb: &[Word]) -> impl Iterator<Item = f32> {
    comb.windows(2).map(|pair| pair[1].bounds.center_x() - pair[0].bounds.center_x())
}

fn cells(comb: Vec<Word>, pitch: f32) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut before: Option<f32> = None;
    for cell in comb {
        let centre = cell.bounds.center_x();
        let follows = before.is_some_and(|before| centre - before < NEXT_COMB * pitch);
        before = Some(centre);
        match words.last_mut() {
            Some(word) if follows => {
                word.text.push_str(&cell.text);
                word.bounds = word.bounds.union(&cell.bounds);
                word.confidence = word.confidence.min(cell.confidence);
                word.chars.extend(cell.chars);
            }
            _ => words.push(cell),
        }
    }
    words
}

/// Words on one baseline, the page's slope taken out.
struct Line {
    words: Vec<Word>,
    leveled: Vec<Rect>,
}

impl Line {
    fn new(word: Word, leveled: Rect) -> Self {
        Self { words: vec![word], leveled: vec![leveled] }
    }

    fn add(&mut self, word: Word, leveled: Rect) {
        self.words.push(word);
        self.leveled.push(leveled);
    }

    fn middle(&self) -> f32 {
        self.leveled.iter().map(Rect::center_y).sum::<f32>() / self.leveled.len().max(1) as f32
    }

    /// How far the word stands from the line, in its heights; `None` when it stands on another. The
    /// line is taken as it is near the word: pages may be curved.
    fn distance(&self, word: &Rect) -> Option<f32> {
        let near =
            self.leveled.iter().min_by(|a, b| (gap_between(a, word)).total_cmp(&gap_between(b, word)))?;
        let height = near.height.min(word.height).max(1e-3);
        let middles = (near.center_y() - word.center_y()).abs() / height;
        let feet = (near.bottom() - word.bottom()).abs() / height;
        let overlaps = near.overlap_x(word) > 0.5 * near.width.min(word.width);
        let fits = middles < MIDDLE_TOLERANCE || feet < FOOT_TOLERANCE;
        (fits && !overlaps).then_some(middles.min(feet))
    }
}

/// Horizontal distance of two boxes, negative where they overlap.
fn gap_between(a: &Rect, b: &Rect) -> f32 {
    a.left.max(b.left) - a.right().min(b.right())
}

/// How much rows still run down to the right: the median over neighbouring words.
fn residual_slope(words: &[Word]) -> f32 {
    let mut by_left: Vec<&Rect> = words.iter().map(|word| &word.bounds).collect();
    by_left.sort_by(|a, b| a.left.total_cmp(&b.left).then(a.top.total_cmp(&b.top)));
    let mut slopes: Vec<f32> = Vec::new();
    for (index, first) in by_left.iter().enumerate() {
        let reach = first.right() + NEIGHBOUR_GAP * first.height;
        let neighbour = by_left[index + 1..].iter().take_while(|next| next.left < reach).find(|next| {
            next.left >= first.right() - 0.2 * first.height
                && (next.center_y() - first.center_y()).abs() < 0.35 * first.height.min(next.height)
                && (next.height - first.height).abs() < 0.25 * first.height
        });
        if let Some(next) = neighbour {
            slopes
                .push((next.center_y() - first.center_y()) / (next.center_x() - first.center_x()).max(1e-3));
        }
    }
    slopes.sort_by(f32::total_cmp);
    slopes.get(slopes.len() / 2).copied().unwrap_or(0.0).clamp(-MAX_SLOPE, MAX_SLOPE)
}

fn segments(line: &[Word], first: usize, rules: &[RuleLine]) -> Vec<Segment> {
    let widest_space = widest_space(line);
    let mut segments: Vec<Segment> = Vec::new();
    let mut previous: Option<&Word> = None;
    for (offset, word) in line.iter().enumerate() {
        let joins = previous.is_some_and(|before| {
            let gap = word.bounds.left - before.bounds.right();
            gap < widest_space * before.bounds.height.min(word.bounds.height)
                && !rules.iter().any(|rule| parts(rule, &before.bounds, &word.bounds))
        });
        match segments.last_mut() {
            Some(segment) if joins => {
                segment.end = first + offset + 1;
                segment.bounds = segment.bounds.union(&word.bounds);
            }
            _ => {
                segments.push(Segment {
                    bounds: word.bounds,
                    first: first + offset,
                    end: first + offset + 1,
                });
            }
        }
        previous = Some(word);
    }
    segments
}

/// The widest gap of a line, in word heights, that is a space and not a new cell.
fn widest_space(line: &[Word]) -> f32 {
    let mut gaps: Vec<f32> = line
        .windows(2)
        .map(|pair| {
            let height = pair[0].bounds.height.min(pair[1].bounds.height).max(1e-3);
            (pair[1].bounds.left - pair[0].bounds.right()) / height
        })
        .collect();
    gaps.sort_by(f32::total_cmp);
    let (Some(widest), middle) = (gaps.last().copied(), gaps.get(gaps.len() / 2).copied().unwrap_or(0.0))
    else {
        return SEGMENT_GAP;
    };
    let is_justified =
        gaps.len() >= JUSTIFIED_GAPS && widest <= JUSTIFIED_SPREAD * middle && widest <= JUSTIFIED_GAP;
    if is_justified { JUSTIFIED_GAP } else { SEGMENT_GAP }
}

/// Whether a vertical line runs between two neighbours of a row.
fn parts(rule: &RuleLine, before: &Rect, after: &Rect) -> bool {
    if rule.horizontal {
        return false;
    }
    // Boxes are a little wider than their ink.
    let slack = 0.2 * before.height.min(after.height);
    let x = rule.bounds.center_x();
    let y = f32::midpoint(before.center_y(), after.center_y());
    x > before.right() - slack && x < after.left + slack && y > rule.bounds.top && y < rule.bounds.bottom()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, left: f32, top: f32) -> Word {
        boxed(text, Rect::new(left, top, 6.0 * text.chars().count() as f32, 10.0))
    }

    fn boxed(text: &str, bounds: Rect) -> Word {
        Word { text: text.to_owned(), bounds, confidence: 1.0, bold: false, chars: vec![] }
    }

    /// Rows as text, segments parted by `|`.
    fn read(words: Vec<Word>, rules: &[RuleLine]) -> Vec<String> {
        let (words, rows) = arrange_with_rules(words, rules);
        let text = |segment: &Segment| {
            let texts: Vec<&str> =
                words[segment.first..segment.end].iter().map(|word| word.text.as_str()).collect();
            texts.join(" ")
        };
        rows.iter().map(|row| row.segments.iter().map(text).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn table_rows_read_across_columns() {
        let words = vec![
            word("total", 10.0, 30.0),
            word("fecha", 10.0, 10.0),
            word("12,00", 200.0, 31.0),
            word("importe", 200.0, 9.0),
        ];
        assert_eq!(read(words, &[]), ["fecha|importe", "total|12,00"]);
    }

    #[test]
    fn characters_in_the_cells_of_a_comb_are_words() {
        let comb = |text: &str, left: f32| -> Vec<Word> {
            let cells = text.chars().enumerate().filter(|(_, ch)| *ch != ' ');
            cells.map(|(at, ch)| word(&ch.to_string(), left + 16.0 * at as f32, 10.0)).collect()
        };
        let rows = [vec![word("NIF", 10.0, 10.0)], comb("05868670J", 60.0), comb("18 11 2025", 300.0)];
        assert_eq!(read(rows.concat(), &[]), ["NIF|05868670J|18|11|2025"]);
        assert_eq!(read(comb("a y b", 10.0), &[]), ["a|y|b"]);
        // Combs of one line need not stand in one raster.
        let rows = [comb("11200,00", 10.0), comb("36", 155.0), comb("7,85", 214.0)];
        assert_eq!(read(rows.into_iter().flatten().collect(), &[]), ["11200,00|36|7,85"]);
    }

    #[test]
    fn sloping_rows_stay_together() {
        let mut words = Vec::new();
        for row in 0..6 {
            for column in 0..12 {
                let left = 10.0 + column as f32 * 48.0;
                words.push(word("abcdefg", left, 20.0 + row as f32 * 16.0 + left * 0.02));
            }
        }
        let rows = read(words, &[]);
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|row| row.split([' ', '|']).count() == 12));
    }

    #[test]
    fn curved_rows_stay_together() {
        let mut words = Vec::new();
        for row in 0..5 {
            for column in 0..13 {
                let left = 10.0 + column as f32 * 46.0;
                words.push(word("abcdefg", left, 20.0 + row as f32 * 16.0 + (left - 300.0).powi(2) * 7e-5));
            }
        }
        assert_eq!(read(words, &[]).len(), 5);
    }

    #[test]
    fn words_of_two_sizes_share_a_baseline() {
        let words = vec![
            word("Total", 10.0, 40.0),
            boxed("1.200,00", Rect::new(100.0, 29.0, 90.0, 22.0)),
            word("above", 10.0, 24.0),
            word("below", 10.0, 56.0),
        ];
        assert_eq!(read(words, &[]), ["above", "Total|1.200,00", "below"]);
    }

    #[test]
    fn a_tall_logo_does_not_join_the_lines_beside_it() {
        let words = vec![
            boxed("BANK", Rect::new(10.0, 10.0, 100.0, 44.0)),
            word("street", 200.0, 10.0),
            word("town", 200.0, 26.0),
            word("phone", 200.0, 42.0),
        ];
        assert!(read(words, &[]).len() >= 3);
    }

    #[test]
    fn columns_out_of_step_stay_apart() {
        let words = vec![
            word("left", 10.0, 10.0),
            word("left", 10.0, 26.0),
            word("right", 200.0, 17.0),
            word("right", 200.0, 33.0),
        ];
        assert_eq!(read(words, &[]).len(), 4);
    }

    #[test]
    fn justified_text_is_one_segment_and_cells_are_not() {
        let spaced = |gaps: &[f32]| {
            let mut left = 10.0;
            let mut words = vec![word("abcde", left, 10.0)];
            for gap in gaps {
                left += 30.0 + gap;
                words.push(word("abcde", left, 10.0));
            }
            read(words, &[])
        };
        assert_eq!(spaced(&[11.0, 12.0, 10.0, 13.0, 12.0]).len(), 1);
        assert!(!spaced(&[11.0, 12.0, 10.0, 13.0, 12.0])[0].contains('|'));
        assert_eq!(spaced(&[3.0, 3.0, 14.0, 3.0])[0].matches('|').count(), 1);
    }

    #[test]
    fn a_vertical_line_parts_cells() {
        let rule = |x: f32, horizontal| RuleLine { bounds: Rect::new(x, 0.0, 1.0, 100.0), horizontal };
        let words = || vec![word("name", 10.0, 10.0), word("value", 40.0, 10.0)];
        assert_eq!(read(words(), &[]), ["name value"]);
        assert_eq!(read(words(), &[rule(37.0, false)]), ["name|value"]);
        assert_eq!(read(words(), &[rule(37.0, true), rule(60.0, false)]), ["name value"]);
    }
}
