//! Stories of insurance claims.

use anyhow::Result;
use serde_json::{Map, json};

use crate::companies::{self, Company};
use crate::dates::{Date, plus_days, plus_months, ymd};
use crate::dice::Dice;
use crate::documents::{Doc, claim_form, identity, police_report, repair_invoice};
use crate::identifiers;
use crate::layouts::Layout;
use crate::money::Cents;
use crate::people::{Origin, Person, person};
use crate::records::Policy;
use crate::scenario::{Desk, Draft, Planned, Story, declared_applicant, declared_claim};

pub const GOOD: &[&str] = &[
    "collision",
    "theft",
    "water_damage",
    "glass_passport",
    "fire_last_day_of_policy",
    "vandalism_seventh_day",
    "collision_above_limit_of_policy",
    "payable_exactly_1500",
    "collision_of_resident",
];

pub const OTHERS: &[Story] = &[
    ("theft_without_report", &["MISSING_DOCUMENT"]),
    ("policy_ended", &["POLICY_NOT_IN_FORCE"]),
    ("unsigned_form", &["CLAIM_UNSIGNED"]),
    ("late_notice", &["LATE_NOTICE"]),
    ("below_excess", &["BELOW_EXCESS"]),
    ("invoice_does_not_add_up", &["INVOICE_INCONSISTENT"]),
    ("claims_more_than_invoice", &["AMOUNT_MISMATCH"]),
    ("unknown_policy", &["POLICY_UNKNOWN"]),
    ("large_claim", &["AMOUNT_LIMIT"]),
    ("holder_is_another", &["HOLDER_MISMATCH"]),
    ("missing_invoice", &["MISSING_DOCUMENT"]),
    ("cancelled_policy", &["POLICY_NOT_IN_FORCE"]),
    ("invoice_to_another", &["INVOICE_INCONSISTENT"]),
    ("invoice_before_incident", &["INVOICE_INCONSISTENT"]),
    ("one_sided_card", &["MISSING_DOCUMENT"]),
    ("excess_exactly", &["BELOW_EXCESS"]),
    ("declared_other_type", &["DECLARED_DATA_MISMATCH"]),
    ("late_and_unsigned", &["LATE_NOTICE", "CLAIM_UNSIGNED"]),
    ("eighth_day", &["LATE_NOTICE"]),
];

struct Facts {
    name: &'static str,
    claim_type: &'static str,
    received: Date,
    incident: Date,
    claimant: Person,
    origin: Origin,
    insurer: Company,
    policy: Policy,
    about: Cents,
    iban: String,
}

fn claim_type(name: &str, dice: &mut Dice) -> &'static str {
    match name {
        "theft" | "theft_without_report" => "theft",
        "water_damage" => "water_damage",
        "glass_passport" => "glass",
        "fire_last_day_of_policy" => "fire",
        "vandalism_seventh_day" => "vandalism",
        n if n.starts_with("collision") => "collision",
        _ => *dice.pick(&["collision", "water_damage", "glass", "vandalism", "fire"]),
    }
}

pub fn draft(desk: &mut Desk<'_>, name: &'static str, dice: &mut Dice) -> Result<Draft> {
    let facts = begin(name, dice);
    let passport = name == "glass_passport";
    let variant = match facts.origin {
        Origin::Resident if passport => "foreign",
        _ if passport => "spanish",
        Origin::Resident => "tie",
        _ => "dni",
    };
    let card_face =
        desk.catalogue.pick(dice, if passport { "passport" } else { "id_card" }, Some(variant), &[])?.clone();
    let form_face = desk
        .catalogue
        .pick(
            dice,
            "claim_form",
            Some("insurance"),
            &["policy_number", "incident_date", "amount_claimed", "claimant_name"],
        )?
        .clone();
    let bill_face = desk
        .catalogue
        .pick(
            dice,
            "repair_invoice",
            None,
            &["net_amount", "tax_amount", "total_amount", "customer_name", "issue_date"],
        )?
        .clone();
    let bill = bill(&facts, bill_face.english, dice);
    let amount = claimed(&facts, crate::policy::cents(bill.text("total_amount")), dice);
    let form = claim_form::claim_form(&form_plan(&facts, amount, form_face.english, dice), dice);
    let plan = identity::Plan::USUAL;
    let card = if passport {
        identity::passport(&facts.claimant, facts.received, &plan, dice)
    } else {
        identity::card(&facts.claimant, facts.origin, facts.received, &plan, dice)
    };
    if name != "unknown_policy" {
        desk.records.policies.push(record(&facts, amount, dice));
    }
    let mut documents = vec![
        plain(form, form_face),
        Planned { doc: card, layout: card_face, front_only: name == "one_sided_card" },
    ];
    if name != "missing_invoice" {
        documents.push(plain(bill, bill_face));
    }
    if facts.claim_type == "theft" && name != "theft_without_report" {
        let face = desk.catalogue.pick(dice, "police_report", None, &[])?.clone();
        let plan = police_report::Plan {
            reporter: &facts.claimant,
            reporter_name: facts.claimant.full_name(),
            incident_date: facts.incident,
            report_date: plus_days(facts.incident, dice.int(0, 1)),
            english: face.english,
        };
        documents.push(plain(police_report::police_report(&plan, dice), face));
    }
    Ok(Draft { received_on: facts.received, application: application(&facts, amount, dice), documents })
}

