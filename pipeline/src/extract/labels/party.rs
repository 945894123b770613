//! Which part of a page is about whom: the blocks of employer and employee, lender and borrower.
//! Knows headings and geometry.

use super::lexicon::Role;
use super::occurrence::Occurrence;
use super::sheet::Sheet;
use crate::config::DocumentTypeConfig;
use crate::domain::Rect;

/// Longest block of a party, in text heights: about a dozen lines.
const LONGEST_BLOCK: f32 = 26.0;
/// The share of the first page that a letterhead takes at most.
const LETTERHEAD_SHARE: f32 = 0.22;
/// A value stands above its caption by this at most, in text heights from top to top.
const CAPTIONED: f32 = 2.0;
/// Words of running text for which a party that was named stays the subject.
const LONGEST_MENTION: usize = 60;

/// The parties' blocks on one page.
#[derive(Debug)]
pub struct Blocks {
    blocks: Vec<Block>,
    /// In running text: word and party, in order.
    mentions: Vec<(usize, usize)>,
    letterhead: Option<usize>,
    letterhead_bottom: f32,
    height: f32,
}

#[derive(Debug)]
struct Block {
    party: usize,
    heading: Rect,
    area: Rect,
}

/// How a place stands to a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belonging {
    Own,
    Letterhead,
    Nobody,
    /// In the issuer's letterhead, which holds other things too.
    OthersLetterhead,
    Other,
}

impl Blocks {
    /// `captions_below`: the labels of this page stand under their values, and so do the headings.
    pub fn find(
        config: &DocumentTypeConfig,
        sheet: &Sheet,
        occurrences: &[Occurrence],
        captions_below: bool,
    ) -> Self {
        let lift = if captions_below { CAPTIONED * sheet.height } else { 0.0 };
        let headings: Vec<(usize, Rect)> = occurrences
            .iter()
            .filter(|occurrence| begins_block(sheet, occurrence))
            .flat_map(|occurrence| {
                let mut place = occurrence.bounds;
                place.top -= lift;
                parties_of(occurrence).map(move |party| (party, place))
            })
            .collect();
        let blocks = headings.iter().map(|(party, heading)| Block {
            party: *party,
            heading: *heading,
            area: area_of(sheet, *party, heading, &headings),
        });
        let mentions = occurrences
            .iter()
            .filter(|occurrence| sheet.pieces[occurrence.piece].prose)
            .flat_map(|occurrence| parties_of(occurrence).map(|party| (occurrence.first, party)));
        let first_heading = headings.iter().map(|(_, heading)| heading.top).reduce(f32::min);
        let letterhead =
            config.parties.iter().position(|party| party.letterhead).filter(|_| sheet.index == 0);
        let limit = LETTERHEAD_SHARE * sheet.page.height;
        Self {
            blocks: blocks.collect(),
            mentions: mentions.collect(),
            letterhead,
            letterhead_bottom: first_heading.map_or(limit, |top| top.min(limit)),
            height: sheet.height,
        }
    }

    /// How the place of a value stands to a party. `word` is its first word, `prose` whether it
    /// stands in running text.
    pub fn belonging(&self, party: usize, place: &Rect, word: usize, prose: bool) -> Belonging {
        let owner = if prose { self.mentioned(word) } else { None }.or_else(|| self.owner(place));
        match owner {
            Some(owner) if owner == party => Belonging::Own,
            Some(_) => Belonging::Other,
            None if place.bottom() <= self.letterhead_bottom && self.letterhead.is_some() => {
                if self.letterhead == Some(party) {
                    Belonging::Letterhead
                } else {
                    Belonging::OthersLetterhead
                }
            }
            None => Belonging::Nobody,
        }
    }

    /// The party whose heading is nearest above the place, or left of it in its line.
    fn owner(&self, place: &Rect) -> Option<usize> {
        let (x, y) = (place.left + 0.1 * place.width, place.center_y());
        let holding = self.blocks.iter().filter(|block| block.area.contains_point(x, y));
        let nearest = holding.max_by(|a, b| self.nearness(a, place).total_cmp(&self.nearness(b, place)));
        nearest.map(|block| block.party)
    }

    fn nearness(&self, block: &Block, place: &Rect) -> f32 {
        let lines = ((place.center_y() - block.heading.center_y()) / (1.5 * self.height)).round();
        let across = (place.left - block.heading.left).abs();
        -(lines.max(0.0) * 1000.0 + across / self.height.max(0.1))
    }

    fn mentioned(&self, word: usize) -> Option<usize> {
        let before = self.mentions.iter().rev().find(|(at, _)| *at <= word);
        before.filter(|(at, _)| word - at <= LONGEST_MENTION).map(|(_, party)| *party)
    }
}

fn parties_of(occurrence: &Occurrence) -> impl Iterator<Item = usize> {
    occurrence.roles.iter().filter_map(|role| match role {
        Role::Heading { party } => Some(*party),
        _ => None,
    })
}

/// A heading opens its cell and is not a word within a sentence.
fn begins_block(sheet: &Sheet, occurrence: &Occurrence) -> bool {
    let piece = &sheet.pieces[occurrence.piece];
    let before = sheet.page.words.get(piece.first..occurrence.first).unwrap_or_default();
    let words_before = before.iter().filter(|word| word.text.chars().any(char::is_alphabetic)).count();
    let at_start = words_before == 0
        || words_before == 1 && !piece.prose
        || sheet
            .page
            .words
            .get(occurrence.first - 1)
            .is_some_and(|word| word.text.ends_with([':', '.', ';']));
    at_start && !(piece.prose && words_before > 0) && parties_of(occurrence).next().is_some()
}

/// From the heading rightwards to the next party's heading and downwards to the next heading below.
fn area_of(sheet: &Sheet, party: usize, heading: &Rect, headings: &[(usize, Rect)]) -> Rect {
    let height = sheet.height;
    let mut right = sheet.page.width;
    let mut bottom = heading.top + LONGEST_BLOCK * height;
    for (other_party, other) in headings {
        let beside = (other.center_y() - heading.center_y()).abs() < 3.0 * height;
        if *other_party != party && beside && other.left > heading.right() {
            right = right.min(other.left - 0.5 * height);
        }
    }
    for (other_party, other) in headings {
        let under =
            other.top > heading.bottom() && other.left < right && other.right() > heading.left - 2.0 * height;
        if *other_party != party && under {
            bottom = bottom.min(other.top - 0.1 * height);
        }
    }
    Rect::from_edges(heading.left - 2.0 * height, heading.top - 0.6 * height, right, bottom)
}
