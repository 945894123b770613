//! Stories of consumer loans.

use anyhow::Result;
use chrono::Datelike;
use serde_json::{Map, json};

use crate::companies::{self, Company};
use crate::dates::{Date, first_of_month, iso, last_of_month, plus_days, plus_months, ymd};
use crate::dice::Dice;
use crate::documents::{bank_statement, contract, identity, payslip};
use crate::identifiers;
use crate::layouts::Layout;
use crate::money::{Cents, french_instalment};
use crate::people::{Origin, Person, person};
use crate::scenario::{Desk, Draft, Planned, Story, declared_applicant};

pub const GOOD: &[&str] = &[
    "clean",
    "clean_passport",
    "clean_resident",
    "clean_european_card",
    "clean_joint_account",
    "clean_permanent_card",
    "clean_statement_of_day_90",
    "clean_card_expires_today",
    "clean_two_months",
    "clean_payslip_of_day_90",
    "clean_amount_at_limit",
    "clean_eighteen_today",
    "clean_foreign_passport",
    "clean_seventy_five_at_end",
];

pub const OTHERS: &[Story] = &[
    ("expired_card", &["ID_EXPIRED"]),
    ("missing_payslip", &["MISSING_DOCUMENT"]),
    ("unsigned_contract", &["CONTRACT_UNSIGNED"]),
    ("payslip_of_another", &["NAME_MISMATCH"]),
    ("other_account", &["IBAN_MISMATCH"]),
    ("tampered_statement", &["STATEMENT_INCONSISTENT"]),
    ("high_debt", &["DEBT_TO_INCOME"]),
    ("one_sided_card", &["MISSING_DOCUMENT"]),
    ("old_statement", &["STATEMENT_TOO_OLD"]),
    ("income_not_on_statement", &["INCOME_NOT_CONFIRMED"]),
    ("too_much_debt", &["DEBT_TO_INCOME"]),
    ("returned_debits", &["RETURNED_DEBITS"]),
    ("many_returned_debits", &["RETURNED_DEBITS"]),
    ("underage", &["UNDERAGE"]),
    ("too_old_at_end", &["AGE_LIMIT"]),
    ("above_limit", &["AMOUNT_LIMIT"]),
    ("declared_other_principal", &["CONTRACT_INCONSISTENT", "DECLARED_DATA_MISMATCH"]),
    ("broken_zone", &["ID_CHECK_FAILED"]),
    ("wrong_instalment", &["CONTRACT_INCONSISTENT"]),
    ("old_payslip", &["PAYSLIP_TOO_OLD"]),
    ("contract_of_another_tax_id", &["TAX_ID_MISMATCH"]),
    ("broken_iban", &["IBAN_INVALID"]),
    ("missing_identity", &["MISSING_DOCUMENT"]),
    ("declared_other_birth_date", &["DECLARED_DATA_MISMATCH"]),
    ("expired_yesterday", &["ID_EXPIRED"]),
    ("wrong_letter", &["ID_CHECK_FAILED"]),
    ("missing_statement_and_unsigned", &["MISSING_DOCUMENT", "CONTRACT_UNSIGNED"]),
    ("unsigned_and_other_account", &["CONTRACT_UNSIGNED", "IBAN_MISMATCH"]),
    ("statement_of_day_91", &["STATEMENT_TOO_OLD"]),
    ("altered_card", &["ID_CHECK_FAILED"]),
    ("too_much_debt_and_expired", &["DEBT_TO_INCOME", "ID_EXPIRED"]),
    ("account_of_another", &["NAME_MISMATCH"]),
    ("missing_contract", &["MISSING_DOCUMENT"]),
];

/// The people, companies, dates and sums of one case.
struct Facts<'a> {
    name: &'a str,
    received: Date,
    applicant: Person,
    origin: Origin,
    bank: Company,
    iban: String,
    employer: Company,
    month: Date,
    pay: payslip::Pay,
    principal: Cents,
    term: u32,
    rate: f64,
}

impl Facts<'_> {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

struct Faces {
    card: Layout,
    statement: Layout,
    payslip: Layout,
    contract: Layout,
}

