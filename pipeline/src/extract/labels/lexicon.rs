//! The labels of one document type, compiled for search. Knows the configuration, not pages.

use std::collections::HashMap;

use super::tokens::tokens_of_phrase;
use crate::config::DocumentTypeConfig;

/// Anchors of this weight name the document; lighter ones are labels and hints.
const TITLE_WEIGHT: f32 = 4.0;

/// What a phrase says about the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The label of a field.
    Label { field: usize },
    /// A label of the field when it stands in the block of the field's party.
    PartyLabel { field: usize },
    /// A label of one end of a period.
    EdgeLabel { field: usize },
    /// The heading of a column whose total is the field's value.
    Column { field: usize },
    /// Stands right after the field's value.
    After { field: usize },
    /// The label of something that looks like the field but is not.
    Not { field: usize },
    /// The label of something that is no field at all.
    Other,
    /// Begins the block of a party.
    Heading { party: usize },
    /// Names the document itself.
    Title,
    /// Begins a part of the page whose amounts are no fields.
    OtherSection,
}

impl Role {
    /// The field that the role speaks for.
    pub fn field(self) -> Option<usize> {
        match self {
            Role::Label { field }
            | Role::PartyLabel { field }
            | Role::EdgeLabel { field }
            | Role::Column { field }
            | Role::After { field } => Some(field),
            Role::Not { .. } | Role::Other | Role::Heading { .. } | Role::Title | Role::OtherSection => None,
        }
    }
}

/// One phrase with everything that it can mean.
#[derive(Debug, Clone)]
pub struct Phrase {
    /// Its tokens, joined without spaces.
    pub joined: String,
    pub tokens: Vec<String>,
    /// How often each letter stands in it, see [`letters_of`].
    pub letters: Letters,
    pub roles: Vec<Role>,
}

/// How often the bytes of a text have each value of their last five bits: texts far apart in this need no
/// closer look.
pub type Letters = [u8; 32];

pub fn letters_of(text: &str) -> Letters {
    let mut letters = [0_u8; 32];
    for byte in text.bytes() {
        let place = usize::from(byte & 31);
        letters[place] = letters[place].saturating_add(1);
    }
    letters
}

/// All phrases of a document type.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    pub phrases: Vec<Phrase>,
    by_joined: HashMap<String, usize>,
    /// Indices of phrases by the length of their joined text, for tolerant search.
    by_length: Vec<Vec<usize>>,
    /// The same by the number of their tokens and their first letter, for abbreviations.
    by_initial: HashMap<(usize, char), Vec<usize>>,
}

impl Lexicon {
    pub fn compile(config: &DocumentTypeConfig) -> Self {
        let mut lexicon = Self::default();
        for (field, settings) in config.fields.iter().enumerate() {
            lexicon.add_all(&settings.labels, Role::Label { field });
            lexicon.add_all(&settings.party_labels, Role::PartyLabel { field });
            lexicon.add_all(&settings.column_labels, Role::Column { field });
            lexicon.add_all(&settings.edge_labels, Role::EdgeLabel { field });
            lexicon.add_all(&settings.labels_after, Role::After { field });
            lexicon.add_all(&settings.not_labels, Role::Not { field });
        }
        lexicon.add_all(&config.other_labels, Role::Other);
        lexicon.add_all(&config.other_sections, Role::OtherSection);
        for anchor in config.anchors.iter().filter(|anchor| anchor.weight >= TITLE_WEIGHT && !anchor.negative)
        {
            lexicon.add(&anchor.text, Role::Title);
        }
        for (party, settings) in config.parties.iter().enumerate() {
            lexicon.add_all(&settings.headings, Role::Heading { party });
        }
        lexicon
    }

    /// The phrase with exactly this joined text.
    pub fn exact(&self, joined: &str) -> Option<usize> {
        self.by_joined.get(joined).copied()
    }

    /// Phrases whose joined text has this many bytes.
    pub fn of_length(&self, length: usize) -> &[usize] {
        self.by_length.get(length).map_or(&[], Vec::as_slice)
    }

    /// Phrases of so many tokens that begin with this letter.
    pub fn with_initial(&self, tokens: usize, letter: char) -> &[usize] {
        self.by_initial.get(&(tokens, letter)).map_or(&[], Vec::as_slice)
    }

    fn add_all(&mut self, texts: &[String], role: Role) {
        for text in texts {
            self.add(text, role);
        }
    }

    fn add(&mut self, text: &str, role: Role) {
        let tokens = tokens_of_phrase(text);
        let joined = tokens.concat();
        if joined.is_empty() {
            return;
        }
        if let Some(index) = self.by_joined.get(&joined) {
            let roles = &mut self.phrases[*index].roles;
            if !roles.contains(&role) {
                roles.push(role);
            }
            return;
        }
        let index = self.phrases.len();
        if self.by_length.len() <= joined.len() {
            self.by_length.resize(joined.len() + 1, Vec::new());
        }
        self.by_length[joined.len()].push(index);
        self.by_joined.insert(joined.clone(), index);
        if let Some(letter) = joined.chars().next() {
            self.by_initial.entry((tokens.len(), letter)).or_default().push(index);
        }
        let letters = letters_of(&joined);
        self.phrases.push(Phrase { joined, tokens, letters, roles: vec![role] });
    }
}
