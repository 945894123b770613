//! Finds the lines of machine-readable zones on a page, with the readings of every place.

use crate::domain::{Page, Rect, Row, Word};

use super::super::parse::repair::options_of;
use super::format::MrzFormat;

/// One line: for each place the character read and its runner-ups.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) places: Vec<Vec<char>>,
    pub(super) bounds: Rect,
    pub(super) certainty: f32,
}

/// Lines that together have the shape of a format.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) format: MrzFormat,
    pub(super) lines: Vec<Line>,
    pub(super) bounds: Rect,
}

/// A line may have lost or gained this share of its places and still be taken for one.
const LENGTH_SLACK: f32 = 0.2;

/// All groups of neighbouring lines that could be a zone.
pub(super) fn zones(page: &Page) -> Vec<Zone> {
    let mut lines: Vec<Line> = page.rows.iter().flat_map(|row| lines_of(page, row)).collect();
    lines.sort_by(|a, b| a.bounds.center_y().total_cmp(&b.bounds.center_y()));
    let mut zones = Vec::new();
    for first in 0..lines.len() {
        for format in [MrzFormat::Td1, MrzFormat::Td3, MrzFormat::Td2] {
            zones.extend(zone_from(&lines, first, format));
        }
    }
    zones
}

fn zone_from(lines: &[Line], first: usize, format: MrzFormat) -> Option<Zone> {
    let mut taken: Vec<&Line> = vec![lines.get(first).filter(|line| fits(line, format))?];
    for line in &lines[first + 1..] {
        if taken.len() == format.line_count() {
            break;
        }
        let last = taken.last()?;
        let height = last.bounds.height.max(line.bounds.height);
        let gap = line.bounds.center_y() - last.bounds.center_y();
        if gap > 4.5 * height {
            break;
        }
        let overlap = last.bounds.overlap_x(&line.bounds);
        if gap > 0.5 * height
            && fits(line, format)
            && overlap > 0.6 * last.bounds.width.min(line.bounds.width)
        {
            taken.push(line);
        }
    }
    if taken.len() < format.line_count() {
        return None;
    }
    let lines: Vec<Line> = taken.into_iter().cloned().collect();
    let bounds = Rect::around(lines.iter().map(|line| line.bounds))?;
    Some(Zone { format, lines, bounds })
}

fn fits(line: &Line, format: MrzFormat) -> bool {
    let (read, length) = (line.places.len() as f32, format.line_length() as f32);
    // Runs of fillers are often read too short, so that a line may lose much.
    read <= length * (1.0 + LENGTH_SLACK) && read >= length * 0.6
}

/// The row as one line, if it looks like one; else each of its segments that does.
fn lines_of(page: &Page, row: &Row) -> Vec<Line> {
    let words = |first: usize, end: usize| page.words.get(first..end).unwrap_or_default();
    let (Some(first), Some(last)) = (row.segments.first(), row.segments.last()) else { return Vec::new() };
    if let Some(line) = line_of(words(first.first, last.end)) {
        return vec![line];
    }
    row.segments.iter().filter_map(|segment| line_of(words(segment.first, segment.end))).collect()
}

fn line_of(words: &[Word]) -> Option<Line> {
    let mut places: Vec<Vec<char>> = Vec::new();
    for word in words {
        if word.chars.len() == word.text.chars().count() {
            for reading in &word.chars {
                push_place(&mut places, options_of(reading));
            }
        } else {
            for ch in word.text.chars() {
                push_place(&mut places, vec![ch]);
            }
        }
    }
    let read: Vec<char> = places.iter().filter_map(|place| place.first().copied()).collect();
    let fillers = read.iter().filter(|ch| **ch == '<').count();
    let capitals = read.iter().filter(|ch| ch.is_ascii_uppercase() || ch.is_ascii_digit()).count();
    let digits = read.iter().filter(|ch| ch.is_ascii_digit()).count();
    let long = places.len() >= 18 && capitals + fillers >= places.len() * 7 / 10;
    let telling = fillers >= 2 || words.len() <= 2 && digits >= 10;
    if !long || !telling {
        return None;
    }
    let certainty = words.iter().map(|word| word.confidence).sum::<f32>() / words.len() as f32;
    Some(Line { places, bounds: Rect::around(words.iter().map(|word| word.bounds))?, certainty })
}

/// Fillers come in many disguises; quotes of two angles are two fillers.
fn push_place(places: &mut Vec<Vec<char>>, options: Vec<char>) {
    let as_mrz = |ch: char| match ch {
        '«' | '‹' | '＜' | '≤' | '{' | '(' | '[' | '⟨' | '〈' | '∠' => '<',
        other => other,
    };
    let doubled = matches!(options.first(), Some('«' | '≪'));
    let mut settled: Vec<char> = Vec::new();
    for option in options.into_iter().map(as_mrz) {
        if (option == '<' || option.is_ascii_alphanumeric()) && !settled.contains(&option) {
            settled.push(option);
        }
    }
    if settled.is_empty() {
        return;
    }
    if doubled {
        places.push(vec!['<']);
    }
    places.push(settled);
}
