//! What is on a page around its places to sign: print that ends a free space, ruled lines joined over
//! their breaks, ink, and words that may be a scrawl. Knows geometry, not parties.

use crate::domain::{InkMark, Page, Rect};
use crate::extract::labels::evidence::Reading;

/// Below this certainty a word of a picture may be a scrawl that was read as letters.
const SURE_WORD: f32 = 0.7;
/// A scrawl of this size in text heights may be a hand.
const HAND_WIDTH: f32 = 3.0;
const HAND_HEIGHT: f32 = 1.3;
/// Lines with breaks shorter than this, in text heights, are one: the lines of two parties stand farther
/// apart.
const BREAK: f32 = 0.6;
/// A line to sign on is at least this long, in text heights.
const LEAST_LINE: f32 = 6.0;
/// A row of so many dots or dashes is a line to write on.
const LEADERS: usize = 5;

/// Frames and letters of stamps run straight; a hand is seldom so little curved.
const STAMP_SCRIBBLE: f32 = 0.3;

/// Words of one segment: a stop for a free space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Print {
    pub(super) bounds: Rect,
    pub(super) prose: bool,
}

/// A page as the search of places to sign sees it.
#[derive(Debug)]
pub(super) struct Surface<'a> {
    pub(super) page: &'a Page,
    /// Index of the page in its document, from 0.
    pub(super) index: usize,
    /// The unit of all distances.
    pub(super) height: f32,
    pub(super) prints: Vec<Print>,
    pub(super) across: Vec<Rect>,
    pub(super) down: Vec<Rect>,
    /// Ink of the page, and words that may be handwriting where no ink was kept.
    pub(super) marks: Vec<InkMark>,
    /// Other words that may be a scrawl.
    pub(super) scrawls: Vec<Rect>,
}

impl<'a> Surface<'a> {
    pub(super) fn new(reading: &Reading<'a>) -> Self {
        let (page, height) = (reading.sheet.page, reading.sheet.height);
        let mut surface = Self {
            page,
            index: reading.sheet.index,
            height,
            prints: Vec::new(),
            across: joined(lines_of(page, true), height),
            down: joined(lines_of(page, false).iter().map(transposed).collect(), height)
                .iter()
                .map(transposed)
                .collect(),
            marks: page.marks.clone(),
            scrawls: Vec::new(),
        };
        for piece in 0..reading.sheet.pieces.len() {
            surface.add_piece(reading, piece);
        }
        surface
    }

    fn add_piece(&mut self, reading: &Reading, piece: usize) {
        let segment = &reading.sheet.pieces[piece];
        let words = &self.page.words[segment.first..segment.end];
        let is_text = words.len() >= 3
            && words.iter().map(|word| word.confidence).sum::<f32>() / words.len() as f32 >= SURE_WORD;
        let labelled = (segment.first_token..segment.end_token).any(|token| reading.labelled[token]);
        let mut bounds: Option<Rect> = None;
        for word in words {
            if is_leader(&word.text) {
                let foot = word.bounds.bottom();
                self.across.push(Rect::new(word.bounds.left, foot - 1.0, word.bounds.width, 1.0));
                continue;
            }
            let scrawl = word.may_be_scrawl(self.height);
            let read = word.chars.is_empty() || word.confidence >= SURE_WORD;
            if !scrawl && (read || is_text || labelled) {
                bounds = Some(bounds.map_or(word.bounds, |all| all.union(&word.bounds)));
            } else {
                self.add_scrawl(word.bounds);
            }
        }
        if let Some(bounds) = bounds.filter(|bounds| !self.in_stamp(bounds)) {
            self.prints.push(Print { bounds, prose: segment.prose });
        }
    }

    /// Print within a mark much larger than itself is a stamp's; what a hand merely crosses is not.
    pub(super) fn in_stamp(&self, bounds: &Rect) -> bool {
        self.page.marks.iter().any(|mark| {
            let within = mark.bounds.intersection_area(bounds) > 0.8 * bounds.area();
            let framed = mark.scribble < STAMP_SCRIBBLE || mark.bounds.width > 1.5 * bounds.width;
            within && framed && mark.bounds.height > 1.5 * bounds.height
        })
    }

    /// A scrawl without ink of its own was taken for a word and erased with it: what it looked like is
    /// not known.
    fn add_scrawl(&mut self, bounds: Rect) {
        let inked =
            self.marks.iter().any(|mark| mark.bounds.intersection_area(&bounds) > 0.5 * bounds.area());
        let large = bounds.width > HAND_WIDTH * self.height && bounds.height > HAND_HEIGHT * self.height;
        if large && !inked {
            let unknown = InkMark {
                bounds,
                ink_ratio: 0.15,
                pieces: 1,
                stroke_width: 0.0,
                scribble: 0.35,
                colour: [0, 0, 0],
            };
            self.marks.push(unknown);
        } else if !inked {
            self.scrawls.push(bounds);
        }
    }

