//! The free space that belongs to a label: in its box, on its line, under, over or beside it. Knows
//! geometry alone. All distances are in text heights; handwriting needs about 12 mm, letters are
//! about 2.5 mm high.

use super::surface::{Print, Surface};
use crate::domain::Rect;

/// Least height of a space to sign in a box or on a line, and where nothing rules it.
const LEAST_RULED: f32 = 2.0;
const LEAST_OPEN: f32 = 3.0;
/// Spaces are at most so high: what is farther from the label is not its.
const MOST_HEIGHT: f32 = 12.0;
/// Boxes to sign in are no higher than this.
const MOST_BOX: f32 = 26.0;
/// A name or a remark stands this close to its label, and is at most so many lines.
const NEXT_LINE: f32 = 1.3;
const MOST_LINES: usize = 2;
/// A line this close over a label is the line to sign on.
const LINE_OVER: f32 = 2.6;
/// Width of a hand to the left of a centred label and to the right of one that begins the space.
const REACH_LEFT: f32 = 14.0;
const REACH_RIGHT: f32 = 26.0;

/// Where the space lies, seen from the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    Below,
    Beside,
    /// No free space was found; the hand may be anywhere around the label.
    Around,
}

/// A space to sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) bounds: Rect,
    pub(super) side: Side,
    /// A box or a line marks it.
    pub(super) ruled: bool,
    /// How surely this is the space, 0 to 1.
    pub(super) weight: f32,
}

/// The spaces that may belong to a label, best first; never none. `labels` are the other labels of
/// places to sign.
pub(super) fn slots(surface: &Surface, label: &Rect, labels: &[Rect]) -> Vec<Slot> {
    let mut slots = in_cells(surface, label);
    if slots.is_empty() {
        slots.extend(above(surface, label, labels));
        slots.extend(below(surface, label, labels));
        slots.extend(beside(surface, label));
    }
    slots.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    if slots.is_empty() {
        let h = surface.height;
        let bounds = Rect::from_edges(
            label.left - 3.0 * h,
            label.top - 4.0 * h,
            label.right() + 14.0 * h,
            label.bottom() + 4.0 * h,
        );
        slots.push(Slot { bounds, side: Side::Around, ruled: false, weight: 0.4 });
    }
    slots
}

/// The label's own box, the box under it, or the one right of it.
fn in_cells(surface: &Surface, label: &Rect) -> Vec<Slot> {
    let h = surface.height;
    let Some(cell) = surface.cell_at(label.center_x(), label.center_y()) else { return Vec::new() };
    let is_place = |cell: &Rect| cell.height > 3.2 * h && cell.height < MOST_BOX * h && cell.width > 6.0 * h;
    if is_place(&cell) {
        return free_part(surface, label, &cell).into_iter().collect();
    }
    if cell.height > 5.0 * h {
        return Vec::new();
    }
    let mut found = Vec::new();
    let under = surface.cell_at(cell.center_x(), cell.bottom() + 0.8 * h);
    if let Some(under) = under.filter(|under| is_place(under) && (under.top - cell.bottom()).abs() < h) {
        let bounds = free_of_print(surface, under);
        if bounds.height >= LEAST_OPEN * h {
            found.push(Slot { bounds, side: Side::Below, ruled: true, weight: 0.95 });
        }
    }
    let right = surface.cell_at(cell.right() + 0.8 * h, label.center_y());
    if let Some(right) = right.filter(is_place)
        && !surface.has_print(&right)
    {
        found.push(Slot { bounds: right, side: Side::Beside, ruled: true, weight: 0.85 });
    }
    found
}

/// The larger free part of the label's own box.
fn free_part(surface: &Surface, label: &Rect, cell: &Rect) -> Option<Slot> {
    let h = surface.height;
    let (left, right) = (cell.left + 0.3 * h, cell.right() - 0.3 * h);
    let mut bottom = label.bottom();
    for _ in 0..MOST_LINES {
        match surface.print_below(bottom, left, right) {
            Some(print) if print.bounds.top - bottom < NEXT_LINE * h => bottom = print.bounds.bottom(),
            _ => break,
        }
    }
    let floor = surface.print_below(bottom, left, right).map_or(cell.bottom(), |print| print.bounds.top);
    let ceiling = surface.print_above(label.top, left, right).map_or(cell.top, |print| print.bounds.bottom());
    let (floor, ceiling) = (floor.min(cell.bottom()), ceiling.max(cell.top));
    let (under, over) = (floor - bottom, label.top - ceiling);
    let (side, top, height) =
        if under >= over { (Side::Below, bottom, under) } else { (Side::Above, ceiling, over) };
    let bounds = Rect::new(left, top, right - left, height);
    (height >= LEAST_RULED * h).then_some(Slot { bounds, side, ruled: true, weight: 0.97 })
}

