//! Words with boxes become rows and segments, in reading order: the same for born-digital text and
//! for OCR. Knows nothing of what the words mean.

use crate::domain::{Rect, Row, Segment, Word};

/// A gap wider than this many word heights parts two segments of a row. A space is about a quarter
/// of the height; justified text stretches it to about one.
const SEGMENT_GAP: f32 = 1.0;

/// Puts words in reading order and groups them to rows and segments.
pub fn arrange(words: Vec<Word>) -> (Vec<Word>, Vec<Row>) {
    let mut lines: Vec<(Rect, Vec<Word>)> = Vec::new();
    let mut words = words;
    words.sort_by(|a, b| a.bounds.center_y().total_cmp(&b.bounds.center_y()));
    for word in words {
        let home = lines.iter_mut().rev().take(8).find(|(bounds, _)| shares_baseline(bounds, &word.bounds));
        match home {
            Some((bounds, line)) => {
                *bounds = bounds.union(&word.bounds);
                line.push(word);
            }
            None => lines.push((word.bounds, vec![word])),
        }
    }
    lines.sort_by(|(a, _), (b, _)| a.center_y().total_cmp(&b.center_y()));
    let mut ordered = Vec::new();
    let mut rows = Vec::new();
    for (bounds, mut line) in lines {
        line.sort_by(|a, b| a.bounds.left.total_cmp(&b.bounds.left));
        let segments = segments(&line, ordered.len());
        ordered.extend(line);
        rows.push(Row { bounds, segments });
    }
    (ordered, rows)
}

fn shares_baseline(line: &Rect, word: &Rect) -> bool {
    line.overlap_y(word) > 0.5 * line.height.min(word.height)
        && (line.center_y() - word.center_y()).abs() < 0.5 * line.height.min(word.height)
}

fn segments(line: &[Word], first: usize) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut previous: Option<&Word> = None;
    for (offset, word) in line.iter().enumerate() {
        let joins = previous.is_some_and(|before| {
            word.bounds.left - before.bounds.right()
                < SEGMENT_GAP * before.bounds.height.min(word.bounds.height)
        });
        match segments.last_mut() {
            Some(segment) if joins => {
                segment.end = first + offset + 1;
                segment.bounds = segment.bounds.union(&word.bounds);
            }
            _ => {
                segments.push(Segment { bounds: word.bounds, first: first + offset, end: first + offset + 1 })
            }
        }
        previous = Some(word);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, left: f32, top: f32) -> Word {
        let bounds = Rect::new(left, top, 6.0 * text.chars().count() as f32, 10.0);
        Word { text: text.to_owned(), bounds, confidence: 1.0, bold: false, chars: vec![] }
    }

    #[test]
    fn table_rows_read_across_columns() {
        let words = vec![
            word("total", 10.0, 30.0),
            word("fecha", 10.0, 10.0),
            word("12,00", 200.0, 31.0),
            word("importe", 200.0, 9.0),
        ];
        let (words, rows) = arrange(words);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["fecha", "importe", "total", "12,00"]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].segments.len(), 2);
    }
}
