//! Word boxes become pieces of lines: what is read in one go. Wide gaps, as between the columns of a
//! table, part pieces; reading across them would cost time and accuracy.

use super::TextBox;

/// Boxes with a gap above this many text heights are read apart. A justified line's spaces reach
/// about one height.
const MAX_GAP: f32 = 1.1;
/// Boxes of one piece overlap at most this much of the height (masks that touch are one box).
const MAX_OVERLAP: f32 = 0.6;
/// Middles of neighbours differ by at most this part of the lower one's height…
const MAX_SHIFT: f32 = 0.33;
/// …and heights by at most this factor, unless the lower one is punctuation.
const MAX_HEIGHT_RATIO: f32 = 1.55;
/// Longest piece in text heights: the recogniser's widest image is 2400 at a height of 40.
const MAX_LENGTH: f32 = 45.0;

/// Words that stand on one line without a wide gap.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LinePiece {
    /// Left to right.
    pub(super) boxes: Vec<TextBox>,
    pub(super) left: f32,
    pub(super) right: f32,
    /// Height of the text, ascenders and descenders included.
    pub(super) height: f32,
    /// The middle of the text at `x`: `a + b·u + c·u²` with `u = x − left`.
    curve: [f32; 3],
}

impl LinePiece {
    /// The vertical middle of the text at `x`.
    pub(super) fn middle(&self, x: f32) -> f32 {
        let along = x - self.left;
        let [a, b, c] = self.curve;
        a + along * (b + along * c)
    }

    fn new(boxes: Vec<TextBox>, page_slope: f32) -> Self {
        let left = boxes.iter().map(left_of).fold(f32::MAX, f32::min);
        let right = boxes.iter().map(right_of).fold(f32::MIN, f32::max);
        let height = typical_height(&boxes);
        let curve = fit_curve(&boxes, left, right - left, height, page_slope);
        Self { boxes, left, right, height, curve }
    }
}

/// Groups boxes to line pieces, in the order of their first boxes from left to right.
pub(super) fn find_lines(mut boxes: Vec<TextBox>) -> Vec<LinePiece> {
    let slope = common_slope(&boxes);
    boxes.sort_by(|a, b| left_of(a).total_cmp(&left_of(b)).then(a.center_y.total_cmp(&b.center_y)));
    let successors = successors(&boxes, slope);
    let mut has_predecessor = vec![false; boxes.len()];
    for successor in successors.iter().flatten() {
        has_predecessor[*successor] = true;
    }
    let mut lines = Vec::new();
    for start in (0..boxes.len()).filter(|index| !has_predecessor[*index]) {
        let mut chain: Vec<TextBox> = Vec::new();
        let mut next = Some(start);
        while let Some(index) = next {
            let candidate = boxes[index];
            let too_long = chain.first().is_some_and(|first| {
                right_of(&candidate) - left_of(first) > MAX_LENGTH * candidate.height.max(first.height)
            });
            if too_long {
                lines.push(LinePiece::new(std::mem::take(&mut chain), slope));
            }
            chain.push(candidate);
            next = successors[index];
        }
        lines.push(LinePiece::new(chain, slope));
    }
    lines
}

/// The median slope of the boxes that are long enough to have one, 0 without any.
pub(super) fn common_slope(boxes: &[TextBox]) -> f32 {
    let mut slopes: Vec<f32> =
        boxes.iter().filter(|found| found.width > 3.0 * found.height).map(|found| found.slope).collect();
    slopes.sort_by(f32::total_cmp);
    slopes.get(slopes.len() / 2).copied().unwrap_or(0.0)
}

fn left_of(found: &TextBox) -> f32 {
    found.center_x - found.width / 2.0
}

fn right_of(found: &TextBox) -> f32 {
    found.center_x + found.width / 2.0
}

