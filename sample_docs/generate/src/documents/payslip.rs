//! A payslip: earnings, contributions and tax that add up, and the bases a real one shows.

use serde_json::{Value, json};

use crate::companies::Company;
use crate::dates::{Date, first_of_month, iso, last_of_month, plus_days};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::identifiers::social_security_number;
use crate::money::{Cents, percent};
use crate::people::Person;
use chrono::Datelike;

/// What is earned, before it is printed: shared by every payslip of the same job.
#[derive(Debug, Clone)]
pub struct Pay {
    pub gross: Cents,
    pub deductions: Cents,
    pub net: Cents,
    base: Cents,
    earnings: Vec<(&'static str, &'static str, &'static str, &'static str, Cents)>,
    irpf_rate: f64,
}

const CONTRIBUTIONS: [(&str, &str, &str, f64); 4] = [
    ("501", "Contingencias comunes", "Social security: common contingencies", 4.70),
    ("502", "Mecanismo equidad intergeneracional", "Intergenerational equity mechanism (MEI)", 0.13),
    ("503", "Desempleo", "Unemployment", 1.55),
    ("504", "Formación profesional", "Vocational training", 0.10),
];

/// A month's pay of about `gross`.
pub fn pay(dice: &mut Dice, gross: Cents) -> Pay {
    let mut earnings =
        vec![("001", "Salario base", "Base salary", "salary", gross.times(dice.float(0.62, 0.74)))];
    let optional = [
        ("014", "Plus convenio", "Agreement supplement", "salary", 0.06),
        ("021", "Antigüedad", "Seniority", "salary", 0.035),
        ("026", "Complemento de puesto", "Position supplement", "salary", 0.05),
        ("040", "Incentivos", "Incentives", "salary", 0.03),
        ("090", "Plus transporte", "Transport allowance", "non_salary", 0.02),
    ];
    for (code, es, en, group, share) in optional {
        if dice.chance(0.6) {
            earnings.push((code, es, en, group, gross.times(share * dice.float(0.7, 1.3))));
        }
    }
    let so_far: Cents = earnings.iter().map(|e| e.4).sum();
    earnings.push(("035", "Prorrata pagas extra", "Extra pay (pro rata)", "salary", gross - so_far));
    let base: Cents = earnings.iter().filter(|e| e.3 == "salary").map(|e| e.4).sum();
    let irpf_rate = (2.0 + gross.units() / 190.0).min(28.0) + dice.float(-1.0, 1.0);
    let irpf_rate = (irpf_rate * 100.0).round() / 100.0;
    let deductions =
        CONTRIBUTIONS.iter().map(|c| base.times(c.3 / 100.0)).sum::<Cents>() + gross.times(irpf_rate / 100.0);
    Pay { gross, deductions, net: gross - deductions, base, earnings, irpf_rate }
}

#[derive(Debug)]
pub struct Plan<'a> {
    pub pay: &'a Pay,
    pub employer: &'a Company,
    pub employee: &'a Person,
    pub employee_name: String,
    pub employee_tax_id: String,
    /// The month, by any of its days.
    pub month: Date,
    pub iban: String,
    pub bank_name: String,
    pub paid_on: Date,
    pub english: bool,
}

pub fn payslip(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let (start, end) = (first_of_month(plan.month), last_of_month(plan.month));
    let printed = fields(json!({
        "employer_name": plan.employer.legal_name, "employer_tax_id": plan.employer.tax_id,
        "employee_name": plan.employee_name, "employee_tax_id": plan.employee_tax_id,
        "social_security_number": social_security_number(dice, plan.employee.town.code),
        "period_start": iso(start), "period_end": iso(end), "gross_pay": plan.pay.gross,
        "total_deductions": plan.pay.deductions, "net_pay": plan.pay.net, "currency": "EUR", "iban": plan.iban,
    }));
    Doc {
        kind: "payslip",
        fields: printed,
        extra: extra(plan, dice, start),
        signed: true,
        date: end,
        seed: dice.next_u64(),
    }
}

