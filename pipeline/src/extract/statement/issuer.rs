//! Who issued the statement and to whom it is addressed, where no label says so.

use crate::domain::{Page, Rect, Value};

use super::super::FieldReading;
use super::super::parse::name;
use super::super::parse::text::{fold, single_spaced};

/// Share of the first page in which a bank's name stands.
const LETTERHEAD_SHARE: f32 = 0.35;

/// Words that banks' names hold.
const BANK_WORDS: [&str; 26] = [
    "banco",
    "banca",
    "bank",
    "caja",
    "caixa",
    "kutxa",
    "credito",
    "rural",
    "savings",
    "mutual",
    "building",
    "society",
    "credit",
    "union",
    "banking",
    "bancaria",
    "cajamar",
    "ahorros",
    "postal",
    "trust",
    "cooperativa",
    "banque",
    "banc",
    "finance",
    "financial",
    "popular",
];
/// Words that headings of statements and addresses hold, and banks' names do not.
const OTHER_WORDS: [&str; 68] = [
    "libreta",
    "vista",
    "nomina",
    "producto",
    "tarjeta",
    "tarjetas",
    "visa",
    "modalidad",
    "extracto",
    "cuenta",
    "statement",
    "account",
    "movimientos",
    "transactions",
    "titular",
    "holder",
    "iban",
    "bic",
    "periodo",
    "period",
    "fecha",
    "date",
    "saldo",
    "balance",
    "pagina",
    "page",
    "oficina",
    "branch",
    "sucursal",
    "telefono",
    "telephone",
    "tel",
    "calle",
    "avenida",
    "plaza",
    "paseo",
    "street",
    "road",
    "cliente",
    "customer",
    "resumen",
    "summary",
    "emision",
    "generado",
    "issued",
    "numero",
    "number",
    "moneda",
    "currency",
    "swift",
    "nif",
    "cif",
    "hoja",
    "www",
    "com",
    "concepto",
    "importe",
    "mensual",
    "monthly",
    "corriente",
    "current",
    "apuntes",
    "documento",
    "document",
    "domicilio",
    "address",
    "entidad",
    "direccion",
];

struct Candidate {
    text: String,
    page_index: usize,
    bounds: Rect,
    score: f32,
}

/// The bank's name as the letterhead prints it: told by its words, its size and that it is repeated,
/// such as before a legal form in the foot.
pub(super) fn bank_name(pages: &[&Page]) -> Option<FieldReading> {
    let first = pages.first()?;
    let all: String =
        pages.iter().map(|page| fold(&single_spaced(&page.text()))).collect::<Vec<_>>().join(" ");
    let median = first.median_word_height();
    let mut best: Option<Candidate> = None;
    for row in &first.rows {
        for segment in &row.segments {
            let text = brand(&first.text_of(segment));
            let folded = fold(&text);
            let words: Vec<&str> = folded.split_whitespace().collect();
            let wordy = text.chars().all(|ch| ch.is_alphabetic() || " .'&-·".contains(ch));
            let other = words
                .iter()
                .any(|word| OTHER_WORDS.contains(&word.trim_matches(|ch: char| !ch.is_alphabetic())));
            let in_head = segment.bounds.center_y() < LETTERHEAD_SHARE * first.height;
            if words.is_empty() || words.len() > 6 || !wordy || other || folded.len() < 4 || !in_head {
                continue;
            }
            let repeats = all.matches(folded.as_str()).count().saturating_sub(1).min(4) as f32;
            let banked = words.iter().any(|word| BANK_WORDS.contains(word));
            let size = (segment.bounds.height / median).clamp(0.5, 3.0);
            let legal = all.contains(&format!("{folded}, s.a"))
                || all.contains(&format!("{folded} plc"))
                || all.contains(&format!("{folded}, s. coop"))
                || all.contains(&format!("{folded} s.a"));
            let score = 0.15 * repeats
                + if banked { 1.0 } else { 0.0 }
                + 0.3 * (size - 1.0)
                + if legal { 0.8 } else { 0.0 }
                - 0.8 * (segment.bounds.top / first.height);
            if score > 0.45 && best.as_ref().is_none_or(|known| score > known.score) {
                best = Some(Candidate { text, page_index: 0, bounds: segment.bounds, score });
            }
        }
    }
    let best = best.or_else(|| from_foot(first))?;
    Some(reading(best.text, best.page_index, best.bounds, (0.45 + 0.3 * best.score).clamp(0.3, 0.95)))
}

