/// A horizontal run of set pixels, `start..end` in row `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) y: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Set pixels that touch each other, also at corners. Runs from top to bottom, left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) runs: Vec<Run>,
}

impl Component {
    /// Left, top, right, bottom; the last two exclusive.
    pub(crate) fn edges(&self) -> (u32, u32, u32, u32) {
        let top = self.runs.first().map_or(0, |run| run.y);
        let bottom = self.runs.last().map_or(0, |run| run.y + 1);
        let left = self.runs.iter().map(|run| run.start).min().unwrap_or(0);
        let right = self.runs.iter().map(|run| run.end).max().unwrap_or(0);
        (left, top, right, bottom)
    }

    /// Number of set pixels.
    pub(crate) fn area(&self) -> u32 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }
}

/// The connected components of a mask given row by row, in the order of their first pixels.
pub(crate) fn components(mask: &[bool], width: usize) -> Vec<Component> {
    let mut runs: Vec<Run> = Vec::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut above = 0..0;
    for (y, row) in mask.chunks_exact(width.max(1)).enumerate() {
        let first = runs.len();
        find_runs(row, y, &mut runs);
        parents.extend(first..runs.len());
        let mut candidate = above.start;
        for index in first..runs.len() {
            while candidate < above.end && runs[candidate].end < runs[index].start {
                candidate += 1;
            }
            let mut touching = candidate;
            while touching < above.end && runs[touching].start <= runs[index].end {
                unite(&mut parents, touching, index);
                touching += 1;
            }
        }
        above = first..runs.len();
    }
    gather(&runs, &mut parents)
}

fn find_runs(row: &[bool], y: usize, runs: &mut Vec<Run>) {
    let mut x = 0;
    while let Some(offset) = row.get(x..).and_then(|rest| rest.iter().position(|set| *set)) {
        let start = x + offset;
        let length = row[start..].iter().position(|set| !*set).unwrap_or(row.len() - start);
        x = start + length;
        runs.push(Run { y: y as u32, start: start as u32, end: x as u32 });
    }
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

fn unite(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}

fn gather(runs: &[Run], parents: &mut [usize]) -> Vec<Component> {
    let mut places = vec![usize::MAX; runs.len()];
    let mut components: Vec<Component> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let root = root(parents, index);
        if places[root] == usize::MAX {
            places[root] = components.len();
            components.push(Component { runs: Vec::new() });
        }
        components[places[root]].runs.push(*run);
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(picture: &[&str]) -> Vec<u32> {
        let mask: Vec<bool> = picture.iter().flat_map(|row| row.chars().map(|ch| ch == '#')).collect();
        components(&mask, picture[0].len()).iter().map(Component::area).collect()
    }

    #[test]
    fn touching_pixels_are_one_component() {
        assert_eq!(count(&["#.#", "#.#", "###"]), [7]);
        assert_eq!(count(&["#..", ".#.", "..#"]), [3]);
        assert_eq!(count(&["##.#", "...#", "#..."]), [2, 2, 1]);
        assert_eq!(count(&["...", "..."]), [] as [u32; 0]);
        assert_eq!(count(&["#.#.#", "#####", "#.#.#"]), [11]);
    }

    #[test]
    fn edges_are_exclusive_at_the_far_side() {
        let mask = [false, true, false, true, true, false];
        assert_eq!(components(&mask, 3)[0].edges(), (0, 0, 2, 2));
    }
}
