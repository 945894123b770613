//! Stories of claims against an energy bill.

use anyhow::Result;
use chrono::Datelike;
use serde_json::{Map, json};

use crate::companies::{self, Company};
use crate::dates::{Date, plus_days, plus_months, ymd};
use crate::dice::Dice;
use crate::documents::claim_form;
use crate::documents::energy_invoice::{self, usual_total};
use crate::identifiers;
use crate::layouts::Layout;
use crate::money::Cents;
use crate::people::{Origin, Person, person};
use crate::records::Customer;
use crate::scenario::{Desk, Draft, Planned, Story, declared_applicant, declared_claim};

pub const GOOD: &[&str] = &[
    "estimate_too_high",
    "billed_twice",
    "price_above_contract",
    "estimate_of_day_365",
    "estimate_equal_to_last_real",
    "billed_twice_undeclared",
    "price_above_contract_small",
];

pub const OTHERS: &[Story] = &[
    ("reading_was_real", &["READING_WAS_REAL"]),
    ("unsigned_form", &["CLAIM_UNSIGNED"]),
    ("claim_too_late", &["CLAIM_TOO_LATE"]),
    ("reading_above_billed", &["READING_IMPLAUSIBLE"]),
    ("not_billed_twice", &["NO_DUPLICATE"]),
    ("holder_is_another", &["HOLDER_MISMATCH"]),
    ("price_was_right", &["PRICE_WAS_RIGHT"]),
    ("missing_invoice", &["MISSING_DOCUMENT"]),
    ("cups_of_another_supply", &["CUPS_MISMATCH"]),
    ("unknown_customer", &["CUSTOMER_UNKNOWN"]),
    ("broken_cups", &["CUPS_INVALID"]),
    ("readings_do_not_add_up", &["INVOICE_INCONSISTENT"]),
    ("large_refund", &["AMOUNT_LIMIT"]),
    ("supply_cut", &["CLAIM_TYPE_MANUAL"]),
    ("reading_below_last_real", &["READING_IMPLAUSIBLE"]),
    ("late_by_a_day", &["CLAIM_TOO_LATE"]),
    ("declared_other_amount", &["DECLARED_DATA_MISMATCH"]),
    ("missing_form", &["MISSING_DOCUMENT"]),
    ("record_of_another", &["HOLDER_MISMATCH"]),
    ("unsigned_and_price_right", &["CLAIM_UNSIGNED", "PRICE_WAS_RIGHT"]),
];

struct Facts {
    received: Date,
    holder: Person,
    supplier: Company,
    cups: String,
    claim_type: &'static str,
    issue: Date,
    start: Date,
    end: Date,
    last_real: i64,
    previous: i64,
    current: i64,
    claimed: i64,
    estimated: bool,
    contract_price: i64,
    billed_price: i64,
    number: String,
    iban: String,
}

fn claim_type(name: &str) -> &'static str {
    match name {
        "billed_twice" | "billed_twice_undeclared" | "not_billed_twice" | "declared_other_amount" => {
            "duplicate_invoice"
        }
        "price_above_contract"
        | "price_above_contract_small"
        | "price_was_right"
        | "unsigned_and_price_right" => "wrong_price",
        "supply_cut" => "supply_cut",
        _ => "estimated_reading",
    }
}

pub fn draft(desk: &mut Desk<'_>, name: &'static str, dice: &mut Dice) -> Result<Draft> {
    let facts = begin(name, dice);
    let form_face = desk
        .catalogue
        .pick(dice, "claim_form", Some("energy"), &["cups", "amount_claimed", "claimant_name"])?
        .clone();
    let bill_face = desk
        .catalogue
        .pick(
            dice,
            "energy_invoice",
            None,
            &[
                "cups",
                "price_per_kwh",
                "reading_kind",
                "kwh",
                "current_reading",
                "previous_reading",
                "holder_name",
            ],
        )?
        .clone();
    let bill = energy_invoice::energy_invoice(&bill_plan(&facts, name, dice), dice);
    let total = crate::policy::cents(bill.text("total_amount"));
    let form_cups = match name {
        "cups_of_another_supply" => identifiers::cups(dice, "0031"),
        "broken_cups" => identifiers::broken_cups(&facts.cups),
        _ => facts.cups.clone(),
    };
    let amount = claimed_amount(&facts, total);
    let form = claim_form::claim_form(
        &form_plan(&facts, name, form_cups.clone(), amount, form_face.english, dice),
        dice,
    );
    let record_cups = if name == "broken_cups" { facts.cups.clone() } else { form_cups.clone() };
    if name != "unknown_customer" {
        desk.records.customers.push(customer(&facts, name, record_cups, total, dice));
    }
    let mut documents = Vec::new();
    if name != "missing_form" {
        documents.push(plain(form, form_face));
    }
    if name != "missing_invoice" {
        documents.push(plain(bill, bill_face));
    }
    Ok(Draft {
        received_on: facts.received,
        application: application(&facts, name, amount, &form_cups, dice),
        documents,
    })
}