fn faces(
    desk: &Desk<'_>,
    name: &str,
    origin: Origin,
    nationality_spanish: bool,
    dice: &mut Dice,
) -> Result<Faces> {
    let pick = |dice: &mut Dice, kind: &str, variant: Option<&str>, needs: &[&str]| {
        desk.catalogue.pick(dice, kind, variant, needs).cloned()
    };
    let statement_needs = ["iban", "opening_balance", "closing_balance", "account_holder", "period_end"];
    let card = if name.ends_with("passport") {
        pick(dice, "passport", Some(if nationality_spanish { "spanish" } else { "foreign" }), &[])?
    } else {
        let variant = match origin {
            Origin::Spaniard => "dni",
            Origin::Resident => "tie",
            Origin::European => "abroad",
        };
        pick(dice, "id_card", Some(variant), &[])?
    };
    Ok(Faces {
        card,
        statement: pick(dice, "bank_statement", None, &statement_needs)?,
        payslip: pick(dice, "payslip", None, &["net_pay", "period_end", "employee_name"])?,
        contract: pick(
            dice,
            "contract",
            None,
            &[
                "iban",
                "principal",
                "term_months",
                "nominal_rate",
                "instalment",
                "contract_date",
                "borrower_name",
                "borrower_tax_id",
            ],
        )?,
    })
}

pub fn draft(desk: &Desk<'_>, name: &'static str, dice: &mut Dice) -> Result<Draft> {
    let origin = match name {
        "clean_resident" | "clean_foreign_passport" => Origin::Resident,
        "clean_european_card" => Origin::European,
        "wrong_letter" | "altered_card" | "clean_eighteen_today" | "underage" => Origin::Spaniard,
        _ => *dice.pick(&[
            Origin::Spaniard,
            Origin::Spaniard,
            Origin::Spaniard,
            Origin::Spaniard,
            Origin::Resident,
        ]),
    };
    let origin = if name == "clean_passport" { Origin::Spaniard } else { origin };
    let faces = faces(desk, name, origin, origin == Origin::Spaniard, dice)?;
    let story = begin(name, origin, faces.statement.english, dice);
    let mut documents = Vec::new();
    let has = |kind: &str| match name {
        "missing_payslip" => kind != "payslip",
        "missing_identity" => kind != "identity",
        "missing_contract" => kind != "contract",
        "missing_statement_and_unsigned" => kind != "statement",
        _ => true,
    };
    if has("identity") {
        let doc = identity_document(&story, faces.card.kind == "passport", dice);
        documents.push(Planned { doc, layout: faces.card, front_only: name == "one_sided_card" });
    }
    if has("statement") {
        documents.push(plain(statement(&story, faces.statement.english, dice), faces.statement));
    }
    if has("payslip") {
        let months = if matches!(name, "clean_two_months") { 2 } else { 1 };
        for back in (0..months).rev() {
            documents.push(plain(slip(&story, back, faces.payslip.english, dice), faces.payslip.clone()));
        }
    }
    if has("contract") {
        documents.push(plain(agreement(&story, faces.contract.english, dice), faces.contract));
    }
    Ok(Draft { received_on: story.received, application: application(&story, dice), documents })
}

fn plain(doc: crate::documents::Doc, layout: Layout) -> Planned {
    Planned { doc, layout, front_only: false }
}

fn begin<'a>(name: &'a str, origin: Origin, english_statement: bool, dice: &mut Dice) -> Facts<'a> {
    let month = ymd(2025, 1, 1);
    let month = plus_months(month, dice.int(4, 16) as i32);
    let received = match name {
        "clean_payslip_of_day_90" => plus_days(last_of_month(month), 90),
        "old_payslip" => plus_days(last_of_month(month), dice.int(91, 160)),
        _ => plus_days(last_of_month(month), dice.int(3, 38)),
    };
    let years = match name {
        "underage" => 17,
        "clean_permanent_card" => dice.int(71, 72),
        "too_old_at_end" => dice.int(73, 74),
        _ => dice.int(22, 62),
    };
    let mut applicant = person(dice, origin, years as i32, received);
    if name == "clean_eighteen_today" {
        applicant.birth_date = plus_months(received, -12 * 18);
    }
    if name == "wrong_letter" {
        applicant.tax_id = identifiers::with_wrong_letter(&applicant.tax_id);
    }
    let bank = if english_statement && dice.chance(0.6) {
        companies::irish_bank(dice)
    } else {
        companies::bank(dice)
    };
    let iban = account(&bank, dice);
    let gross = if name.contains("limit") { dice.int(380_000, 460_000) } else { dice.int(148_000, 390_000) };
    let pay = payslip::pay(dice, Cents(gross));
    let (principal, term, rate) = loan(name, &pay, dice);
    let mut story = Facts {
        name,
        received,
        applicant,
        origin,
        bank,
        iban,
        employer: companies::employer(dice),
        month,
        pay,
        principal,
        term,
        rate,
    };
    if name == "clean_seventy_five_at_end" {
        // Still 75 on the day the term ends; 76 the day after.
        let end = plus_months(contract_date(&story), story.term as i32);
        story.applicant.birth_date = plus_days(plus_months(end, -12 * 76), 1);
    }
    story
}

