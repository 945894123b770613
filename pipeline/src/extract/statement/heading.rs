//! The headings of a statement's table: rows whose cells name columns, in one line or two. Knows the
//! vocabulary and geometry.

use super::line::{Kind, Line, compact};
use super::vocabulary::{Role, heading_key, heading_role};
use crate::domain::Rect;

/// The cell of a heading row that names a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Heading {
    pub(super) role: Role,
    pub(super) bounds: Rect,
}

/// The headings of one table on one page.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) page: usize,
    /// Lines `first..=last`.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) headings: Vec<Heading>,
}

/// A heading has at most this many words.
const MOST_WORDS: usize = 5;

/// All heading rows, top to bottom.
pub(super) fn find_headers(lines: &[Line]) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        match header_at(lines, at) {
            Some(header) => {
                at = header.last + 1;
                headers.push(header);
            }
            None => at += 1,
        }
    }
    headers
}

fn header_at(lines: &[Line], at: usize) -> Option<Header> {
    let one = headings_of(&[&lines[at]]);
    let next = lines.get(at + 1).filter(|next| {
        let line = &lines[at];
        next.page == line.page && next.bounds.top - line.bounds.bottom() < 1.3 * line.height
    });
    let two = next.and_then(|next| headings_of(&[&lines[at], next]));
    let (headings, last) = match (one, two) {
        (Some(one), Some(two)) if weight(&two) > weight(&one) => (two, at + 1),
        (Some(one), _) => (one, at),
        (None, Some(two)) => (two, at + 1),
        (None, None) => return None,
    };
    Some(Header { page: lines[at].page, first: at, last, headings })
}

fn weight(headings: &[Heading]) -> usize {
    let mut roles: Vec<Role> = headings.iter().map(|heading| heading.role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.len()
}

/// A word of a heading row: its key and place.
struct Piece {
    words: Vec<String>,
    bounds: Rect,
}

/// The headings if the lines together are a heading row.
fn headings_of(lines: &[&Line]) -> Option<Vec<Heading>> {
    if lines.iter().any(|line| line.has_amount() || line.tokens.len() > 16) {
        return None;
    }
    let height = lines[0].height;
    let mut headings = Vec::new();
    let mut unmatched = 0;
    for cell in cells(lines, height) {
        unmatched += name_cell(&cell, lines[0].ocr, &mut headings);
    }
    let has = |wanted: fn(Role) -> bool| headings.iter().any(|heading| wanted(heading.role));
    let anchored = has(|role| matches!(role, Role::Date | Role::Description | Role::ValueDate));
    let money = has(Role::is_money);
    let enough = weight(&headings) >= 3 || weight(&headings) == 2 && lines.len() == 1 && unmatched == 0;
    let mixed = lines.len() == 2 && !second_line_belongs(lines);
    (anchored && money && enough && unmatched <= headings.len() && !mixed).then_some(headings)
}

/// Both lines have to be made of headings: a second line without any is the first row.
fn second_line_belongs(lines: &[&Line]) -> bool {
    !lines[1].has_date() && lines[1].tokens.len() <= lines[0].tokens.len() + 4
}

/// Words of the lines, those above each other or next to each other in one cell.
fn cells(lines: &[&Line], height: f32) -> Vec<Vec<Piece>> {
    let mut cells: Vec<Vec<Piece>> = Vec::new();
    for token in &lines[0].tokens {
        let piece = Piece { words: keys(&token.text), bounds: token.bounds };
        let joins = cells.last().and_then(|cell| cell.last()).is_some_and(|before| {
            matches!(token.kind, Kind::Text) && token.bounds.left - before.bounds.right() < 1.1 * height
        });
        match cells.last_mut() {
            Some(cell) if joins => cell.push(piece),
            _ => cells.push(vec![piece]),
        }
    }
    for token in lines.iter().skip(1).flat_map(|line| &line.tokens) {
        let piece = Piece { words: keys(&token.text), bounds: token.bounds };
        let home = cells.iter_mut().max_by(|a, b| {
            let shared = |cell: &Vec<Piece>| {
                Rect::around(cell.iter().map(|piece| piece.bounds))
                    .map_or(0.0, |all| all.overlap_x(&token.bounds))
            };
            shared(a).total_cmp(&shared(b))
        });
        match home {
            Some(cell)
                if Rect::around(cell.iter().map(|piece| piece.bounds))
                    .is_some_and(|all| all.overlap_x(&token.bounds) > 0.0) =>
            {
                cell.push(piece);
            }
            _ => cells.push(vec![piece]),
        }
    }
    cells
}

fn keys(text: &str) -> Vec<String> {
    let parts = text.split(|ch: char| !ch.is_alphanumeric());
    parts.map(compact).filter(|part| !part.is_empty()).collect()
}

/// Names the words of a cell, longest phrases first; how many words stay unnamed.
fn name_cell(cell: &[Piece], tolerant: bool, headings: &mut Vec<Heading>) -> usize {
    let mut unmatched = 0;
    let mut at = 0;
    while at < cell.len() {
        let longest = MOST_WORDS.min(cell.len() - at);
        let found = (1..=longest).rev().find_map(|count| {
            let run = &cell[at..at + count];
            let words: Vec<String> = run.iter().flat_map(|piece| piece.words.clone()).collect();
            let role = heading_role(&heading_key(&words), tolerant)?;
            Some((role, count, Rect::around(run.iter().map(|piece| piece.bounds))?))
        });
        if let Some((role, count, bounds)) = found {
            headings.push(Heading { role, bounds });
            at += count;
        } else {
            let silent = heading_key(&cell[at].words).is_empty();
            unmatched += usize::from(!silent);
            at += 1;
        }
    }
    unmatched
}
