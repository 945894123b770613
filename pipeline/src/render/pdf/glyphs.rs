//! What stands on a page as its content draws it: glyphs in drawing order and what covers them.

use hayro_interpret::kurbo::{Point, Rect as Area};

/// What a glyph says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum GlyphText {
    /// The font does not say which character it is.
    Unmapped,
    One(char),
    /// A ligature, or a character made of several.
    Many(String),
}

impl GlyphText {
    pub(super) fn is_space(&self) -> bool {
        match self {
            GlyphText::One(ch) => ch.is_whitespace() || matches!(ch, '\u{200B}' | '\u{FEFF}'),
            GlyphText::Many(text) => text.trim().is_empty(),
            GlyphText::Unmapped => false,
        }
    }

    pub(super) fn chars(&self) -> impl Iterator<Item = char> {
        let (one, many) = match self {
            GlyphText::Unmapped => (Some('\u{FFFD}'), ""),
            GlyphText::One(ch) => (Some(*ch), ""),
            GlyphText::Many(text) => (None, text.as_str()),
        };
        one.into_iter().chain(many.chars())
    }
}

/// A glyph on the page, in points from the top left corner of the page as shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlacedGlyph {
    pub(super) text: GlyphText,
    /// Where its baseline begins and ends.
    pub(super) start: Point,
    pub(super) end: Point,
    /// Font size in points.
    pub(super) size: f32,
    pub(super) direction: Direction,
    pub(super) bold: bool,
    pub(super) colour: [f32; 3],
    /// Drawn so that nothing can be seen: render mode 3 or no opacity.
    pub(super) invisible: bool,
    /// When it was drawn, counting all that is drawn.
    pub(super) sequence: u32,
}

impl PlacedGlyph {
    /// The middle of the body of the glyph, which a cover must hide.
    pub(super) fn middle(&self) -> Point {
        let base = self.start.midpoint(self.end);
        let rise = f64::from(self.size) * 0.3;
        match self.direction {
            Direction::Right => Point::new(base.x, base.y - rise),
            Direction::Left => Point::new(base.x, base.y + rise),
            Direction::Down => Point::new(base.x + rise, base.y),
            Direction::Up => Point::new(base.x - rise, base.y),
            Direction::Slanted => base,
        }
    }
}

/// Where a line of text runs to, on the page as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Right,
    Down,
    Left,
    Up,
    Slanted,
}

impl Direction {
    /// Of a baseline vector, within 7 degrees: text on a skewed scan leans less, watermarks more.
    pub(super) fn of(x: f64, y: f64) -> Self {
        let slope = 0.12;
        if y.abs() <= slope * x.abs() {
            if x >= 0.0 { Direction::Right } else { Direction::Left }
        } else if x.abs() <= slope * y.abs() {
            if y >= 0.0 { Direction::Down } else { Direction::Up }
        } else {
            Direction::Slanted
        }
    }

    /// Clockwise quarter turns that make it run to the right.
    pub(super) fn quarter_turns(self) -> u32 {
        match self {
            Direction::Right | Direction::Slanted => 0,
            Direction::Up => 1,
            Direction::Left => 2,
            Direction::Down => 3,
        }
    }
}

/// Something opaque that was drawn over an area: a filled rectangle or a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cover {
    pub(super) area: Area,
    /// `None` for a picture or a pattern.
    pub(super) colour: Option<[f32; 3]>,
    pub(super) sequence: u32,
}

/// Beyond this many, covers cost more than they tell; the first ones are the backgrounds.
const MAX_COVERS: usize = 2000;
/// Difference in every channel under which text cannot be told from what lies beneath: 15 of 255.
const SAME_COLOUR: f32 = 0.06;

#[derive(Debug, Default)]
pub(super) struct Covers(Vec<Cover>);

impl Covers {
    pub(super) fn push(&mut self, cover: Cover) {
        if self.0.len() < MAX_COVERS {
            self.0.push(cover);
        }
    }

    /// Whether a person sees the glyph: not drawn invisibly, not painted over afterwards, and of
    /// another colour than what lies beneath it.
    pub(super) fn show(&self, glyph: &PlacedGlyph) -> bool {
        if glyph.invisible || glyph.size < 1.0 {
            return false;
        }
        let middle = glyph.middle();
        let mut beneath = Some([1.0; 3]);
        for cover in self.0.iter().filter(|cover| cover.area.contains(middle)) {
            if cover.sequence > glyph.sequence {
                return false;
            }
            beneath = cover.colour;
        }
        beneath.is_none_or(|below| {
            below.iter().zip(glyph.colour).any(|(below, above)| (below - above).abs() >= SAME_COLOUR)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(colour: [f32; 3], sequence: u32) -> PlacedGlyph {
        PlacedGlyph {
            text: GlyphText::One('a'),
            start: Point::new(10.0, 20.0),
            end: Point::new(16.0, 20.0),
            size: 10.0,
            direction: Direction::Right,
            bold: false,
            colour,
            invisible: false,
            sequence,
        }
    }

    fn cover(colour: Option<[f32; 3]>, sequence: u32) -> Covers {
        Covers(vec![Cover { area: Area::new(0.0, 0.0, 50.0, 50.0), colour, sequence }])
    }

    #[test]
    fn only_text_that_can_be_seen_counts() {
        let (black, white, navy) = ([0.0; 3], [1.0; 3], [0.0, 0.1, 0.3]);
        assert!(Covers::default().show(&glyph(black, 1)));
        assert!(!Covers::default().show(&glyph(white, 1)));
        assert!(cover(Some(navy), 0).show(&glyph(white, 1)));
        assert!(!cover(Some(navy), 0).show(&glyph(navy, 1)));
        assert!(!cover(Some(white), 2).show(&glyph(black, 1)), "painted over");
        assert!(!cover(None, 2).show(&glyph(black, 1)), "under a scan");
        assert!(cover(None, 0).show(&glyph(white, 1)), "on a picture");
    }

    #[test]
    fn directions_are_steps_of_ninety_degrees() {
        assert_eq!(Direction::of(1.0, 0.05), Direction::Right);
        assert_eq!(Direction::of(0.0, -3.0), Direction::Up);
        assert_eq!(Direction::of(1.0, 1.0), Direction::Slanted);
    }
}
