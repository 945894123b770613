//! Identity cards and passports: what is printed and what the machine-readable zone says, merged.
//!
//! The zone has check digits and no accents; the print has accents and no check digits. Agreement
//! raises the score, disagreement is a failed check `mrz_agrees`.

mod labels;
mod printed;
mod names;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::{Check, Page, Rect, Value};

use super::FieldReading;
use super::mrz::{self, Mrz, MrzFormat};
use super::parse::tax_id;
use names::Zoned;
use printed::{Printed, Sheet, What};

pub(super) use labels::{NamePart, name_part, words_of};

/// The fields of an identity document, by name.
pub fn read(pages: &[&Page], fields: &mut BTreeMap<String, FieldReading>) {
    let zone = mrz::find(pages);
    let sheet = Sheet::read(pages, zone.as_ref());
    let merge = Merge { sheet: &sheet, zone: zone.as_ref(), passport: is_passport(zone.as_ref(), &sheet) };
    merge.numbers(fields);
    merge.names(fields);
    merge.sex_and_nationality(fields);
    merge.dates(fields);
    if let Some(zone) = &zone {
        fields.insert("mrz".to_owned(), zone_reading(zone));
    }
}

fn is_passport(zone: Option<&Mrz>, sheet: &Sheet) -> bool {
    match zone {
        Some(zone) => zone.format == MrzFormat::Td3,
        None => sheet.speaks_of_passport,
    }
}

fn zone_reading(zone: &Mrz) -> FieldReading {
    let text = zone.lines.join("\n");
    FieldReading {
        value: Value::Text(text.clone()),
        raw: text,
        score: zone.score,
        page_index: zone.page_index,
        bounds: zone.bounds,
        checks: zone.checks.clone(),
        repaired: zone.repaired,
    }
}

struct Merge<'a> {
    sheet: &'a Sheet,
    zone: Option<&'a Mrz>,
    passport: bool,
}

/// Score of a value that only the print gives, before the recogniser's certainty.
const PRINT_ALONE: f32 = 0.8;
/// Score of a value that only the zone gives and whose check digit holds.
const ZONE_ALONE: f32 = 0.93;
const BOTH: f32 = 0.99;

