//! From the recogniser's frames to characters with posteriors and runner-ups: connectionist temporal
//! classification (Graves et al., 2006) with a prefix beam.
//!
//! Class 0 is the blank. Knows nothing of images.

/// Prefixes kept at each frame. Where the model is sure one would do; eight differ from an unlimited
/// search in less than one line in a thousand.
const BEAM_WIDTH: usize = 8;
/// Classes below this posterior start no prefix of their own.
const MIN_EXTENSION: f32 = 1e-3;
/// A frame whose blank is above this parts prefixes from nothing.
const SURE_BLANK: f32 = 0.9999;
/// Classes below this posterior everywhere in a character's window are no runner-ups.
const MIN_RIVAL: f32 = 1e-4;
/// Runner-ups kept for a character.
const MAX_RIVALS: usize = 4;

const BLANK: usize = 0;

/// Log-probabilities of one line: frame by frame, class by class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames<'a> {
    data: &'a [f32],
    classes: usize,
    count: usize,
}

impl<'a> Frames<'a> {
    /// The first `count` frames of `[frames, classes]`, or as many as there are.
    pub(super) fn new(data: &'a [f32], classes: usize, count: usize) -> Self {
        Self { data, classes, count: count.min(data.len() / classes.max(1)) }
    }

    fn row(&self, frame: usize) -> &'a [f32] {
        let start = frame * self.classes;
        self.data.get(start..start + self.classes).unwrap_or_default()
    }

    fn log(&self, frame: usize, class: usize) -> f32 {
        self.row(frame).get(class).copied().unwrap_or(f32::NEG_INFINITY)
    }
}

/// One character: its class, where it stands, how sure it is and what else it might be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DecodedChar {
    pub(super) class: usize,
    /// Share of `class` among all that could stand between its neighbours, nothing included.
    pub(super) probability: f32,
    /// Other classes at the same place, best first.
    pub(super) rivals: Vec<(usize, f32)>,
    /// Frames `first..end` that spell it.
    pub(super) first: usize,
    pub(super) end: usize,
}

/// The most probable characters of a line.
pub(super) fn decode(frames: &Frames<'_>) -> Vec<DecodedChar> {
    let classes = best_prefix(frames);
    let spans = align(frames, &classes);
    let mut decoded: Vec<DecodedChar> = Vec::with_capacity(classes.len());
    for (index, (&class, &(first, end))) in classes.iter().zip(&spans).enumerate() {
        let window = Window {
            start: index.checked_sub(1).and_then(|at| spans.get(at)).map_or(0, |span| span.1),
            end: spans.get(index + 1).map_or(frames.count, |span| span.0),
            before: index.checked_sub(1).and_then(|at| classes.get(at)).copied(),
            after: classes.get(index + 1).copied(),
        };
        let (probability, rivals) = weigh(frames, &window, class);
        decoded.push(DecodedChar { class, probability, rivals, first, end });
    }
    decoded
}

struct Prefix {
    node: usize,
    /// Probability of all paths that spell it and end in a blank, or in its last character.
    blank: f32,
    label: f32,
}

/// All prefixes as a tree: each node knows its parent and its class.
struct Tree {
    nodes: Vec<(usize, usize)>,
    children: std::collections::HashMap<(usize, usize), usize>,
}

impl Tree {
    fn child(&mut self, node: usize, class: usize) -> usize {
        let nodes = &mut self.nodes;
        *self.children.entry((node, class)).or_insert_with(|| {
            nodes.push((node, class));
            nodes.len() - 1
        })
    }

    fn class(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(BLANK, |entry| entry.1)
    }

    fn spell(&self, mut node: usize) -> Vec<usize> {
        let mut classes = Vec::new();
        while node != 0 {
            let Some(&(parent, class)) = self.nodes.get(node) else { break };
            classes.push(class);
            node = parent;
        }
        classes.reverse();
        classes
    }
}

fn best_prefix(frames: &Frames<'_>) -> Vec<usize> {
    let mut tree = Tree { nodes: vec![(0, BLANK)], children: std::collections::HashMap::new() };
    let mut beam = vec![Prefix { node: 0, blank: 1.0, label: 0.0 }];
    for frame in 0..frames.count {
        let row = frames.row(frame);
        let blank = frames.log(frame, BLANK).exp();
        if blank > SURE_BLANK {
            for prefix in &mut beam {
                prefix.blank += prefix.label;
                prefix.label = 0.0;
            }
            continue;
        }
        let floor = MIN_EXTENSION.ln();
        let candidates: Vec<(usize, f32)> = row
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, log)| **log > floor)
            .map(|(class, log)| (class, log.exp()))
            .collect();
        beam = advance(&beam, &mut tree, blank, &candidates, row);
    }
    let best = beam.iter().max_by(|a, b| (a.blank + a.label).total_cmp(&(b.blank + b.label)));
    best.map(|prefix| tree.spell(prefix.node)).unwrap_or_default()
}