/// For each box the one that follows it on its line: both must be each other's nearest.
fn successors(boxes: &[TextBox], page_slope: f32) -> Vec<Option<usize>> {
    let mut after: Vec<Option<(usize, f32)>> = vec![None; boxes.len()];
    let mut before: Vec<Option<(usize, f32)>> = vec![None; boxes.len()];
    for (index, found) in boxes.iter().enumerate() {
        let reach = right_of(found) + MAX_GAP * MAX_HEIGHT_RATIO * found.height;
        for (other, next) in boxes.iter().enumerate().skip(index + 1) {
            if left_of(next) > reach {
                break;
            }
            let Some(cost) = follow_cost(found, next, page_slope) else { continue };
            if after[index].is_none_or(|known| cost < known.1) {
                after[index] = Some((other, cost));
            }
            if before[other].is_none_or(|known| cost < known.1) {
                before[other] = Some((index, cost));
            }
        }
    }
    let mutual = |(index, choice): (usize, &Option<(usize, f32)>)| {
        choice.map(|chosen| chosen.0).filter(|other| before[*other].is_some_and(|back| back.0 == index))
    };
    after.iter().enumerate().map(mutual).collect()
}

/// How well `next` continues the line of `found`; `None` when it does not.
fn follow_cost(found: &TextBox, next: &TextBox, page_slope: f32) -> Option<f32> {
    let (low, high) = (found.height.min(next.height), found.height.max(next.height));
    let gap = left_of(next) - right_of(found);
    if gap < -MAX_OVERLAP * low || gap > MAX_GAP * high || next.center_x <= found.center_x {
        return None;
    }
    let slope = if found.width > 4.0 * found.height { found.slope } else { page_slope };
    let shift = (next.center_y - found.center_y - slope * (next.center_x - found.center_x)).abs();
    let is_dash = high > MAX_HEIGHT_RATIO * low && found.width.min(next.width) < high;
    let allowed = if is_dash { 0.5 * high } else { MAX_SHIFT * low };
    if shift > allowed || (high > MAX_HEIGHT_RATIO * low && !is_dash) {
        return None;
    }
    Some(gap.max(0.0) + 2.0 * shift)
}

/// The height that most of the text has: words weigh by their width, and low marks hardly count.
fn typical_height(boxes: &[TextBox]) -> f32 {
    let mut heights: Vec<(f32, f32)> = boxes.iter().map(|found| (found.height, found.width)).collect();
    heights.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f32 = heights.iter().map(|entry| entry.1).sum();
    let mut seen = 0.0;
    for (height, width) in heights {
        seen += width;
        if seen >= 0.65 * total {
            return height;
        }
    }
    0.0
}

/// Fits the middle line: straight for short pieces, a parabola where the page may be curved.
fn fit_curve(boxes: &[TextBox], left: f32, length: f32, height: f32, page_slope: f32) -> [f32; 3] {
    let mut points: Vec<(f32, f32, f32)> = Vec::new();
    for found in boxes {
        let mass = found.width * (found.height / height).min(1.0);
        let lean = if found.width > 3.0 * found.height { found.slope } else { page_slope };
        for part in [-0.35, 0.0, 0.35] {
            let offset = part * found.width;
            points.push((found.center_x + offset - left, found.center_y + lean * offset, mass));
        }
    }
    let degree = match length / height.max(1.0) {
        short if short < 3.0 => 0,
        medium if medium < 14.0 || boxes.len() < 4 => 1,
        _ => 2,
    };
    if degree == 0 {
        let mass: f32 = points.iter().map(|point| point.2).sum();
        let middle = |f: fn(&(f32, f32, f32)) -> f32| {
            points.iter().map(|point| f(point) * point.2).sum::<f32>() / mass.max(1e-6)
        };
        let slope = page_slope.clamp(-0.1, 0.1);
        return [middle(|point| point.1) - slope * middle(|point| point.0), slope, 0.0];
    }
    least_squares(&points, degree, length)
}