fn plain(doc: crate::documents::Doc, layout: Layout) -> Planned {
    Planned { doc, layout, front_only: false }
}

fn begin(name: &str, dice: &mut Dice) -> Facts {
    let start = ymd(2025, dice.int(1, 12) as u32, 1);
    let start = plus_days(start, dice.int(0, 20));
    let months = dice.int(1, 2) as i32;
    let end = plus_days(plus_months(start, months), -1);
    let issue = plus_days(end, dice.int(2, 8));
    let received = match name {
        "claim_too_late" => plus_days(issue, dice.int(370, 600)),
        "late_by_a_day" => plus_days(issue, 366),
        "estimate_of_day_365" => plus_days(issue, 365),
        _ => plus_days(issue, dice.int(5, 150)),
    };
    let years = dice.int(24, 80) as i32;
    let origin = if dice.chance(0.15) { Origin::Resident } else { Origin::Spaniard };
    let holder = person(dice, origin, years, received);
    let last_real = dice.int(3_000, 48_000);
    let previous = if dice.chance(0.7) { last_real } else { last_real + dice.int(20, 160) };
    let billed_kwh = if name == "large_refund" { dice.int(4_800, 6_500) } else { dice.int(240, 780) };
    let current = previous + billed_kwh;
    let claimed = match name {
        "reading_above_billed" => current + dice.int(10, 200),
        "reading_below_last_real" => last_real - dice.int(15, 300),
        "estimate_equal_to_last_real" => last_real,
        "large_refund" => last_real + dice.int(60, 200),
        _ => current - dice.int(30, billed_kwh * 7 / 10),
    };
    let contract_price = dice.int(98_000, 189_000);
    let above = match name {
        "price_above_contract" => dice.int(9_000, 55_000),
        "price_above_contract_small" => dice.int(900, 4_000),
        _ => 0,
    };
    let estimated = claim_type(name) == "estimated_reading" && name != "reading_was_real";
    let digits = dice.digits(8);
    let number = match dice.int(0, 2) {
        0 => format!("FE{}{digits}", issue.format("%y")),
        1 => format!("{}-{}", issue.year(), digits),
        _ => format!("Z4{digits}2"),
    };
    let bank = companies::bank(dice);
    let iban = identifiers::spanish_iban(dice, &bank.bank_code, "0125");
    Facts {
        received,
        holder,
        supplier: companies::energy_supplier(dice),
        cups: identifiers::cups(dice, *dice.clone().pick(&["0021", "0022", "0031", "0024", "0288"])),
        claim_type: claim_type(name),
        issue,
        start,
        end,
        last_real,
        previous,
        current,
        claimed: claimed.max(last_real.min(claimed)),
        estimated: estimated || (claim_type(name) != "estimated_reading" && dice.chance(0.3)),
        contract_price,
        billed_price: contract_price + above,
        number,
        iban,
    }
}

fn bill_plan<'a>(facts: &'a Facts, name: &str, dice: &mut Dice) -> energy_invoice::Plan<'a> {
    let kwh_error = if name == "readings_do_not_add_up" { dice.int(35, 160) } else { 0 };
    energy_invoice::Plan {
        supplier: &facts.supplier,
        holder: &facts.holder,
        holder_name: facts.holder.full_name(),
        holder_tax_id: facts.holder.tax_id.clone(),
        cups: facts.cups.clone(),
        tariff: "2.0TD",
        number: facts.number.clone(),
        period_start: facts.start,
        period_end: facts.end,
        issue_date: facts.issue,
        previous_reading: facts.previous,
        current_reading: facts.current,
        estimated: facts.estimated,
        kwh_error,
        price_micros: facts.billed_price,
        iban: facts.iban.clone(),
    }
}

/// What the customer believes is owed.
fn claimed_amount(facts: &Facts, total: Cents) -> Cents {
    match facts.claim_type {
        "duplicate_invoice" => total,
        "wrong_price" => Cents(
            ((facts.billed_price - facts.contract_price).max(12_000) * (facts.current - facts.previous))
                / 10_000,
        ),
        "estimated_reading" => Cents(((facts.current - facts.claimed).abs() * facts.billed_price) / 10_000),
        _ => Cents(9_000),
    }
}

