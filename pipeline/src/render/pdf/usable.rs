//! What a page holds altogether, and whether its own text can stand for it.

use hayro_interpret::kurbo::{Point, Rect as Area};

use super::device::to_rect;
use super::glyphs::{Covers, Direction, PlacedGlyph};
use super::words::to_words;
use crate::domain::{Rect, RuleLine};
use crate::render::NativePage;

/// Fewer characters than a line of text: the page is not born-digital, a scan with a stamp or a
/// file number printed onto it.
const MIN_CHARS: usize = 30;
/// Text below this, on a page half of which is a picture, is a caption and the picture the document.
const MIN_CHARS_BESIDE_PICTURE: usize = 300;
/// Share of characters without a known or sensible meaning above which the text is not trusted.
const MAX_GARBAGE: f32 = 0.1;
/// Share of vowels among letters in Spanish, English and their abbreviations is 0.35 to 0.5; a
/// font whose character map is shuffled falls outside this.
const VOWELS: std::ops::RangeInclusive<f32> = 0.2..=0.65;
/// Letters needed for the vowels' share to mean something.
const MIN_LETTERS: usize = 150;
/// Share of the page that is a large picture.
const LARGE_PICTURE: f32 = 0.4;
/// Pictures above this share of the page may hold text worth reading: a card's side on A4 is 0.07.
const READABLE_PICTURE: f32 = 0.05;
/// Outlines on a page without text: the text may have been turned into curves.
const MANY_DRAWINGS: usize = 40;

/// The share of the page that pictures cover is counted on a grid of this many cells a side.
const GRID: usize = 40;

/// All that a page shows, in points from the top left of the page as shown.
pub(super) struct PageContent {
    width: f32,
    height: f32,
    pub(super) glyphs: Vec<PlacedGlyph>,
    pub(super) rules: Vec<RuleLine>,
    pub(super) drawings: usize,
    pictures: Vec<(Rect, f32)>,
    covered: Vec<bool>,
}

impl PageContent {
    pub(super) fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            glyphs: Vec::new(),
            rules: Vec::new(),
            drawings: 0,
            pictures: Vec::new(),
            covered: vec![false; GRID * GRID],
        }
    }

    pub(super) fn holds(&self, point: Point) -> bool {
        point.x > -1.0
            && point.y > -1.0
            && point.x < f64::from(self.width) + 1.0
            && point.y < f64::from(self.height) + 1.0
    }

    pub(super) fn add_picture(&mut self, area: Area, pixels_per_point: f32) {
        let page = Area::new(0.0, 0.0, f64::from(self.width), f64::from(self.height));
        let area = to_rect(area.intersect(page));
        if area.width <= 0.0 || area.height <= 0.0 {
            return;
        }
        for (index, cell) in self.covered.iter_mut().enumerate() {
            let x = ((index % GRID) as f32 + 0.5) / GRID as f32 * self.width;
            let y = ((index / GRID) as f32 + 0.5) / GRID as f32 * self.height;
            *cell |= area.contains_point(x, y);
        }
        if self.pictures.len() < 1000 {
            self.pictures.push((area, pixels_per_point));
        }
    }

    /// Leaves the glyphs that a person sees.
    pub(super) fn separate_visible(&mut self, covers: &Covers) {
        self.glyphs.retain(|glyph| covers.show(glyph));
    }

    fn picture_share(&self) -> f32 {
        self.covered.iter().filter(|&&cell| cell).count() as f32 / (GRID * GRID) as f32
    }

    /// Pixels for each point of the picture that is the page, when one (or strips of one) is.
    pub(super) fn scan(&self) -> Option<f32> {
        if self.picture_share() < 0.8 {
            return None;
        }
        let largest = self.pictures.iter().max_by(|(a, _), (b, _)| a.area().total_cmp(&b.area()));
        largest.map(|&(_, pixels_per_point)| pixels_per_point).filter(|density| density.is_finite())
    }

    /// Whether the page's own text says what the page says.
    pub(super) fn is_usable(&self) -> bool {
        let quality = TextQuality::of(&self.glyphs);
        let pictures = self.picture_share();
        if quality.chars < MIN_CHARS {
            return pictures < 0.02 && self.drawings < MANY_DRAWINGS && quality.garbage == 0;
        }
        let too_little = pictures > LARGE_PICTURE && quality.chars < MIN_CHARS_BESIDE_PICTURE;
        !too_little && quality.is_sensible()
    }

    /// Clockwise quarter turns that bring most of the text upright.
    pub(super) fn quarter_turns(&self) -> u32 {
        let count = |turns: u32| {
            let runs_so = |glyph: &&PlacedGlyph| {
                glyph.direction != Direction::Slanted && glyph.direction.quarter_turns() == turns
            };
            self.glyphs.iter().filter(runs_so).count()
        };
        (0..4).max_by_key(|&turns| (count(turns), 3 - turns)).unwrap_or(0)
    }

    pub(super) fn into_native(self) -> NativePage {
        let turns = self.quarter_turns();
        let turn = Turn { turns, width: self.width, height: self.height };
        let page_area = self.width * self.height;
        let (width, height) =
            if turns % 2 == 1 { (self.height, self.width) } else { (self.width, self.height) };
        let readable = |(area, _): &&(Rect, f32)| area.area() > READABLE_PICTURE * page_area;
        NativePage {
            width,
            height,
            pictures: self.pictures.iter().filter(readable).map(|(area, _)| turn.rect(*area)).collect(),
            has_drawings: self.drawings > 0 || !self.pictures.is_empty(),
            rules: self.rules.iter().map(|rule| turn.rule(*rule)).collect(),
            words: to_words(&self.glyphs, &turn),
            rotation_degrees: turns * 90,
        }
    }
}