/// Weighted least squares of degree 1 or 2, in units of `length` for numerical peace.
fn least_squares(points: &[(f32, f32, f32)], degree: usize, length: f32) -> [f32; 3] {
    let length = f64::from(length.max(1.0));
    let size = degree + 1;
    let mut matrix = [[0.0f64; 4]; 3];
    for &(x, y, mass) in points {
        let (u, y, mass) = (f64::from(x) / length, f64::from(y), f64::from(mass));
        let powers = [1.0, u, u * u];
        for row in 0..size {
            for column in 0..size {
                matrix[row][column] += mass * powers[row] * powers[column];
            }
            matrix[row][3] += mass * powers[row] * y;
        }
    }
    for pivot in 0..size {
        let scale = matrix[pivot][pivot];
        if scale.abs() < 1e-9 {
            continue;
        }
        for row in 0..size {
            if row != pivot {
                let factor = matrix[row][pivot] / scale;
                let source = matrix[pivot];
                for (target, value) in matrix[row].iter_mut().zip(source) {
                    *target -= factor * value;
                }
            }
        }
    }
    let solve = |index: usize| {
        let diagonal = matrix[index][index];
        if index < size && diagonal.abs() > 1e-9 { matrix[index][3] / diagonal } else { 0.0 }
    };
    [solve(0) as f32, (solve(1) / length) as f32, (solve(2) / (length * length)) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(left: f32, middle: f32, width: f32) -> TextBox {
        TextBox { center_x: left + width / 2.0, center_y: middle, width, height: 20.0, slope: 0.0 }
    }

    fn shape(boxes: Vec<TextBox>) -> Vec<usize> {
        find_lines(boxes).iter().map(|line| line.boxes.len()).collect()
    }

    #[test]
    fn words_join_and_columns_do_not() {
        assert_eq!(
            shape(vec![found(0.0, 50.0, 40.0), found(47.0, 51.0, 60.0), found(114.0, 49.0, 30.0)]),
            [3]
        );
        assert_eq!(shape(vec![found(0.0, 50.0, 40.0), found(90.0, 50.0, 60.0)]), [1, 1]);
    }

    #[test]
    fn neighbouring_lines_stay_apart() {
        let boxes = vec![
            found(0.0, 50.0, 40.0),
            found(0.0, 74.0, 44.0),
            found(46.0, 50.0, 40.0),
            found(50.0, 74.0, 40.0),
        ];
        assert_eq!(shape(boxes), [2, 2]);
    }

    #[test]
    fn a_slanted_line_is_followed() {
        let boxes: Vec<TextBox> = (0..10)
            .map(|index| {
                let left = index as f32 * 90.0;
                TextBox { slope: 0.06, ..found(left, 100.0 + 0.06 * (left + 40.0), 80.0) }
            })
            .collect();
        let lines = find_lines(boxes);
        assert_eq!(lines.len(), 1);
        assert!((lines[0].middle(450.0) - 127.0).abs() < 1.0);
    }

    #[test]
    fn a_curved_line_is_fitted() {
        let boxes: Vec<TextBox> = (0..9)
            .map(|index| {
                let x = index as f32 * 90.0 + 40.0;
                let slope = 2.0 * 4e-5 * (x - 400.0);
                TextBox { slope, ..found(x - 40.0, 100.0 + 4e-5 * (x - 400.0).powi(2), 80.0) }
            })
            .collect();
        let lines = find_lines(boxes);
        assert_eq!(lines.len(), 1);
        for x in [10.0f32, 200.0, 400.0, 780.0] {
            let expected = 100.0 + 4e-5 * (x - 400.0).powi(2);
            assert!((lines[0].middle(x) - expected).abs() < 1.0, "at {x}");
        }
    }

    #[test]
    fn a_dash_belongs_to_its_line() {
        let dash = TextBox { center_x: 52.0, center_y: 51.0, width: 10.0, height: 8.0, slope: 0.0 };
        assert_eq!(shape(vec![found(0.0, 50.0, 40.0), dash, found(62.0, 50.0, 40.0)]), [3]);
    }
}