fn extra(plan: &Plan<'_>, dice: &mut Dice, start: Date) -> Value {
    let (pay, en) = (plan.pay, plan.english);
    let earnings: Vec<Value> = pay
        .earnings
        .iter()
        .map(|(code, es, english, group, amount)| {
            json!({"code": code, "concept": if en { english } else { es }, "group": group, "quantity": "30", "rate": amount.times(1.0 / 30.0), "amount": amount})
        })
        .collect();
    let mut deductions: Vec<Value> = CONTRIBUTIONS
        .iter()
        .map(|(code, es, english, rate)| {
            json!({"code": code, "concept": if en { english } else { es }, "group": "ss", "base": pay.base, "rate": percent(*rate), "amount": pay.base.times(rate / 100.0)})
        })
        .collect();
    let contributions: Cents = CONTRIBUTIONS.iter().map(|c| pay.base.times(c.3 / 100.0)).sum();
    let irpf = pay.deductions - contributions;
    deductions.push(json!({"code": "510", "concept": if en { "Income tax withheld (IRPF)" } else { "Retención IRPF" }, "group": "tax", "base": pay.gross, "rate": percent(pay.irpf_rate), "amount": irpf}));
    let company_rates = [
        ("Contingencias comunes", "Common contingencies", 23.60),
        ("MEI", "MEI", 0.67),
        ("AT y EP", "Accidents at work", 1.50),
        ("Desempleo", "Unemployment", 5.50),
        ("Formación profesional", "Vocational training", 0.60),
        ("FOGASA", "Wage guarantee fund", 0.20),
    ];
    let company: Vec<Value> = company_rates
        .iter()
        .map(|(es, english, rate)| json!({"concept": if en { english } else { es }, "base": pay.base, "rate": percent(*rate), "amount": pay.base.times(rate / 100.0)}))
        .collect();
    let company_total: Cents = company_rates.iter().map(|c| pay.base.times(c.2 / 100.0)).sum();
    let prorata = pay.earnings.last().map_or(Cents(0), |e| e.4);
    let months = i64::from(start.month());
    let year_to_date = |amount: Cents| Cents(amount.0 * months);
    let jobs = [
        ("Oficial 1.ª administrativo", "Senior clerk", "05"),
        ("Técnico especialista", "Technician", "03"),
        ("Auxiliar", "Assistant", "07"),
        ("Encargado", "Supervisor", "04"),
        ("Dependiente", "Sales assistant", "09"),
    ];
    let job = dice.pick(&jobs);
    let entitled = 23;
    let taken = dice.int(0, 18);
    json!({
        "employer_address": plan.employer.address_lines(), "employer_ccc": format!("{:02}{}", plan.employer.town.code, dice.digits(9)),
        "employer_phone": plan.employer.phone, "work_centre": plan.employer.town.town, "employee_address": plan.employee.address_lines(),
        "employee_code": dice.digits(5), "category": if en { job.1 } else { job.0 }, "contribution_group": job.2,
        "occupation": if en { "Administration" } else { "Administración" }, "department": if en { "Operations" } else { "Operaciones" },
        "seniority_date": iso(plus_days(start, -dice.int(300, 5000))), "contract_code": dice.pick(&["100", "189", "200", "401"]),
        "contract_kind": if en { "Permanent, full time" } else { "Indefinido a tiempo completo" },
        "agreement": if en { "Sector agreement" } else { *dice.pick(&["Convenio del Metal", "Convenio de Oficinas y Despachos", "Convenio del Comercio", "Convenio de Hostelería"]) },
        "days": "30", "hours": "173.33", "irpf_rate": percent(pay.irpf_rate), "earnings": earnings, "deductions": deductions,
        "total_contributions": contributions,
        "bases": {"monthly_pay": pay.base - prorata, "prorata": prorata, "common": pay.base, "professional": pay.base,
                  "overtime_force_majeure": Cents(0), "overtime": Cents(0), "irpf": pay.gross},
        "company": company, "company_total": company_total, "company_cost": company_total + pay.gross,
        "ytd": {"gross": year_to_date(pay.gross), "irpf": year_to_date(irpf), "ss": year_to_date(contributions), "net": year_to_date(pay.net), "base_irpf": year_to_date(pay.gross)},
        "annual_gross": Cents(pay.gross.0 * 12), "pay_date": iso(plan.paid_on),
        "payment_method": if en { "Bank transfer" } else { "Transferencia bancaria" }, "bank_name": plan.bank_name,
        "place": plan.employer.town.town, "tax_code": "S1",
        "holidays": {"entitled": entitled.to_string(), "taken": taken.to_string(), "left": (entitled - taken).to_string()},
        "reference": format!("{}/{:02}/{}", start.year(), start.month(), dice.digits(5)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pay_adds_up() {
        for seed in 0..200 {
            let mut dice = Dice::new(seed);
            let gross = Cents(dice.int(120_000, 420_000));
            let made = pay(&mut dice, gross);
            assert_eq!(made.earnings.iter().map(|e| e.4).sum::<Cents>(), gross);
            assert!(made.earnings.iter().all(|e| e.4.0 > 0));
            assert_eq!(made.gross - made.deductions, made.net);
        }
    }
}
