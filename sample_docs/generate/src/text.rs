//! What a page says: its words by row, from where typst put them on the paper.

use typst::layout::{Frame, FrameItem, Point, Transform};
use typst::visualize::Paint;

/// A piece of text on one base line, in points from the top left.
#[derive(Debug)]
struct Run {
    left: f64,
    right: f64,
    base: f64,
    size: f64,
    text: String,
}

/// Tangent of the turn from which text is a pattern across the page rather than a line to read.
const MOST_TURN: f64 = 0.27;

/// The rows of a page from top to bottom, one a line.
pub fn of_page(frame: &Frame) -> String {
    let mut runs = Vec::new();
    collect(frame, Transform::identity(), &mut runs);
    runs.sort_by(|a, b| a.base.total_cmp(&b.base));
    let mut rows: Vec<Vec<Run>> = Vec::new();
    for run in runs {
        match rows.last_mut().filter(|row| same_row(row, &run)) {
            Some(row) => row.push(run),
            None => rows.push(vec![run]),
        }
    }
    rows.into_iter().map(in_words).filter(|row| !row.is_empty()).map(|row| row + "\n").collect()
}

fn collect(frame: &Frame, placed: Transform, runs: &mut Vec<Run>) {
    for (position, item) in frame.items() {
        let here = placed.pre_concat(Transform::translate(position.x, position.y));
        match item {
            FrameItem::Group(group) => collect(&group.frame, here.pre_concat(group.transform), runs),
            FrameItem::Text(text) if upright(here) && inked(&text.fill) => {
                let at = Point::zero().transform(here);
                let scale = here.sx.get();
                runs.push(Run {
                    left: at.x.to_pt(),
                    right: at.x.to_pt() + text.width().to_pt() * scale,
                    base: at.y.to_pt(),
                    size: text.size.to_pt() * scale,
                    text: text.text.to_string(),
                });
            }
            _ => {}
        }
    }
}

fn upright(placed: Transform) -> bool {
    placed.sx.get() > 0.0 && placed.ky.get().abs() <= MOST_TURN * placed.sx.get()
}

fn inked(fill: &Paint) -> bool {
    !matches!(fill, Paint::Solid(colour) if colour.alpha() == Some(0.0))
}

fn same_row(row: &[Run], run: &Run) -> bool {
    row.first().is_some_and(|first| run.base - first.base < 0.3 * first.size.min(run.size))
}

/// The row's words with single spaces: runs that touch are one word.
fn in_words(mut row: Vec<Run>) -> String {
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut out = String::new();
    let mut end = f64::NEG_INFINITY;
    for run in &row {
        if run.left - end > 0.12 * run.size {
            out.push(' ');
        }
        out.push_str(&run.text);
        end = run.right;
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(left: f64, right: f64, base: f64, text: &str) -> Run {
        Run { left, right, base, size: 10.0, text: text.to_owned() }
    }

    #[test]
    fn runs_that_touch_are_one_word_and_cells_are_apart() {
        let row =
            vec![run(80.0, 110.0, 9.0, "12,50 €"), run(15.0, 30.0, 9.0, "tal"), run(0.0, 14.8, 9.1, "To")];
        assert_eq!(in_words(row), "Total 12,50 €");
    }

    #[test]
    fn a_row_ends_where_the_next_base_line_begins() {
        let row = [run(0.0, 10.0, 100.0, "a")];
        assert!(same_row(&row, &run(50.0, 60.0, 102.0, "b")));
        assert!(!same_row(&row, &run(0.0, 10.0, 112.0, "c")));
    }
}
