use image::{GrayImage, RgbImage};

use crate::raster::{Component, closed, components, resize};

/// The corners of a page in a picture, in pixels: top left, top right, bottom right, bottom left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corners(pub [(f32, f32); 4]);

impl Corners {
    /// Area within the corners, in square pixels.
    pub fn area(&self) -> f32 {
        quad_area(&self.0)
    }

    /// Whether the sides are about as long as those of a usual paper or card.
    pub fn is_paper(&self) -> bool {
        format_fit(&self.0) > 0.0
    }
}

/// Side of the picture in which the page is looked for: enough for corners to a few pixels of a phone
/// photo, and text is only texture in it.
const LOOK_SIDE: u32 = 480;
/// Half the width of the strokes and lines that are not background but writing, in that picture.
const TEXT_REACH: u32 = 4;
/// Page and background differ at least this much in grey…
const MIN_STEP: u8 = 25;
/// …and a background this bright is paper: what stands on it belongs to a scanned sheet.
const WHITE: u8 = 232;
/// A page is at least this part of the picture; less is a detail on a page.
const MIN_AREA: f32 = 0.16;
/// A page that fills more than this is a scan that has no background.
const MAX_AREA: f32 = 0.965;
/// A page fills its four corners to this part: an outline with a bite or a bulge is something else.
const MIN_FILL: f32 = 0.94;
/// Sharpest and bluntest corner, in degrees. A photo taken from 45° makes them about 65 and 115.
const CORNER_DEGREES: std::ops::RangeInclusive<f32> = 58.0..=122.0;
/// Short by long side of A4, letter, a card (ISO/IEC 7810 ID-1) and an open page of a passport (ID-3).
const FORMATS: [f32; 4] = [std::f32::consts::FRAC_1_SQRT_2, 0.7727, 0.6306, 0.704];
/// Perspective and curl leave a page's sides within this share of its format's.
const FORMAT_SLACK: f32 = 0.09;
/// What a known format counts for beside how well an outline is filled: a coloured panel beside the text
/// belongs to the page.
const FORMAT_WEIGHT: f32 = 0.08;
/// Opposite sides differ at most by this factor.
const MAX_SIDE_RATIO: f32 = 1.7;

/// Finds the page against its background: the one bright (or otherwise different) area with four
/// straight sides. `None` when there is none that is beyond doubt.
pub fn find_page(image: &RgbImage) -> Option<Corners> {
    let (width, height) = image.dimensions();
    let scale = LOOK_SIDE as f32 / width.max(height) as f32;
    if width.min(height) < 64 || scale > 1.0 {
        return None;
    }
    let small_size = ((width as f32 * scale).round() as u32, (height as f32 * scale).round() as u32);
    let [red, green, blue] = channels(image, small_size);
    let border = border_colour(&[&red, &green, &blue]);
    let brightness = blend(&[&red, &green, &blue], |colour| (colour[0] + 2.0 * colour[1] + colour[2]) / 4.0);
    let difference = blend(&[&red, &green, &blue], |colour| {
        let apart = |channel: usize| (colour[channel] - border[channel]).abs();
        (apart(0) + apart(1) + apart(2)) * 0.6
    });
    let best = [closed(&brightness, TEXT_REACH), closed(&difference, TEXT_REACH)]
        .iter()
        .flat_map(|view| levels(view).into_iter().filter_map(|level| outline(view, level)))
        .filter(|(corners, _)| is_framed(&brightness, corners))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let back = |(x, y): (f32, f32)| (x / scale, y / scale);
    Some(Corners(best.0.map(back)))
}

fn channels(image: &RgbImage, size: (u32, u32)) -> [GrayImage; 3] {
    // Nearest rows and columns first keep a 12-megapixel photo cheap; the triangle filter then covers
    // what is left.
    let step = (image.width().max(image.height()) / (LOOK_SIDE * 3)).max(1);
    let (columns, rows) = (image.width() / step, image.height() / step);
    [0, 1, 2].map(|channel| {
        let picked = GrayImage::from_fn(columns, rows, |x, y| {
            image::Luma([image.get_pixel(x * step, y * step).0[channel]])
        });
        resize(&picked, size.0, size.1)
    })
}

