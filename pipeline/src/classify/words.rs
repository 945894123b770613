//! What the words of a page say about its type: a linear model over words and pairs of words, learned
//! from labelled pages (`models/train/page_types.py`). Beside the phrases of the configuration, which a
//! page must not word exactly so, it sums up much weak evidence.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::phrases::fold_words;
use crate::domain::{DocumentType, Page};

/// A page with fewer known words counts as one with so many: a single word decides nothing.
const FEWEST_WORDS: usize = 8;
/// What the words say is at most as much as two headings' worth, for or against a type.
const MOST_EVIDENCE: f32 = 6.0;

/// Weights of words and of pairs of words ("total devengado") for each type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WordModel {
    types: Vec<DocumentType>,
    /// As many weights as types, in their order.
    weights: HashMap<String, Vec<f32>>,
}

impl WordModel {
    /// Evidence for (positive) and against each type, in the unit of the phrases' weights. A page without
    /// known words says nothing.
    pub fn weigh(&self, page: &Page) -> Vec<(&DocumentType, f32)> {
        let words = page_words(page);
        let known: Vec<&Vec<f32>> = words.iter().filter_map(|word| self.weights.get(word)).collect();
        let share = (known.len().max(FEWEST_WORDS) as f32).sqrt();
        let evidence = |index: usize| {
            let sum: f32 = known.iter().filter_map(|weights| weights.get(index)).sum();
            (sum / share).clamp(-MOST_EVIDENCE, MOST_EVIDENCE)
        };
        self.types.iter().enumerate().map(|(index, name)| (name, evidence(index))).collect()
    }
}

/// The words of a page and the pairs of neighbours among them: folded, without numbers and single letters,
/// each once.
pub fn page_words(page: &Page) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for segment in page.rows.iter().flat_map(|row| &row.segments) {
        let mut words = fold_words(&page.text_of(segment));
        words.retain(|word| word.chars().count() >= 2 && word.chars().all(char::is_alphabetic));
        let pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
        found.extend(pairs);
        found.extend(words);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::testing::page;

    fn model() -> WordModel {
        serde_json::from_str(
            r#"{"types": ["payslip", "contract"],
                "weights": {"neto": [4.0, -1.0], "neto a": [2.0, 0.0], "prestamo": [-40.0, 40.0]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn words_and_pairs_are_folded_and_counted_once() {
        let words = page_words(&page(1, &["Préstamo nº 12 a plazo", "PRESTAMO"]));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words, ["nº", "nº plazo", "plazo", "prestamo", "prestamo nº"]);
    }

    #[test]
    fn evidence_is_summed_and_bounded() {
        let sum = |lines: &[&str]| -> Vec<f32> {
            let model = model();
            model.weigh(&page(1, lines)).into_iter().map(|(_, weight)| weight).collect()
        };
        let neto = 4.0 / 8f32.sqrt();
        assert_eq!(sum(&["Neto 1.200,00"]), [neto, -1.0 / 8f32.sqrt()]);
        assert_eq!(sum(&["Préstamo"]), [-MOST_EVIDENCE, MOST_EVIDENCE]);
        assert_eq!(sum(&["nada que se conozca"]), [0.0, 0.0]);
    }
}