fn plain(doc: Doc, layout: Layout) -> Planned {
    Planned { doc, layout, front_only: false }
}

fn begin(name: &'static str, dice: &mut Dice) -> Facts {
    let incident = plus_days(ymd(2025, 4, 1), dice.int(0, 380));
    let days = match name {
        "late_notice" | "late_and_unsigned" => dice.int(9, 60),
        "eighth_day" => 8,
        "vandalism_seventh_day" => 7,
        _ => dice.int(2, 7),
    };
    let received = plus_days(incident, days);
    let origin = if name == "collision_of_resident" || dice.chance(0.12) {
        Origin::Resident
    } else {
        Origin::Spaniard
    };
    let years = dice.int(21, 69) as i32;
    let claimant = person(dice, origin, years, received);
    let claim_type = claim_type(name, dice);
    let excess = Cents::whole(*dice.pick(&[0, 60, 90, 120, 150, 180, 300]));
    let about = match name {
        "large_claim" => Cents(dice.int(205_000, 390_000)),
        "below_excess" => Cents(dice.int(6_000, 14_000)),
        "payable_exactly_1500" => Cents(dice.int(185_000, 240_000)),
        _ => Cents(dice.int(36_000, 145_000)),
    };
    let (excess, limit) = match name {
        "below_excess" => (Cents::whole(200), Cents::whole(5_000)),
        "collision_above_limit_of_policy" => (Cents::whole(90), Cents::whole(300)),
        "payable_exactly_1500" => (Cents::whole(150), Cents::whole(1_650)),
        _ => (excess, Cents::whole(*dice.pick(&[3_000, 6_000, 12_000]))),
    };
    let number = match dice.int(0, 2) {
        0 => format!("{}-{}", dice.digits(3), dice.digits(7)),
        1 => format!("PH{}", dice.digits(9)),
        _ => format!("{}/{}", dice.int(10, 99), dice.digits(8)),
    };
    let valid_to = match name {
        "policy_ended" => plus_days(incident, -dice.int(1, 90)),
        "fire_last_day_of_policy" => incident,
        _ => plus_days(incident, dice.int(20, 330)),
    };
    let product = if matches!(claim_type, "water_damage" | "fire") { "home" } else { "motor" };
    let policy = Policy {
        policy_number: number,
        holder_name: claimant.full_name(),
        holder_tax_id: claimant.tax_id.clone(),
        product,
        valid_from: plus_days(plus_months(valid_to, -12), 1),
        valid_to,
        excess,
        limit,
        active: name != "cancelled_policy",
    };
    let bank = companies::bank(dice);
    let iban = identifiers::spanish_iban(dice, &bank.bank_code, "0210");
    Facts {
        name,
        claim_type,
        received,
        incident,
        claimant,
        origin,
        insurer: companies::insurer(dice),
        policy,
        about,
        iban,
    }
}