fn blend(channels: &[&GrayImage; 3], mix: impl Fn([f32; 3]) -> f32) -> GrayImage {
    let (width, height) = channels[0].dimensions();
    GrayImage::from_fn(width, height, |x, y| {
        let colour = channels.map(|channel| f32::from(channel.get_pixel(x, y).0[0]));
        image::Luma([mix(colour).clamp(0.0, 255.0) as u8])
    })
}

/// The median colour along the picture's edges.
fn border_colour(channels: &[&GrayImage; 3]) -> [f32; 3] {
    channels.map(|channel| {
        let (width, height) = channel.dimensions();
        let mut values: Vec<u8> = Vec::new();
        for x in 0..width {
            values.extend([channel.get_pixel(x, 1).0[0], channel.get_pixel(x, height - 2).0[0]]);
        }
        for y in 0..height {
            values.extend([channel.get_pixel(1, y).0[0], channel.get_pixel(width - 2, y).0[0]]);
        }
        values.sort_unstable();
        f32::from(values[values.len() / 2])
    })
}

/// Brightness levels to part page and background at: Otsu's, and some on both sides of it.
fn levels(image: &GrayImage) -> Vec<u8> {
    let middle = f32::from(imageproc::contrast::otsu_level(image));
    let mut levels: Vec<u8> =
        [0.8, 0.9, 1.0, 1.1, 1.2].iter().map(|part| (middle * part).min(250.0) as u8).collect();
    levels.dedup();
    levels
}

/// Whether what lies outside the corners goes on to the picture's edges: a panel printed on a page has
/// the page's own white around it on at least one side, as bright as the panel's or brighter.
fn is_framed(brightness: &GrayImage, corners: &[(f32, f32); 4]) -> bool {
    let (width, height) = brightness.dimensions();
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for y in (0..height).step_by(3) {
        let span = quad_span(corners, y as f32 + 0.5);
        for x in (0..width).step_by(3) {
            let is_inside = span.is_some_and(|(from, to)| (from..to).contains(&(x as f32)));
            let values = if is_inside { &mut inside } else { &mut outside };
            values.push(brightness.get_pixel(x, y).0[0]);
        }
    }
    let median = |values: &mut Vec<u8>| {
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(0)
    };
    let (inside, outside) = (median(&mut inside), median(&mut outside));
    inside.abs_diff(outside) >= MIN_STEP && outside < WHITE
}

/// The largest area above the level, if it has the shape of a page, and how well it has.
fn outline(image: &GrayImage, level: u8) -> Option<([(f32, f32); 4], f32)> {
    let mask: Vec<bool> = image.as_raw().iter().map(|value| *value > level).collect();
    let all = components(&mask, image.width() as usize);
    let page = all.iter().max_by_key(|component| component.area())?;
    let total = (image.width() * image.height()) as f32;
    if (page.area() as f32) < MIN_AREA * 0.7 * total {
        return None;
    }
    let hull = hull(page);
    let rough = widest_quad(&simplified(&hull))?;
    let corners = refined(page, &rough).unwrap_or(rough);
    let area = quad_area(&corners);
    let fill = fill_of(page, &corners);
    let covered = area / total;
    let fits = (MIN_AREA..=MAX_AREA).contains(&covered) && fill >= MIN_FILL && is_page_shaped(&corners);
    let stays_inside = corners.iter().all(|(x, y)| {
        let slack = 0.03 * image.width().max(image.height()) as f32;
        *x > -slack && *y > -slack && *x < image.width() as f32 + slack && *y < image.height() as f32 + slack
    });
    let corners = ordered(corners);
    (fits && stays_inside).then(|| (corners, fill + 0.05 * covered + FORMAT_WEIGHT * format_fit(&corners)))
}

