//! What a page says about its document: a weight for each type, machine-readable lines, its number.

use std::sync::LazyLock;

use regex::Regex;

use super::phrases::{PageWords, fold_words};
use super::words::WordModel;
use crate::config::DocumentTypeConfig;
use crate::domain::{DocumentType, Page, Row};

/// What a page without any evidence weighs against the types: the weight of one heading.
const NOTHING: f32 = 3.0;

/// A heading in the upper part of a page names the document more surely than the same words below.
const HEADING_PART: f32 = 0.33;
const HEADING_BONUS: f32 = 1.5;

/// A heading is an anchor of at least this weight.
const HEADING_WEIGHT: f32 = 4.0;

/// How much a machine-readable zone says: it occurs on identity documents only.
const MRZ_WEIGHT: f32 = 14.0;

/// Two lines of 44 characters on passports, three of 30 on cards (ICAO 9303); OCR may lose or add a few.
const PASSPORT_LINE: std::ops::RangeInclusive<usize> = 38..=48;
const CARD_LINE: std::ops::RangeInclusive<usize> = 26..=34;

/// What one page says.
#[derive(Debug, Clone, PartialEq)]
pub struct PageEvidence {
    /// Weight for each type, strongest first; types without evidence are left out.
    pub weights: Vec<(DocumentType, f32)>,
    /// A heading of the strongest type stands in the upper part.
    pub heading: bool,
    /// Lines of a machine-readable zone were seen.
    pub machine_readable: bool,
    /// Number of the page and how many there are, as printed ("página 2 de 3").
    pub numbering: Option<(u32, Option<u32>)>,
    /// The page has hardly any words.
    pub blank: bool,
}

impl PageEvidence {
    /// The strongest type with the probability that it is right, `unknown` below even odds against
    /// no type at all.
    pub fn best(&self) -> (DocumentType, f64) {
        match self.weights.first() {
            Some((document_type, weight)) if *weight >= NOTHING => {
                (document_type.clone(), self.probability(document_type))
            }
            _ => (
                DocumentType::unknown(),
                1.0 - self.weights.first().map_or(0.0, |(_, weight)| f64::from(weight / (2.0 * NOTHING))),
            ),
        }
    }

    pub fn weight_of(&self, document_type: &DocumentType) -> f32 {
        self.weights.iter().find(|(known, _)| known == document_type).map_or(0.0, |(_, weight)| *weight)
    }

    /// Soft maximum over the types' weights and that of no type.
    pub fn probability(&self, document_type: &DocumentType) -> f64 {
        let best = f64::from(self.weight_of(document_type));
        let others = self.weights.iter().filter(|(known, _)| known != document_type);
        let against: f64 = others.map(|(_, weight)| (f64::from(*weight) - best).exp()).sum();
        1.0 / (1.0 + against + (f64::from(NOTHING) - best).exp())
    }

    /// Adds what another page of the same document says.
    pub(super) fn add(&mut self, other: &PageEvidence) {
        for (document_type, weight) in &other.weights {
            match self.weights.iter_mut().find(|(known, _)| known == document_type) {
                Some((_, sum)) => *sum += weight,
                None => self.weights.push((document_type.clone(), *weight)),
            }
        }
        sort(&mut self.weights);
        self.machine_readable |= other.machine_readable;
        self.numbering = other.numbering.or(self.numbering);
    }
}

/// Weighs what a page says for each type.
pub fn weigh(page: &Page, types: &[DocumentTypeConfig], model: &WordModel) -> PageEvidence {
    let words = PageWords::of(page);
    let learned = model.weigh(page);
    let mrz = machine_readable_type(page);
    let mut weights = Vec::new();
    let mut headed = Vec::new();
    for config in types {
        let (mut weight, heading) = weigh_type(&words, config);
        weight += learned
            .iter()
            .find(|(name, _)| **name == config.document_type)
            .map_or(0.0, |(_, weight)| *weight);
        if mrz.is_some_and(|name| name == config.document_type.as_str()) {
            weight += MRZ_WEIGHT;
        }
        if heading {
            headed.push(config.document_type.clone());
        }
        if weight > 0.0 {
            weights.push((config.document_type.clone(), weight));
        }
    }
    sort(&mut weights);
    let heading = weights.first().is_some_and(|(best, _)| headed.contains(best));
    PageEvidence {
        heading,
        weights,
        machine_readable: mrz.is_some(),
        numbering: numbering(page),
        blank: page.words.len() < 3,
    }
}

