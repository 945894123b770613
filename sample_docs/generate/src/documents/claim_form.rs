//! The form that a claimant fills in, for energy and for insurance claims.

use serde_json::json;

use crate::companies::Company;
use crate::dates::{Date, iso};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::money::Cents;
use crate::people::Person;
use chrono::Datelike;

#[derive(Debug)]
pub struct Plan<'a> {
    pub claim_type: &'a str,
    pub claimant: &'a Person,
    pub claimant_name: String,
    pub claimant_tax_id: String,
    /// The company claimed against.
    pub company: &'a Company,
    pub policy_number: Option<String>,
    pub cups: Option<String>,
    pub incident_date: Option<Date>,
    pub invoice_number: Option<String>,
    pub amount: Cents,
    pub meter_reading: Option<i64>,
    pub description: String,
    pub iban: String,
    pub signed: bool,
    pub date: Date,
}

pub fn claim_form(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let number = match dice.int(0, 2) {
        0 => format!("REC-{}-{}", plan.date.year(), dice.digits(6)),
        1 => format!("{}/{}", dice.digits(6), plan.date.format("%y")),
        _ => format!("S{}", dice.digits(8)),
    };
    let printed = fields(json!({
        "claim_number": number, "claim_type": plan.claim_type, "claimant_name": plan.claimant_name,
        "claimant_tax_id": plan.claimant_tax_id, "policy_number": plan.policy_number, "cups": plan.cups,
        "incident_date": plan.incident_date.map(iso), "invoice_number": plan.invoice_number,
        "amount_claimed": plan.amount, "currency": "EUR", "meter_reading": plan.meter_reading.map(|r| r.to_string()),
        "description": plan.description, "iban": plan.iban, "claimant_signed": plan.signed,
    }));
    let extra = json!({
        "company_name": plan.company.legal_name, "company_brand": plan.company.brand, "company_tax_id": plan.company.tax_id,
        "company_address": plan.company.address_lines(), "company_phone": plan.company.phone, "company_website": plan.company.website,
        "claimant_address": plan.claimant.address_lines(), "claimant_phone": plan.claimant.phone, "claimant_email": plan.claimant.email,
        "place": plan.claimant.town.town, "received_stamp": dice.chance(0.4), "office": dice.digits(4),
    });
    Doc {
        kind: "claim_form",
        fields: printed,
        extra,
        signed: plan.signed,
        date: plan.date,
        seed: dice.next_u64(),
    }
}
