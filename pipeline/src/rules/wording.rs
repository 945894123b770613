//! The sentences that people get: a flow's messages and `wording.toml`, which all flows share.

use std::collections::BTreeMap;

use rhai::Dynamic;
use serde::Deserialize;

use super::date::Date;
use super::flow::{Language, Wording};

/// `wording.toml`: how documents, fields and the engine's own reasons are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedWording {
    /// By document type, with its article.
    pub(super) documents: BTreeMap<String, Wording>,
    /// By field, or by `document_type.field` where one document calls it otherwise.
    pub(super) fields: BTreeMap<String, Wording>,
    /// What a check of a value looks at, by the check's name.
    #[serde(default)]
    pub(super) checks: BTreeMap<String, Wording>,
    /// What rules give beside the outcome, by the output's name.
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, Wording>,
    /// Parts of sentences: `or`, `only_front`, `only_back`, `uncertain_field`, `absent_field`.
    pub(super) phrases: BTreeMap<String, Wording>,
    /// Messages of codes that every flow may give.
    pub(super) messages: BTreeMap<String, Wording>,
}

/// Messages in one language.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    language: Language,
    shared: SharedWording,
    by_code: BTreeMap<String, Wording>,
}

impl Messages {
    pub(super) fn new(language: Language, shared: SharedWording, own: BTreeMap<String, Wording>) -> Self {
        let mut by_code = shared.messages.clone();
        by_code.extend(own);
        Self { language, shared, by_code }
    }

    /// What people call a field.
    pub(super) fn field_in(&self, document: &str, field: &str, language: Language) -> String {
        let path = format!("{document}.{field}");
        let wording = self.shared.fields.get(&path).or_else(|| self.shared.fields.get(field));
        wording.map_or_else(|| field.replace('_', " "), |wording| wording.in_language(language).to_owned())
    }

    /// What people call a declared value where it is plain that it was declared: as in a document, else
    /// as in the sentences that set it against one.
    pub(super) fn declared_in(&self, path: &str, language: Language) -> String {
        let mut parts = path.rsplit('.');
        let field = parts.next().unwrap_or(path);
        // `claim.type` is a claim form's `claim_type`.
        let whole = parts.next().map(|parent| format!("{parent}_{field}")).unwrap_or_default();
        let names = [field, &whole, &format!("declared.{path}")];
        let wording = names.into_iter().find_map(|name| self.shared.fields.get(name));
        wording.map_or_else(|| path.to_owned(), |wording| wording.in_language(language).to_owned())
    }

    /// What people call a check; its name when nobody gave it another.
    pub(super) fn check_in(&self, check: &str, language: Language) -> String {
        named(&self.shared.checks, check, language)
    }

    /// What people call an output; its name when nobody gave it another.
    pub(super) fn output_in(&self, output: &str, language: Language) -> String {
        named(&self.shared.outputs, output, language)
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.by_code.contains_key(code)
    }

    /// The sentence for a code with its placeholders filled; the code itself when it has none. A detail
    /// `variant` chooses the message `CODE.variant`.
    pub(super) fn text(&self, code: &str, details: &BTreeMap<String, Dynamic>) -> String {
        let variant = details.get("variant").map(|variant| format!("{code}.{variant}"));
        let wording = variant.and_then(|key| self.by_code.get(&key)).or_else(|| self.by_code.get(code));
        let Some(wording) = wording else { return code.to_owned() };
        let texts = details.iter().map(|(name, value)| (name.as_str(), self.show(value)));
        capitalise(&fill(wording.in_language(self.language), texts))
    }

    /// What people call a needed document; alternatives are joined by "or".
    pub(super) fn document(&self, types: &str) -> String {
        self.document_in(types, self.language)
    }

    pub(super) fn document_in(&self, types: &str, language: Language) -> String {
        let names = types.split('|').map(|name| match self.shared.documents.get(name) {
            Some(wording) => wording.in_language(language).to_owned(),
            None => name.to_owned(),
        });
        let or = self.shared.phrases.get("or").map_or("", |wording| wording.in_language(language));
        names.collect::<Vec<_>>().join(or)
    }

    /// The sentence part for a card of which only `side` (`front` or `back`) came.
    pub(super) fn side(&self, side: &str, document: &str) -> String {
        fill(self.phrase(&format!("only_{side}")), [("document", document.to_owned())].into_iter())
    }

    /// The sentence for a field that was not read, or not surely.
    pub(super) fn open_field(&self, path: &str, is_absent: bool) -> String {
        let (document, field) = path.split_once('.').unwrap_or(("", path));
        let wording = self.shared.fields.get(path).or_else(|| self.shared.fields.get(field));
        let field = wording.map_or(field, |wording| wording.in_language(self.language)).to_owned();
        let values = [("document", self.document(document)), ("field", field)];
        let phrase = if is_absent { "absent_field" } else { "uncertain_field" };
        capitalise(&fill(self.phrase(phrase), values.into_iter()))
    }

    fn phrase(&self, name: &str) -> &str {
        self.shared.phrases.get(name).map_or("", |wording| wording.in_language(self.language))
    }

    /// A value as people of the language write it.
    fn show(&self, value: &Dynamic) -> String {
        if let Some(date) = value.clone().try_cast::<Date>() {
            return match self.language {
                Language::Es => date.0.format("%d/%m/%Y").to_string(),
                Language::En => date.0.to_string(),
            };
        }
        if let Ok(number) = value.as_decimal() {
            return match self.language {
                Language::Es => number.to_string().replace('.', ","),
                Language::En => number.to_string(),
            };
        }
        match value.clone().into_string() {
            // A document type is shown by its name.
            Ok(text) if self.shared.documents.contains_key(&text) => self.document(&text),
            // So are checks, of which there may be several.
            Ok(text) if text.split(", ").all(|check| self.shared.checks.contains_key(check)) => {
                let names = text.split(", ").map(|check| self.check_in(check, self.language));
                names.collect::<Vec<_>>().join(", ")
            }
            Ok(text) => text,
            Err(_) => value.to_string(),
        }
    }
}

fn named(names: &BTreeMap<String, Wording>, code: &str, language: Language) -> String {
    names.get(code).map_or_else(|| code.to_owned(), |wording| wording.in_language(language).to_owned())
}

fn fill<'a>(template: &str, values: impl Iterator<Item = (&'a str, String)>) -> String {
    values.fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value))
}

/// Begins with a capital; Spanish articles contract (`de el` is `del`).
fn capitalise(sentence: &str) -> String {
    let sentence = sentence.replace(" de el ", " del ").replace(" a el ", " al ");
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