/// Nothing above: the legal name in the foot of the page.
fn from_foot(page: &Page) -> Option<Candidate> {
    for row in page.rows.iter().rev() {
        for segment in &row.segments {
            let text = page.text_of(segment);
            let head = text.split(['·', '|']).next().unwrap_or_default().trim();
            let sentence = head.split(". ").next().unwrap_or_default();
            let banked = fold(sentence).split_whitespace().any(|word| BANK_WORDS.contains(&word));
            if banked && name::has_legal_form(sentence) && sentence.split_whitespace().count() <= 8 {
                let text = brand(sentence);
                return Some(Candidate { text, page_index: 0, bounds: segment.bounds, score: 0.4 });
            }
        }
    }
    None
}

/// Without legal form and marks: `Banco del Norte, S.A.` → `Banco del Norte`.
fn brand(text: &str) -> String {
    let text = single_spaced(text);
    let head = text.split(',').next().unwrap_or_default();
    let mut words: Vec<&str> = head.split(' ').collect();
    while words.len() > 1 {
        let last: String = fold(words[words.len() - 1]).chars().filter(|ch| ch.is_alphabetic()).collect();
        if !matches!(last.as_str(), "sa" | "sau" | "plc" | "ltd" | "dac" | "scc" | "sl" | "limited") {
            break;
        }
        words.pop();
    }
    words.join(" ").trim_matches(|ch: char| !ch.is_alphanumeric()).to_owned()
}

/// The people over the address block: names, then one or two lines of street, then postcode and town.
pub(super) fn addressee(pages: &[&Page]) -> Option<FieldReading> {
    let page = pages.first()?;
    let segments: Vec<(String, Rect)> = page
        .rows
        .iter()
        .flat_map(|row| &row.segments)
        .map(|segment| (page.text_of(segment), segment.bounds))
        .collect();
    for (_, town) in segments.iter().filter(|(text, _)| is_town(text)) {
        let above = |other: &&(String, Rect)| {
            let gap = town.top - other.1.bottom();
            gap > -0.3 * town.height
                && gap < 7.0 * town.height
                && (other.1.left - town.left).abs() < 1.5 * town.height
        };
        let mut block: Vec<&(String, Rect)> = segments.iter().filter(above).collect();
        block.sort_by(|a, b| b.1.top.total_cmp(&a.1.top));
        let mut people: Vec<&(String, Rect)> = Vec::new();
        for line in block {
            if is_holder(&line.0) {
                people.push(line);
            } else if !people.is_empty() || !is_street(&line.0) {
                break;
            }
        }
        people.reverse();
        if let Some(bounds) = Rect::around(people.iter().map(|(_, bounds)| *bounds)) {
            let names: Vec<String> = people.iter().map(|(text, _)| name::clean(text)).collect();
            return Some(reading(names.join("; "), 0, bounds, 0.75));
        }
    }
    None
}

fn is_holder(text: &str) -> bool {
    let cleaned = name::clean(text);
    let banked = fold(&cleaned)
        .split_whitespace()
        .any(|word| BANK_WORDS.contains(&word) || OTHER_WORDS.contains(&word));
    name::is_person(&cleaned) && !banked && !is_street(&cleaned)
}