/// The part of a box over its first print.
fn free_of_print(surface: &Surface, cell: Rect) -> Rect {
    let floor = surface
        .print_below(cell.top, cell.left, cell.right())
        .map_or(cell.bottom(), |print| print.bounds.top.min(cell.bottom()));
    Rect::from_edges(cell.left, cell.top, cell.right(), floor.max(cell.top))
}

fn above(surface: &Surface, label: &Rect, labels: &[Rect]) -> Option<Slot> {
    let h = surface.height;
    let (left, right) = (label.left - h, label.right() + h);
    let mut foot = label.top;
    for lines in 0..=MOST_LINES {
        let print = surface.print_above(foot, left, right);
        let text = print.map_or(0.0, |print| print.bounds.bottom());
        let line =
            surface.line_above(foot + 0.3 * h, left, right).filter(|line| line.center_y() > text - 0.3 * h);
        if let Some(line) = line.filter(|line| foot - line.center_y() < LINE_OVER * h) {
            return on_line(surface, &line, Side::Above, 0.96 - 0.06 * lines as f32);
        }
        match print {
            Some(print) if foot - text < NEXT_LINE * h && may_skip(&print, labels) && lines < MOST_LINES => {
                foot = print.bounds.top;
            }
            _ => {
                let ceiling = text.max(line.map_or(0.0, |line| line.center_y())).max(foot - MOST_HEIGHT * h);
                let weight = 0.62 - 0.06 * lines as f32;
                return open(surface, label, labels, (ceiling, foot), Side::Above, weight);
            }
        }
    }
    None
}

fn below(surface: &Surface, label: &Rect, labels: &[Rect]) -> Option<Slot> {
    let h = surface.height;
    let (left, right) = (label.left - h, label.right() + h);
    let mut head = label.bottom();
    let mut lines = 0;
    loop {
        let print = surface.print_below(head, left, right);
        let text = print.map_or(f32::INFINITY, |print| print.bounds.top);
        let line = surface.line_below(head, left, right).map_or(f32::INFINITY, |line| line.center_y());
        if line < text && line - head < 1.2 * h {
            // Underlined, or the head of a column.
            head = line + 0.1 * h;
            lines += 1;
        } else if line < text + 0.3 * h && line - head < MOST_HEIGHT * h {
            return under_label(surface, label, labels, head, lines);
        } else if let Some(print) = print
            && text - head < NEXT_LINE * h
            && may_skip(&print, labels)
        {
            head = print.bounds.bottom();
            lines += 1;
        } else {
            let page_end = text.is_infinite();
            let floor = text.min(line).min(head + MOST_HEIGHT * h).min(surface.page.height);
            let weight = if page_end || floor >= head + MOST_HEIGHT * h { 0.55 } else { 0.72 };
            let weight = weight - 0.06 * lines as f32;
            return open(surface, label, labels, (head, floor), Side::Below, weight);
        }
        if lines > MOST_LINES {
            return None;
        }
    }
}

/// The space between a label and the line under it, unless that line has a label of its own below.
fn under_label(surface: &Surface, label: &Rect, labels: &[Rect], head: f32, lines: usize) -> Option<Slot> {
    let h = surface.height;
    let line = surface.line_below(head, label.left - h, label.right() + h)?;
    let others = labels.iter().any(|other| {
        let apart = other.top - line.center_y();
        apart > -0.5 * h && apart < LINE_OVER * h && other.overlap_x(&line) > 0.0
    });
    let floor = line.center_y();
    if floor - head < LEAST_RULED * h {
        return None;
    }
    let (left, right) = columns(surface, label, labels, head, floor);
    let (left, right) = (left.max(line.left - h), right.min(line.right() + h));
    let bounds = Rect::from_edges(left.min(label.left), head, right.max(label.right()), floor);
    let weight = if others { 0.5 } else { 0.94 } - 0.05 * lines as f32;
    Some(Slot { bounds, side: Side::Below, ruled: true, weight })
}

