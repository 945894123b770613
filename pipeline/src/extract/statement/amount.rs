//! An amount of money at a place of a row: its digits in one or more words, with the sign, the debit or
//! credit mark and the currency beside them, and the recogniser's other readings of its digits.

use crate::domain::{Rect, Word};
use crate::extract::parse::money::{self, Sign};
use crate::extract::parse::text::{digits_put_right, is_minus};

use super::line::joined;

/// An amount as printed, in cents without sign, and everything known of its sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    pub(super) cents: i64,
    pub(super) sign: Sign,
    pub(super) currency: Option<&'static str>,
    /// The least certain of its digits, 0 to 1.
    pub(super) certainty: f32,
    /// What it may be instead, each with its cost: the logarithm of how much less likely it is.
    pub(super) others: Vec<(i64, f32)>,
}

impl Amount {
    /// With the printed sign; what has none is positive.
    pub(super) fn signed(&self) -> i64 {
        if self.sign.is_negative() { -self.cents } else { self.cents }
    }
}

/// An amount and the words it takes.
pub(super) struct FoundAmount {
    pub(super) amount: Amount,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of the digits alone, for alignment.
    pub(super) bounds: Rect,
}

/// Marks in a column of their own stand within this many text heights of their amount.
const MARK_GAP: f32 = 5.0;
/// Signs and currencies stand within this many text heights.
const SIGN_GAP: f32 = 1.6;
/// What is further away stands in another cell, in text heights, and how far one's sign may be.
const OWN_CELL: f32 = 1.0;
const SIGN_CELL: f32 = 10.0;
/// Runner-ups that are less likely than this beside the reading are not considered: a number that was
/// read with certainty and does not add up is what is printed, and must not be mended away.
const HIGHEST_COST: f32 = 5.0;

/// The amount whose digits begin at a word, if any.
pub(super) fn amount_at(words: &[Word], at: usize, height: f32, ocr: bool) -> Option<FoundAmount> {
    let count = core_length(words, at, height, ocr)?;
    let core = &words[at..at + count];
    let mut amount = read(core, ocr)?;
    let bounds = Rect::around(core.iter().map(|word| word.bounds))?;
    let (mut start, mut end) = (at, at + count);
    while let Some(word) = words.get(end) {
        let gap = word.bounds.left - words[end - 1].bounds.right();
        let next_cell = is_lone_sign(word) && gap > OWN_CELL * height;
        if next_cell && amounts_from(words, end + 1, height, ocr) > 1 {
            break;
        }
        if !absorb_after(&mut amount, &word.text, gap / height) {
            break;
        }
        end += 1;
    }
    if let Some(before) = at.checked_sub(1).and_then(|before| words.get(before)) {
        let gap = words[at].bounds.left - before.bounds.right();
        let balance_before =
            is_lone_sign(before) && at > 1 && core_length(words, at - 2, height, ocr).is_some();
        let own_cell = balance_before && amounts_from(words, end, height, ocr) > 0;
        let reach = if own_cell { SIGN_CELL } else { SIGN_GAP };
        if gap < reach * height && absorb_before(&mut amount, &before.text) {
            start = at - 1;
        }
    }
    Some(FoundAmount { amount, start, end, bounds })
}

/// A sign in a column of its own belongs to the amount before it, unless two follow: a statement may print
/// the balance before, the sign, the amount and the balance after.
fn amounts_from(words: &[Word], from: usize, height: f32, ocr: bool) -> usize {
    let (mut at, mut count) = (from, 0);
    while at < words.len() {
        let length = core_length(words, at, height, ocr);
        count += usize::from(length.is_some());
        at += length.unwrap_or(1);
    }
    count
}

fn is_lone_sign(word: &Word) -> bool {
    let mut chars = word.text.chars();
    chars.next().is_some_and(|ch| is_minus(ch) || ch == '+') && chars.next().is_none()
}

/// How many words the digits take: a recogniser may part them at their separators.
fn core_length(words: &[Word], at: usize, height: f32, ocr: bool) -> Option<usize> {
    let longest = (1..=3).take_while(|count| at + count <= words.len()).last()?;
    for count in (1..=longest).rev() {
        let core = &words[at..at + count];
        let tight = core.windows(2).all(|pair| {
            let gap = pair[1].bounds.left - pair[0].bounds.right();
            let broken = pair[0].text.ends_with(['.', ',']) || pair[1].text.starts_with(['.', ',']);
            let thousands = pair[0].text.trim_start_matches(is_minus).len() <= 3
                && pair[0].text.chars().all(|ch| ch.is_ascii_digit() || is_minus(ch))
                && pair[1].text.len() >= 6
                && pair[1].text.chars().take(3).all(|ch| ch.is_ascii_digit());
            gap < 0.6 * height && (broken || thousands && gap < 0.45 * height)
        });
        if tight && read(core, ocr).is_some() {
            return Some(count);
        }
    }
    None
}

fn read(core: &[Word], ocr: bool) -> Option<Amount> {
    let text = joined(core);
    if !text.chars().any(|ch| ch.is_ascii_digit()) {
        return None;
    }
    let clean = text.trim_matches(|ch: char| "|*_~:;=#[]{}'\"".contains(ch));
    let parsed = parse(clean).or_else(|| if ocr { parse_misread(clean) } else { None })?;
    let cents = cents_of(parsed.amount)?;
    let digits = core.iter().flat_map(|word| &word.chars).filter(|reading| reading.ch.is_alphanumeric());
    let certainty = digits.map(|reading| reading.probability).fold(1.0_f32, f32::min);
    let confidence = core.iter().map(|word| word.confidence).fold(1.0_f32, f32::min);
    Some(Amount {
        cents: cents.abs(),
        sign: parsed.sign,
        currency: parsed.currency,
        certainty: certainty.min(confidence.max(0.5)),
        others: other_readings(core, cents.abs()),
    })
}

