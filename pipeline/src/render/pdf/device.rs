//! Listens to the drawing of a page and notes its glyphs, ruled lines and pictures.

use std::collections::HashMap;

use hayro_interpret::font::{Glyph, GlyphRun, OutlineGlyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect as Area, Shape};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, Paint, SoftMask,
};

use super::glyphs::{Cover, Covers, Direction, GlyphText, PlacedGlyph};
use super::usable::PageContent;
use crate::domain::{Rect, RuleLine};

/// Pages of dense small print have about 10 000 glyphs.
const MAX_GLYPHS: usize = 200_000;
/// A densely ruled page has a few hundred; thousands are a drawing.
const MAX_RULES: usize = 3000;
/// Points: a ruled line is thinner than the x-height of small print, and longer than a letter.
const MAX_RULE_THICKNESS: f64 = 2.5;
const MIN_RULE_LENGTH: f64 = 8.0;
/// Points: smaller marks are bullets, check boxes and dots.
const MIN_DRAWING: f64 = 4.0;

/// Collects what a page shows; see [`PageContent`].
pub(super) struct TextDevice {
    content: PageContent,
    covers: Covers,
    opacity: Vec<f32>,
    bold_fonts: HashMap<u128, bool>,
    sequence: u32,
}

impl TextDevice {
    pub(super) fn new(width: f32, height: f32) -> Self {
        Self {
            content: PageContent::new(width, height),
            covers: Covers::default(),
            opacity: vec![1.0],
            bold_fonts: HashMap::new(),
            sequence: 0,
        }
    }

    pub(super) fn finish(self) -> PageContent {
        let mut content = self.content;
        content.separate_visible(&self.covers);
        content
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }

    fn opacity(&self) -> f32 {
        self.opacity.last().copied().unwrap_or(1.0)
    }

    fn is_bold(&mut self, glyph: &OutlineGlyph) -> bool {
        let Some(font) = glyph.font_data() else { return false };
        *self.bold_fonts.entry(font.cache_key).or_insert_with(|| {
            let name = font.postscript_name.unwrap_or_default().to_lowercase();
            let named = ["bold", "black", "heavy", "semibold", "demi"].iter().any(|word| name.contains(word));
            named || font.weight.is_some_and(|weight| weight >= 600)
        })
    }

    fn add_glyph(&mut self, glyph: &Glyph<'_>, transform: Affine, style: &Style) {
        let advance = match glyph {
            Glyph::Outline(outline) => outline.advance_width(),
            Glyph::Type3(drawn) => drawn.advance_width(),
        };
        // Glyph space is 1000 units to the em; 500 is the usual width of a letter.
        let advance = f64::from(advance.unwrap_or(500.0));
        let start = transform * Point::ZERO;
        let end = transform * Point::new(advance, 0.0);
        let along = transform * Point::new(1000.0, 0.0) - start;
        let up = transform * Point::new(0.0, 1000.0) - start;
        let is_sound = start.is_finite() && end.is_finite() && up.is_finite();
        if !is_sound || !self.content.holds(start) {
            return;
        }
        let text = match glyph.as_unicode() {
            Some(BfString::Char('\0' | '\u{FFFD}')) | None => GlyphText::Unmapped,
            Some(BfString::Char(ch)) => GlyphText::One(ch),
            Some(BfString::String(text)) => GlyphText::Many(text),
        };
        let bold = match glyph {
            Glyph::Outline(outline) => self.is_bold(outline),
            Glyph::Type3(_) => false,
        };
        self.content.glyphs.push(PlacedGlyph {
            text,
            start,
            end,
            size: up.hypot() as f32,
            direction: Direction::of(along.x, along.y),
            bold,
            colour: style.colour,
            invisible: style.invisible,
            sequence: self.sequence,
        });
    }

    fn add_rule(&mut self, area: Area) {
        let (length, thickness) = (area.width().max(area.height()), area.width().min(area.height()));
        let is_rule = length >= MIN_RULE_LENGTH && thickness <= MAX_RULE_THICKNESS;
        if is_rule && self.content.rules.len() < MAX_RULES {
            let horizontal = area.width() >= area.height();
            self.content.rules.push(RuleLine { bounds: to_rect(area), horizontal });
        }
    }

