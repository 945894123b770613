//! Pieces of ink become marks, and marks are measured.

use image::{GrayImage, RgbImage};

use crate::domain::{InkMark, Rect};
use crate::raster::Component;

/// Smaller pieces are specks of dust and rests of erased letters.
const LEAST_AREA: u32 = 6;
/// A piece that spans so much of the page is a frame or a background, and would swallow what is in it.
const MOST_SPAN: f32 = 0.6;
/// Pieces closer than this belong together, in text heights: the gap between the letters of a hand.
const REACH: f32 = 0.9;
/// A mark is at least so large in one direction, in text heights.
const LEAST_SIDE: f32 = 0.8;
/// More marks than any page of paper has; a page of specks has more.
const MOST_MARKS: usize = 400;

/// Pieces that lie together.
pub(super) struct Cluster {
    pub(super) edges: (u32, u32, u32, u32),
    pub(super) pieces: Vec<Component>,
}

/// Groups pieces by nearness. Order is that of the first piece, top to bottom.
pub(super) fn cluster(pieces: Vec<Component>, text_height: f32, width: u32, height: u32) -> Vec<Cluster> {
    let reach = (REACH * text_height) as u32;
    let mut clusters: Vec<Cluster> = Vec::new();
    for piece in pieces.into_iter().filter(|piece| is_mark_piece(piece, width, height)) {
        let edges = piece.edges();
        let mut joined = Cluster { edges, pieces: vec![piece] };
        let mut index = 0;
        while let Some(cluster) = clusters.get(index) {
            if near(cluster.edges, joined.edges, reach) {
                let cluster = clusters.remove(index);
                joined.edges = around(cluster.edges, joined.edges);
                joined.pieces.extend(cluster.pieces);
                index = 0;
            } else {
                index += 1;
            }
        }
        clusters.push(joined);
        if clusters.len() > 4 * MOST_MARKS {
            break;
        }
    }
    let least = LEAST_SIDE * text_height;
    clusters.retain(|cluster| {
        let (left, top, right, bottom) = cluster.edges;
        (right - left) as f32 >= least || (bottom - top) as f32 >= least
    });
    clusters.sort_by_key(|cluster| (cluster.edges.1, cluster.edges.0));
    clusters.truncate(MOST_MARKS);
    clusters
}

fn is_mark_piece(piece: &Component, width: u32, height: u32) -> bool {
    let (left, top, right, bottom) = piece.edges();
    let spans =
        (right - left) as f32 > MOST_SPAN * width as f32 || (bottom - top) as f32 > MOST_SPAN * height as f32;
    piece.area() >= LEAST_AREA && !spans
}

fn near(a: (u32, u32, u32, u32), b: (u32, u32, u32, u32), reach: u32) -> bool {
    a.0 <= b.2 + reach && b.0 <= a.2 + reach && a.1 <= b.3 + reach / 2 && b.1 <= a.3 + reach / 2
}

fn around(a: (u32, u32, u32, u32), b: (u32, u32, u32, u32)) -> (u32, u32, u32, u32) {
    (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3))
}

/// Measures a cluster on the reduced grey raster, and its colour on the full one.
pub(super) fn measure(
    cluster: &Cluster,
    mask: &[bool],
    grey: &GrayImage,
    image: &RgbImage,
    units_per_pixel: f32,
) -> InkMark {
    let (left, top, right, bottom) = cluster.edges;
    let area: u32 = cluster.pieces.iter().map(Component::area).sum();
    let box_area = ((right - left) * (bottom - top)).max(1);
    let outline = outline(cluster, mask, grey.width() as usize);
    let stroke_width = 2.0 * area as f32 / outline.max(1) as f32;
    let bounds = Rect::from_edges(left as f32, top as f32, right as f32, bottom as f32);
    let unit = |length: f32| length * units_per_pixel;
    InkMark {
        bounds: Rect::new(unit(bounds.left), unit(bounds.top), unit(bounds.width), unit(bounds.height)),
        ink_ratio: area as f32 / box_area as f32,
        pieces: cluster.pieces.len() as u32,
        stroke_width: unit(stroke_width),
        scribble: scribble(cluster, grey, stroke_width, bounds.height),
        colour: colour(cluster, grey, image),
    }
}

/// Set pixels with an unset neighbour in the four directions.
fn outline(cluster: &Cluster, mask: &[bool], width: usize) -> u32 {
    let set = |x: usize, y: usize| mask.get(y * width + x).copied().unwrap_or(false);
    let mut count = 0;
    for run in cluster.pieces.iter().flat_map(|piece| &piece.runs) {
        let y = run.y as usize;
        for x in run.start as usize..run.end as usize {
            let edge =
                x == 0 || y == 0 || !set(x - 1, y) || !set(x + 1, y) || !set(x, y - 1) || !set(x, y + 1);
            count += u32::from(edge);
        }
    }
    count
}

/// Strokes of a hand go in all directions and are thin against its height; printed shapes are mostly
/// upright and level, stamps and pictures are solid or of many pieces.
fn scribble(cluster: &Cluster, grey: &GrayImage, stroke_width: f32, height: f32) -> f32 {
    let (mut slanted, mut all) = (0.0f32, 0.0f32);
    for run in cluster.pieces.iter().flat_map(|piece| &piece.runs) {
        for x in run.start..run.end {
            let (across, down) = gradient(grey, x, run.y);
            let strength = across.hypot(down);
            all += strength;
            // Within 15 degrees of an axis the smaller part is under a quarter of the larger.
            if across.abs().min(down.abs()) > 0.27 * across.abs().max(down.abs()) {
                slanted += strength;
            }
        }
    }
    let directions = if all > 0.0 { slanted / all } else { 0.0 };
    let thin = (1.0 - stroke_width / (0.3 * height).max(1.0)).clamp(0.0, 1.0);
    let few = if cluster.pieces.len() <= 12 { 1.0 } else { 12.0 / cluster.pieces.len() as f32 };
    ((directions - 0.2) / 0.35).clamp(0.0, 1.0) * thin * few
}

fn gradient(grey: &GrayImage, x: u32, y: u32) -> (f32, f32) {
    let value =
        |x: u32, y: u32| f32::from(grey.get_pixel(x.min(grey.width() - 1), y.min(grey.height() - 1)).0[0]);
    let (left, up) = (x.saturating_sub(1), y.saturating_sub(1));
    let across = value(x + 1, up) + 2.0 * value(x + 1, y) + value(x + 1, y + 1)
        - value(left, up)
        - 2.0 * value(left, y)
        - value(left, y + 1);
    let down = value(left, y + 1) + 2.0 * value(x, y + 1) + value(x + 1, y + 1)
        - value(left, up)
        - 2.0 * value(x, up)
        - value(x + 1, up);
    (across, down)
}

fn colour(cluster: &Cluster, grey: &GrayImage, image: &RgbImage) -> [u8; 3] {
    let scale = image.width() as f32 / grey.width() as f32;
    let at = |value: u32, most: u32| (((value as f32 + 0.5) * scale) as u32).min(most - 1);
    let mut sums = [0u64; 3];
    let mut count = 0;
    for run in cluster.pieces.iter().flat_map(|piece| &piece.runs) {
        let middle = u32::midpoint(run.start, run.end);
        let pixel = image.get_pixel(at(middle, image.width()), at(run.y, image.height()));
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(value);
        }
        count += 1;
    }
    sums.map(|sum| (sum / count.max(1)) as u8)
}