fn advance(
    beam: &[Prefix],
    tree: &mut Tree,
    blank: f32,
    candidates: &[(usize, f32)],
    row: &[f32],
) -> Vec<Prefix> {
    let mut next: Vec<Prefix> = Vec::with_capacity(beam.len() * (candidates.len() + 1));
    for prefix in beam {
        let total = prefix.blank + prefix.label;
        let last = tree.class(prefix.node);
        let again = if prefix.node == 0 { 0.0 } else { row.get(last).map_or(0.0, |log| log.exp()) };
        add(&mut next, prefix.node, total * blank, prefix.label * again);
        for &(class, probability) in candidates {
            let from = if class == last && prefix.node != 0 { prefix.blank } else { total };
            if from > 0.0 {
                let child = tree.child(prefix.node, class);
                add(&mut next, child, 0.0, from * probability);
            }
        }
    }
    next.sort_by(|a, b| (b.blank + b.label).total_cmp(&(a.blank + a.label)).then(a.node.cmp(&b.node)));
    next.truncate(BEAM_WIDTH);
    let scale = next.first().map_or(1.0, |best| (best.blank + best.label).max(f32::MIN_POSITIVE));
    for prefix in &mut next {
        prefix.blank /= scale;
        prefix.label /= scale;
    }
    next
}

fn add(beam: &mut Vec<Prefix>, node: usize, blank: f32, label: f32) {
    match beam.iter_mut().find(|prefix| prefix.node == node) {
        Some(prefix) => {
            prefix.blank += blank;
            prefix.label += label;
        }
        None => beam.push(Prefix { node, blank, label }),
    }
}

/// The frames of each character on the most probable path that spells `classes` (Viterbi).
fn align(frames: &Frames<'_>, classes: &[usize]) -> Vec<(usize, usize)> {
    let states = 2 * classes.len() + 1;
    let class_of = |state: usize| if state.is_multiple_of(2) { BLANK } else { classes[state / 2] };
    let mut score = vec![f32::NEG_INFINITY; states];
    let mut steps = vec![0u8; states * frames.count];
    for frame in 0..frames.count {
        let row = frames.row(frame);
        let previous = score.clone();
        for state in 0..states {
            let skip_allowed = state % 2 == 1 && state >= 2 && class_of(state) != class_of(state - 2);
            let mut best = (if frame == 0 && state <= 1 { 0.0 } else { previous[state] }, 0u8);
            if state >= 1 && previous[state - 1] > best.0 {
                best = (previous[state - 1], 1);
            }
            if skip_allowed && previous[state - 2] > best.0 {
                best = (previous[state - 2], 2);
            }
            score[state] = best.0 + row.get(class_of(state)).copied().unwrap_or(f32::NEG_INFINITY);
            steps[frame * states + state] = best.1;
        }
    }
    let mut spans = vec![(usize::MAX, 0usize); classes.len()];
    let mut state = states - 1;
    if states >= 2 && score[states - 2] > score[states - 1] {
        state = states - 2;
    }
    for frame in (0..frames.count).rev() {
        if state % 2 == 1 {
            let span = &mut spans[state / 2];
            span.0 = frame;
            span.1 = span.1.max(frame + 1);
        }
        state -= usize::from(steps[frame * states + state]).min(state);
    }
    for span in &mut spans {
        if span.0 == usize::MAX {
            *span = (0, 1);
        }
    }
    spans
}

/// The frames between two neighbours, and what they are.
struct Window {
    start: usize,
    end: usize,
    before: Option<usize>,
    after: Option<usize>,
}