fn parse(text: &str) -> Option<money::Money> {
    let tight: String = text.chars().filter(|ch| *ch != ' ').collect();
    let parsed = money::parse(&tight).or_else(|| money::parse(text))?;
    (parsed.decimals == 2).then_some(parsed)
}

/// With letters in place of digits, or with a separator that was not seen or seen as another.
fn parse_misread(text: &str) -> Option<money::Money> {
    let tight: String = text.chars().filter(|ch| *ch != ' ').collect();
    let tight = tight.trim_matches(['.', ',', ':', ';']).replace([':', ';'], ",");
    let digits = tight.chars().filter(char::is_ascii_digit).count();
    if digits < 2 {
        return None;
    }
    parse(&tight).or_else(|| parse(&digits_put_right(&tight))).or_else(|| {
        // `1.234.,56`, `1,234,.56`: a separator twice.
        let single: String = tight
            .char_indices()
            .filter(|(place, ch)| {
                let next = tight.get(place + ch.len_utf8()..).and_then(|rest| rest.chars().next());
                !(matches!(ch, '.' | ',') && matches!(next, Some('.' | ',')))
            })
            .map(|(_, ch)| ch)
            .collect();
        parse(&single)
    })
}

fn cents_of(amount: rust_decimal::Decimal) -> Option<i64> {
    let mut scaled = amount;
    scaled.rescale(2);
    i64::try_from(scaled.mantissa()).ok()
}

/// The same digits with one or two of them replaced by runner-ups.
fn other_readings(core: &[Word], cents: i64) -> Vec<(i64, f32)> {
    let readings: Vec<_> = core
        .iter()
        .flat_map(|word| &word.chars)
        .filter(|reading| crate::extract::parse::text::digit_like(reading.ch).is_some())
        .collect();
    let digits = readings.len();
    if digits == 0 || digits > 9 {
        return Vec::new();
    }
    let mut single: Vec<(usize, i64, f32)> = Vec::new();
    for (place, reading) in readings.iter().enumerate() {
        let Some(read) = crate::extract::parse::text::digit_like(reading.ch).and_then(|ch| ch.to_digit(10))
        else {
            continue;
        };
        let Ok(power) = u32::try_from(digits - 1 - place) else { continue };
        let weight = 10_i64.pow(power);
        for (ch, probability) in &reading.alternatives {
            let Some(other) = ch.to_digit(10).filter(|other| *other != read) else { continue };
            let cost = (reading.probability.max(1e-6) / probability.max(1e-6)).ln().clamp(0.05, 20.0);
            if cost < HIGHEST_COST {
                single.push((place, (i64::from(other) - i64::from(read)) * weight, cost));
            }
        }
    }
    let mut others: Vec<(i64, f32)> =
        single.iter().map(|(_, change, cost)| (cents + change, *cost)).collect();
    for (index, one) in single.iter().enumerate() {
        for two in single.iter().skip(index + 1).filter(|two| two.0 != one.0) {
            let cost = one.2 + two.2;
            if cost < HIGHEST_COST {
                others.push((cents + one.1 + two.1, cost));
            }
        }
    }
    others.retain(|(value, _)| *value >= 0 && *value != cents);
    others.sort_by(|a, b| a.1.total_cmp(&b.1));
    others.truncate(24);
    others
}

/// Takes a sign, a mark or a currency that follows; says whether it did.
fn absorb_after(amount: &mut Amount, text: &str, gap: f32) -> bool {
    let bare = text.trim_matches(|ch: char| ch == '.' || ch == '|');
    let mut chars = bare.chars();
    let lone = chars.next().filter(|_| chars.next().is_none());
    let unsigned = amount.sign == Sign::Unsigned;
    if let Some(ch) = lone.filter(|_| unsigned && gap < SIGN_GAP) {
        if is_minus(ch) {
            amount.sign = Sign::Minus;
            return true;
        }
        if ch == '+' {
            amount.sign = Sign::Plus;
            return true;
        }
    }
    if let Some(code) = money::currency(bare).filter(|_| gap < SIGN_GAP && amount.currency.is_none()) {
        amount.currency = Some(code);
        return true;
    }
    let short = bare.chars().count() <= 2 || matches!(bare, "DEBE" | "HABER" | "Debe" | "Haber");
    if let Some(sign) = money::mark(bare).filter(|_| unsigned && short && gap < MARK_GAP) {
        amount.sign = sign;
        return true;
    }
    false
}

/// Takes a lone sign or currency that stands before; says whether it did.
fn absorb_before(amount: &mut Amount, text: &str) -> bool {
    let mut taken = false;
    let mut rest = text;
    let mut chars = rest.chars();
    if let Some(ch) = chars.next()
        && (is_minus(ch) || ch == '+')
        && amount.sign == Sign::Unsigned
        && (chars.as_str().is_empty() || money::currency(chars.as_str()).is_some())
    {
        amount.sign = if ch == '+' { Sign::Plus } else { Sign::Minus };
        rest = chars.as_str();
        taken = true;
    }
    if let Some(code) = money::currency(rest).filter(|_| amount.currency.is_none() && !rest.is_empty()) {
        amount.currency = Some(code);
        taken = true;
    }
    taken
}
