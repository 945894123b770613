//! What letters to applicants say: `mail.toml` of the rules, in the flow's language.

use std::collections::BTreeMap;

use lettre::Address;
use serde::{Deserialize, Serialize};

use super::{News, Occasion};
use crate::config::{Bundle, BundleError};
use crate::domain::Outcome;
use crate::rules::{Flow, Wording};

const FILE: &str = "mail.toml";
/// What may stand in braces.
const PLACES: [&str; 5] = ["reference", "flow", "name", "message", "reasons"];

#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("cannot understand {FILE}")]
    Form(#[source] Box<toml::de::Error>),
    #[error("{FILE} has no letter {0}")]
    Missing(&'static str),
    #[error("the letter {letter} of {FILE} has an unknown place {{{place}}}; known are {known}", known = PLACES.join(", "))]
    Place { letter: String, place: String },
}

/// The letters by name.
#[derive(Debug, Clone, Default)]
pub struct LetterWords(BTreeMap<String, Words>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    subject: Wording,
    text: Wording,
}

/// A letter as it waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

const NAMES: [&str; 5] = ["accepted", "rejected", "documents_needed", "reminder", "expired"];

impl LetterWords {
    /// Reads and checks the letters.
    ///
    /// # Errors
    /// When one is missing or has a place that nothing fills.
    pub fn of(rules: &Bundle) -> Result<Self, WordsError> {
        let words: BTreeMap<String, Words> =
            toml::from_str(rules.text(FILE)?).map_err(|error| WordsError::Form(Box::new(error)))?;
        if let Some(missing) = NAMES.into_iter().find(|name| !words.contains_key(*name)) {
            return Err(WordsError::Missing(missing));
        }
        for (letter, words) in &words {
            for text in [&words.subject.es, &words.subject.en, &words.text.es, &words.text.en] {
                let mut places = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
                if let Some((place, _)) = places.find(|(place, _)| !PLACES.contains(place)) {
                    return Err(WordsError::Place { letter: letter.clone(), place: place.to_owned() });
                }
            }
        }
        Ok(Self(words))
    }

    /// The letter to the applicant, as JSON; `None` without an address, or where there is nothing to say.
    pub(super) fn letter(&self, flow: &Flow, news: News<'_>) -> Option<String> {
        let applicant = &news.declared["applicant"];
        let to = applicant["email"].as_str().map(str::trim).filter(|to| to.parse::<Address>().is_ok())?;
        let name = match (news.occasion, news.result.outcome) {
            (Occasion::Decided, Outcome::Accept) => "accepted",
            (Occasion::Decided, _) => "rejected",
            (Occasion::DocumentsRequested, _) => "documents_needed",
            (Occasion::Reminded, _) => "reminder",
            (Occasion::Expired, _) => "expired",
            (Occasion::InReview, _) => return None,
        };
        let words = self.0.get(name)?;
        let language = flow.config.language;
        let reasons: Vec<String> =
            news.result.reasons.iter().map(|reason| format!("- {}", reason.message)).collect();
        let reasons = reasons.join("\n");
        let values = [
            ("reference", news.result.reference.as_str()),
            ("flow", flow.config.title.in_language(language)),
            ("name", applicant["given_names"].as_str().unwrap_or_default()),
            ("message", news.message),
            ("reasons", &reasons),
        ];
        let letter = Letter {
            to: to.to_owned(),
            subject: one_line(&filled(words.subject.in_language(language), &values)),
            text: filled(words.text.in_language(language), &values),
        };
        serde_json::to_string(&letter).ok()
    }
}

/// The text with its places filled. What fills one is not looked at again.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut pieces = text.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let Some((place, rest)) = piece.split_once('}') else { continue };
        let value = values.iter().find(|(name, _)| *name == place).map_or("", |(_, value)| value);
        filled.push_str(value);
        filled.push_str(rest);
    }
    // A name that nobody declared leaves no hole before a comma.
    filled.replace(" ,", ",").replace(" :", ":")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::testing::plain_result;

    fn letter(occasion: Occasion, outcome: Outcome, declared: &serde_json::Value) -> Option<Letter> {
        let rules = Bundle::embedded_rules();
        let flow = Flow::load(&rules, "energy_claim").unwrap();
        let result = plain_result("E-7", outcome);
        let news = News { occasion, result: &result, declared, message: "Necesitamos:\n- la factura" };
        let text = LetterWords::of(&rules).unwrap().letter(&flow, news)?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn an_applicant_gets_the_letter_for_what_happened() {
        let ana = json!({"applicant": {"email": " ana@example.org ", "given_names": "Ana {message}"}});
        let accepted = letter(Occasion::Decided, Outcome::Accept, &ana).unwrap();
        assert_eq!(accepted.to, "ana@example.org");
        assert!(accepted.subject.contains("E-7"), "{}", accepted.subject);
        assert!(
            accepted.text.contains("Ana {message},"),
            "what people wrote fills nothing: {}",
            accepted.text
        );
        let rejected = letter(Occasion::Decided, Outcome::Reject, &ana).unwrap();
        assert_ne!(rejected.text, accepted.text);
        let asked = letter(Occasion::DocumentsRequested, Outcome::RequestDocuments, &ana).unwrap();
        assert!(asked.text.contains("- la factura"));
        assert!(letter(Occasion::Reminded, Outcome::RequestDocuments, &ana).is_some());
        assert_eq!(letter(Occasion::InReview, Outcome::Review, &ana), None);
        for nobody in
            [json!({}), json!({"applicant": {"email": "x"}}), json!({"applicant": {"email": "a@b\r\nc"}})]
        {
            assert_eq!(letter(Occasion::Decided, Outcome::Accept, &nobody), None);
        }
        let unnamed = letter(Occasion::Decided, Outcome::Accept, &json!({"applicant": {"email": "a@b.es"}}));
        assert!(!unnamed.unwrap().text.contains(" ,"));
    }

    #[test]
    fn a_letter_with_a_place_that_nothing_fills_is_refused() {
        let rules = Bundle::embedded_rules();
        let text = rules.text(FILE).unwrap().replace("{reference}", "{iban}");
        let changed = Bundle::from_files([(FILE.to_owned(), text.into_bytes())]);
        let told = LetterWords::of(&changed).unwrap_err().to_string();
        assert!(told.contains("{iban}"), "{told}");
        let empty = Bundle::from_files([(FILE.to_owned(), Vec::new())]);
        assert!(matches!(LetterWords::of(&empty), Err(WordsError::Missing("accepted"))));
    }
}
