//! Spanish and English: which one a person gets, and the texts of the pages.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use dossier::rules;
use dossier::store::User;

static SPANISH: LazyLock<Messages> =
    LazyLock::new(|| Messages::parse(include_str!("../../messages/es.toml")));
static ENGLISH: LazyLock<Messages> =
    LazyLock::new(|| Messages::parse(include_str!("../../messages/en.toml")));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    #[default]
    Spanish,
    English,
}

impl Language {
    pub(crate) fn parse(code: &str) -> Option<Self> {
        match code {
            "es" => Some(Language::Spanish),
            "en" => Some(Language::English),
            _ => None,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::Spanish => "es",
            Language::English => "en",
        }
    }

    /// What the user set, else the first that the browser asks for and there is.
    pub(crate) fn chosen(user: Option<&User>, headers: &HeaderMap) -> Self {
        if let Some(language) = user.and_then(|user| user.language.as_deref()).and_then(Self::parse) {
            return language;
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let mut tags = accepted.unwrap_or_default().split(',');
        tags.find_map(|tag| Self::parse(tag.trim().get(..2)?)).unwrap_or_default()
    }

    /// The text for a key; the key itself when it is missing, which a test keeps from happening.
    pub(crate) fn text(self, key: &str) -> &str {
        match self {
            Language::Spanish => SPANISH.get(key),
            Language::English => ENGLISH.get(key),
        }
    }

    /// All texts of a family by what follows its name and the point: `outcome` gives `accept`, `reject`…
    pub(crate) fn family(self, name: &str) -> BTreeMap<&'static str, &'static str> {
        let messages: &'static Messages = match self {
            Language::Spanish => &SPANISH,
            Language::English => &ENGLISH,
        };
        let texts = messages.0.iter();
        texts
            .filter_map(|(key, text)| Some((key.strip_prefix(name)?.strip_prefix('.')?, text.as_str())))
            .collect()
    }

    pub(crate) fn of_rules(self) -> rules::Language {
        match self {
            Language::Spanish => rules::Language::Es,
            Language::English => rules::Language::En,
        }
    }
}

#[derive(Debug)]
struct Messages(BTreeMap<String, String>);

impl Messages {
    fn parse(text: &str) -> Self {
        // The files are part of the program; a test reads them.
        Self(toml::from_str(text).unwrap_or_default())
    }

    fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_texts() {
        let keys = |messages: &Messages| messages.0.keys().cloned().collect::<Vec<_>>();
        assert!(SPANISH.0.len() > 50, "the Spanish texts cannot be read");
        assert_eq!(keys(&SPANISH), keys(&ENGLISH));
    }

    #[test]
    fn every_text_that_a_template_asks_for_is_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut asked = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let template = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for rest in template.split("page.t(\"").skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(SPANISH.0.contains_key(key), "{key} has no text");
                asked += 1;
            }
        }
        assert!(asked > 30, "only {asked} texts are asked for");
    }

    #[test]
    fn every_text_that_the_stations_scripts_say_is_there() {
        let texts = Language::English.family("station.say");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static/station");
        let mut said = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let script = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for rest in script.split("say('").skip(1) {
                let key = rest.split('\'').next().unwrap();
                assert!(texts.contains_key(key), "station.say.{key} has no text");
                said += 1;
            }
        }
        assert!(said > 20, "only {said} texts are said");
    }

    #[test]
    fn the_browser_chooses_unless_the_user_did() {
        let mut headers = HeaderMap::new();
        assert_eq!(Language::chosen(None, &headers), Language::Spanish);
        headers.insert(header::ACCEPT_LANGUAGE, "fr-FR,en-GB;q=0.8,es;q=0.5".parse().unwrap());
        assert_eq!(Language::chosen(None, &headers), Language::English);
    }
}