fn form_plan<'a>(
    facts: &'a Facts,
    name: &str,
    cups: String,
    amount: Cents,
    english: bool,
    dice: &mut Dice,
) -> claim_form::Plan<'a> {
    let other = (name == "holder_is_another").then(|| person(dice, Origin::Spaniard, 35, facts.received));
    let claimant = other.as_ref().unwrap_or(&facts.holder);
    claim_form::Plan {
        claim_type: facts.claim_type,
        claimant_name: claimant.full_name(),
        claimant_tax_id: claimant.tax_id.clone(),
        claimant: &facts.holder,
        company: &facts.supplier,
        policy_number: None,
        cups: Some(cups),
        incident_date: (facts.claim_type == "supply_cut").then(|| plus_days(facts.received, -4)),
        invoice_number: Some(facts.number.clone()),
        amount,
        meter_reading: (facts.claim_type == "estimated_reading").then_some(facts.claimed),
        description: description(facts.claim_type, english, dice).to_owned(),
        iban: facts.iban.clone(),
        signed: !name.contains("unsigned"),
        date: plus_days(facts.received, -dice.int(0, 2)),
    }
}

fn description(claim_type: &str, english: bool, dice: &mut Dice) -> &'static str {
    match (claim_type, english) {
        ("estimated_reading", false) => *dice.pick(&[
            "La lectura facturada es estimada y superior a la que marca mi contador.",
            "Han estimado el consumo. Adjunto la lectura real del contador.",
        ]),
        ("estimated_reading", true) => {
            "The reading billed was estimated and is higher than the one on my meter."
        }
        ("duplicate_invoice", false) => *dice.pick(&[
            "Me han cobrado dos veces el mismo periodo.",
            "El periodo de esta factura ya estaba facturado y pagado.",
        ]),
        ("duplicate_invoice", true) => "I have been billed twice for the same period.",
        ("wrong_price", false) => *dice.pick(&[
            "El precio del kWh no es el que figura en mi contrato.",
            "Me aplican un precio de energía superior al contratado.",
        ]),
        ("wrong_price", true) => "The price per kWh is higher than the one in my contract.",
        (_, false) => "Corte de suministro sin aviso previo; solicito compensación.",
        (_, true) => "Supply was cut without notice; I ask for compensation.",
    }
}

fn customer(facts: &Facts, name: &str, cups: String, total: Cents, dice: &mut Dice) -> Customer {
    let other = (name == "record_of_another").then(|| person(dice, Origin::Spaniard, 50, facts.received));
    let holder = other.as_ref().unwrap_or(&facts.holder);
    let mut invoices = vec![(facts.number.clone(), facts.start, facts.end, total)];
    for back in 1..=2 {
        let start = plus_months(facts.start, -2 * back);
        invoices.push((
            format!("FE{}", dice.digits(9)),
            start,
            plus_days(plus_months(start, 2), -1),
            usual_total(dice),
        ));
    }
    if matches!(name, "billed_twice" | "billed_twice_undeclared" | "declared_other_amount") {
        invoices.push((format!("FE{}", dice.digits(9)), facts.start, facts.end, total));
    }
    Customer {
        cups,
        holder_name: holder.full_name(),
        holder_tax_id: holder.tax_id.clone(),
        tariff: "2.0TD",
        price_micros: facts.contract_price,
        last_real_reading: facts.last_real,
        last_real_reading_date: plus_days(facts.start, -1),
        invoices,
    }
}

fn application(
    facts: &Facts,
    name: &str,
    amount: Cents,
    cups: &str,
    dice: &mut Dice,
) -> Map<String, serde_json::Value> {
    let mut application = Map::new();
    application.insert("channel".to_owned(), (*dice.pick(&["web", "phone", "email"])).into());
    if let Some(applicant) = declared_applicant(&facts.holder, dice).filter(|_| name != "holder_is_another") {
        application.insert("applicant".to_owned(), applicant);
    }
    let declared = if name == "declared_other_amount" {
        Some(json!({"type": facts.claim_type, "amount_claimed": amount + Cents(4_000)}))
    } else {
        declared_claim(facts.claim_type, amount, Some(cups), dice)
    };
    if let Some(claim) = declared.filter(|_| name != "billed_twice_undeclared") {
        application.insert("claim".to_owned(), claim);
    }
    application
}
