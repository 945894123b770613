//! Lines that ran together in the detector's map, taken apart where it is surer of text than of the gap
//! between them.

use crate::raster::{Component, Run, components};

/// Text that is this much higher than most may be two lines or more.
const HIGH: f32 = 1.5;
/// Probabilities at which lines that stand close come apart, and how much a line is smaller there, on each
/// side, than at the threshold that finds it.
const STEPS: [(f32, f32); 4] = [(0.5, 0.5), (0.65, 0.8), (0.8, 1.2), (0.9, 1.6)];
/// A line of several has this part of the usual height at least: accents and dots are no lines.
const LEAST_LINE: f32 = 0.45;

/// Something found in the map, and by how many pixels it is smaller on each side than others are.
pub(super) struct Found {
    pub(super) component: Component,
    pub(super) lost: f32,
}

/// The components, those in which lines ran together taken apart. `map` gives the probability of text, row
/// by row of `columns`, of which the components may use less.
pub(super) fn lines_apart(found: Vec<Component>, map: &[f32], columns: usize) -> Vec<Found> {
    let Some(usual) = usual_height(&found) else { return Vec::new() };
    let mut out = Vec::with_capacity(found.len());
    for component in found {
        let (_, top, _, bottom) = component.edges();
        let parts = if (bottom - top) as f32 > HIGH * usual {
            parts_of(&component, map, columns, usual)
        } else {
            None
        };
        match parts {
            Some(parts) => out.extend(parts),
            None => out.push(Found { component, lost: 0.0 }),
        }
    }
    out
}

/// The median height of the components that are longer than high, each by its length; of all when none is.
fn usual_height(found: &[Component]) -> Option<f32> {
    let size = |component: &Component| {
        let (left, top, right, bottom) = component.edges();
        (component.area() as f32 / (right - left).max(1) as f32, (right - left) as f32, (bottom - top) as f32)
    };
    let mut heights: Vec<(f32, f32)> = found
        .iter()
        .map(size)
        .filter(|(_, width, height)| width > height)
        .map(|(own, width, _)| (own, width))
        .collect();
    if heights.is_empty() {
        heights = found.iter().map(size).map(|(own, width, _)| (own, width)).collect();
    }
    heights.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = heights.iter().map(|entry| entry.1).sum::<f32>() / 2.0;
    let mut seen = 0.0;
    heights.into_iter().find_map(|(height, width)| {
        seen += width;
        (seen >= half).then_some(height)
    })
}

/// The lines within a component; `None` when no step takes it apart into lines.
fn parts_of(component: &Component, map: &[f32], columns: usize, usual: f32) -> Option<Vec<Found>> {
    for (step, (probability, lost)) in STEPS.iter().enumerate() {
        let parts = surer_parts(component, map, columns, *probability);
        let lines: Vec<Component> =
            parts.into_iter().filter(|part| height_of(part) >= LEAST_LINE * usual).collect();
        if !any_stacked(&lines) {
            continue;
        }
        let again = |part: Component| {
            let higher = STEPS.get(step + 1..).filter(|_| height_of(&part) > HIGH * usual);
            let parts = higher.and_then(|_| parts_of(&part, map, columns, usual));
            parts.unwrap_or_else(|| vec![Found { component: part, lost: *lost }])
        };
        return Some(lines.into_iter().flat_map(again).collect());
    }
    None
}

fn height_of(component: &Component) -> f32 {
    let (_, top, _, bottom) = component.edges();
    (bottom - top) as f32
}

/// The components of what is surer than `probability` within a component.
fn surer_parts(component: &Component, map: &[f32], columns: usize, probability: f32) -> Vec<Component> {
    let (left, top, right, bottom) = component.edges();
    let width = (right - left) as usize;
    let mut mask = vec![false; width * (bottom - top) as usize];
    for run in &component.runs {
        let (from, to) = (run.start as usize, run.end as usize);
        let sure = &map[run.y as usize * columns + from..run.y as usize * columns + to];
        let row = (run.y - top) as usize * width + (from - left as usize);
        for (place, value) in mask[row..row + sure.len()].iter_mut().zip(sure) {
            *place = *value > probability;
        }
    }
    let mut parts = components(&mask, width);
    for run in parts.iter_mut().flat_map(|part| &mut part.runs) {
        *run = Run { y: run.y + top, start: run.start + left, end: run.end + left };
    }
    parts
}

/// Whether one stands over another.
fn any_stacked(parts: &[Component]) -> bool {
    parts.iter().enumerate().any(|(index, a)| {
        let (left, top, right, bottom) = a.edges();
        parts[index + 1..].iter().any(|b| {
            let (other_left, other_top, other_right, other_bottom) = b.edges();
            let shared = right.min(other_right).saturating_sub(left.max(other_left));
            let narrower = (right - left).min(other_right - other_left);
            2 * shared > narrower && (bottom <= other_top || other_bottom <= top)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 200;

    /// Three lines of 8 rows, two of which are joined by a gap of that probability, over 150 columns.
    fn map(gap: f32) -> Vec<f32> {
        let line = |y: usize| matches!(y, 10..18 | 22..30 | 50..58);
        let place = |y: usize, x: usize| match (line(y), (18..22).contains(&y)) {
            _ if !(20..170).contains(&x) => 0.0,
            (true, _) => 0.97,
            (_, true) => gap,
            _ => 0.05,
        };
        (0..70).flat_map(|y| (0..COLUMNS).map(move |x| place(y, x))).collect()
    }

    fn found_in(map: &[f32]) -> Vec<Found> {
        let mask: Vec<bool> = map.iter().map(|value| *value > 0.3).collect();
        lines_apart(components(&mask, COLUMNS), map, COLUMNS)
    }

    #[test]
    fn lines_that_ran_together_come_apart() {
        let map = map(0.6);
        let found = found_in(&map);
        let tops: Vec<u32> = found.iter().map(|one| one.component.edges().1).collect();
        assert_eq!(tops, [10, 22, 50]);
        assert!(found[0].lost > 0.0 && found[2].lost == 0.0);
    }

    #[test]
    fn what_is_as_sure_between_as_within_stays_one() {
        let found = found_in(&map(0.97));
        assert_eq!(found.len(), 2, "a heading of twice the height");
    }

    #[test]
    fn an_accent_is_no_line_of_its_own() {
        let mut map = vec![0.05; COLUMNS * 70];
        for (rows, columns, value) in
            [(20..28, 20..170, 0.97), (40..42, 40..60, 0.97), (42..44, 40..60, 0.4), (44..56, 30..80, 0.97)]
        {
            for y in rows {
                map[y * COLUMNS..][columns.clone()].fill(value);
            }
        }
        let found = found_in(&map);
        assert_eq!(found.len(), 2);
        assert_eq!(height_of(&found[1].component) as u32, 16);
    }
}
