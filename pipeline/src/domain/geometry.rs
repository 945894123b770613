use serde::{Deserialize, Serialize};

/// An axis-parallel rectangle. On a page the unit is the page's own isotropic unit (see
/// [`Page`](super::Page)); in results it is a fraction of the page's width and height.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rect {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl Rect {
    pub fn new(left: f32, top: f32, width: f32, height: f32) -> Self {
        Self { left, top, width, height }
    }

    pub fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self::new(left, top, right - left, bottom - top)
    }

    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    pub fn center_x(&self) -> f32 {
        self.left + self.width / 2.0
    }

    pub fn center_y(&self) -> f32 {
        self.top + self.height / 2.0
    }

    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_edges(
            self.left.min(other.left),
            self.top.min(other.top),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// The smallest rectangle that holds all of them; `None` for none.
    pub fn around(rects: impl IntoIterator<Item = Rect>) -> Option<Self> {
        rects.into_iter().reduce(|all, rect| all.union(&rect))
    }

    /// Length of the shared horizontal span; 0 when there is none.
    pub fn overlap_x(&self, other: &Self) -> f32 {
        (self.right().min(other.right()) - self.left.max(other.left)).max(0.0)
    }

    /// Length of the shared vertical span; 0 when there is none.
    pub fn overlap_y(&self, other: &Self) -> f32 {
        (self.bottom().min(other.bottom()) - self.top.max(other.top)).max(0.0)
    }

    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    pub fn intersection_area(&self, other: &Self) -> f32 {
        self.overlap_x(other) * self.overlap_y(other)
    }

    pub fn contains_point(&self, x: f32, y: f32) -> bool {
        x >= self.left && x <= self.right() && y >= self.top && y <= self.bottom()
    }

    /// The same rectangle as fractions `[left, top, width, height]` of a page of this size, cut to
    /// the page and rounded to four places (so that results are stable text).
    pub fn as_fractions(&self, page_width: f32, page_height: f32) -> [f64; 4] {
        let fraction = |value: f32, full: f32| {
            let share = if full > 0.0 { f64::from(value) / f64::from(full) } else { 0.0 };
            (share.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
        };
        [
            fraction(self.left, page_width),
            fraction(self.top, page_height),
            fraction(self.width, page_width),
            fraction(self.height, page_height),
        ]
    }
}
