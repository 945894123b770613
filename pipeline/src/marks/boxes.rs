//! Boxes and circles to tick: small closed frames, and how much ink is within. Whether that is a tick is
//! for the reader of the options to say, who knows the boxes beside it.

use image::GrayImage;

use super::ink;
use crate::domain::{Rect, TickBox, Word};
use crate::raster::{Component, components, resize};

/// The longer side of the raster that is looked at: 200 dpi for A4, where the thinnest frame is a pixel.
const LONG_SIDE: u32 = 2340;
/// Sides of boxes in heights of text; printed ones are 0.8 to 2. A circle is no smaller than a capital.
const SIDES: std::ops::Range<f32> = 0.6..2.8;
const LEAST_CIRCLE: f32 = 0.65;
/// A frame that was read as the beginning of a word is at least so high, in heights of text.
const LEAST_BOX_IN_WORD: f32 = 0.8;
/// Width over height. A tick that leaves the box is cut off before.
const SQUARE: std::ops::Range<f32> = 0.75..1.34;
/// A line or column of the frame's inside spans so much of the widest; the rest is the tick's end.
const BODY: f32 = 0.6;
/// Of a frame its inside and itself fill this share of the body; of a circle, whose first and last lines are
/// short and cut off like the end of a tick, hardly less.
const FULL: f32 = 0.9;
const ROUND: std::ops::Range<f32> = 0.68..1.01;
/// Each side of a box is drawn over so much of its length, within this share of its width: letters curve.
const DRAWN: f32 = 0.7;
const SIDE: f32 = 0.18;
/// Frames are thin: so much of the body is hole, or it is filled.
const LEAST_HOLE: f32 = 0.2;
const SOLID: f32 = 0.9;
/// What is looked at for a tick leaves out this share of the side, so that a thick frame is no tick.
const INSET: f32 = 0.28;
/// More boxes than any form has.
const MOST_BOXES: usize = 400;
/// Smaller components are specks.
const LEAST_PIXELS: u32 = 8;

/// Boxes of an upright page, top to bottom. `words` and the result are in page units, of which the picture
/// is `page_width` wide; `text_height` too.
pub(super) fn find(grey: &GrayImage, page_width: f32, text_height: f32, words: &[Word]) -> Vec<TickBox> {
    let scale = (LONG_SIDE as f32 / grey.width().max(grey.height()) as f32).min(1.0);
    let (width, height) = ((grey.width() as f32 * scale) as u32, (grey.height() as f32 * scale) as u32);
    let grey = resize(grey, width, height);
    let units_per_pixel = page_width / grey.width() as f32;
    let mask = ink::threshold(&grey);
    let width = grey.width() as usize;
    let text = text_height / units_per_pixel;
    let mut found = Vec::new();
    for component in components(&mask, width) {
        let Some(shape) = Shape::of(&component, &mask, width, text) else { continue };
        let bounds = super::scaled(&shape.bounds, units_per_pixel);
        if !is_letter(&shape, &bounds, text_height, words) {
            found.push(TickBox { bounds, ink_ratio: shape.ink_ratio });
        }
        if found.len() >= MOST_BOXES {
            break;
        }
    }
    without_nested(&found)
}

/// A cross that does not touch its frame may be as square as one.
fn without_nested(found: &[TickBox]) -> Vec<TickBox> {
    let within = |inner: &Rect, outer: &Rect| {
        outer.area() > inner.area() && outer.contains_point(inner.center_x(), inner.center_y())
    };
    let alone = found.iter().filter(|inner| !found.iter().any(|outer| within(&inner.bounds, &outer.bounds)));
    alone.copied().collect()
}

/// A circle or something small within a word is one of its letters; where the file says what is text, so is
/// everything within it.
fn is_letter(shape: &Shape, bounds: &Rect, text_height: f32, words: &[Word]) -> bool {
    let small = shape.is_round || bounds.height < LEAST_BOX_IN_WORD * text_height;
    words.iter().any(|word| {
        let letters = word.text.chars().filter(|ch| ch.is_alphanumeric()).count();
        let within = word.bounds.contains_point(bounds.center_x(), bounds.center_y());
        within && (small && letters > 2 || word.chars.is_empty() && letters > 0)
    })
}

struct Shape {
    /// In pixels.
    bounds: Rect,
    ink_ratio: f32,
    is_round: bool,
}