fn bill(facts: &Facts, english: bool, dice: &mut Dice) -> Doc {
    let other =
        (facts.name == "invoice_to_another").then(|| person(dice, Origin::Spaniard, 44, facts.received));
    let customer = other.as_ref().unwrap_or(&facts.claimant);
    let supplier = companies::workshop(dice);
    let days = (facts.received - facts.incident).num_days();
    let date = if facts.name == "invoice_before_incident" {
        plus_days(facts.incident, -dice.int(1, 20))
    } else {
        plus_days(facts.incident, dice.int(0, days))
    };
    let total_error =
        if facts.name == "invoice_does_not_add_up" { Cents(dice.int(900, 9_900)) } else { Cents(0) };
    let plan = repair_invoice::Plan {
        supplier: &supplier,
        customer,
        customer_name: customer.full_name(),
        customer_tax_id: customer.tax_id.clone(),
        claim_type: facts.claim_type,
        date,
        about: facts.about,
        total_error,
        english,
    };
    repair_invoice::repair_invoice(&plan, dice)
}

fn claimed(facts: &Facts, total: Cents, dice: &mut Dice) -> Cents {
    match facts.name {
        "claims_more_than_invoice" => total + Cents(dice.int(2_000, 30_000)),
        "payable_exactly_1500" => total,
        _ if dice.chance(0.2) => total.times(0.9),
        _ => total,
    }
}

/// The policy record; some stories set its excess by the amount claimed.
fn record(facts: &Facts, amount: Cents, dice: &mut Dice) -> Policy {
    let mut policy = facts.policy.clone();
    if facts.name == "excess_exactly" {
        policy.excess = amount;
    }
    if facts.name == "holder_is_another" {
        let other = person(dice, Origin::Spaniard, 48, facts.received);
        policy.holder_name = other.full_name();
        policy.holder_tax_id = other.tax_id;
    }
    policy
}

fn form_plan<'a>(facts: &'a Facts, amount: Cents, english: bool, dice: &mut Dice) -> claim_form::Plan<'a> {
    claim_form::Plan {
        claim_type: facts.claim_type,
        claimant: &facts.claimant,
        claimant_name: facts.claimant.full_name(),
        claimant_tax_id: facts.claimant.tax_id.clone(),
        company: &facts.insurer,
        policy_number: Some(facts.policy.policy_number.clone()),
        cups: None,
        incident_date: Some(facts.incident),
        invoice_number: None,
        amount,
        meter_reading: None,
        description: description(facts.claim_type, english).to_owned(),
        iban: facts.iban.clone(),
        signed: !facts.name.contains("unsigned"),
        date: plus_days(facts.received, -dice.int(0, 1)),
    }
}

fn description(claim_type: &str, english: bool) -> &'static str {
    match (claim_type, english) {
        ("collision", false) => "Golpe por alcance en una rotonda; daños en la parte delantera.",
        ("collision", true) => "Rear-end collision at a roundabout; damage to the front.",
        ("theft", false) => "Robo con fuerza; rompieron la ventanilla y se llevaron objetos.",
        ("theft", true) => "Break-in; the window was broken and belongings were taken.",
        ("water_damage", false) => "Rotura de una tubería del baño con daños en techo y paredes.",
        ("water_damage", true) => "A bathroom pipe burst and damaged the ceiling and walls.",
        ("glass", false) => "Impacto de una piedra en el parabrisas en la autovía.",
        ("glass", true) => "A stone hit the windscreen on the motorway.",
        ("fire", false) => "Incendio en la cocina originado en un enchufe.",
        ("fire", true) => "Fire in the kitchen that started at a socket.",
        (_, false) => "Rayaron las puertas y rompieron un retrovisor durante la noche.",
        (_, true) => "The doors were scratched and a mirror broken overnight.",
    }
}

fn application(facts: &Facts, amount: Cents, dice: &mut Dice) -> Map<String, serde_json::Value> {
    let mut application = Map::new();
    application.insert("channel".to_owned(), (*dice.pick(&["app", "phone", "broker"])).into());
    if let Some(applicant) = declared_applicant(&facts.claimant, dice) {
        application.insert("applicant".to_owned(), applicant);
    }
    let claim = if facts.name == "declared_other_type" {
        let other = if facts.claim_type == "glass" { "collision" } else { "glass" };
        Some(json!({"type": other, "amount_claimed": amount}))
    } else {
        declared_claim(facts.claim_type, amount, None, dice)
    };
    if let Some(claim) = claim {
        application.insert("claim".to_owned(), claim);
    }
    application
}