    /// The straight axis-parallel segments of a stroke are ruled lines; anything else is a drawing.
    fn add_stroke(&mut self, path: &BezPath, transform: Affine, line_width: f64) {
        let half = line_width * transform.determinant().abs().sqrt() / 2.0;
        let mut drawn = false;
        let (mut first, mut last) = (Point::ZERO, Point::ZERO);
        for element in path.elements() {
            let next = match *element {
                PathEl::MoveTo(point) => {
                    (first, last) = (transform * point, transform * point);
                    continue;
                }
                PathEl::LineTo(point) => transform * point,
                PathEl::ClosePath => first,
                PathEl::QuadTo(_, point) | PathEl::CurveTo(_, _, point) => {
                    drawn = true;
                    transform * point
                }
            };
            let step = next - last;
            if step.x.abs().min(step.y.abs()) < 0.5 {
                self.add_rule(Area::from_points(last, next).inflate(half, half));
            } else {
                drawn = true;
            }
            last = next;
        }
        if drawn {
            self.add_drawing(transform.transform_rect_bbox(path.bounding_box()));
        }
    }

    fn add_fill(&mut self, path: &BezPath, props: &DrawProps<'_>) {
        let shown = props.transform * path.clone();
        let area = shown.bounding_box();
        if area.width().min(area.height()) <= MAX_RULE_THICKNESS {
            self.add_rule(area);
        } else if shown.area().abs() >= 0.9 * area.area() {
            self.add_cover(area, props);
        } else {
            self.add_drawing(area);
        }
    }

    fn add_cover(&mut self, area: Area, props: &DrawProps<'_>) {
        let is_plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        let (colour, alpha) = colour_of(&props.paint);
        if is_plain && alpha * self.opacity() > 0.98 {
            let sequence = self.next_sequence();
            self.covers.push(Cover { area, colour, sequence });
        }
    }

    fn add_drawing(&mut self, area: Area) {
        if area.width().max(area.height()) >= MIN_DRAWING {
            self.content.drawings += 1;
        }
    }
}

struct Style {
    colour: [f32; 3],
    invisible: bool,
}

impl<'a> Device<'a> for TextDevice {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        if colour_of(&props.paint).1 * self.opacity() < 0.05 {
            return;
        }
        match mode {
            DrawMode::Fill(_) => self.add_fill(path, &props),
            DrawMode::Stroke(stroke) => self.add_stroke(path, props.transform, f64::from(stroke.line_width)),
            DrawMode::FillAndStroke(_, stroke) => {
                self.add_fill(path, &props);
                self.add_stroke(path, props.transform, f64::from(stroke.line_width));
            }
            DrawMode::Invisible => {}
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        self.next_sequence();
        let (colour, alpha) = colour_of(&props.paint);
        let unseen = matches!(mode, DrawMode::Invisible) || alpha * self.opacity() < 0.05;
        // A pattern has no one colour: mid-grey differs from paper and from ink.
        let style = Style { colour: colour.unwrap_or([0.5; 3]), invisible: unseen };
        for glyph in run.glyphs() {
            if self.content.glyphs.len() >= MAX_GLYPHS {
                return;
            }
            self.add_glyph(glyph, props.transform * glyph.transform(), &style);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let (pixels_x, pixels_y) = (f64::from(image.width()), f64::from(image.height()));
        let area = props.transform.transform_rect_bbox(Area::new(0.0, 0.0, pixels_x, pixels_y));
        let sequence = self.next_sequence();
        let is_opaque = match &image {
            Image::Stencil(_) => false,
            Image::Raster(raster) => {
                let dict = raster.stream().dict();
                !(dict.contains_key("SMask") || dict.contains_key("Mask"))
            }
        };
        if is_opaque && props.soft_mask.is_none() && self.opacity() > 0.98 {
            self.covers.push(Cover { area, colour: None, sequence });
        }
        let scale = props.transform.determinant().abs().sqrt();
        let pixels_per_point = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        self.content.add_picture(area, pixels_per_point as f32);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, opacity: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.opacity.push(self.opacity() * opacity);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {
        if self.opacity.len() > 1 {
            self.opacity.pop();
        }
    }
}

/// Colour and opacity; no colour for a pattern.
fn colour_of(paint: &Paint<'_>) -> (Option<[f32; 3]>, f32) {
    match paint {
        Paint::Color(color) => {
            let [red, green, blue, alpha] = color.to_rgba().components();
            (Some([red, green, blue]), alpha)
        }
        Paint::Pattern(_) => (None, 1.0),
    }
}

pub(super) fn to_rect(area: Area) -> Rect {
    Rect::from_edges(area.x0 as f32, area.y0 as f32, area.x1 as f32, area.y1 as f32)
}
