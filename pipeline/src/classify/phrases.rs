//! Finding phrases among the words of a page, tolerant to case, accents, punctuation and, on OCR
//! pages, to single wrong characters.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::Page;

/// Words shorter than this must match exactly: one wrong character in four makes another word.
const FUZZY_FROM: usize = 5;

/// One wrong character is forgiven in this many.
const CHARACTERS_PER_ERROR: usize = 6;

/// The words of a page, folded, in reading order, with where they stand.
#[derive(Debug)]
pub(super) struct PageWords {
    words: Vec<String>,
    /// Top of each word as a share of the page's height.
    tops: Vec<f32>,
    places: HashMap<String, Vec<usize>>,
    fuzzy: bool,
}

impl PageWords {
    pub(super) fn of(page: &Page) -> Self {
        let mut words = Vec::new();
        let mut tops = Vec::new();
        for word in &page.words {
            for part in fold_words(&word.text) {
                words.push(part);
                tops.push(word.bounds.top / page.height.max(1.0));
            }
        }
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, word) in words.iter().enumerate() {
            places.entry(word.clone()).or_default().push(index);
        }
        Self { words, tops, places, fuzzy: page.source.is_ocr() }
    }

    /// Where each occurrence of the phrase begins, as a share of the page's height.
    pub(super) fn find(&self, phrase: &[String]) -> Vec<f32> {
        let Some((first, rest)) = phrase.split_first() else { return Vec::new() };
        let starts = self.places_of(first);
        let goes_on = |start: &usize| {
            rest.iter()
                .zip(start + 1..)
                .all(|(word, place)| self.words.get(place).is_some_and(|read| self.alike(word, read)))
        };
        starts.into_iter().filter(goes_on).filter_map(|start| self.tops.get(start).copied()).collect()
    }

    fn places_of(&self, word: &str) -> Vec<usize> {
        if let Some(places) = self.places.get(word) {
            return places.clone();
        }
        if !self.fuzzy || word.chars().count() < FUZZY_FROM {
            return Vec::new();
        }
        let alike = self.places.iter().filter(|(read, _)| self.alike(word, read));
        let mut places: Vec<usize> = alike.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places
    }

    fn alike(&self, word: &str, read: &str) -> bool {
        if word == read {
            return true;
        }
        let length = word.chars().count();
        if !self.fuzzy || length < FUZZY_FROM || length.abs_diff(read.chars().count()) > 1 {
            return false;
        }
        strsim::levenshtein(word, read) <= length.div_ceil(CHARACTERS_PER_ERROR).min(2)
    }
}

/// Lower-case words without accents; everything that is no letter or digit parts words.
pub(super) fn fold_words(text: &str) -> Vec<String> {
    let folded: String = text
        .nfd()
        .filter(|ch| !unicode_normalization::char::is_combining_mark(*ch))
        .map(|ch| if ch.is_alphanumeric() { ch } else { ' ' })
        .collect();
    folded.to_lowercase().split_whitespace().map(str::to_owned).collect()
}
