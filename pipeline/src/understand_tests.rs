//! Pages such as no printer makes: what was read in a child is not believed either.

use proptest::prelude::*;

use super::*;
use crate::config::{Bundle, load_document_types};
use crate::domain::{CharReading, Page, Rect, TextSource, Word};
use crate::drawn;
use crate::review::{expected, normalise};

/// Words that the readers act upon.
const WORDS: [&str; 46] = [
    "NÓMINA",
    "Trabajador:",
    "CONTRATO",
    "de",
    "préstamo",
    "Prestatario",
    "IBAN",
    "ES9121000418450200051332",
    "ES91",
    "2100",
    "DNI",
    "12345678Z",
    "X1234567L",
    "Fecha",
    "01/02/2026",
    "31.12.9999",
    "1",
    "de",
    "marzo",
    "2026",
    "Total",
    "1.234,56",
    "-0,00",
    "99999999999999999999",
    "€",
    "%",
    "TAE",
    "Saldo",
    "anterior",
    "Movimientos",
    "Importe",
    "Debe",
    "Haber",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "IDESPBAA000589599999999R<<<<<<",
    "CUPS",
    "ES0021000000000000RC",
    "kWh",
    "Firma",
    "",
    "\u{0}",
    "ﷺ",
    "e\u{301}\u{301}",
    "…",
    "ÑÑÑÑ",
];

fn number() -> impl Strategy<Value = f32> {
    const ODD: [f32; 9] =
        [0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e30, -1e30];
    prop_oneof![8 => 0.0f32..900.0, 1 => prop::sample::select(&ODD[..])]
}

fn word() -> impl Strategy<Value = Word> {
    let text = prop_oneof![9 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => "\\PC{0,12}"];
    let chars = prop::collection::vec((any::<char>(), number()), 0..4);
    (text, [number(), number(), number(), number()], chars).prop_map(
        |(text, [left, top, width, height], chars)| {
            let bounds = Rect { left, top, width, height };
            let read =
                |(ch, probability)| CharReading { ch, probability, alternatives: vec![('0', probability)] };
            Word { chars: chars.into_iter().map(read).collect(), ..drawn::word(&text, bounds) }
        },
    )
}

/// Rows of words as on paper, so that much is understood, with some words anywhere.
fn page() -> impl Strategy<Value = Page> {
    let line = prop::collection::vec(prop::sample::select(&WORDS[..]), 1..7);
    let source = prop_oneof![Just(TextSource::Native), Just(TextSource::Scan)];
    (prop::collection::vec(line, 0..14), prop::collection::vec(word(), 0..4), source, number(), number())
        .prop_map(|(lines, anywhere, source, width, height)| {
            let mut words = anywhere;
            for (row, line) in lines.iter().enumerate() {
                let mut left = 30.0;
                for text in line {
                    let width = 5.5 * text.chars().count() as f32;
                    words.push(drawn::word(text, Rect::new(left, 20.0 + 14.0 * row as f32, width, 10.0)));
                    left += width + 4.0;
                }
            }
            drawn::page(source, width, height, words)
        })
}

fn understanding() -> Understanding {
    let types = load_document_types(&Bundle::embedded_rules()).unwrap();
    Understanding::new(types, WordModel::default(), ConfidenceModel::identity())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_page_breaks_understanding(pages in prop::collection::vec(page(), 1..3)) {
        let understanding = understanding();
        let numbered = (1..).zip(pages).map(|(number, page)| Page { number, ..page });
        let reading = FileReading { pages: numbered.collect(), ..FileReading::default() };
        let files = [FilePages { name: "a.pdf", sha256: "aa", reading: &reading }];
        understanding.documents(&files, &mut Timings::default());
        let part = Part { file: "a.pdf".to_owned(), sha256: "aa".to_owned(), pages: vec![1, 2, 7] };
        for config in understanding.types() {
            understanding.read_as(config.document_type.clone(), std::slice::from_ref(&part), &files);
        }
    }

    #[test]
    fn nothing_that_people_type_breaks_a_field(input in "\\PC{0,40}") {
        for config in understanding().types() {
            for field in &config.fields {
                if let Some(expected) = expected(config, &field.name) {
                    normalise(&expected, &input);
                }
            }
        }
    }
}
