//! A report made to the police.

use serde_json::json;

use crate::dates::{Date, iso, plus_months};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::people::{Person, any_name};
use crate::places::{street, town};
use chrono::Datelike;

#[derive(Debug)]
pub struct Plan<'a> {
    pub reporter: &'a Person,
    pub reporter_name: String,
    pub incident_date: Date,
    pub report_date: Date,
    pub english: bool,
}

pub fn police_report(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let where_to = if dice.chance(0.7) { plan.reporter.town } else { town(dice) };
    let place = format!("{}, {}", street(dice).split(',').next().unwrap_or("Calle Mayor"), where_to.town);
    let number = match dice.int(0, 2) {
        0 => format!("{}/{}", dice.int(102, 9_800), plan.report_date.format("%y")),
        1 => format!("{}-{}-{}", plan.report_date.year(), dice.digits(3), dice.digits(6)),
        _ => format!("AT{}", dice.digits(7)),
    };
    let printed = fields(json!({
        "report_number": number, "report_date": iso(plan.report_date), "incident_date": iso(plan.incident_date),
        "reporter_name": plan.reporter_name, "reporter_tax_id": plan.reporter.tax_id, "place": place,
    }));
    let goods = if plan.english {
        ["a laptop computer", "a bicycle", "a jacket and a wallet", "tools kept in the boot"]
    } else {
        [
            "un ordenador portátil",
            "una bicicleta",
            "una chaqueta y una cartera",
            "herramientas guardadas en el maletero",
        ]
    };
    let extra = json!({
        "station": plan.reporter.town.town, "province": plan.reporter.town.province, "station_address": street(dice), "station_phone": crate::places::landline(dice),
        "officer": dice.digits(6), "secretary": dice.digits(6), "hour": format!("{:02}:{:02}", dice.int(8, 22), dice.int(0, 59)),
        "incident_hour": format!("{:02}:{:02}", dice.int(0, 23), dice.int(0, 59)), "goods": dice.pick(&goods),
        "reporter_address": plan.reporter.address_lines(), "reporter_phone": plan.reporter.phone, "reporter_birth_date": iso(plan.reporter.birth_date),
        "reporter_birth_town": plan.reporter.birth_town.town, "father": plan.reporter.parents.0, "mother": plan.reporter.parents.1,
        "witness": any_name(dice), "witness_tax_id": crate::identifiers::dni(dice), "plate": format!("{} {}", dice.digits(4), dice.letters(3)),
        "court_date": iso(plus_months(plan.report_date, 2)), "nationality": plan.reporter.nationality,
    });
    Doc {
        kind: "police_report",
        fields: printed,
        extra,
        signed: true,
        date: plan.report_date,
        seed: dice.next_u64(),
    }
}