/// A label's holder with those that are named beside or below: `A / B`, `A y B`, one to a line.
pub(super) fn joint(
    pages: &[&Page],
    labelled: &FieldReading,
    addressed: Option<&FieldReading>,
) -> Option<FieldReading> {
    let page = pages.get(labelled.page_index)?;
    let holder = labelled.value.as_text()?;
    let row =
        page.rows.iter().find(|row| row.bounds.overlap_y(&labelled.bounds) > 0.5 * labelled.bounds.height)?;
    let words = row.segments.iter().flat_map(|segment| page.words_of(segment));
    let from: Vec<&str> = words
        .filter(|word| word.bounds.right() > labelled.bounds.left + 0.1 * word.bounds.width)
        .map(|word| word.text.as_str())
        .collect();
    let mut people = split_people(&from.join(" "), holder, addressed);
    if people.len() <= 1 {
        people = vec![name::clean(holder)];
        let mut above = labelled.bounds;
        let lefts = row.segments.iter().map(|segment| segment.bounds);
        let label = lefts
            .filter(|bounds| bounds.right() < labelled.bounds.left)
            .max_by(|a, b| a.left.total_cmp(&b.left));
        for (row, segment) in
            page.rows.iter().flat_map(|row| row.segments.iter().map(move |segment| (row, segment)))
        {
            // A line with a label of its own says something else.
            let other_label = label.is_some_and(|label| {
                row.segments.iter().any(|segment| segment.bounds.overlap_x(&label) > 0.0)
            });
            if other_label {
                continue;
            }
            let gap = segment.bounds.top - above.bottom();
            let below = gap > -0.3 * above.height
                && gap < 1.2 * above.height
                && segment.bounds.top > above.center_y();
            let aligned = (segment.bounds.left - labelled.bounds.left).abs() < above.height;
            let text = page.text_of(segment);
            let known = people.iter().any(|person| fold(person) == fold(&name::clean(&text)));
            if below && aligned && is_holder(&text) && !known {
                people.push(name::clean(&text));
                above = segment.bounds;
            }
        }
    }
    if people.len() < 2 || people.len() > 4 {
        return None;
    }
    let text = people.join("; ");
    Some(FieldReading {
        raw: text.clone(),
        value: Value::Text(text),
        score: 0.9 * labelled.score,
        ..labelled.clone()
    })
}

/// People named one after the other. A comma parts people only where the address names the first of
/// them, since it also parts surnames from given names.
fn split_people(text: &str, holder: &str, addressed: Option<&FieldReading>) -> Vec<String> {
    let spaced = format!(" {} ", single_spaced(text));
    let strong = spaced
        .replace(" y ", "|")
        .replace(" e ", "|")
        .replace(" and ", "|")
        .replace(" Y ", "|")
        .replace(" i ", "|");
    let strong = strong.replace(['/', '&', '·', ';', '+'], "|");
    let mut parts: Vec<String> = strong.split('|').map(name::clean).collect();
    let first = parts.first().cloned().unwrap_or_default();
    let comma: Vec<String> = first.split(',').map(name::clean).collect();
    let addressed_first = addressed.and_then(|reading| reading.value.as_text()).is_some_and(|name| {
        comma.len() > 1 && fold(name.split(';').next().unwrap_or_default()) == fold(&comma[0])
    });
    if addressed_first
        || comma.len() > 1 && comma.iter().all(|part| part.split(' ').count() >= 3 && is_holder(part))
    {
        parts.splice(0..1, comma);
    }
    let mut people: Vec<String> = parts.into_iter().take_while(|part| is_holder(part)).collect();
    people.dedup();
    let begins = people.first().is_some_and(|first| {
        fold(holder).starts_with(&fold(first)) || fold(first).starts_with(&fold(holder))
    });
    if begins { people } else { Vec::new() }
}

fn is_town(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let code =
        words.next().is_some_and(|word| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit()));
    code && words.next().is_some_and(|word| word.chars().next().is_some_and(char::is_uppercase))
}

fn is_street(text: &str) -> bool {
    const STREETS: [&str; 16] = [
        "calle",
        "c/",
        "avenida",
        "avda",
        "av",
        "plaza",
        "pl",
        "paseo",
        "pso",
        "camino",
        "ronda",
        "travesia",
        "carretera",
        "carrer",
        "rua",
        "urbanizacion",
    ];
    let folded = fold(text);
    let first = folded.split_whitespace().next().unwrap_or_default().trim_end_matches(['.', ',']);
    STREETS.contains(&first) || text.chars().any(|ch| ch.is_ascii_digit())
}

fn reading(text: String, page_index: usize, bounds: Rect, score: f32) -> FieldReading {
    FieldReading {
        raw: text.clone(),
        value: Value::Text(text),
        score,
        page_index,
        bounds,
        checks: Vec::new(),
        repaired: false,
    }
}
