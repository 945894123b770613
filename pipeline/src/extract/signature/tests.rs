//! Pages set in letters, with lines and ink: what is said of the borrower's signature, and how surely.

use crate::config::{Bundle, DocumentTypeConfig, load_document_types};
use crate::domain::{InkMark, Page, Rect, RuleLine, TextSource, Value, Word};
use crate::drawn;
use crate::extract::FieldReading;
use crate::extract::labels::read_pages;

use super::typed::says_signed;

/// Points: letters are 6 wide and 10 high, lines 14 apart.
const LINE: f32 = 14.0;
const NAME: &str = "Marta Ruiz Soler";

struct Drawn {
    words: Vec<Word>,
    marks: Vec<InkMark>,
    rules: Vec<RuleLine>,
}

impl Drawn {
    fn new() -> Self {
        let mut drawn = Self { words: vec![], marks: vec![], rules: vec![] };
        for line in 0..8 {
            drawn = drawn.text(
                40.0,
                60.0 + LINE * line as f32,
                "El tipo de interés se aplica a los saldos y se paga al final de cada mes",
            );
        }
        drawn
    }

    fn text(mut self, left: f32, top: f32, text: &str) -> Self {
        let mut column = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            let bounds = Rect::new(left + 6.0 * column as f32, top, 6.0 * length as f32, 10.0);
            self.words.push(drawn::word(word, bounds));
            column += length + 1;
        }
        self
    }

    fn line(mut self, left: f32, y: f32, width: f32) -> Self {
        self.rules.push(RuleLine { bounds: Rect::new(left, y, width, 0.5), horizontal: true });
        self
    }

    fn frame(mut self, left: f32, top: f32, width: f32, height: f32) -> Self {
        for x in [left, left + width] {
            self.rules.push(RuleLine { bounds: Rect::new(x, top, 0.5, height), horizontal: false });
        }
        self.line(left, top, width).line(left, top + height, width)
    }

    fn mark(mut self, bounds: Rect, ink_ratio: f32, scribble: f32) -> Self {
        let colour = [20, 30, 120];
        self.marks.push(InkMark { bounds, ink_ratio, pieces: 2, stroke_width: 1.2, scribble, colour });
        self
    }

    fn hand(self, left: f32, top: f32) -> Self {
        self.mark(Rect::new(left, top, 110.0, 36.0), 0.12, 0.75)
    }

    fn read(self) -> Option<FieldReading> {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let config: &DocumentTypeConfig =
            types.iter().find(|config| config.document_type.as_str() == "contract").unwrap();
        let field = config.fields.iter().position(|field| field.name == "borrower_signed").unwrap();
        let page = Page {
            marks: self.marks,
            rules: self.rules,
            ..drawn::page(TextSource::Native, 595.0, 842.0, self.words)
        };
        super::read(field, Some(NAME), &read_pages(config, &[&page]))
    }

    fn said(self) -> Option<(bool, f32)> {
        self.read().map(|reading| (reading.value == Value::Boolean(true), reading.score))
    }
}

/// Label over the space, line and name under it, lender to the left.
fn two_columns() -> Drawn {
    Drawn::new()
        .text(40.0, 500.0, "Y en prueba de conformidad firman las partes")
        .text(60.0, 530.0, "Por el prestamista")
        .line(60.0, 600.0, 180.0)
        .text(60.0, 606.0, "Carlos Vega Prado")
        .text(330.0, 530.0, "El prestatario")
        .line(330.0, 600.0, 180.0)
        .text(330.0, 606.0, NAME)
}

/// Line with the label under it, one party over the other.
fn stacked_over_labels() -> Drawn {
    Drawn::new()
        .text(40.0, 440.0, "Signed by the parties")
        .line(40.0, 500.0, 180.0)
        .text(40.0, 504.0, "Signature of the borrower")
        .line(40.0, 570.0, 180.0)
        .text(40.0, 574.0, "For the lender")
}

fn boxed() -> Drawn {
    Drawn::new()
        .frame(40.0, 600.0, 240.0, 70.0)
        .text(46.0, 604.0, "FIRMA DEL TITULAR")
        .frame(290.0, 600.0, 240.0, 70.0)
        .text(296.0, 604.0, "LA ENTIDAD FINANCIERA")
}