impl Shape {
    fn of(component: &Component, mask: &[bool], width: usize, text: f32) -> Option<Self> {
        let (left, top, right, bottom) = component.edges();
        let longest = (right - left).max(bottom - top) as f32;
        // A tick makes a box longer than it is.
        if component.area() < LEAST_PIXELS || !(SIDES.start * text..2.0 * SIDES.end * text).contains(&longest)
        {
            return None;
        }
        let piece = Piece::new(component);
        let filled = piece.filled();
        let body = piece.body(&filled)?;
        let (across, down) = ((body.2 - body.0) as f32, (body.3 - body.1) as f32);
        if !SQUARE.contains(&(across / down)) || !SIDES.contains(&(across.max(down) / text)) {
            return None;
        }
        let full = piece.share(&filled, body);
        let is_square = full >= FULL && piece.has_sides(body);
        let is_round = !is_square && ROUND.contains(&full) && across.min(down) > LEAST_CIRCLE * text;
        if !is_square && !is_round {
            return None;
        }
        let inset = |from: usize, to: usize| {
            let by = (INSET * (to - from) as f32).round() as usize;
            (from + by, (to - by).max(from + by + 1))
        };
        let ((inner_left, inner_right), (inner_top, inner_bottom)) =
            (inset(body.0, body.2), inset(body.1, body.3));
        let mut inked = 0;
        for y in inner_top..inner_bottom {
            let start = (top as usize + y) * width + left as usize;
            let row = mask.get(start + inner_left..start + inner_right)?;
            inked += row.iter().filter(|set| **set).count();
        }
        let ink_ratio = inked as f32 / ((inner_right - inner_left) * (inner_bottom - inner_top)) as f32;
        let hole = full - piece.share(&piece.ink, body);
        if hole < LEAST_HOLE && ink_ratio < SOLID {
            return None;
        }
        let bounds = Rect::new((left as usize + body.0) as f32, (top as usize + body.1) as f32, across, down);
        Some(Self { bounds, ink_ratio, is_round })
    }
}

/// One component on a grid of its own.
struct Piece {
    width: usize,
    height: usize,
    ink: Vec<bool>,
}

/// Left, top, right, bottom on a piece's grid, the last two exclusive.
type Body = (usize, usize, usize, usize);

impl Piece {
    fn new(component: &Component) -> Self {
        let (left, top, right, bottom) = component.edges();
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        let mut ink = vec![false; width * height];
        for run in &component.runs {
            let row = (run.y - top) as usize * width;
            ink[row + (run.start - left) as usize..row + (run.end - left) as usize].fill(true);
        }
        Self { width, height, ink }
    }

    /// The ink and all that it encloses.
    fn filled(&self) -> Vec<bool> {
        let mut filled = vec![true; self.ink.len()];
        let (width, height) = (self.width, self.height);
        let edge = (0..width)
            .flat_map(|x| [(x, 0), (x, height - 1)])
            .chain((0..height).flat_map(|y| [(0, y), (width - 1, y)]));
        let mut open: Vec<(usize, usize)> = edge.collect();
        while let Some((x, y)) = open.pop() {
            let at = y * width + x;
            if self.ink[at] || !filled[at] {
                continue;
            }
            filled[at] = false;
            open.extend((x > 0).then(|| (x - 1, y)));
            open.extend((y > 0).then(|| (x, y - 1)));
            open.extend((x + 1 < width).then_some((x + 1, y)));
            open.extend((y + 1 < height).then_some((x, y + 1)));
        }
        filled
    }

    /// Where the filled lines and columns are long: without the tick's end that leaves the frame.
    fn body(&self, filled: &[bool]) -> Option<Body> {
        let row = |y: usize| (0..self.width).filter(|x| filled[y * self.width + x]).count();
        let (top, bottom) = long_range((0..self.height).map(row).collect())?;
        let column = |x: usize| (top..bottom).filter(|y| filled[y * self.width + x]).count();
        let (left, right) = long_range((0..self.width).map(column).collect())?;
        Some((left, top, right, bottom))
    }

    fn share(&self, set: &[bool], (left, top, right, bottom): Body) -> f32 {
        let row =
            |y: usize| set[y * self.width + left..y * self.width + right].iter().filter(|set| **set).count();
        (top..bottom).map(row).sum::<usize>() as f32 / ((right - left) * (bottom - top)).max(1) as f32
    }

    /// Whether ink runs along all four sides.
    fn has_sides(&self, (left, top, right, bottom): Body) -> bool {
        let across = ((SIDE * (right - left) as f32).round() as usize).max(1);
        let down = ((SIDE * (bottom - top) as f32).round() as usize).max(1);
        let ink = |x: usize, y: usize| self.ink[y * self.width + x];
        let drawn = |count: usize, of: usize| count as f32 >= DRAWN * of as f32;
        let column =
            |from: usize| (top..bottom).filter(|y| (from..from + across).any(|x| ink(x, *y))).count();
        let row = |from: usize| (left..right).filter(|x| (from..from + down).any(|y| ink(*x, y))).count();
        drawn(column(left), bottom - top)
            && drawn(column(right - across), bottom - top)
            && drawn(row(top), right - left)
            && drawn(row(bottom - down), right - left)
    }
}

/// From the first to the last that reaches a share of the greatest.
fn long_range(lengths: Vec<usize>) -> Option<(usize, usize)> {
    let most = lengths.iter().copied().max()?;
    let long = |length: &usize| *length as f32 >= BODY * most as f32;
    let first = lengths.iter().position(long)?;
    let last = lengths.iter().rposition(long)?;
    Some((first, last + 1))
}