fn account(bank: &Company, dice: &mut Dice) -> String {
    if bank.irish {
        identifiers::irish_iban(dice, &bank.bank_code, companies::irish_sort_code(bank))
    } else {
        let branch = format!("{:04}", dice.int(12, 6_200));
        identifiers::spanish_iban(dice, &bank.bank_code, &branch)
    }
}

/// Principal, months and rate whose instalment is the wanted share of the pay.
fn loan(name: &str, pay: &payslip::Pay, dice: &mut Dice) -> (Cents, u32, f64) {
    let (low, high) = match name {
        "high_debt" => (0.36, 0.49),
        "too_much_debt" | "too_much_debt_and_expired" => (0.52, 0.75),
        "wrong_instalment" => (0.06, 0.30),
        _ => (0.06, 0.34),
    };
    let (least, most) = match name {
        "above_limit" => (30_500, 46_000),
        "clean_amount_at_limit" => (30_000, 30_000),
        _ => (1_500, 29_500),
    };
    let short_term = matches!(
        name,
        "clean_permanent_card" | "clean_seventy_five_at_end" | "too_much_debt" | "too_much_debt_and_expired"
    );
    loop {
        let term = match name {
            "too_old_at_end" => *dice.pick(&[48u32, 60]),
            _ if short_term => *dice.pick(&[12u32, 18, 24]),
            _ if name.contains("limit") => *dice.pick(&[84u32, 96, 108]),
            _ => *dice.pick(&[12u32, 18, 24, 30, 36, 48, 60, 72, 84]),
        };
        let rate = (dice.float(4.25, 12.9) * 20.0).round() / 20.0;
        let principal = Cents::whole(dice.int(least / 100, most / 100) * 100);
        let share = french_instalment(principal, rate, term).units() / pay.net.units();
        if share > low && share < high {
            return (principal, term, rate);
        }
    }
}

fn contract_date(story: &Facts<'_>) -> Date {
    plus_days(story.received, -(i64::from(story.received.day()) % 3))
}

fn identity_document(story: &Facts<'_>, passport: bool, dice: &mut Dice) -> crate::documents::Doc {
    let expiry = match story.name {
        "expired_card" | "too_much_debt_and_expired" => Some(plus_days(story.received, -dice.int(2, 700))),
        "expired_yesterday" => Some(plus_days(story.received, -1)),
        "clean_card_expires_today" => Some(story.received),
        _ => None,
    };
    let shift = if story.is("altered_card") { 365 * 4 } else { 0 };
    let plan =
        identity::Plan { expiry, broken_mrz: story.is("broken_zone"), printed_expiry_shift_days: shift };
    if passport {
        identity::passport(&story.applicant, story.received, &plan, dice)
    } else {
        identity::card(&story.applicant, story.origin, story.received, &plan, dice)
    }
}

fn another(story: &Facts<'_>, dice: &mut Dice) -> Person {
    person(dice, Origin::Spaniard, 41, story.received)
}

