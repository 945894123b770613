//! A zone's lines made whole: lengths fitted, characters settled by class, check digits verified and
//! used for repair, fields split.

use chrono::{Datelike, NaiveDate};

use crate::domain::{Check, Rect};

use super::super::parse::repair::all_among;
use super::format::{MrzFormat, check_digit};
use super::lines::{Line, Zone};

/// A machine-readable zone with its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Mrz {
    pub format: MrzFormat,
    /// The lines at full length.
    pub lines: Vec<String>,
    /// First letters: `I`, `ID`, `P` and so on.
    pub document_code: String,
    /// ISO 3166-1 alpha-3.
    pub issuing_country: String,
    pub document_number: String,
    /// Optional data: on Spanish cards the DNI or NIE number.
    pub optional: String,
    pub surnames: String,
    pub given_names: String,
    pub nationality: String,
    /// `M`, `F` or `X`.
    pub sex: char,
    pub birth_date: Option<NaiveDate>,
    pub expiry_date: Option<NaiveDate>,
    /// `mrz_document_number`, `mrz_birth_date`, `mrz_expiry_date`, `mrz_composite`.
    pub checks: Vec<Check>,
    pub repaired: bool,
    /// The names fill their places: the last may be cut short.
    pub names_cut: bool,
    /// 0 to 1.
    pub score: f32,
    pub page_index: usize,
    pub bounds: Rect,
}