/// Clockwise quarter turns of a page of this size.
pub(super) struct Turn {
    pub(super) turns: u32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Turn {
    pub(super) fn point(&self, x: f32, y: f32) -> (f32, f32) {
        match self.turns {
            1 => (self.height - y, x),
            2 => (self.width - x, self.height - y),
            3 => (y, self.width - x),
            _ => (x, y),
        }
    }

    fn rect(&self, rect: Rect) -> Rect {
        let (x0, y0) = self.point(rect.left, rect.top);
        let (x1, y1) = self.point(rect.right(), rect.bottom());
        Rect::from_edges(x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1))
    }

    fn rule(&self, rule: RuleLine) -> RuleLine {
        let horizontal = if self.turns % 2 == 1 { !rule.horizontal } else { rule.horizontal };
        RuleLine { bounds: self.rect(rule.bounds), horizontal }
    }
}

#[derive(Debug, Default)]
struct TextQuality {
    chars: usize,
    garbage: usize,
    letters: usize,
    vowels: usize,
}

impl TextQuality {
    fn of(glyphs: &[PlacedGlyph]) -> Self {
        let mut quality = Self::default();
        for ch in glyphs.iter().filter(|glyph| !glyph.text.is_space()).flat_map(|glyph| glyph.text.chars()) {
            quality.chars += 1;
            quality.garbage += usize::from(is_garbage(ch));
            if ch.is_alphabetic() {
                quality.letters += 1;
                quality.vowels += usize::from(is_vowel(ch));
            }
        }
        quality
    }

    fn is_sensible(&self) -> bool {
        if self.garbage as f32 > MAX_GARBAGE * self.chars as f32 {
            return false;
        }
        self.letters < MIN_LETTERS || VOWELS.contains(&(self.vowels as f32 / self.letters as f32))
    }
}

fn is_vowel(ch: char) -> bool {
    ch.to_lowercase().next().is_some_and(|ch| "aeiouáéíóúüàèìòùâêîôûäëïö".contains(ch))
}

/// Replacement, private-use and control characters, and scripts that the documents are not in.
fn is_garbage(ch: char) -> bool {
    let latin_and_signs = matches!(ch as u32, 0x20..0x250 | 0x2B0..0x3D0 | 0x1E00..0x1F00 | 0x2000..0x2C00
        | 0xFB00..=0xFB06 | 0x3000..0x3003);
    ch.is_control() || !latin_and_signs
}

#[cfg(test)]
mod tests {
    use super::super::glyphs::GlyphText;
    use super::*;

    fn content(text: &str, direction: Direction) -> PageContent {
        let mut content = PageContent::new(595.0, 842.0);
        for (index, ch) in text.chars().enumerate() {
            let start = Point::new(50.0 + index as f64, 100.0);
            content.glyphs.push(PlacedGlyph {
                text: if ch == '\u{FFFD}' { GlyphText::Unmapped } else { GlyphText::One(ch) },
                start,
                end: start,
                size: 10.0,
                direction,
                bold: false,
                colour: [0.0; 3],
                invisible: false,
                sequence: 1,
            });
        }
        content
    }

    #[test]
    fn text_is_trusted_only_where_it_speaks_for_the_page() {
        let sentence = "El titular de la cuenta declara que los datos son ciertos. ".repeat(6);
        let usable = |text: &str| content(text, Direction::Right).is_usable();
        assert!(usable(&sentence));
        assert!(usable("Página 2 de 2"), "nearly blank, nothing else on it");
        assert!(!usable(&"\u{FFFD}".repeat(300)), "no character map");
        assert!(!usable(&"xq zrt wvk plm dfg hjk ".repeat(20)), "a shuffled character map");

        let mut scanned = content("Registro 4711", Direction::Right);
        scanned.add_picture(Area::new(0.0, 0.0, 595.0, 842.0), 4.0);
        assert!(!scanned.is_usable());
        assert_eq!(scanned.scan(), Some(4.0));
    }

    #[test]
    fn sideways_text_turns_the_page() {
        let page = content("un texto que corre hacia arriba por la hoja", Direction::Up);
        assert_eq!(page.quarter_turns(), 1);
        let native = page.into_native();
        assert_eq!((native.width, native.height, native.rotation_degrees), (842.0, 595.0, 90));
    }

    #[test]
    fn turning_four_times_is_no_turn() {
        let (mut point, mut size) = ((10.0, 20.0), (100.0, 200.0));
        for _ in 0..4 {
            point = Turn { turns: 1, width: size.0, height: size.1 }.point(point.0, point.1);
            size = (size.1, size.0);
        }
        assert_eq!(point, (10.0, 20.0));
    }
}
