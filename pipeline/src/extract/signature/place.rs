//! The places to sign on a page: which label makes one, whose it is, and how surely. A label that says
//! "signature" and names the party is one wherever it stands; a bare `El prestatario` only where things
//! are signed; a bare `Fdo.:` by the name printed with it.

use super::slot::{Side, Slot, slots};
use super::surface::Surface;
use crate::domain::Rect;
use crate::extract::labels::evidence::Reading;
use crate::extract::labels::lexicon::Role;
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::tokens::{tokens_of, tokens_of_phrase};
use crate::extract::parse::text::fold;

/// Words that speak of signing, by their stems.
const SIGNING: [&str; 9] = ["firm", "sign", "fdo", "conform", "acept", "accept", "agree", "rubric", "suscri"];
/// Words beside them that name nobody.
const NAMING_NOBODY: [&str; 22] = [
    "fecha",
    "date",
    "nombre",
    "name",
    "lugar",
    "place",
    "aqui",
    "here",
    "please",
    "leido",
    "recibi",
    "recibido",
    "read",
    "por",
    "by",
    "for",
    "en",
    "manuscrita",
    "huella",
    "and",
    "below",
    "n",
];
/// Places of one block of signatures stand within so many text heights.
const BLOCK: f32 = 14.0;

/// A place to sign.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) label: Rect,
    /// The field's own party signs here; else somebody else does.
    pub(super) own: bool,
    /// How surely it is a place where that party signs, 0 to 1.
    pub(super) naming: f32,
    pub(super) slots: Vec<Slot>,
}

impl Place {
    /// The most likely space.
    pub(super) fn slot(&self) -> &Slot {
        &self.slots[0]
    }
}

/// The tokens of the party's name, to tell its signature by the name printed with it.
#[derive(Debug, Default)]
pub(super) struct PartyName(Vec<String>);

impl PartyName {
    pub(super) fn new(name: Option<&str>) -> Self {
        Self(name.map(tokens_of_phrase).unwrap_or_default())
    }

    /// How many of the name's words are among these tokens.
    pub(super) fn shared<'t>(&self, tokens: impl IntoIterator<Item = &'t str>) -> usize {
        let is_part = |token: &str| {
            self.0.iter().any(|own| own == token || token.len() > 4 && strsim::levenshtein(own, token) == 1)
        };
        tokens.into_iter().filter(|token| is_part(token)).count()
    }

    /// Two words of a name are enough; a single one may be a street's.
    pub(super) fn is_in<'t>(&self, tokens: impl IntoIterator<Item = &'t str>) -> bool {
        self.shared(tokens) >= 2
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Own,
    /// Fits only where the party signs: `Fdo.`, `Firma`, `Titular`.
    Generic,
    Other,
}

/// All places to sign on the page.
pub(super) fn places(field: usize, name: &PartyName, reading: &Reading, surface: &Surface) -> Vec<Place> {
    let labels: Vec<(&Occurrence, Kind)> = reading
        .occurrences
        .iter()
        .filter_map(|label| Some((label, kind_of(field, label, reading)?)))
        .filter(|(label, _)| sets_off(reading, label) && !surface.in_stamp(&label.bounds))
        .collect();
    let bounds: Vec<Rect> = labels.iter().map(|(label, _)| printed_bounds(label, reading)).collect();
    let mut places = Vec::new();
    for (index, (label, kind)) in labels.iter().enumerate() {
        let others: Vec<Rect> =
            bounds.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, rect)| *rect).collect();
        let slots = slots(surface, &bounds[index], &others);
        let setting = Setting { reading, surface, name, labels: &labels, slot: slots[0] };
        let (own, naming) = match kind {
            Kind::Other => (false, 0.9),
            Kind::Own => (true, setting.naming(label)),
            Kind::Generic => setting.generic_naming(label),
        };
        if naming >= 0.2 {
            places.push(Place { label: bounds[index], own, naming: naming * label.quality, slots });
        }
    }
    add_named(name, reading, surface, &bounds, &mut places);
    favour_common_side(&mut places);
    places
}