impl Mrz {
    /// Whether a named check passed; false where it is missing.
    pub fn passes(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check.name == name && check.passed)
    }

    pub fn all_pass(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// Most characters that check digits may change in one field.
const MOST_CHANGES: usize = 2;

pub(super) fn decode(zone: &Zone, page_index: usize) -> Option<Mrz> {
    let raw: Vec<Vec<Vec<char>>> =
        zone.lines.iter().enumerate().map(|(at, line)| fit(line, zone.format, at)).collect();
    let country: String = raw.first()?.get(2..5)?.iter().filter_map(|place| place.first()).collect();
    let spanish = near_code(&country, "ESP");
    let options: Vec<Vec<Vec<char>>> = raw
        .iter()
        .enumerate()
        .map(|(line, places)| {
            places
                .iter()
                .enumerate()
                .map(|(place, read)| settle(zone.format, line, place, read, spanish))
                .collect()
        })
        .collect();
    let mut work = Work { format: zone.format, options, lines: Vec::new(), repaired: false };
    work.lines = work.options.iter().map(|line| line.iter().map(|place| place[0]).collect()).collect();
    if spanish {
        work.write(0, 2, "ESP");
    }
    work.tidy_names();
    work.repair();
    let read = work.finish(zone, page_index)?;
    (read.score > 0.15).then_some(read)
}

/// Whether two of three letters are right.
fn near_code(read: &str, code: &str) -> bool {
    let equal = read
        .chars()
        .zip(code.chars())
        .filter(|(a, b)| a == b || matches!((a, b), ('5', 'S') | ('F' | '6', 'E') | ('R' | 'F', 'P')));
    read.chars().count() == 3 && equal.count() == 3
}

fn settle(format: MrzFormat, line: usize, place: usize, read: &[char], spanish: bool) -> Vec<char> {
    let class = format.class(line, place, spanish);
    let mut settled: Vec<char> = Vec::new();
    for ch in read.iter().filter_map(|ch| class.settle(*ch)) {
        if !settled.contains(&ch) {
            settled.push(ch);
        }
    }
    let alike = settled.first().map_or(&[][..], |ch| class.look_alikes(*ch));
    for ch in alike {
        if !settled.contains(ch) {
            settled.push(*ch);
        }
    }
    if settled.is_empty() {
        settled.push('<');
    }
    settled
}

/// The line's places at the format's length: fillers lost from the longest run are put back, fillers
/// in excess are taken from it.
fn fit(line: &Line, format: MrzFormat, index: usize) -> Vec<Vec<char>> {
    let mut places = line.places.clone();
    let length = format.line_length();
    if index == 0 {
        drop_noise_before_code(&mut places, format, length);
    }
    while places.len() != length {
        let (start, run) = longest_filler_run(&places);
        if places.len() < length {
            let at = if run >= 2 { start } else { fallback_end(format, index, places.len()) };
            places.insert(at.min(places.len()), vec!['<']);
        } else if run >= 2 {
            places.remove(start);
        } else {
            places.pop();
        }
    }
    places
}

/// Where fillers are lost if none is left to tell: before the last check digit, or at the end.
fn fallback_end(format: MrzFormat, line: usize, read: usize) -> usize {
    let last_is_check = line == 1;
    match format {
        MrzFormat::Td1 | MrzFormat::Td2 | MrzFormat::Td3 if last_is_check => read.saturating_sub(1),
        _ => read,
    }
}

fn drop_noise_before_code(places: &mut Vec<Vec<char>>, format: MrzFormat, length: usize) {
    let starts: &[char] = if format == MrzFormat::Td3 { &['P'] } else { &['I', 'A', 'C', '1', 'P', 'V'] };
    while places.len() > length
        && places.first().is_some_and(|place| !place.iter().any(|ch| starts.contains(ch)))
    {
        places.remove(0);
    }
}

fn longest_filler_run(places: &[Vec<char>]) -> (usize, usize) {
    let (mut best, mut start) = ((places.len(), 0), 0);
    for at in 0..=places.len() {
        let filler = places.get(at).is_some_and(|place| place.first() == Some(&'<'));
        if !filler {
            if at - start > best.1 {
                best = (start, at - start);
            }
            start = at + 1;
        }
    }
    best
}

/// A checked field: its line, its places, its check digit's line and place.
struct Checked {
    name: &'static str,
    line: usize,
    from: usize,
    to: usize,
}

/// The zone while it is being repaired.
struct Work {
    format: MrzFormat,
    options: Vec<Vec<Vec<char>>>,
    lines: Vec<Vec<char>>,
    repaired: bool,
}

impl Work {
    fn text(&self, line: usize, from: usize, to: usize) -> String {
        self.lines.get(line).and_then(|line| line.get(from..to)).unwrap_or_default().iter().collect()
    }

    fn write(&mut self, line: usize, from: usize, text: &str) {
        for (offset, ch) in text.chars().enumerate() {
            if let Some(place) = self.lines.get_mut(line).and_then(|line| line.get_mut(from + offset)) {
                *place = ch;
            }
        }
    }

    /// Fields followed at once by their check digit.
    fn checked(&self) -> Vec<Checked> {
        let field = |name, line, from, to| Checked { name, line, from, to };
        match self.format {
            MrzFormat::Td1 => vec![
                field("mrz_document_number", 0, 5, 14),
                field("mrz_birth_date", 1, 0, 6),
                field("mrz_expiry_date", 1, 8, 14),
            ],
            MrzFormat::Td2 | MrzFormat::Td3 => vec![
                field("mrz_document_number", 1, 0, 9),
                field("mrz_birth_date", 1, 13, 19),
                field("mrz_expiry_date", 1, 21, 27),
            ],
        }
    }

    /// What the composite digit covers, and that digit's place in line 1.
    fn composite(&self) -> (String, usize) {
        match self.format {
            MrzFormat::Td1 => {
                let covered = self.text(0, 5, 30)
                    + self.text(1, 0, 7).as_str()
                    + self.text(1, 8, 15).as_str()
                    + self.text(1, 18, 29).as_str();
                (covered, 29)
            }
            MrzFormat::Td2 => {
                (self.text(1, 0, 10) + self.text(1, 13, 20).as_str() + self.text(1, 21, 35).as_str(), 35)
            }
            MrzFormat::Td3 => {
                (self.text(1, 0, 10) + self.text(1, 13, 20).as_str() + self.text(1, 21, 43).as_str(), 43)
            }
        }
    }

    fn composite_holds(&self) -> bool {
        let (covered, place) = self.composite();
        self.lines[1].get(place) == Some(&check_digit(&covered))
    }

    fn repair(&mut self) {
        let mut open: Vec<(usize, usize, Vec<String>)> = Vec::new();
        for field in self.checked() {
            let read = self.text(field.line, field.from, field.to + 1);
            let dated = field.name.ends_with("date");
            let holds = |text: &str| field_holds(text, dated);
            if holds(&read) {
                continue;
            }
            let options = &self.options[field.line][field.from..=field.to];
            let found = all_among(options, holds, MOST_CHANGES, 6);
            let texts: Vec<String> = found.into_iter().map(|found| found.text).collect();
            match texts.as_slice() {
                [] => {}
                [only] => {
                    let only = only.clone();
                    self.write(field.line, field.from, &only);
                    self.repaired = true;
                }
                _ => open.push((field.line, field.from, texts)),
            }
        }
        if open.len() == 1 {
            self.choose_by_composite(&open[0]);
        }
        if !self.composite_holds() {
            self.repair_optional();
        }
    }

    /// Several repairs satisfy the field's own digit; the composite may leave one.
    fn choose_by_composite(&mut self, (line, from, texts): &(usize, usize, Vec<String>)) {
        let kept = self.lines.clone();
        let mut holding: Vec<Vec<Vec<char>>> = Vec::new();
        for text in texts {
            self.write(*line, *from, text);
            if self.composite_holds() {
                holding.push(self.lines.clone());
            }
            self.lines.clone_from(&kept);
        }
        if let [only] = holding.as_slice() {
            self.lines.clone_from(only);
            self.repaired = true;
        }
    }

    /// All else holds, the composite does not: a misreading in the optional data or in the digit.
    fn repair_optional(&mut self) {
        let (line, from, to) = match self.format {
            MrzFormat::Td1 => (0, 15, 30),
            MrzFormat::Td2 => (1, 28, 35),
            MrzFormat::Td3 => (1, 28, 43),
        };
        let kept = self.lines.clone();
        let options = self.options[line][from..to].to_vec();
        let spanish = self.format == MrzFormat::Td1 && self.text(0, 2, 5) == "ESP";
        let check = |text: &str| {
            let mut trial =
                Work { format: self.format, options: Vec::new(), lines: kept.clone(), repaired: false };
            trial.write(line, from, text);
            let number = text.trim_end_matches('<');
            trial.composite_holds() && (!spanish || super::super::parse::tax_id::is_valid(number))
        };
        let found = all_among(&options, check, MOST_CHANGES, 2);
        if let [only] = found.as_slice() {
            let text = only.text.clone();
            self.repaired |= only.changes > 0;
            self.write(line, from, &text);
        }
    }

    /// Fillers among the names that were read as letters: alone between fillers, or behind the names.
    fn tidy_names(&mut self) {
        let (line, from) = if self.format == MrzFormat::Td1 { (2, 0) } else { (0, 5) };
        let Some(chars) = self.lines.get_mut(line) else { return };
        let filler_like = |ch: char| matches!(ch, 'K' | 'C' | 'L' | 'E' | 'S' | 'X' | 'G' | 'R');
        loop {
            let lone = (from + 1..chars.len()).find(|at| {
                let next = chars.get(at + 1).copied().unwrap_or('<');
                filler_like(chars[*at]) && chars[at - 1] == '<' && next == '<'
            });
            let Some(at) = lone else { break };
            chars[at] = '<';
        }
        // `GARCIA<<ANA<<<<KK<<<`: after a run of fillers behind the given names nothing follows.
        let text: String = chars[from..].iter().collect();
        let given = text.find("<<").map_or(text.len(), |at| at + 2);
        if let Some(end) = text.get(given..).and_then(|rest| rest.find("<<")) {
            for ch in chars.iter_mut().skip(from + given + end) {
                *ch = '<';
            }
        } else {
            while let Some(last) = chars.iter().rposition(|ch| *ch != '<').filter(|at| *at > from + given) {
                let run = chars.iter().rev().take_while(|ch| **ch == '<').count();
                let doubtful = run > 0 && filler_like(chars[last]) && chars[last - 1] == chars[last];
                if !doubtful {
                    break;
                }
                chars[last] = '<';
            }
        }
    }

    fn finish(mut self, zone: &Zone, page_index: usize) -> Option<Mrz> {
        let mut checks = Vec::new();
        let long_number = self.long_number();
        for field in self.checked() {
            let read = self.text(field.line, field.from, field.to + 1);
            let passed = match (&long_number, field.name) {
                (Some((_, passed)), "mrz_document_number") => *passed,
                (_, name) => field_holds(&read, name.ends_with("date")),
            };
            checks.push(Check::new(field.name, passed));
        }
        checks.push(Check::new("mrz_composite", self.composite_holds()));
        let number = long_number.map_or_else(|| self.document_number(), |(number, _)| number);
        let second = if self.format == MrzFormat::Td1 { (1, 0, 7, 8, 15) } else { (1, 13, 20, 21, 10) };
        let (line, birth, sex, expiry, nationality) = second;
        let expiry_date = expiry_date(&self.text(line, expiry, expiry + 6));
        let birth_date = birth_date(&self.text(line, birth, birth + 6), expiry_date);
        let names = if self.format == MrzFormat::Td1 { self.text(2, 0, 30) } else { self.text(0, 5, 44) };
        let (surnames, given_names) = split_names(&names);
        let passed = checks.iter().filter(|check| check.passed).count() as f32 / checks.len() as f32;
        let certainty = zone.lines.iter().map(|line| line.certainty).sum::<f32>() / zone.lines.len() as f32;
        let code = self.text(0, 0, 2);
        let plausible = match self.format {
            MrzFormat::Td3 => code.starts_with('P'),
            _ => code.starts_with(['I', 'A', 'C', 'P', 'V']),
        };
        let length = self.format.line_length() as f32;
        let misfit =
            zone.lines.iter().map(|line| (line.places.len() as f32 - length).abs() / length).sum::<f32>();
        let fit = 1.0 - 0.3 * (misfit / zone.lines.len() as f32);
        let score = passed * fit * (0.75 + 0.25 * certainty) * if plausible { 1.0 } else { 0.5 };
        Some(Mrz {
            format: self.format,
            document_code: code.replace('<', ""),
            issuing_country: state(&self.text(0, 2, 5)),
            document_number: number,
            optional: self.optional(),
            surnames,
            given_names,
            nationality: state(&self.text(line, nationality, nationality + 3)),
            sex: match self.lines.get(line)?.get(sex)? {
                '<' => 'X',
                other => *other,
            },
            birth_date,
            expiry_date,
            checks,
            repaired: std::mem::take(&mut self.repaired),
            names_cut: !names.ends_with('<'),
            score,
            page_index,
            bounds: zone.bounds,
            lines: self.lines.iter().map(|line| line.iter().collect()).collect(),
        })
    }

    fn document_number(&self) -> String {
        let number = if self.format == MrzFormat::Td1 { self.text(0, 5, 14) } else { self.text(1, 0, 9) };
        number.replace('<', "")
    }

    fn optional(&self) -> String {
        let optional = match self.format {
            MrzFormat::Td1 => self.text(0, 15, 30),
            MrzFormat::Td2 => self.text(1, 28, 35),
            MrzFormat::Td3 => self.text(1, 28, 42),
        };
        optional.replace('<', "")
    }

    /// A card's number of more than nine characters runs on in the optional data, its check digit
    /// last (Doc 9303-5, 4.2.2.1, note j).
    fn long_number(&self) -> Option<(String, bool)> {
        if self.format != MrzFormat::Td1 || self.lines[0].get(14) != Some(&'<') {
            return None;
        }
        let optional = self.text(0, 15, 30);
        let rest: String = optional.chars().take_while(|ch| *ch != '<').collect();
        let digit = rest.chars().next_back()?;
        let number = self.text(0, 5, 14) + rest.get(..rest.len() - 1)?;
        let passed = check_digit(&number) == digit;
        Some((number.replace('<', ""), passed))
    }
}

/// Whether the last character is the check digit of the rest and, for a date, the rest is one.
fn field_holds(text: &str, dated: bool) -> bool {
    let Some((place, digit)) = text.char_indices().next_back() else { return false };
    let field = text.get(..place).unwrap_or_default();
    let expected = check_digit(field);
    let empty = digit == '<' && field.chars().all(|ch| ch == '<');
    (digit == expected || empty) && (!dated || is_date(field))
}

fn is_date(text: &str) -> bool {
    let number = |range| text.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    let known = matches!((number(2..4), number(4..6)), (Some(1..=12), Some(1..=31)));
    // Unknown parts of a date of birth are fillers.
    known && number(0..2).is_some() || text.ends_with('<')
}

/// Expiry lies in this century; the first of January of year 99 stands for never.
fn expiry_date(text: &str) -> Option<NaiveDate> {
    if text == "990101" || text == "991231" {
        return NaiveDate::from_ymd_opt(9999, 1, 1);
    }
    let (year, month, day) = parts(text)?;
    NaiveDate::from_ymd_opt(2000 + year, month, day)
}

/// Birth lies before the document was made: in this century only if that is at least two years before
/// its expiry.
fn birth_date(text: &str, expiry: Option<NaiveDate>) -> Option<NaiveDate> {
    let (year, month, day) = parts(text)?;
    let last_year = expiry.filter(|expiry| expiry.year() < 9999).map_or(2020, |expiry| expiry.year() - 2);
    let century = if 2000 + year <= last_year { 2000 } else { 1900 };
    NaiveDate::from_ymd_opt(century + year, month, day)
}

fn parts(text: &str) -> Option<(i32, u32, u32)> {
    Some((text.get(0..2)?.parse().ok()?, text.get(2..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?))
}

/// The alpha-3 code of a state; Germany's is a single letter in zones (Doc 9303-3, section 5).
fn state(code: &str) -> String {
    match code.replace('<', "") {
        germany if germany == "D" => "DEU".to_owned(),
        other => other,
    }
}

fn split_names(text: &str) -> (String, String) {
    let (surnames, given) = text.split_once("<<").unwrap_or((text, ""));
    let spaced = |part: &str| part.split('<').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (spaced(surnames), spaced(given))
}