/// The posterior of `class` in its window, and its rivals': each weighed by all paths that put just
/// this one character (or none) between the neighbours.
fn weigh(frames: &Frames<'_>, window: &Window, class: usize) -> (f32, Vec<(usize, f32)>) {
    let floor = MIN_RIVAL.ln();
    let mut rivals: Vec<(usize, f32)> = Vec::new();
    for frame in window.start..window.end {
        for (rival, &log) in frames.row(frame).iter().enumerate().skip(1) {
            if log > floor && rival != class {
                match rivals.iter_mut().find(|known| known.0 == rival) {
                    Some(known) => known.1 = known.1.max(log),
                    None => rivals.push((rival, log)),
                }
            }
        }
    }
    rivals.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rivals.truncate(2 * MAX_RIVALS);
    let own = alone(frames, window, class);
    let nothing: f64 = (window.start..window.end).map(|frame| f64::from(frames.log(frame, BLANK))).sum();
    let mut weights: Vec<(usize, f64)> =
        rivals.into_iter().map(|(rival, _)| (rival, alone(frames, window, rival))).collect();
    let total = own + nothing.exp() + weights.iter().map(|entry| entry.1).sum::<f64>();
    if total <= 0.0 {
        return (0.0, Vec::new());
    }
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    weights.truncate(MAX_RIVALS);
    let rivals = weights.into_iter().map(|(rival, weight)| (rival, (weight / total) as f32)).collect();
    ((own / total) as f32, rivals)
}

/// Probability of all paths through the window that spell `class` alone.
fn alone(frames: &Frames<'_>, window: &Window, class: usize) -> f64 {
    let needs_blank_before = window.before == Some(class);
    let needs_blank_after = window.after == Some(class);
    let (mut lead, mut label, mut tail) = (1.0f64, 0.0f64, 0.0f64);
    for frame in window.start..window.end {
        let blank = f64::from(frames.log(frame, BLANK)).exp();
        let own = f64::from(frames.log(frame, class)).exp();
        let enters = if frame == window.start && needs_blank_before { 0.0 } else { lead };
        tail = (tail + label) * blank;
        label = (label + enters) * own;
        lead *= blank;
    }
    if needs_blank_after { tail } else { label + tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames over blank, a, b, c from rows of probabilities.
    fn read(rows: &[[f32; 4]]) -> Vec<DecodedChar> {
        let data: Vec<f32> = rows.iter().flatten().map(|p| p.max(1e-9).ln()).collect();
        decode(&Frames::new(&data, 4, rows.len()))
    }

    fn spelled(chars: &[DecodedChar]) -> String {
        chars.iter().map(|ch| ['_', 'a', 'b', 'c'][ch.class]).collect()
    }

    const BLANK_ROW: [f32; 4] = [0.97, 0.01, 0.01, 0.01];

    #[test]
    fn repeats_merge_unless_a_blank_parts_them() {
        let a = [0.05, 0.9, 0.03, 0.02];
        assert_eq!(spelled(&read(&[a, a, BLANK_ROW])), "a");
        assert_eq!(spelled(&read(&[a, BLANK_ROW, a])), "aa");
        assert_eq!(spelled(&read(&[BLANK_ROW; 4])), "");
        assert!(read(&[]).is_empty());
    }

    #[test]
    fn one_character_that_two_classes_claim_is_not_two() {
        // Greedy decoding takes the best of each frame and reads "ab".
        let chars = read(&[BLANK_ROW, [0.1, 0.5, 0.4, 0.0], [0.1, 0.4, 0.5, 0.0], BLANK_ROW]);
        assert_eq!(chars.len(), 1, "{chars:?}");
        assert_eq!(chars[0].rivals.len().min(1), 1);
        assert!((chars[0].probability - chars[0].rivals[0].1).abs() < 0.05, "{chars:?}");
    }

    #[test]
    fn runner_ups_come_with_their_posteriors() {
        let chars = read(&[BLANK_ROW, [0.0, 0.6, 0.3, 0.1], BLANK_ROW]);
        assert_eq!(spelled(&chars), "a");
        assert!((0.55..0.65).contains(&chars[0].probability), "{chars:?}");
        assert_eq!(chars[0].rivals.iter().map(|rival| rival.0).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((chars[0].first, chars[0].end), (1, 2));
    }

    #[test]
    fn a_character_that_may_be_none_is_unsure() {
        let chars = read(&[BLANK_ROW, [0.45, 0.55, 0.0, 0.0], BLANK_ROW]);
        assert_eq!(spelled(&chars), "a");
        assert!(chars[0].probability < 0.6, "{chars:?}");
    }

    #[test]
    fn what_stands_on_the_padding_is_not_read() {
        let rows = [[0.0f32, 1.0, 0.0, 0.0], BLANK_ROW, [0.0, 0.0, 1.0, 0.0]];
        let data: Vec<f32> = rows.iter().flatten().map(|p: &f32| p.max(1e-9).ln()).collect();
        assert_eq!(spelled(&decode(&Frames::new(&data, 4, 2))), "a");
        assert_eq!(spelled(&decode(&Frames::new(&data, 4, 9))), "ab");
    }
}