/// The label without the scrawl that was read as its last words.
fn printed_bounds(label: &Occurrence, reading: &Reading) -> Rect {
    let sheet = &reading.sheet;
    let words = label.tokens.iter().map(|token| &sheet.page.words[sheet.tokens[*token].word]);
    let printed = words.filter(|word| !word.may_be_scrawl(sheet.height));
    Rect::around(printed.map(|word| word.bounds)).unwrap_or(label.bounds)
}

fn kind_of(field: usize, label: &Occurrence, reading: &Reading) -> Option<Kind> {
    if label.roles.contains(&Role::Not { field }) {
        Some(Kind::Other)
    } else if label.roles.contains(&Role::Label { field }) {
        let mut tokens = label.tokens.iter().map(|token| reading.sheet.tokens[*token].text.as_str());
        Some(if tokens.any(names_somebody) || speaks_to_reader(label, reading) {
            Kind::Own
        } else {
            Kind::Generic
        })
    } else if label.roles.contains(&Role::PartyLabel { field }) {
        Some(Kind::Generic)
    } else {
        None
    }
}

fn names_somebody(token: &str) -> bool {
    !says_signature(token) && !NAMING_NOBODY.contains(&token)
}

/// `Your signature`, `Su firma`: papers speak so to the customer.
fn speaks_to_reader(label: &Occurrence, reading: &Reading) -> bool {
    let words = reading.sheet.page.words.get(label.first..label.end).unwrap_or_default();
    words.iter().any(|word| matches!(fold(&word.text).as_str(), "su" | "tu" | "your" | "my"))
}

/// The label stands by itself, not within a sentence; a name may follow it.
fn sets_off(reading: &Reading, label: &Occurrence) -> bool {
    let piece = &reading.sheet.pieces[label.piece];
    let rest = reading.sheet.page.words.get(label.end..piece.end).unwrap_or_default();
    let spoken = rest.iter().filter(|word| word.text.chars().next().is_some_and(char::is_lowercase)).count();
    label.first <= piece.first + 1 && (rest.len() <= 5 || spoken <= 2 || !piece.prose)
}

/// Words for whoever signs: `Signature of the person making the statement`.
fn is_signer(token: &str) -> bool {
    const SIGNERS: [&str; 12] = [
        "person",
        "persona",
        "quien",
        "undersigned",
        "firmante",
        "suscribe",
        "infrascrito",
        "interesado",
        "interesada",
        "compareciente",
        "deponent",
        "declarant",
    ];
    SIGNERS.contains(&token)
}

fn says_signature(token: &str) -> bool {
    SIGNING.iter().any(|stem| token.starts_with(stem))
}

/// What surrounds a label.
struct Setting<'s> {
    reading: &'s Reading<'s>,
    surface: &'s Surface<'s>,
    name: &'s PartyName,
    labels: &'s [(&'s Occurrence, Kind)],
    slot: Slot,
}