impl Merge<'_> {
    fn numbers(&self, fields: &mut BTreeMap<String, FieldReading>) {
        let spanish = self.zone.is_some_and(|zone| zone.issuing_country == "ESP");
        if self.passport {
            self.passport_numbers(fields);
            return;
        }
        let zone_id =
            self.zone.filter(|_| spanish).map(|zone| zone.optional.clone()).filter(|id| !id.is_empty());
        if let Some(zone) = self.zone
            && !spanish
        {
            let printed = self.sheet.texts(What::Number);
            let reading = Self::zoned(zone, &zone.document_number, "mrz_document_number", &printed);
            fields.insert("document_number".to_owned(), reading);
            return;
        }
        if let Some(reading) = self.tax_id(zone_id.as_deref()) {
            fields.insert("document_number".to_owned(), reading);
        }
        let printed = self.sheet.support_numbers();
        if let Some(zone) = self.zone {
            let reading = Self::zoned(zone, &zone.document_number, "mrz_document_number", &printed);
            fields.insert("support_number".to_owned(), reading);
        } else if let Some(best) = printed.first() {
            fields.insert(
                "support_number".to_owned(),
                best.reading(Value::Text(best.text.clone()), PRINT_ALONE),
            );
        }
    }

    /// DNI or NIE: the printed one, confirmed by the zone.
    fn tax_id(&self, zone_id: Option<&str>) -> Option<FieldReading> {
        let printed = self.sheet.tax_ids();
        let zone_holds = zone_id.is_some_and(tax_id::is_valid);
        let same = printed.iter().find(|item| Some(item.text.as_str()) == zone_id);
        let (mut reading, number) = if let Some(item) = same {
            (item.reading(Value::Text(item.text.clone()), BOTH), item.text.clone())
        } else if let (Some(zone), Some(id)) = (self.zone, zone_id.filter(|_| zone_holds)) {
            (from_zone_only(zone, id, ZONE_ALONE * zone.score), id.to_owned())
        } else {
            let item =
                printed.iter().find(|item| tax_id::is_valid(&item.text)).or_else(|| printed.first())?;
            (item.reading(Value::Text(item.text.clone()), PRINT_ALONE + 0.1), item.text.clone())
        };
        let letter = tax_id::is_valid(&number);
        reading.checks.push(Check::new("dni_letter", letter));
        if let Some(zone_id) = zone_id
            && let Some(other) = printed.first()
        {
            // A misreading on one side alone says nothing: only two well-formed numbers disagree.
            let differ = same.is_none()
                && (!other.doubtful || tax_id::is_valid(&other.text))
                && tax_id::kind_of(zone_id).is_some();
            if same.is_some() || differ {
                reading.checks.push(Check::new("mrz_agrees", same.is_some()));
            }
        }
        if !letter {
            reading.score *= 0.5;
        }
        Some(reading)
    }

    fn passport_numbers(&self, fields: &mut BTreeMap<String, FieldReading>) {
        let printed = self.sheet.texts(What::Number);
        if let Some(zone) = self.zone {
            let mut all = printed;
            all.extend(self.sheet.words_equal(&zone.document_number));
            let reading = Self::zoned(zone, &zone.document_number, "mrz_document_number", &all);
            fields.insert("document_number".to_owned(), reading);
            let country = from_zone_only(zone, &zone.issuing_country, ZONE_ALONE * zone.score);
            fields.insert("issuing_country".to_owned(), country);
        } else if let Some(best) = printed.first() {
            fields.insert(
                "document_number".to_owned(),
                best.reading(Value::Text(best.text.clone()), PRINT_ALONE),
            );
        }
        if let Some(item) = self.sheet.tax_ids().first() {
            let holds = tax_id::is_valid(&item.text);
            let mut reading = item.reading(Value::Text(item.text.clone()), if holds { 0.95 } else { 0.4 });
            reading.checks.push(Check::new("dni_letter", holds));
            fields.insert("personal_number".to_owned(), reading);
        } else if let Some(zone) = self.zone.filter(|zone| {
            !zone.optional.is_empty() && (zone.issuing_country != "ESP" || tax_id::is_valid(&zone.optional))
        }) {
            let printed = self.sheet.words_equal(&zone.optional);
            let lettered = tax_id::is_valid(&zone.optional);
            let score = if !printed.is_empty() || lettered { 0.95 } else { 0.7 };
            let mut reading = from_zone_only(zone, &zone.optional, score * zone.score);
            if lettered {
                reading.checks.push(Check::new("dni_letter", true));
            }
            fields.insert("personal_number".to_owned(), reading);
        } else if let Some(item) = self.sheet.texts(What::PersonalNumber).first() {
            fields.insert(
                "personal_number".to_owned(),
                item.reading(Value::Text(item.text.clone()), PRINT_ALONE),
            );
        }
    }

    /// A value of the zone, with what the print says of it.
    fn zoned(zone: &Mrz, value: &str, check: &str, printed: &[Printed]) -> FieldReading {
        let holds = zone.passes(check);
        let same = printed.iter().find(|item| item.text == value);
        let mut reading = match same {
            Some(item) => item.reading(Value::Text(value.to_owned()), if holds { BOTH } else { 0.9 }),
            None => {
                from_zone_only(zone, value, if holds { ZONE_ALONE } else { 0.5 } * (0.5 + 0.5 * zone.score))
            }
        };
        reading.checks.push(Check::new(check, holds));
        let sure_other = printed.iter().any(|item| !item.doubtful && item.text.len() == value.len());
        if same.is_some() || sure_other {
            reading.checks.push(Check::new("mrz_agrees", same.is_some()));
        }
        reading.repaired = zone.repaired;
        reading
    }

    fn names(&self, fields: &mut BTreeMap<String, FieldReading>) {
        let zoned = [self.zone.and_then(Zoned::surnames), self.zone.and_then(Zoned::given_names)];
        let named = [("surnames", What::Surnames), ("given_names", What::GivenNames)];
        for ((name, what), zoned) in named.into_iter().zip(zoned) {
            if let Some(reading) = names::merge(self.sheet, zoned, &self.sheet.texts(what)) {
                fields.insert(name.to_owned(), reading);
            }
        }
    }

    fn sex_and_nationality(&self, fields: &mut BTreeMap<String, FieldReading>) {
        let printed_sex = self.sheet.texts(What::Sex);
        let printed_nation = self.sheet.texts(What::Nationality);
        let zoned = |value: String, printed: &[Printed]| {
            let zone = self.zone?;
            let agrees = printed.iter().any(|item| item.text == value);
            let score = if agrees { BOTH } else { 0.9 };
            Some(from_zone_only(zone, &value, score * (0.6 + 0.4 * zone.score)))
        };
        let sex = self.zone.and_then(|zone| zoned(zone.sex.to_string(), &printed_sex));
        let nation = self.zone.and_then(|zone| zoned(zone.nationality.clone(), &printed_nation));
        let alone = |printed: &[Printed]| {
            printed.first().map(|item| item.reading(Value::Text(item.text.clone()), PRINT_ALONE))
        };
        if let Some(reading) = sex.or_else(|| alone(&printed_sex)) {
            fields.insert("sex".to_owned(), reading);
        }
        if let Some(reading) = nation.or_else(|| alone(&printed_nation)) {
            fields.insert("nationality".to_owned(), reading);
        }
    }

    fn dates(&self, fields: &mut BTreeMap<String, FieldReading>) {
        let birth = self.date(What::Birth, self.zone.and_then(|zone| zone.birth_date), "mrz_birth_date");
        let expiry = self.date(What::Expiry, self.zone.and_then(|zone| zone.expiry_date), "mrz_expiry_date");
        let day =
            |reading: &Option<FieldReading>| reading.as_ref().and_then(|reading| reading.value.as_date());
        let issue = self.issue_date(day(&birth), day(&expiry));
        for (name, reading) in [("birth_date", birth), ("expiry_date", expiry), ("issue_date", issue)] {
            if let Some(reading) = reading {
                fields.insert(name.to_owned(), reading);
            }
        }
    }

    fn date(&self, what: What, zoned: Option<NaiveDate>, check: &str) -> Option<FieldReading> {
        let labelled = self.sheet.dates(what);
        let anywhere = self.sheet.all_dates();
        let (Some(zone), Some(date)) = (self.zone, zoned) else {
            let (item, date) = labelled.first()?;
            return Some(item.reading(Value::date(*date), PRINT_ALONE));
        };
        let holds = zone.passes(check);
        let same = labelled.iter().chain(&anywhere).find(|(_, printed)| *printed == date);
        let mut reading = match (same, labelled.first()) {
            (Some((item, _)), _) => item.reading(Value::date(date), if holds { BOTH } else { 0.9 }),
            (None, Some((item, printed))) if !holds => item.reading(Value::date(*printed), 0.65),
            _ => from_zone_only(
                zone,
                Value::date(date).as_text().unwrap_or_default(),
                if holds { ZONE_ALONE } else { 0.5 },
            ),
        };
        reading.checks.push(Check::new(check, holds));
        let contradicted = labelled.first().is_some_and(|(item, _)| !item.doubtful);
        if same.is_some() || contradicted {
            reading.checks.push(Check::new("mrz_agrees", same.is_some()));
        }
        if same.is_none() && contradicted {
            reading.score *= 0.8;
        }
        Some(reading)
    }

    /// Only printed: by its label, or as the one other date between birth and expiry.
    fn issue_date(&self, birth: Option<NaiveDate>, expiry: Option<NaiveDate>) -> Option<FieldReading> {
        let plausible = |date: &NaiveDate| {
            Some(*date) != birth
                && Some(*date) != expiry
                && birth.is_none_or(|birth| birth < *date)
                && expiry.is_none_or(|expiry| *date < expiry)
        };
        let labelled = self.sheet.dates(What::Issue);
        if let Some((item, date)) = labelled.iter().find(|(_, date)| plausible(date)) {
            return Some(item.reading(Value::date(*date), 0.92));
        }
        let mut others: Vec<(Printed, NaiveDate)> =
            self.sheet.all_dates().into_iter().filter(|(_, date)| plausible(date)).collect();
        others.dedup_by_key(|(_, date)| *date);
        match others.as_slice() {
            [(item, date)] if birth.is_some() && expiry.is_some() => {
                Some(item.reading(Value::date(*date), 0.85))
            }
            _ => None,
        }
    }
}

fn from_zone_only(zone: &Mrz, value: &str, score: f32) -> FieldReading {
    FieldReading {
        value: Value::Text(value.to_owned()),
        raw: value.to_owned(),
        score,
        page_index: zone.page_index,
        bounds: zone.bounds,
        checks: Vec::new(),
        repaired: zone.repaired,
    }
}

impl Printed {
    fn reading(&self, value: Value, score: f32) -> FieldReading {
        FieldReading {
            value,
            raw: self.raw.clone(),
            score: score * (0.6 + 0.4 * self.certainty),
            page_index: self.page_index,
            bounds: self.bounds,
            checks: Vec::new(),
            repaired: self.repaired,
        }
    }
}

/// Bounds of several pieces on one page.
fn around(pieces: &[Rect]) -> Rect {
    Rect::around(pieces.iter().copied()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