    /// The ruled cell around a point, as far as lines bound it on all four sides.
    pub(super) fn cell_at(&self, x: f32, y: f32) -> Option<Rect> {
        let slack = 0.6 * self.height;
        let covers_x = |line: &&Rect| line.left - slack <= x && line.right() + slack >= x;
        let covers_y = |line: &&Rect| line.top - slack <= y && line.bottom() + slack >= y;
        let top = self.across.iter().filter(covers_x).map(Rect::center_y).filter(|at| *at <= y);
        let bottom = self.across.iter().filter(covers_x).map(Rect::center_y).filter(|at| *at > y);
        let left = self.down.iter().filter(covers_y).map(Rect::center_x).filter(|at| *at <= x);
        let right = self.down.iter().filter(covers_y).map(Rect::center_x).filter(|at| *at > x);
        Some(Rect::from_edges(
            left.reduce(f32::max)?,
            top.reduce(f32::max)?,
            right.reduce(f32::min)?,
            bottom.reduce(f32::min)?,
        ))
    }

    /// The lowest print above `y` in the columns `left..right`.
    pub(super) fn print_above(&self, y: f32, left: f32, right: f32) -> Option<Print> {
        let over = self.in_columns(left, right).filter(|print| print.bounds.center_y() < y);
        over.max_by(|a, b| a.bounds.bottom().total_cmp(&b.bounds.bottom())).copied()
    }

    /// The highest print below `y` in the columns `left..right`.
    pub(super) fn print_below(&self, y: f32, left: f32, right: f32) -> Option<Print> {
        let under = self.in_columns(left, right).filter(|print| print.bounds.center_y() > y);
        under.min_by(|a, b| a.bounds.top.total_cmp(&b.bounds.top)).copied()
    }

    fn in_columns(&self, left: f32, right: f32) -> impl Iterator<Item = &Print> {
        self.prints.iter().filter(move |print| print.bounds.left < right && print.bounds.right() > left)
    }

    /// Lines long enough to sign on: shorter ones are the flourish of a hand or the side of a stamp.
    fn lines_under(&self, left: f32, right: f32) -> impl Iterator<Item = &Rect> {
        let least = LEAST_LINE * self.height;
        self.across.iter().filter(move |line| line.width >= least && under(line, left, right))
    }

    /// The ruled line nearest above `y` that runs over the middle of the columns.
    pub(super) fn line_above(&self, y: f32, left: f32, right: f32) -> Option<Rect> {
        let over = self.lines_under(left, right).filter(|line| line.center_y() <= y);
        over.max_by(|a, b| a.top.total_cmp(&b.top)).copied()
    }

    pub(super) fn line_below(&self, y: f32, left: f32, right: f32) -> Option<Rect> {
        let below = self.lines_under(left, right).filter(|line| line.center_y() >= y);
        below.min_by(|a, b| a.top.total_cmp(&b.top)).copied()
    }

    /// Whether print stands within the rectangle.
    pub(super) fn has_print(&self, bounds: &Rect) -> bool {
        self.prints.iter().any(|print| {
            let shared = print.bounds.intersection_area(bounds);
            shared > 0.25 * print.bounds.area().min(bounds.area())
        })
    }
}

/// A line belongs to columns when it covers half of them or lies within them.
fn under(line: &Rect, left: f32, right: f32) -> bool {
    let shared = line.right().min(right) - line.left.max(left);
    shared > 0.5 * (right - left).min(line.width)
}

fn is_leader(text: &str) -> bool {
    let drawn = |ch: char| matches!(ch, '_' | '.' | '…' | '·' | '-' | '–' | '—');
    text.chars().count() >= LEADERS && text.chars().all(drawn)
}

/// The ruled lines of the page but for those within a mark, which are strokes of a hand or of a stamp.
fn lines_of(page: &Page, horizontal: bool) -> Vec<Rect> {
    let rules = page.rules.iter().filter(|rule| rule.horizontal == horizontal).map(|rule| rule.bounds);
    let is_stroke = |line: &Rect| {
        let (along, across) = if horizontal { (line.width, 0.0) } else { (0.0, line.height) };
        page.marks.iter().any(|mark| {
            let within = mark.bounds.contains_point(line.center_x(), line.center_y());
            let inside = mark.bounds.overlap_x(line).min(along) + mark.bounds.overlap_y(line).min(across);
            within
                && inside > 0.7 * (along + across)
                && mark.bounds.height > 4.0 * line.height.min(line.width)
        })
    };
    rules.filter(|line| !is_stroke(line)).collect()
}

fn transposed(rect: &Rect) -> Rect {
    Rect::new(rect.top, rect.left, rect.height, rect.width)
}

/// Horizontal pieces on one level with short breaks become one line.
fn joined(mut lines: Vec<Rect>, height: f32) -> Vec<Rect> {
    lines.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut whole: Vec<Rect> = Vec::new();
    for line in lines {
        let level =
            |other: &&mut Rect| (other.center_y() - line.center_y()).abs() < 0.35 * height.max(line.height);
        let near = |other: &&mut Rect| line.left - other.right() < BREAK * height;
        match whole.iter_mut().filter(level).find(near) {
            Some(known) => *known = known.union(&line),
            None => whole.push(line),
        }
    }
    whole
}