impl Setting<'_> {
    fn tokens<'t>(&'t self, label: &'t Occurrence) -> impl Iterator<Item = &'t str> {
        label.tokens.iter().map(|token| self.reading.sheet.tokens[*token].text.as_str())
    }

    fn naming(&self, label: &Occurrence) -> f32 {
        let says_so = self.tokens(label).any(says_signature);
        let names = self.tokens(label).any(names_somebody);
        if says_so {
            return if names || self.own_name(label) { 0.98 } else { 0.86 };
        }
        if self.slot.side == Side::Around {
            return 0.0;
        }
        let ruled = if self.slot.ruled { 0.03 } else { 0.0 };
        let named = if self.own_name(label) { 0.02 } else { 0.0 };
        let low = self.slot.bounds.bottom() > 0.45 * self.surface.page.height;
        let base = match (self.beside_others(label), self.after_signing_words(label), low) {
            (true, true, _) | (true, _, true) => 0.93,
            (true, ..) => 0.8,
            (false, true, _) => 0.82,
            (false, false, true) if self.slot.ruled || named > 0.0 => 0.6,
            (false, false, true) => 0.4,
            (false, false, false) => 0.2,
        };
        let valued = if self.slot.side == Side::Beside && !self.slot.ruled { 0.4 } else { 1.0 };
        (base + ruled + named) * valued
    }

    /// Whose a label is that names nobody, and how surely.
    fn generic_naming(&self, label: &Occurrence) -> (bool, f32) {
        let says_so = self.tokens(label).any(says_signature);
        if !self.names_another(label) && self.own_name(label) && (says_so || self.slot.side != Side::Around) {
            return (true, if says_so { 0.95 } else { 0.8 });
        }
        if self.foreign_name(label) {
            return (false, 0.8);
        }
        if says_so && self.names_another(label) {
            return (false, 0.6);
        }
        if !says_so {
            return (true, 0.9 * self.naming(label));
        }
        let alone = !self.labels.iter().any(|(other, kind)| {
            let apart = (other.bounds.center_y() - label.bounds.center_y()).abs();
            *kind != Kind::Generic && apart < 2.0 * BLOCK * self.surface.height
        });
        (true, if alone { 0.8 } else { 0.45 })
    }

    /// Another party's place is near.
    fn beside_others(&self, label: &Occurrence) -> bool {
        self.labels.iter().any(|(other, kind)| {
            let apart = (other.bounds.center_y() - label.bounds.center_y()).abs();
            *kind == Kind::Other && apart < BLOCK * self.surface.height
        })
    }

    /// The lines before speak of signing.
    fn after_signing_words(&self, label: &Occurrence) -> bool {
        let sheet = &self.reading.sheet;
        let top = label.bounds.top - 10.0 * sheet.height;
        let mut near = sheet.tokens.iter().filter(|token| {
            let place = sheet.page.words[token.word].bounds.center_y();
            place > top && place < label.bounds.bottom() + 0.5 * sheet.height
        });
        near.any(|token| says_signature(&token.text))
    }

    /// The party's name is printed with the label: beside, over or under the space.
    fn own_name(&self, label: &Occurrence) -> bool {
        let h = self.surface.height;
        let around = match self.slot.side {
            Side::Around => grown(&label.bounds, 10.0 * h, 2.5 * h),
            _ => grown(&label.bounds.union(&self.slot.bounds), h, 3.0 * h),
        };
        let sheet = &self.reading.sheet;
        sheet.pieces.iter().enumerate().any(|(index, piece)| {
            if piece.prose && index != label.piece || self.is_labelled_apart(index, label) {
                return false;
            }
            let inside = around.contains_point(piece.bounds.center_x(), piece.bounds.center_y());
            let tokens = &sheet.tokens[piece.first_token..piece.end_token];
            inside && self.name.is_in(tokens.iter().map(|token| token.text.as_str()))
        })
    }

    /// Words follow that no label of the party has: `Signature of the landlord`.
    fn names_another(&self, label: &Occurrence) -> bool {
        let piece = &self.reading.sheet.pieces[label.piece];
        let rest = self.surface.page.words.get(label.end..piece.end).unwrap_or_default();
        let joint = |text: &str| {
            matches!(
                fold(text).as_str(),
                "of" | "de" | "del" | "for" | "por" | "by" | "la" | "el" | "los" | "las" | "the"
            )
        };
        let labelled = self.labels.iter().any(|(other, kind)| {
            *kind == Kind::Other && other.piece == label.piece && other.first >= label.end
        });
        let says_signer = rest.iter().flat_map(|word| tokens_of(&word.text)).any(|token| is_signer(&token));
        labelled
            || !says_signer && rest.first().is_some_and(|word| joint(&word.text)) && {
                let tokens: Vec<String> = rest.iter().flat_map(|word| tokens_of(&word.text)).collect();
                self.name.shared(tokens.iter().map(String::as_str)) == 0
            }
    }

    /// Whether another label begins in the piece.
    fn is_labelled_apart(&self, piece: usize, label: &Occurrence) -> bool {
        piece != label.piece && self.labels.iter().any(|(other, _)| other.piece == piece)
    }

    /// Somebody else's name follows the label.
    fn foreign_name(&self, label: &Occurrence) -> bool {
        let sheet = &self.reading.sheet;
        let row = sheet.pieces[label.piece].row;
        let mut words: Vec<&str> = Vec::new();
        for piece in sheet.pieces.iter().filter(|piece| piece.row == row) {
            let gap = piece.bounds.left - label.bounds.right();
            if piece.first <= label.first && piece.end > label.end || gap > -0.5 && gap < 4.0 * sheet.height {
                let from = piece.first.max(label.end.min(piece.end));
                words.extend(sheet.page.words[from..piece.end].iter().map(|word| word.text.as_str()));
            }
        }
        let names = words.iter().filter(|word| word.chars().next().is_some_and(char::is_uppercase));
        let tokens: Vec<String> = words.iter().flat_map(|word| tokens_of(word)).collect();
        names.count() >= 2 && self.name.shared(tokens.iter().map(String::as_str)) == 0
    }
}

