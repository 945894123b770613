//! An electricity bill: readings, consumption, terms, taxes.

use serde_json::{Value, json};

use crate::companies::Company;
use crate::dates::{Date, iso, plus_days, plus_months};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::money::Cents;
use crate::people::Person;
use chrono::Datelike;

#[derive(Debug)]
pub struct Plan<'a> {
    pub supplier: &'a Company,
    pub holder: &'a Person,
    pub holder_name: String,
    pub holder_tax_id: String,
    pub cups: String,
    pub tariff: &'static str,
    pub number: String,
    pub period_start: Date,
    pub period_end: Date,
    pub issue_date: Date,
    pub previous_reading: i64,
    pub current_reading: i64,
    pub estimated: bool,
    /// What is added to the consumption to make the bill wrong.
    pub kwh_error: i64,
    /// Millionths of a euro for each kWh.
    pub price_micros: i64,
    pub iban: String,
}

/// `0.147300` for 147300 millionths.
pub fn price(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

struct Amounts {
    energy: Cents,
    power: Cents,
    discount_bonus: Cents,
    electricity_tax: Cents,
    rental: Cents,
    net: Cents,
    vat: Cents,
    total: Cents,
}

fn amounts(kwh: i64, price_micros: i64, power_kw: f64, days: i64) -> Amounts {
    let energy = Cents::from_units(kwh as f64 * price_micros as f64 / 1e6);
    let power = Cents::from_units(power_kw * days as f64 * 0.104_229);
    let discount_bonus = Cents::from_units(days as f64 * 0.012_742);
    let electricity_tax = (energy + power + discount_bonus).times(0.051_127);
    let rental = Cents::from_units(days as f64 * 0.026_630);
    let net = energy + power + discount_bonus + electricity_tax + rental;
    let vat = net.times(0.21);
    Amounts { energy, power, discount_bonus, electricity_tax, rental, net, vat, total: net + vat }
}

pub fn energy_invoice(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let kwh = plan.current_reading - plan.previous_reading + plan.kwh_error;
    let days = (plan.period_end - plan.period_start).num_days() + 1;
    let power_kw = *dice.pick(&[3.3, 3.45, 4.4, 4.6, 5.5, 5.75]);
    let due = plus_days(plan.issue_date, dice.int(10, 22));
    let sums = amounts(kwh, plan.price_micros, power_kw, days);
    let printed = fields(json!({
        "invoice_number": plan.number, "issue_date": iso(plan.issue_date), "supplier_name": plan.supplier.legal_name,
        "holder_name": plan.holder_name, "holder_tax_id": plan.holder_tax_id, "cups": plan.cups, "tariff": plan.tariff,
        "period_start": iso(plan.period_start), "period_end": iso(plan.period_end),
        "previous_reading": plan.previous_reading.to_string(), "current_reading": plan.current_reading.to_string(),
        "reading_kind": if plan.estimated { "estimated" } else { "real" }, "kwh": kwh.to_string(),
        "price_per_kwh": price(plan.price_micros), "total_amount": sums.total, "currency": "EUR", "due_date": iso(due),
    }));
    let history: Vec<Value> = (1..=6)
        .rev()
        .map(|back| {
            let month = plus_months(plan.period_end, -2 * back);
            json!({"month": iso(month), "kwh": (kwh as f64 * dice.float(0.7, 1.3)) as i64})
        })
        .collect();
    let extra = json!({
        "supplier_brand": plan.supplier.brand, "supplier_tax_id": plan.supplier.tax_id, "supplier_address": plan.supplier.address_lines(),
        "supplier_phone": "900 555 480", "faults_phone": "900 555 112", "supplier_website": plan.supplier.website,
        "supplier_iban": crate::identifiers::spanish_iban(dice, "1999", "0044"),
        "registry": format!("R.M. de {}, tomo {}, folio {}, hoja {}", plan.supplier.town.province, dice.int(900, 9_900), dice.int(5, 220), dice.int(10_000, 90_000)),
        "holder_address": plan.holder.address_lines(), "supply_address": plan.holder.address_lines(),
        "contract_number": dice.digits(9), "customer_number": dice.digits(8), "meter_number": dice.digits(9), "access_contract": dice.digits(12),
        "distributor": dice.pick(&["Redes del Duero Distribución, S.A.", "Distribuidora Levante Eléctrica, S.L.", "Norte Redes, S.A."]),
        "power_kw": power_kw.to_string(), "power_price": "0.104229", "days": days, "energy_amount": sums.energy, "power_amount": sums.power,
        "bonus_amount": sums.discount_bonus, "electricity_tax_rate": "5.1127", "electricity_tax": sums.electricity_tax, "meter_rental": sums.rental,
        "net_amount": sums.net, "vat_rate": "21.00", "vat_amount": sums.vat, "iban_masked": format!("{}{}", &plan.iban[..4], "*".repeat(16) + &plan.iban[20..]),
        "contract_end": iso(plus_months(plan.issue_date, 9)), "year": plan.issue_date.year(), "history": history,
        "previous_kind": if dice.chance(0.8) { "real" } else { "estimated" }, "print_date": iso(plus_days(plan.issue_date, 1)),
        "average_daily_cost": Cents(sums.total.0 / days.max(1)),
    });
    Doc {
        kind: "energy_invoice",
        fields: printed,
        extra,
        signed: false,
        date: plan.issue_date,
        seed: dice.next_u64(),
    }
}

/// The total of such a bill, for records of other bills.
pub fn usual_total(dice: &mut Dice) -> Cents {
    Cents(dice.int(3_200, 14_800))
}
