//! Identity cards (Spanish DNI and TIE, other countries' TD1 cards) and passports.

use serde_json::json;

use crate::dates::{Date, iso, plus_days, plus_months, ymd};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::identifiers::{Mrz, broken_mrz, td1, td3};
use crate::people::{Origin, Person};

/// What a scenario wants of an identity document.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The last day it is valid; none: well in the future.
    pub expiry: Option<Date>,
    pub broken_mrz: bool,
    /// The printed expiry differs from the machine-readable one.
    pub printed_expiry_shift_days: i64,
}

impl Plan {
    pub const USUAL: Self = Self { expiry: None, broken_mrz: false, printed_expiry_shift_days: 0 };
}

/// How Germany and others appear in a machine-readable zone.
fn mrz_country(alpha3: &str) -> &str {
    if alpha3 == "DEU" { "D<<" } else { alpha3 }
}

/// What a person's zones have in common, whatever the document is.
fn zone_of<'a>(person: &'a Person, number: &'a str, expiry: Date) -> Mrz<'a> {
    Mrz {
        code: "",
        issuer: mrz_country(person.nationality),
        number,
        optional: "",
        birth: person.birth_date,
        sex: person.sex,
        expiry,
        nationality: mrz_country(person.nationality),
        surnames: &person.surnames,
        given_names: &person.given_names,
    }
}

/// Issue and expiry as the Spanish rules have them (Real Decreto 1553/2005): 5 years under 30, then 10,
/// for ever from 70.
fn validity(person: &Person, received: Date, plan: &Plan, dice: &mut Dice) -> (Date, Date) {
    let years = if person.age_on(received) < 30 { 5 } else { 10 };
    if let Some(expiry) = plan.expiry {
        return (plus_months(expiry, -12 * years), expiry);
    }
    let issued = plus_days(received, -dice.int(90, i64::from(years) * 365 - 200));
    if person.age_on(issued) >= 70 {
        (issued, ymd(9999, 1, 1))
    } else {
        (issued, plus_months(issued, 12 * years))
    }
}

/// A card of the kind the person has.
pub fn card(person: &Person, origin: Origin, received: Date, plan: &Plan, dice: &mut Dice) -> Doc {
    let (issued, expiry) = validity(person, received, plan, dice);
    let support = match origin {
        Origin::Spaniard => format!("{}{}", dice.letters(3), dice.digits(6)),
        Origin::Resident => format!("E{}", dice.digits(8)),
        Origin::European => String::new(),
    };
    let abroad_number = format!("{}{}{}", dice.letters(2), dice.digits(5), dice.letters(2));
    let (code, issuer, mrz_number, optional, number) = match origin {
        Origin::Spaniard => ("ID", "ESP", &support, person.tax_id.as_str(), person.tax_id.as_str()),
        Origin::Resident => ("IR", "ESP", &support, person.tax_id.as_str(), person.tax_id.as_str()),
        Origin::European => {
            ("I<", mrz_country(person.nationality), &abroad_number, "", abroad_number.as_str())
        }
    };
    let zone = td1(&Mrz { code, issuer, optional, ..zone_of(person, mrz_number, expiry) });
    let zone = if plan.broken_mrz { broken_mrz(&zone) } else { zone };
    let printed = fields(json!({
        "document_number": number, "support_number": if support.is_empty() { None } else { Some(&support) },
        "given_names": person.given_names, "surnames": person.surnames, "sex": person.sex, "nationality": person.nationality,
        "birth_date": iso(person.birth_date), "issue_date": iso(issued),
        "expiry_date": iso(if plan.printed_expiry_shift_days == 0 { expiry } else { plus_days(expiry, plan.printed_expiry_shift_days) }), "mrz": zone,
    }));
    Doc {
        kind: "id_card",
        fields: printed,
        extra: extra(person, dice),
        signed: true,
        date: issued,
        seed: dice.next_u64(),
    }
}

pub fn passport(person: &Person, received: Date, plan: &Plan, dice: &mut Dice) -> Doc {
    let (issued, expiry) = validity(person, received, plan, dice);
    let expiry = if expiry.format("%Y").to_string() == "9999" { plus_months(issued, 120) } else { expiry };
    let spanish = person.nationality == "ESP";
    let number = if spanish {
        format!("{}{}", dice.letters(3), dice.digits(6))
    } else {
        format!("{}{}", dice.letters(2), dice.digits(7))
    };
    let zone = td3(&Mrz {
        code: "P<",
        optional: if spanish { &person.tax_id } else { "" },
        ..zone_of(person, &number, expiry)
    });
    let zone = if plan.broken_mrz { broken_mrz(&zone) } else { zone };
    let printed = fields(json!({
        "document_number": number, "given_names": person.given_names, "surnames": person.surnames, "sex": person.sex,
        "nationality": person.nationality, "issuing_country": person.nationality, "birth_date": iso(person.birth_date),
        "issue_date": iso(issued), "expiry_date": iso(plus_days(expiry, plan.printed_expiry_shift_days)),
        "personal_number": if spanish { Some(&person.tax_id) } else { None }, "mrz": zone,
    }));
    Doc {
        kind: "passport",
        fields: printed,
        extra: extra(person, dice),
        signed: true,
        date: issued,
        seed: dice.next_u64(),
    }
}

fn extra(person: &Person, dice: &mut Dice) -> serde_json::Value {
    json!({
        "street": person.street, "town": person.town.town, "province": person.town.province, "postcode": person.town.postcode(),
        "birth_town": person.birth_town.town, "birth_province": person.birth_town.province,
        "father": person.parents.0, "mother": person.parents.1, "can": dice.digits(6), "team": format!("{}L6D1", dice.digits(5)),
        "authority": dice.pick(&["28A1", "08B2", "41C1", "DGP 15", "46D3"]), "height_cm": dice.int(152, 194), "permit": "RESIDENCIA DE LARGA DURACIÓN",
    })
}