fn may_skip(print: &Print, labels: &[Rect]) -> bool {
    !print.prose && !labels.iter().any(|label| label.intersection_area(&print.bounds) > 0.0)
}

/// The space over a line to sign on.
fn on_line(surface: &Surface, line: &Rect, side: Side, weight: f32) -> Option<Slot> {
    let h = surface.height;
    let foot = line.center_y();
    let inset = 0.1 * line.width;
    let print = surface.print_above(foot, line.left + inset, line.right() - inset);
    let text = print.map_or(0.0, |print| print.bounds.bottom());
    // Short rules are the strokes of stamps and letters.
    let over = surface.across.iter().filter(|over| {
        over.width > 0.4 * line.width && over.center_y() < foot - h && over.overlap_x(line) > 0.3 * line.width
    });
    let over = over.map(Rect::center_y).reduce(f32::max);
    let ceiling = text.max(over.unwrap_or(0.0)).max(foot - MOST_HEIGHT * h);
    if foot - ceiling < LEAST_RULED * h {
        return None;
    }
    let bounds = Rect::from_edges(line.left, ceiling, line.right(), foot);
    Some(Slot { bounds, side, ruled: true, weight })
}

/// A line or free space right of the label.
fn beside(surface: &Surface, label: &Rect) -> Option<Slot> {
    let h = surface.height;
    let follows = |line: &&Rect| {
        let apart = line.left - label.right();
        let lower = line.center_y() - label.bottom();
        apart > -1.5 * h && apart < 8.0 * h && lower > -0.6 * h && lower < 9.0 * h && line.width > 8.0 * h
    };
    let nearest = surface.across.iter().filter(follows).min_by(|a, b| a.top.total_cmp(&b.top));
    if let Some(line) = nearest {
        let weight = if line.center_y() - label.bottom() < 1.5 * h { 0.93 } else { 0.88 };
        return on_line(surface, line, Side::Beside, weight);
    }
    let row = Rect::from_edges(
        label.right() + 0.5 * h,
        label.top - 1.5 * h,
        surface.page.width,
        label.bottom() + 1.5 * h,
    );
    let stop = surface.prints.iter().filter(|print| print.bounds.overlap_y(&row) > 0.0);
    let stop = stop.map(|print| print.bounds.left).filter(|left| *left > label.right()).reduce(f32::min);
    let right = stop.unwrap_or(row.right()).min(label.right() + 30.0 * h);
    let bounds = Rect::from_edges(row.left, row.top, right, row.bottom());
    (bounds.width > 10.0 * h).then_some(Slot { bounds, side: Side::Beside, ruled: false, weight: 0.42 })
}

fn open(
    surface: &Surface,
    label: &Rect,
    labels: &[Rect],
    (top, bottom): (f32, f32),
    side: Side,
    weight: f32,
) -> Option<Slot> {
    if bottom - top < LEAST_OPEN * surface.height {
        return None;
    }
    let (left, right) = columns(surface, label, labels, top, bottom);
    Some(Slot { bounds: Rect::from_edges(left, top, right, bottom), side, ruled: false, weight })
}

/// How far a hand may reach left and right of a label: to the labels and vertical lines beside it.
fn columns(surface: &Surface, label: &Rect, labels: &[Rect], top: f32, bottom: f32) -> (f32, f32) {
    let h = surface.height;
    let mut left = (label.center_x() - REACH_LEFT * h).min(label.left).max(0.0);
    let mut right = (label.left + REACH_RIGHT * h).max(label.right()).min(surface.page.width);
    for other in labels.iter().filter(|other| (other.center_y() - label.center_y()).abs() < 6.0 * h) {
        if other.left > label.right() {
            right = right.min(other.left - 0.3 * h);
        } else if other.right() < label.left {
            left = left.max(f32::midpoint(other.right(), label.left));
        }
    }
    for line in &surface.down {
        if line.bottom() - h > top && line.top + h < bottom {
            if line.left >= label.right() {
                right = right.min(line.left);
            } else if line.right() <= label.left {
                left = left.max(line.right());
            }
        }
    }
    (left, right)
}