#[test]
fn strong_evidence_scores_near_one_and_weak_evidence_lower() {
    let stamp = Rect::new(320.0, 618.0, 90.0, 40.0);
    let cases: Vec<(&str, Drawn, bool, f32, f32)> = vec![
        ("both signed", two_columns().hand(70.0, 550.0).hand(350.0, 550.0), true, 0.88, 1.0),
        ("the lender alone", two_columns().hand(70.0, 550.0), false, 0.88, 1.0),
        ("nobody", two_columns(), false, 0.8, 0.95),
        ("over the label", two_columns().hand(70.0, 550.0).hand(340.0, 522.0), true, 0.75, 1.0),
        ("between the two", two_columns().hand(205.0, 550.0), true, 0.0, 0.7),
        (
            "a faint mark",
            two_columns().hand(70.0, 550.0).mark(Rect::new(350.0, 560.0, 16.0, 12.0), 0.02, 0.1),
            false,
            0.5,
            0.87,
        ),
        ("above its label", stacked_over_labels().hand(60.0, 460.0), true, 0.85, 1.0),
        ("the lender over its label", stacked_over_labels().hand(60.0, 530.0), false, 0.8, 1.0),
        ("in its box", boxed().hand(80.0, 622.0), true, 0.9, 1.0),
        ("the company's stamp in its box", boxed().mark(stamp, 0.2, 0.2), false, 0.88, 1.0),
        (
            "a stamp in the customer's box",
            boxed().mark(Rect::new(90.0, 620.0, 60.0, 40.0), 0.5, 0.1),
            true,
            0.3,
            0.75,
        ),
    ];
    for (name, drawn, signed, least, most) in cases {
        let said = drawn.said();
        let fits = said.is_some_and(|(read, score)| read == signed && (least..=most).contains(&score));
        assert!(fits || least == 0.0 && said.is_none_or(|(_, score)| score <= most), "{name}: {said:?}");
    }
}

#[test]
fn a_name_tells_whose_a_bare_label_is() {
    let page = || {
        Drawn::new().text(40.0, 500.0, "Firmado en Soria").text(40.0, 600.0, "Fdo.: Marta Ruiz Soler").text(
            330.0,
            600.0,
            "Fdo.: Carlos Vega Prado",
        )
    };
    let both = page().hand(60.0, 550.0).hand(350.0, 550.0).said();
    assert!(both.is_some_and(|(signed, score)| signed && score > 0.7), "{both:?}");
    let other = page().hand(350.0, 550.0).said();
    assert!(other.is_some_and(|(signed, score)| !signed && score > 0.7), "{other:?}");
}

#[test]
fn a_second_holders_hand_is_not_the_borrowers() {
    let page = || {
        Drawn::new()
            .frame(40.0, 600.0, 240.0, 70.0)
            .text(46.0, 604.0, "Firma del titular")
            .frame(290.0, 600.0, 240.0, 70.0)
            .text(296.0, 604.0, "Firma del avalista")
    };
    assert!(page().hand(340.0, 622.0).said().is_some_and(|(signed, score)| !signed && score > 0.85));
    assert!(page().hand(90.0, 622.0).said().is_some_and(|(signed, score)| signed && score > 0.85));
}

#[test]
fn places_at_odds_lower_the_score() {
    let page = || {
        Drawn::new()
            .frame(40.0, 400.0, 240.0, 70.0)
            .text(46.0, 404.0, "Firma del titular")
            .frame(40.0, 600.0, 240.0, 70.0)
            .text(46.0, 604.0, "Firma del titular")
    };
    let both = page().hand(80.0, 422.0).hand(80.0, 622.0).said();
    let one = page().hand(80.0, 422.0).said();
    let (Some((true, both)), Some((true, one))) = (both, one) else { panic!("{both:?} {one:?}") };
    assert!(both > 0.9 && one < both - 0.1, "{both} {one}");
}

#[test]
fn a_signature_in_print_counts_when_it_is_the_borrowers() {
    let page = |text: &str| boxed().text(46.0, 630.0, text);
    let named = page("Firmado electrónicamente por Marta Ruiz").said();
    assert!(named.is_some_and(|(signed, score)| signed && (0.5..0.8).contains(&score)), "{named:?}");
    let headed = page("Firma electrónica de Marta Ruiz").said();
    assert!(headed.is_some_and(|(signed, _)| signed), "{headed:?}");
    let service = page("Servicio de firma electrónica").said();
    assert!(service.is_some_and(|(signed, _)| !signed), "{service:?}");
    let lender = boxed().text(300.0, 630.0, "Firmado digitalmente por Banco Sur").said();
    assert!(lender.is_some_and(|(signed, _)| !signed), "{lender:?}");
}

#[test]
fn what_says_that_somebody_signed_by_machine() {
    for (text, said) in [
        ("Firmado electrónicamente por Marta Ruiz", true),
        ("Firmado digitalmente por: Marta Ruiz", true),
        ("Firma electrónica de Marta Ruiz", false),
        ("Electronically signed by Marta Ruiz", true),
        ("Digitally signed by Marta Ruiz", true),
        ("Signed electronically: Marta Ruiz", true),
        ("Puede firmar electrónicamente en su oficina", false),
        ("Servicio de firma digital", false),
        ("Fdo.: Marta Ruiz", false),
        ("Signed by the borrower", false),
    ] {
        assert_eq!(says_signed(text), said, "{text}");
    }
}
