//! Words with boxes become rows and segments, in reading order: the same for born-digital text and
//! for OCR. Knows nothing of what the words mean.

use crate::domain::{Rect, Row, Segment, Word};

/// A gap wider than this many word heights parts two segments of a row. A space is about a quarter
/// of the height; justified text stretches it to about one.
const SEGMENT_GAP: f32 = 1.0;

/// Residual slopes of text lines that are told apart, as a share of the page's width: up to 3° either
/// way, what a deskewed page may have kept.
const STEEPEST_SLOPE: f32 = 0.052;
const SLOPE_STEP: f32 = 0.002;
/// A slope must make lines this much sharper than level ones to be believed.
const SLOPE_GAIN: f32 = 1.08;

/// Puts words in reading order and groups them to rows and segments. Lines may run slightly up or down
/// as long as all do alike.
pub fn arrange(words: Vec<Word>) -> (Vec<Word>, Vec<Row>) {
    let slope = common_slope(&words);
    let levelled = |word: &Word| {
        let mut bounds = word.bounds;
        bounds.top -= slope * bounds.center_x();
        bounds
    };
    let mut lines: Vec<(Rect, Vec<Word>)> = Vec::new();
    let mut words = words;
    words.sort_by(|a, b| levelled(a).center_y().total_cmp(&levelled(b).center_y()));
    for word in words {
        let level = levelled(&word);
        let home = lines.iter_mut().rev().take(8).find(|(bounds, _)| shares_baseline(bounds, &level));
        match home {
            Some((bounds, line)) => {
                *bounds = bounds.union(&level);
                line.push(word);
            }
            None => lines.push((level, vec![word])),
        }
    }
    lines.sort_by(|(a, _), (b, _)| a.center_y().total_cmp(&b.center_y()));
    let mut ordered = Vec::new();
    let mut rows = Vec::new();
    for (level, mut line) in lines {
        line.sort_by(|a, b| a.bounds.left.total_cmp(&b.bounds.left));
        let segments = segments(&line, ordered.len());
        let bounds = Rect::around(line.iter().map(|word| word.bounds)).unwrap_or(level);
        ordered.extend(line);
        rows.push(Row { bounds, segments });
    }
    (ordered, rows)
}

/// The slope at which the words' centres gather in the sharpest lines; 0 unless another is clearly
/// sharper.
fn common_slope(words: &[Word]) -> f32 {
    let mut heights: Vec<f32> = words.iter().map(|word| word.bounds.height).collect();
    heights.sort_by(f32::total_cmp);
    let Some(height) = heights.get(heights.len() / 2).copied().filter(|height| *height > 0.0) else {
        return 0.0;
    };
    let sharpness = |slope: f32| {
        let mut centres: Vec<f32> =
            words.iter().map(|word| word.bounds.center_y() - slope * word.bounds.center_x()).collect();
        centres.sort_by(f32::total_cmp);
        centres.windows(2).map(|pair| (-((pair[1] - pair[0]) / (0.12 * height)).powi(2)).exp()).sum::<f32>()
    };
    let level = sharpness(0.0);
    let mut best = (level * SLOPE_GAIN, 0.0);
    let mut slope = -STEEPEST_SLOPE;
    while slope <= STEEPEST_SLOPE {
        let sharp = sharpness(slope);
        if sharp > best.0 {
            best = (sharp, slope);
        }
        slope += SLOPE_STEP;
    }
    best.1
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

    #[test]
    fn rows_that_run_downhill_stay_whole() {
        let mut words = Vec::new();
        for row in 0..12 {
            for column in 0..6 {
                let (left, top) = (150.0 * column as f32, 16.0 * row as f32);
                words.push(word("12,00", left, 20.0 + top + 0.028 * left));
            }
        }
        let (_, rows) = arrange(words);
        assert_eq!(rows.len(), 12);
        assert!(rows.iter().all(|row| row.segments.len() == 6));
    }
}