fn sort(weights: &mut [(DocumentType, f32)]) {
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

fn weigh_type(words: &PageWords, config: &DocumentTypeConfig) -> (f32, bool) {
    let mut weight = 0.0;
    let mut heading = false;
    for anchor in &config.anchors {
        let places = words.find(&fold_words(&anchor.text));
        if places.is_empty() {
            continue;
        }
        let in_heading = places.iter().any(|top| *top < HEADING_PART) && anchor.weight >= HEADING_WEIGHT;
        let bonus = if in_heading { HEADING_BONUS } else { 1.0 };
        if anchor.negative {
            weight -= anchor.weight;
        } else {
            weight += anchor.weight * bonus;
            heading |= in_heading;
        }
    }
    (weight, heading)
}

/// The type that a machine-readable zone on the page tells.
fn machine_readable_type(page: &Page) -> Option<&'static str> {
    let lengths: Vec<usize> = page.rows.iter().filter_map(|row| machine_readable_length(page, row)).collect();
    let count = |range: std::ops::RangeInclusive<usize>| {
        lengths.iter().filter(|length| range.contains(length)).count()
    };
    if count(PASSPORT_LINE) >= 1 && count(PASSPORT_LINE) >= count(CARD_LINE) {
        return Some("passport");
    }
    (count(CARD_LINE) >= 2).then_some("id_card")
}

fn machine_readable_length(page: &Page, row: &Row) -> Option<usize> {
    let text: String = row.segments.iter().map(|segment| page.text_of(segment)).collect();
    let text: String = text.chars().filter(|ch| !ch.is_whitespace()).collect();
    let fillers = text.chars().filter(|ch| matches!(ch, '<' | '«' | '‹')).count();
    let capitals = text.chars().filter(|ch| ch.is_ascii_uppercase() || ch.is_ascii_digit()).count();
    let length = text.chars().count();
    (fillers >= 2 && (fillers + capitals) * 10 >= length * 8).then_some(length)
}

static NUMBERING: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by a test")]
    Regex::new(
        r"(?ix)
        \b(?P<word> p[áa]gina | p[áa]g\b\.? | hoja | page | sheet | folio | strona )\s*:?\s*
          (?P<number> \d{1,3} | [lI]\b )(?:\s*(?: de | of | z | / )\s*(?P<of> \d{1,3} ))?\b
        | ^\s*(?P<bare> \d{1,2})\s*/\s*(?P<bare_of> \d{1,2})\s*$",
    )
    .unwrap()
});

/// The number that the page says it has. A folio or a sheet without how many there are must stand alone: what a
/// register calls so stands in the middle of an entry, and is no page of the document.
fn numbering(page: &Page) -> Option<(u32, Option<u32>)> {
    let segments = page.rows.iter().flat_map(|row| &row.segments);
    let found: Vec<_> = segments.filter_map(|segment| numbering_in(&page.text_of(segment))).collect();
    found.iter().find(|(_, of)| of.is_some()).or_else(|| found.last()).copied()
}

fn numbering_in(text: &str) -> Option<(u32, Option<u32>)> {
    NUMBERING.captures_iter(text).find_map(|found| {
        let number = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<u32>().ok());
        let page = number("number").or_else(|| number("bare")).or_else(|| found.name("number").map(|_| 1))?;
        let of = number("of").or_else(|| number("bare_of"));
        let whole = found.get(0)?;
        let (before, after) = (text.get(..whole.start())?, text.get(whole.end()..)?);
        let alone = |text: &str| !text.chars().any(char::is_alphanumeric);
        let word = found.name("word").map(|word| word.as_str().to_lowercase());
        let is_register = word.is_some_and(|word| matches!(word.as_str(), "folio" | "hoja"));
        let stands = of.is_some() || page <= MOST_PAGES && (!is_register || alone(before) && alone(after));
        (page >= 1 && of.is_none_or(|of| of >= page) && stands).then_some((page, of))
    })
}

/// More pages than a document of a case has: a higher number counts something else.
const MOST_PAGES: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_numbered_by_words_for_pages() {
        for (text, expected) in [
            ("Página 2 de 3", Some((2, Some(3)))),
            ("Contrato 932578973 - Página 1 de 2", Some((1, Some(2)))),
            ("Sheet 2 of2", Some((2, Some(2)))),
            ("Page l", Some((1, None))),
            ("2 / 4", Some((2, Some(4)))),
            ("Hoja 3", Some((3, None))),
            ("Bank of the Valley, registered office. Page 2", Some((2, None))),
            ("Registro Mercantil de Madrid, tomo 5071, folio 10, hoja 52", None),
            ("R.M. de Palma, tomo 5168, folio 201, hoja PM-76451", None),
            ("Hoja 118, inscripción 2ª", None),
            ("página 5 de 3", None),
            ("Contrato 4/2026", None),
        ] {
            assert_eq!(numbering_in(text), expected, "{text}");
        }
    }
}