/// How well the mean sides fit a usual format, 1 exactly, 0 beyond its slack.
fn format_fit(corners: &[(f32, f32); 4]) -> f32 {
    let [a, b, c, d] = *corners;
    let length = |from: (f32, f32), to: (f32, f32)| (from.0 - to.0).hypot(from.1 - to.1);
    let (across, down) = (length(a, b) + length(d, c), length(a, d) + length(b, c));
    let ratio = across.min(down) / across.max(down).max(1.0);
    let apart = FORMATS.iter().map(|format| (ratio / format - 1.0).abs()).fold(1.0, f32::min);
    (1.0 - apart / FORMAT_SLACK).max(0.0)
}

/// Convex hull of a component, clockwise on the screen.
fn hull(component: &Component) -> Vec<(f32, f32)> {
    let mut points: Vec<(f32, f32)> = Vec::new();
    for (left, right, y) in row_extents(component) {
        points.extend([(left, y), (right, y), (left, y + 1.0), (right, y + 1.0)]);
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    let half = |points: &mut dyn Iterator<Item = (f32, f32)>| {
        let mut chain: Vec<(f32, f32)> = Vec::new();
        for point in points {
            while chain.len() >= 2 && cross(chain[chain.len() - 2], chain[chain.len() - 1], point) <= 0.0 {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    hull
}

/// First and last column of a component in each row.
fn row_extents(component: &Component) -> Vec<(f32, f32, f32)> {
    let mut rows: Vec<(f32, f32, f32)> = Vec::new();
    for run in &component.runs {
        match rows.last_mut() {
            Some(row) if row.2 as u32 == run.y => {
                row.0 = row.0.min(run.start as f32);
                row.1 = row.1.max(run.end as f32);
            }
            _ => rows.push((run.start as f32, run.end as f32, run.y as f32)),
        }
    }
    rows
}

fn cross(a: (f32, f32), b: (f32, f32), c: (f32, f32)) -> f32 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

/// The hull's points, those dropped that matter least, until few are left.
fn simplified(hull: &[(f32, f32)]) -> Vec<(f32, f32)> {
    const KEPT: usize = 28;
    let mut points = hull.to_vec();
    while points.len() > KEPT {
        let count = points.len();
        let weight = |index: usize| {
            cross(points[(index + count - 1) % count], points[index], points[(index + 1) % count]).abs()
        };
        let least = (0..count).min_by(|a, b| weight(*a).total_cmp(&weight(*b))).unwrap_or(0);
        points.remove(least);
    }
    points
}

/// The four hull points that span most area.
fn widest_quad(points: &[(f32, f32)]) -> Option<[(f32, f32); 4]> {
    let count = points.len();
    let mut best: Option<(f32, [(f32, f32); 4])> = None;
    for first in 0..count {
        for third in first + 2..count {
            let far = |range: &mut dyn Iterator<Item = usize>| {
                range
                    .map(|index| {
                        (cross(points[first], points[third], points[index % count]).abs(), index % count)
                    })
                    .max_by(|a, b| a.0.total_cmp(&b.0))
            };
            let (Some(one), Some(other)) =
                (far(&mut (first + 1..third)), far(&mut (third + 1..first + count)))
            else {
                continue;
            };
            let area = f32::midpoint(one.0, other.0);
            if best.is_none_or(|known| area > known.0) {
                best = Some((area, [points[first], points[one.1], points[third], points[other.1]]));
            }
        }
    }
    best.map(|entry| entry.1)
}

/// The same corners from lines fitted to the sides, which a rounded or bent corner does not move.
fn refined(component: &Component, corners: &[(f32, f32); 4]) -> Option<[(f32, f32); 4]> {
    let outline = outline_points(component);
    let mut sides = [(0.0f32, 0.0f32, 0.0f32); 4];
    for (index, side) in sides.iter_mut().enumerate() {
        *side = fit_side(&outline, corners[index], corners[(index + 1) % 4])?;
    }
    let mut result = [(0.0, 0.0); 4];
    for (index, corner) in result.iter_mut().enumerate() {
        *corner = meet(sides[(index + 3) % 4], sides[index])?;
        let moved = (corner.0 - corners[index].0).hypot(corner.1 - corners[index].1);
        if moved > 0.06 * LOOK_SIDE as f32 {
            return None;
        }
    }
    Some(result)
}

fn outline_points(component: &Component) -> Vec<(f32, f32)> {
    let mut points = Vec::new();
    let (left, _, right, _) = component.edges();
    let mut columns = vec![(f32::MAX, f32::MIN); (right - left) as usize];
    for run in &component.runs {
        for column in &mut columns[(run.start - left) as usize..(run.end - left) as usize] {
            *column = (column.0.min(run.y as f32), column.1.max(run.y as f32 + 1.0));
        }
    }
    for (left, right, y) in row_extents(component) {
        points.extend([(left, y + 0.5), (right, y + 0.5)]);
    }
    for (offset, (top, bottom)) in columns.into_iter().enumerate() {
        let x = left as f32 + offset as f32 + 0.5;
        points.extend([(x, top), (x, bottom)]);
    }
    points
}

/// A line `ax + by = c` with unit normal through the outline points near the middle of a side.
fn fit_side(outline: &[(f32, f32)], from: (f32, f32), to: (f32, f32)) -> Option<(f32, f32, f32)> {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    if length < 10.0 {
        return None;
    }
    let direction = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    let place = |point: &(f32, f32)| {
        let (x, y) = (point.0 - from.0, point.1 - from.1);
        (x * direction.0 + y * direction.1, y * direction.0 - x * direction.1)
    };
    let reach = (0.02 * length).clamp(2.5, 7.0);
    let near: Vec<(f32, f32)> = outline
        .iter()
        .map(place)
        .filter(|(along, off)| (0.1 * length..0.9 * length).contains(along) && off.abs() < reach)
        .collect();
    if (near.len() as f32) < 0.3 * length {
        return None;
    }
    let count = near.len() as f32;
    let mean = near.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / count, sum.1 + point.1 / count));
    let (mut spread, mut lean) = (0.0f32, 0.0f32);
    for point in &near {
        spread += (point.0 - mean.0).powi(2);
        lean += (point.0 - mean.0) * (point.1 - mean.1);
    }
    let slope = if spread > 0.0 { lean / spread } else { 0.0 };
    // Back from along/off to the picture.
    let turned = (direction.0 - slope * direction.1, direction.1 + slope * direction.0);
    let size = turned.0.hypot(turned.1);
    let normal = (-turned.1 / size, turned.0 / size);
    let through = (
        from.0 + mean.0 * direction.0 - mean.1 * direction.1,
        from.1 + mean.0 * direction.1 + mean.1 * direction.0,
    );
    Some((normal.0, normal.1, normal.0 * through.0 + normal.1 * through.1))
}

fn meet(one: (f32, f32, f32), other: (f32, f32, f32)) -> Option<(f32, f32)> {
    let determinant = one.0 * other.1 - other.0 * one.1;
    (determinant.abs() > 0.1).then(|| {
        ((one.2 * other.1 - other.2 * one.1) / determinant, (one.0 * other.2 - other.0 * one.2) / determinant)
    })
}

fn quad_area(corners: &[(f32, f32); 4]) -> f32 {
    (cross(corners[0], corners[1], corners[2]) + cross(corners[0], corners[2], corners[3])).abs() / 2.0
}

/// How well component (its holes filled row by row) and corners cover each other, 0 to 1.
fn fill_of(component: &Component, corners: &[(f32, f32); 4]) -> f32 {
    let (mut both, mut filled) = (0.0f32, 0.0f32);
    for (left, right, y) in row_extents(component) {
        filled += right - left;
        if let Some((from, to)) = quad_span(corners, y + 0.5) {
            both += (right.min(to) - left.max(from)).max(0.0);
        }
    }
    let either = filled + quad_area(corners) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

/// The part of a row that lies within the corners.
fn quad_span(corners: &[(f32, f32); 4], y: f32) -> Option<(f32, f32)> {
    let mut span: Option<(f32, f32)> = None;
    for index in 0..4 {
        let (a, b) = (corners[index], corners[(index + 1) % 4]);
        if (a.1 <= y) != (b.1 <= y) {
            let x = a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0);
            span = Some(span.map_or((x, x), |known| (known.0.min(x), known.1.max(x))));
        }
    }
    span
}

fn is_page_shaped(corners: &[(f32, f32); 4]) -> bool {
    let side = |index: usize| {
        let (a, b) = (corners[index % 4], corners[(index + 1) % 4]);
        (b.0 - a.0, b.1 - a.1)
    };
    let length = |index: usize| side(index).0.hypot(side(index).1).max(1.0);
    let angles_fit = (0..4).all(|index| {
        let (before, after) = (side(index + 3), side(index));
        let cosine = -(before.0 * after.0 + before.1 * after.1) / (length(index + 3) * length(index));
        CORNER_DEGREES.contains(&cosine.clamp(-1.0, 1.0).acos().to_degrees())
    });
    let alike = |a: f32, b: f32| a.max(b) <= MAX_SIDE_RATIO * a.min(b);
    angles_fit && alike(length(0), length(2)) && alike(length(1), length(3))
}

/// Clockwise from the corner that is most to the top left.
fn ordered(corners: [(f32, f32); 4]) -> [(f32, f32); 4] {
    let mut corners = corners;
    if cross(corners[0], corners[1], corners[2]) < 0.0 {
        corners.reverse();
    }
    let first = (0..4)
        .min_by(|a, b| (corners[*a].0 + corners[*a].1).total_cmp(&(corners[*b].0 + corners[*b].1)))
        .unwrap_or(0);
    corners.rotate_left(first);
    corners
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use imageproc::drawing::draw_polygon_mut;
    use imageproc::point::Point;

    fn desk_with(corners: [(i32, i32); 4], paper: [u8; 3], desk: [u8; 3]) -> RgbImage {
        let mut image = RgbImage::from_fn(1200, 900, |x, y| {
            let grain = ((x * 7 + y * 13) % 11) as u8;
            Rgb(desk.map(|value| value.saturating_add(grain)))
        });
        let polygon: Vec<Point<i32>> = corners.iter().map(|(x, y)| Point::new(*x, *y)).collect();
        draw_polygon_mut(&mut image, &polygon, Rgb(paper));
        image
    }

    fn assert_near(found: &Corners, expected: [(i32, i32); 4]) {
        for ((x, y), (wanted_x, wanted_y)) in found.0.iter().zip(expected) {
            let off = (x - wanted_x as f32).hypot(y - wanted_y as f32);
            assert!(off < 8.0, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn a_leaning_page_on_a_desk_is_found() {
        let corners = [(200, 120), (1010, 180), (960, 820), (150, 760)];
        let mut image = desk_with(corners, [225, 222, 215], [90, 80, 70]);
        for line in 0..12 {
            for x in 300..800 {
                for thick in 0..6 {
                    image.put_pixel(x, 250 + line * 35 + thick, Rgb([20, 20, 20]));
                }
            }
        }
        assert_near(&find_page(&image).unwrap(), corners);
    }

    #[test]
    fn a_dark_card_on_a_bright_desk_is_found() {
        let corners = [(300, 200), (900, 240), (880, 640), (290, 600)];
        assert_near(&find_page(&desk_with(corners, [70, 60, 120], [220, 220, 215])).unwrap(), corners);
    }

    #[test]
    fn a_page_that_fills_the_picture_or_a_round_thing_is_none() {
        assert_eq!(find_page(&RgbImage::from_pixel(1200, 900, Rgb([240, 240, 240]))), None);
        let mut plate = RgbImage::from_pixel(1200, 900, Rgb([60, 60, 60]));
        imageproc::drawing::draw_filled_circle_mut(&mut plate, (600, 450), 380, Rgb([230, 230, 230]));
        assert_eq!(find_page(&plate), None);
    }
}