/// The party's name alone under a space to sign, without any label.
fn add_named(
    name: &PartyName,
    reading: &Reading,
    surface: &Surface,
    labels: &[Rect],
    places: &mut Vec<Place>,
) {
    let (sheet, h) = (&reading.sheet, surface.height);
    for piece in sheet.pieces.iter().filter(|piece| !piece.prose) {
        let tokens = &sheet.tokens[piece.first_token..piece.end_token];
        let words = tokens.iter().map(|token| token.text.as_str());
        let only_name = name.is_in(words.clone()) && words.clone().count() <= name.shared(words) + 2;
        let near = |place: &Place, reach: f32| {
            grown(&place.label.union(&place.slot().bounds), reach, reach)
                .contains_point(piece.bounds.center_x(), piece.bounds.center_y())
        };
        let signing = sheet.tokens.iter().filter(|token| says_signature(&token.text)).any(|token| {
            let above = piece.bounds.top - sheet.page.words[token.word].bounds.bottom();
            (0.0..BLOCK * h).contains(&above)
        });
        let block = signing || places.iter().any(|place| near(place, BLOCK * h));
        let taken = places.iter().any(|place| place.own && near(place, 3.0 * h));
        if !only_name || taken || !block || piece.bounds.top < 0.3 * surface.page.height {
            continue;
        }
        let slots = slots(surface, &piece.bounds, labels);
        if slots[0].side == Side::Above && slots[0].weight >= 0.5 {
            let naming = if slots[0].ruled { 0.8 } else { 0.6 };
            places.push(Place { label: piece.bounds, own: true, naming, slots });
        }
    }
}

/// Forms keep to one order: labels over their spaces, under them or beside them.
fn favour_common_side(places: &mut [Place]) {
    let sum = |places: &[Place], side: Side| -> f32 {
        let of_side = |place: &Place| {
            place.slots.iter().filter(|slot| slot.side == side).map(|slot| slot.weight).sum::<f32>()
        };
        places.iter().map(of_side).sum()
    };
    let sums = [Side::Above, Side::Below, Side::Beside].map(|side| (side, sum(places, side)));
    let most = sums.iter().map(|(_, sum)| *sum).fold(0.01, f32::max);
    for place in places {
        for slot in &mut place.slots {
            let share = sums.iter().find(|(side, _)| *side == slot.side).map_or(1.0, |(_, sum)| sum / most);
            slot.weight *= 0.8 + 0.2 * share;
        }
        place.slots.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    }
}

pub(super) fn grown(rect: &Rect, across: f32, down: f32) -> Rect {
    Rect::from_edges(rect.left - across, rect.top - down, rect.right() + across, rect.bottom() + down)
}
