//! Ruled lines: long thin runs, tolerant to a slope of a degree.

use crate::domain::{Rect, RuleLine};
use crate::raster::{Component, components};

/// A run of a ruled line is at least this long: a line of two pixels at one degree changes rows every
/// 57 pixels, and no letter's stroke is as long.
const LEAST_RUN: u32 = 40;
/// A line is at most this thick, in pixels at 110 dpi (about 1 mm), slope apart.
const MOST_THICKNESS: f32 = 5.0;
const MOST_SLOPE: f32 = 0.025;
/// Both sides of a line are free of ink, so many pixels away at most, along this share of it.
const FREE_WITHIN: usize = 4;
const FREE_SHARE: f32 = 0.7;

/// Finds the ruled lines and takes them out of the mask, so that what crosses them falls into pieces
/// no larger than itself.
pub(super) fn take_lines(mask: &mut [bool], width: usize) -> Vec<RuleLine> {
    let height = mask.len() / width.max(1);
    let across = find(mask, width);
    let turned = transpose(mask, width, height);
    let down = find(&turned, height);
    let mut lines = Vec::new();
    for line in &across {
        lines.push(RuleLine { bounds: bounds_of(line), horizontal: true });
        for run in &line.runs {
            clear(mask, width, run.y as usize, run.start as usize, run.end as usize);
        }
    }
    for line in &down {
        let Rect { left, top, width: w, height: h } = bounds_of(line);
        lines.push(RuleLine { bounds: Rect::new(top, left, h, w), horizontal: false });
        for run in &line.runs {
            for y in run.start..run.end {
                clear(mask, width, y as usize, run.y as usize, run.y as usize + 1);
            }
        }
    }
    lines
}

fn find(mask: &[bool], width: usize) -> Vec<Component> {
    let mut long = vec![false; mask.len()];
    for (y, row) in mask.chunks_exact(width.max(1)).enumerate() {
        let mut x = 0;
        while let Some(offset) = row.get(x..).and_then(|rest| rest.iter().position(|set| *set)) {
            let start = x + offset;
            let length = row[start..].iter().position(|set| !*set).unwrap_or(row.len() - start);
            x = start + length;
            if length as u32 >= LEAST_RUN {
                long[y * width + start..y * width + x].fill(true);
            }
        }
    }
    let lines = components(&long, width).into_iter().filter(is_line);
    lines.filter(|line| stands_free(line, mask, width)).collect()
}

/// What runs between letters that are left out of a dark band ends in the band; a line has paper beside it.
fn stands_free(line: &Component, mask: &[bool], width: usize) -> bool {
    let is_free = |x: usize, y: usize| mask.get(y * width + x).is_none_or(|set| !*set);
    let (mut free, mut all) = (0, 0);
    for run in &line.runs {
        let y = run.y as usize;
        for x in run.start as usize..run.end as usize {
            let above = (1..=FREE_WITHIN).any(|by| y.checked_sub(by).is_none_or(|y| is_free(x, y)));
            let below = (1..=FREE_WITHIN).any(|by| is_free(x, y + by));
            free += usize::from(above && below);
            all += 1;
        }
    }
    free as f32 >= FREE_SHARE * all as f32
}

fn is_line(component: &Component) -> bool {
    let (left, _, right, _) = component.edges();
    let length = (right - left) as f32;
    let thickness = component.area() as f32 / length;
    let (_, top, _, bottom) = component.edges();
    thickness <= MOST_THICKNESS && ((bottom - top) as f32) <= MOST_THICKNESS + MOST_SLOPE * length
}

fn bounds_of(component: &Component) -> Rect {
    let (left, top, right, bottom) = component.edges();
    Rect::from_edges(left as f32, top as f32, right as f32, bottom as f32)
}

fn transpose(mask: &[bool], width: usize, height: usize) -> Vec<bool> {
    let mut turned = vec![false; mask.len()];
    for y in 0..height {
        for x in 0..width {
            turned[x * height + y] = mask[y * width + x];
        }
    }
    turned
}

/// Clears a run and its blurred edges.
fn clear(mask: &mut [bool], width: usize, y: usize, start: usize, end: usize) {
    if let Some(run) = mask.get_mut(y * width + start..(y * width + end).min((y + 1) * width)) {
        run.fill(false);
    }
}