fn statement(story: &Facts<'_>, english: bool, dice: &mut Dice) -> crate::documents::Doc {
    let end = match story.name {
        "old_statement" => plus_days(story.received, -dice.int(95, 240)),
        "statement_of_day_91" => plus_days(story.received, -91),
        "clean_statement_of_day_90" => plus_days(story.received, -90),
        "clean_payslip_of_day_90" | "old_payslip" => plus_days(story.received, -dice.int(2, 30)),
        _ => plus_days(
            last_of_month(story.month),
            dice.int(0, 2).min((story.received - last_of_month(story.month)).num_days() - 1),
        ),
    };
    let pay_day = dice.int(24, 28) as u32;
    let months = if end.day() >= 28 { dice.int(0, 2) } else { dice.int(1, 2) } as i32;
    let start = first_of_month(plus_months(end, -months));
    let factor = if story.is("income_not_on_statement") {
        *dice.pick(&[0.7, 0.82, 1.2])
    } else if dice.chance(0.15) {
        dice.float(0.96, 1.04)
    } else {
        1.0
    };
    let mut salaries = Vec::new();
    let mut month = start;
    while month <= end {
        let day = ymd(month.year(), month.month(), pay_day);
        if day <= end {
            salaries.push((day, story.pay.net.times(factor)));
        }
        month = plus_months(month, 1);
    }
    let holder_name = match story.name {
        "clean_joint_account" => {
            format!("{}; {}", story.applicant.full_name(), another(story, dice).full_name())
        }
        "account_of_another" => another(story, dice).full_name(),
        _ => story.applicant.full_name(),
    };
    let returned_debits = match story.name {
        "returned_debits" => dice.int(1, 2) as u32,
        "many_returned_debits" => dice.int(3, 5) as u32,
        _ => 0,
    };
    let plan = bank_statement::Plan {
        bank: &story.bank,
        holder: &story.applicant,
        holder_name,
        iban: story.iban.clone(),
        period_start: start,
        period_end: end,
        salaries,
        employer: &story.employer.brand,
        returned_debits,
        tampered: story.is("tampered_statement"),
        english,
    };
    bank_statement::statement(&plan, dice)
}

fn slip(story: &Facts<'_>, months_back: i32, english: bool, dice: &mut Dice) -> crate::documents::Doc {
    let other = story.is("payslip_of_another").then(|| another(story, dice));
    let employee = other.as_ref().unwrap_or(&story.applicant);
    let month = plus_months(first_of_month(story.month), -months_back);
    let plan = payslip::Plan {
        pay: &story.pay,
        employer: &story.employer,
        employee,
        employee_name: employee.full_name(),
        employee_tax_id: employee.tax_id.clone(),
        month,
        iban: story.iban.clone(),
        bank_name: story.bank.brand.clone(),
        paid_on: last_of_month(month),
        english,
    };
    payslip::payslip(&plan, dice)
}

fn agreement(story: &Facts<'_>, english: bool, dice: &mut Dice) -> crate::documents::Doc {
    let lender = companies::lender(dice, english);
    let iban = match story.name {
        "other_account" | "unsigned_and_other_account" => {
            let other = companies::bank(dice);
            account(&other, dice)
        }
        "broken_iban" => identifiers::broken_iban(&story.iban),
        _ => story.iban.clone(),
    };
    let tax_id = if story.is("contract_of_another_tax_id") {
        identifiers::dni(dice)
    } else {
        story.applicant.tax_id.clone()
    };
    let plan = contract::Plan {
        lender: &lender,
        borrower: &story.applicant,
        borrower_name: story.applicant.full_name(),
        borrower_tax_id: tax_id,
        principal: story.principal,
        term_months: story.term,
        nominal_rate: story.rate,
        instalment_factor: if story.is("wrong_instalment") { *dice.pick(&[0.93, 1.04, 1.08]) } else { 1.0 },
        date: contract_date(story),
        iban,
        bank: &story.bank,
        signed: !story.name.contains("unsigned"),
        monthly_income: story.pay.net,
        english,
    };
    contract::contract(&plan, dice)
}

fn application(story: &Facts<'_>, dice: &mut Dice) -> Map<String, serde_json::Value> {
    let mut application = Map::new();
    application.insert("channel".to_owned(), (*dice.pick(&["branch", "web", "phone", "broker"])).into());
    let other_birth = story.is("declared_other_birth_date");
    let mut applicant = declared_applicant(&story.applicant, dice);
    if other_birth {
        let wrong = plus_days(story.applicant.birth_date, dice.int(20, 400));
        applicant = Some(
            json!({"given_names": story.applicant.given_names, "surnames": story.applicant.surnames, "tax_id": story.applicant.tax_id, "birth_date": iso(wrong)}),
        );
    }
    if let Some(applicant) = applicant {
        application.insert("applicant".to_owned(), applicant);
    }
    let other_principal = story.is("declared_other_principal");
    if other_principal || dice.chance(0.75) {
        let principal = if other_principal { story.principal - Cents::whole(500) } else { story.principal };
        application.insert("loan".to_owned(), json!({"principal": principal, "currency": "EUR", "term_months": story.term, "purpose": dice.pick(&["vehicle", "home", "studies", "other"])}));
    }
    application
}
