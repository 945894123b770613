//! A consumer credit contract with its amortisation table.

use serde_json::{Value, json};

use crate::companies::Company;
use crate::dates::{Date, iso, plus_days, plus_months};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::identifiers::spanish_iban;
use crate::money::{Cents, amortisation, apr, french_instalment, percent};
use crate::people::{Person, any_name};
use chrono::Datelike;

#[derive(Debug)]
pub struct Plan<'a> {
    pub lender: &'a Company,
    pub borrower: &'a Person,
    pub borrower_name: String,
    pub borrower_tax_id: String,
    pub principal: Cents,
    pub term_months: u32,
    pub nominal_rate: f64,
    /// 1.0, or what makes the printed instalment wrong.
    pub instalment_factor: f64,
    pub date: Date,
    pub iban: String,
    pub bank: &'a Company,
    pub signed: bool,
    pub monthly_income: Cents,
    pub english: bool,
}

pub fn contract(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let lines = amortisation(plan.principal, plan.nominal_rate, plan.term_months);
    let fee_rate = *dice.pick(&[0.0, 0.5, 1.0, 1.5]);
    let fee = plan.principal.times(fee_rate / 100.0);
    let instalment =
        french_instalment(plan.principal, plan.nominal_rate, plan.term_months).times(plan.instalment_factor);
    let total = lines.iter().map(|l| l.instalment).sum::<Cents>() + fee;
    let number = match dice.int(0, 2) {
        0 => format!("PC-{}-{}", plan.date.year(), dice.digits(7)),
        1 => format!("CC/{}/{}", plan.date.format("%y"), dice.digits(6)),
        _ => dice.digits(10).replacen('0', "4", 1),
    };
    let printed = fields(json!({
        "contract_number": number, "contract_date": iso(plan.date), "lender_name": plan.lender.legal_name,
        "borrower_name": plan.borrower_name, "borrower_tax_id": plan.borrower_tax_id,
        "principal": plan.principal, "currency": "EUR", "term_months": plan.term_months, "nominal_rate": percent(plan.nominal_rate),
        "apr": percent(apr(plan.principal - fee, &lines)), "instalment": instalment, "total_payable": total,
        "iban": plan.iban, "borrower_signed": plan.signed,
    }));
    let first_due = plus_months(plan.date.with_day(plan.date.day().min(28)).unwrap_or(plan.date), 1);
    let table: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(k, line)| {
            let shown = if line.outstanding.0 == 0 { line.instalment } else { instalment };
            json!({"number": k + 1, "date": iso(plus_months(first_due, k as i32)), "instalment": shown,
                   "interest": line.interest, "principal": line.principal, "outstanding": line.outstanding})
        })
        .collect();
    let extra = extra(plan, dice, &number, first_due, (fee_rate, fee, total), table);
    Doc {
        kind: "contract",
        fields: printed,
        extra,
        signed: plan.signed,
        date: plan.date,
        seed: dice.next_u64(),
    }
}

fn extra(
    plan: &Plan<'_>,
    dice: &mut Dice,
    number: &str,
    first_due: Date,
    (fee_rate, fee, total): (f64, Cents, Cents),
    table: Vec<Value>,
) -> Value {
    let en = plan.english;
    let deposit = Cents::whole(dice.int(0, 8) * 250);
    let seller = crate::companies::workshop(dice);
    let own_iban = spanish_iban(dice, "1999", "0001");
    let purposes = if en {
        ["Purchase of a vehicle", "Home improvements", "Personal expenses", "Studies"]
    } else {
        ["Adquisición de vehículo", "Reforma del hogar", "Gastos personales", "Estudios"]
    };
    json!({
        "lender_brand": plan.lender.brand, "lender_tax_id": plan.lender.tax_id, "lender_address": plan.lender.address_lines(),
        "lender_registry": if en { format!("Companies Register of {}, volume {}, sheet {}.", plan.lender.town.province, dice.int(1_000, 19_000), dice.int(1, 220)) }
                           else { format!("Registro Mercantil de {}, tomo {}, folio {}, hoja M-{}.", plan.lender.town.province, dice.int(1_000, 19_000), dice.int(1, 220), dice.digits(6)) },
        "lender_phone": "900 555 210", "lender_email": format!("clientes@{}", plan.lender.website.trim_start_matches("www.")),
        "lender_website": plan.lender.website, "lender_representative": any_name(dice),
        "lender_representative_role": if en { "Head of Operations" } else { "Dirección de Operaciones" },
        "borrower_address": plan.borrower.address_lines(), "borrower_phone": plan.borrower.phone, "borrower_email": plan.borrower.email,
        "borrower_birth_date": iso(plan.borrower.birth_date), "borrower_occupation": if en { "Employee" } else { "Empleado/a por cuenta ajena" },
        "borrower_monthly_income": plan.monthly_income, "borrower_marital_status": if en { "Single" } else { "Soltero/a" },
        "place": plan.borrower.town.town, "purpose": dice.pick(&purposes),
        "seller": {"name": seller.legal_name, "tax_id": seller.tax_id}, "cash_price": plan.principal + deposit, "deposit": deposit,
        "first_due_date": iso(first_due), "last_due_date": iso(plus_months(first_due, plan.term_months as i32 - 1)), "due_day": first_due.day(),
        "last_instalment": table.last().map_or(Value::Null, |l| l["instalment"].clone()),
        "total_interest": total - fee - plan.principal, "total_cost": total - plan.principal,
        "opening_fee_rate": percent(fee_rate), "opening_fee": fee, "early_repayment_fee_rate": "1.00",
        "early_repayment_fee_rate_last_year": "0.50", "arrears_fee": "30.00", "default_rate": percent(plan.nominal_rate + 2.0),
        "withdrawal_days": 14, "insurance_premium": Cents(dice.int(9_000, 60_000)),
        "sepa": {"creditor_name": plan.lender.legal_name, "creditor_id": format!("ES{}ZZZ{}", dice.digits(2), plan.lender.tax_id),
                 "mandate_reference": format!("M{}", number.replace(['-', '/'], "")), "bic": plan.bank.bic, "bank": plan.bank.brand},
        "lender_iban": own_iban, "offer_valid_until": iso(plus_days(plan.date, 14)),
        "application_number": format!("S-{}", dice.digits(8)), "agent_code": format!("{}/{}", dice.digits(4), dice.digits(2)),
        "amortisation": table,
    })
}
