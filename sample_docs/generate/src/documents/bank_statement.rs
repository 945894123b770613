//! An account statement: rows of an ordinary life around the salary, with true running balances.

use serde_json::{Value, json};

use crate::companies::{Company, shop};
use crate::dates::{Date, MONTHS_EN, MONTHS_ES, first_of_month, iso, last_of_month, plus_days, plus_months};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::identifiers::mrz_letters;
use crate::money::Cents;
use crate::people::{Person, any_name};
use chrono::Datelike;

/// What a scenario wants of a statement.
#[derive(Debug)]
pub struct Plan<'a> {
    pub bank: &'a Company,
    pub holder: &'a Person,
    /// Printed as the holder; differs from the person's name in scenarios of mismatch or joint accounts.
    pub holder_name: String,
    pub iban: String,
    pub period_start: Date,
    pub period_end: Date,
    pub salaries: Vec<(Date, Cents)>,
    pub employer: &'a str,
    pub returned_debits: u32,
    pub tampered: bool,
    pub english: bool,
}

struct Row {
    date: Date,
    value_date: Date,
    description: String,
    kind: &'static str,
    amount: Cents,
    fixed: bool,
}

pub fn statement(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let mut rows = rows(plan, dice);
    rows.sort_by_key(|row| row.date);
    let overdraft = if dice.chance(0.12) { Cents::whole(-400) } else { Cents(0) };
    let opening = Cents(dice.int(35_000, 520_000));
    let balances = settle(&mut rows, opening, overdraft);
    let closing = balances.last().copied().unwrap_or(opening);
    if plan.tampered {
        tamper(&mut rows, dice);
    }
    let transactions: Vec<Value> = rows
        .iter()
        .zip(&balances)
        .map(|(row, balance)| {
            json!({"date": iso(row.date), "value_date": iso(row.value_date), "description": row.description,
                   "amount": row.amount, "balance": *balance})
        })
        .collect();
    let made = plus_days(plan.period_end, dice.int(1, 4));
    let printed = fields(json!({
        "bank_name": plan.bank.brand, "account_holder": plan.holder_name, "iban": plan.iban, "bic": plan.bank.bic, "currency": "EUR",
        "period_start": iso(plan.period_start), "period_end": iso(plan.period_end),
        "opening_balance": opening, "closing_balance": closing, "transactions": transactions,
    }));
    let extra = extra(plan, dice, &rows, &balances, opening, made);
    Doc { kind: "bank_statement", fields: printed, extra, signed: false, date: made, seed: dice.next_u64() }
}

/// Drops debits that the account could not pay, and answers the running balances.
fn settle(rows: &mut Vec<Row>, opening: Cents, floor: Cents) -> Vec<Cents> {
    let mut balance = opening;
    let mut balances = Vec::new();
    rows.retain(|row| {
        if !row.fixed && balance + row.amount < floor {
            return false;
        }
        balance += row.amount;
        balances.push(balance);
        true
    });
    balances
}

/// Somebody improved a row without improving the balances.
fn tamper(rows: &mut [Row], dice: &mut Dice) {
    let candidates: Vec<usize> =
        (1..rows.len()).filter(|&i| !rows[i].fixed && rows[i].amount.0 < 0).collect();
    if candidates.is_empty() {
        return;
    }
    let row = &mut rows[*dice.pick(&candidates)];
    row.amount = Cents(row.amount.0 / 10 - 137);
}

fn rows(plan: &Plan<'_>, dice: &mut Dice) -> Vec<Row> {
    let mut rows = Vec::new();
    let salary = plan.salaries.first().map_or(Cents::whole(1500), |s| s.1);
    for (date, amount) in &plan.salaries {
        let (month, year) = (date.month0() as usize, date.year());
        let plain = plan.employer.replace([',', '.'], "").to_uppercase();
        let description = if plan.english {
            format!(
                "{} {plain} {} {year}",
                dice.pick(&["SALARY", "PAYROLL", "WAGES CREDIT"]),
                MONTHS_EN[month]
            )
        } else {
            format!(
                "{} {plain} {} {year}",
                dice.pick(&["NOMINA", "ABONO NOMINA", "TRANSF. NOMINA"]),
                MONTHS_ES[month]
            )
        };
        rows.push(Row {
            date: *date,
            value_date: *date,
            description,
            kind: kind(plan.english, "salary"),
            amount: *amount,
            fixed: true,
        });
    }
    let mut month = first_of_month(plan.period_start);
    while month <= plan.period_end {
        ordinary_month(&mut rows, plan, dice, month, salary);
        month = plus_months(month, 1);
    }
    rows.retain(|row| row.date >= plan.period_start && row.date <= plan.period_end);
    returned_debits(&mut rows, plan, dice);
    rows
}

fn kind(english: bool, what: &str) -> &'static str {
    match (english, what) {
        (false, "salary") => "Nómina",
        (false, "card") => "Tarjeta",
        (false, "debit") => "Recibo",
        (false, "bizum") => "Bizum",
        (false, "transfer") => "Transferencia",
        (false, "cash") => "Cajero",
        (false, _) => "Comisión",
        (true, "salary") => "CR",
        (true, "card") => "POS",
        (true, "debit") => "DD",
        (true, "bizum" | "transfer") => "TFR",
        (true, "cash") => "ATM",
        (true, _) => "FEE",
    }
}

fn upper_plain(name: &str) -> String {
    mrz_letters(name).replace('<', " ")
}

fn ordinary_month(rows: &mut Vec<Row>, plan: &Plan<'_>, dice: &mut Dice, month: Date, salary: Cents) {
    let en = plan.english;
    let month_name = if en { MONTHS_EN } else { MONTHS_ES }[month.month0() as usize];
    let last = i64::from(last_of_month(month).day());
    let mut push = |dice: &mut Dice, what: &str, description: String, amount: Cents| {
        let date = plus_days(month, dice.int(0, last - 1));
        let value_date = if dice.chance(0.25) { plus_days(date, 1) } else { date };
        rows.push(Row { date, value_date, description, kind: kind(en, what), amount, fixed: false });
    };
    let rent = salary.times(dice.float(0.18, 0.32));
    let landlord =
        dice.pick(&["INMOBILIARIA PUERTA NORTE SL", "ALQUILERES SIERRA SL", "COMUNIDAD RIO DUERO"]);
    let text = if en {
        format!("STANDING ORDER RENT {month_name} REF {}", dice.digits(8))
    } else {
        format!("TRANSFERENCIA A FAVOR DE {landlord} ALQUILER {month_name}")
    };
    push(dice, "transfer", text, -rent);
    for _ in 0..dice.int(2, 4) {
        let who = *dice.pick(&[
            "SEGUROS ATALAYA",
            "LUMEN SUR COMERCIALIZADORA",
            "AGUAS DE LA VEGA",
            "TELECO BRISA",
            "GIMNASIO ATLAS",
            "COMUNIDAD PROPIETARIOS",
            "COLEGIO SAN TELMO",
        ]);
        let text = if en {
            format!("DD {who} MANDATE {}", dice.digits(7))
        } else {
            format!(
                "{} {who} REF {}",
                dice.pick(&["RECIBO", "ADEUDO RECIBO", "ADEUDO SEPA"]),
                dice.digits(10)
            )
        };
        let amount = Cents(-dice.int(1_400, 11_500));
        push(dice, "debit", text, amount);
    }
    for _ in 0..dice.int(3, 10) {
        let shop = shop(dice);
        let text = if en {
            format!("POS {shop} CARD ENDING {}", dice.digits(4))
        } else {
            format!("{} {shop}", dice.pick(&["COMPRA TARJETA", "PAGO CON TARJETA EN", "COMPRA"]))
        };
        let amount = Cents(-dice.int(390, 9_800));
        push(dice, "card", text, amount);
    }
    for _ in 0..dice.int(0, 3) {
        let friend = upper_plain(&any_name(dice));
        let sent = dice.chance(0.6);
        let amount = Cents(dice.int(500, 7_500) * if sent { -1 } else { 1 });
        let text = match (en, sent) {
            (true, true) => format!("TRANSFER TO {friend}"),
            (true, false) => format!("TRANSFER FROM {friend}"),
            (false, true) => format!("BIZUM ENVIADO A {friend}"),
            (false, false) => format!("BIZUM DE {friend}"),
        };
        push(dice, "bizum", text, amount);
    }
    if dice.chance(0.7) {
        let text = if en {
            format!("ATM WITHDRAWAL {}", dice.digits(4))
        } else {
            format!("REINTEGRO CAJERO {}", dice.digits(4))
        };
        let amount = Cents::whole(-10 * dice.int(2, 15));
        push(dice, "cash", text, amount);
    }
    if dice.chance(0.3) {
        let amount = Cents(-dice.int(200, 900));
        push(dice, "fee", if en { "MAINTENANCE FEE" } else { "COMISION MANTENIMIENTO" }.to_owned(), amount);
    }
    // Credits that look like, but are not, returned direct debits.
    if dice.chance(0.35) {
        let shop = shop(dice);
        let amount = Cents(dice.int(900, 6_500));
        push(
            dice,
            "card",
            if en { format!("REFUND {shop}") } else { format!("DEVOLUCION COMPRA {shop}") },
            amount,
        );
    }
    if dice.chance(0.12) {
        let amount = Cents(dice.int(8_000, 32_000));
        push(dice, "transfer", if en { "TAX REFUND" } else { "AEAT DEVOLUCION IRPF" }.to_owned(), amount);
    }
}

fn returned_debits(rows: &mut Vec<Row>, plan: &Plan<'_>, dice: &mut Dice) {
    let length = (plan.period_end - plan.period_start).num_days();
    for nth in 0..plan.returned_debits {
        let date = plus_days(
            plan.period_start,
            4 + (length - 6) * i64::from(nth) / i64::from(plan.returned_debits) + dice.int(0, 1),
        );
        let who = *dice.pick(&[
            "FINANCIERA OLMO",
            "TELECO BRISA",
            "LUMEN SUR",
            "SEGUROS ATALAYA",
            "GIMNASIO ATLAS",
        ]);
        let amount = Cents(dice.int(2_200, 14_000));
        let en = plan.english;
        let mut fixed = |text: String, what: &str, amount: Cents| {
            rows.push(Row {
                date,
                value_date: date,
                description: text,
                kind: kind(en, what),
                amount,
                fixed: true,
            });
        };
        fixed(if en { format!("DD {who}") } else { format!("RECIBO {who}") }, "debit", -amount);
        let text = if en {
            format!(
                "{} {who}",
                dice.pick(&["RETURNED DIRECT DEBIT", "UNPAID DIRECT DEBIT", "DIRECT DEBIT RETURNED"])
            )
        } else {
            format!(
                "{} {who}",
                dice.pick(&["DEVOLUCION RECIBO", "DEVOLUCIÓN DE RECIBO", "RECIBO DEVUELTO", "DEVOL. RECIBO"])
            )
        };
        fixed(text, "debit", amount);
        if dice.chance(0.6) {
            let fee = Cents(-dice.int(300, 1_500));
            fixed(
                if en { "FEE FOR RETURNED ITEM" } else { "COMISION POR DEVOLUCION" }.to_owned(),
                "fee",
                fee,
            );
        }
    }
}

fn extra(
    plan: &Plan<'_>,
    dice: &mut Dice,
    rows: &[Row],
    balances: &[Cents],
    opening: Cents,
    made: Date,
) -> Value {
    let debits: Vec<Cents> = rows.iter().map(|r| r.amount).filter(|a| a.0 < 0).collect();
    let credits: Vec<Cents> = rows.iter().map(|r| r.amount).filter(|a| a.0 > 0).collect();
    let closing = balances.last().copied().unwrap_or(opening);
    let average = Cents(balances.iter().map(|b| b.0).sum::<i64>() / balances.len().max(1) as i64);
    let en = plan.english;
    let limit = Cents::whole(*dice.pick(&[0, 300, 500, 1000]));
    let details: Vec<Value> = rows
        .iter()
        .map(|row| json!({"kind": row.kind, "code": dice.digits(3), "office": dice.digits(4), "reference": dice.digits(10)}))
        .collect();
    let registry = if en && plan.bank.irish {
        format!(
            "{}. Registered in Ireland, No. {}. Regulated by the Central Bank of Ireland.",
            plan.bank.legal_name,
            dice.digits(6)
        )
    } else if en {
        format!(
            "{}. Registered in the Companies Register of {}, volume {}, sheet {}.",
            plan.bank.legal_name,
            plan.bank.town.province,
            dice.int(800, 9_900),
            dice.int(10, 220)
        )
    } else {
        format!(
            "{}. Inscrito en el Registro Mercantil de {}, tomo {}, folio {}, hoja {}-{}",
            plan.bank.legal_name,
            plan.bank.town.province,
            dice.int(800, 9_900),
            dice.int(10, 220),
            dice.letters(1),
            dice.int(10_000, 99_000)
        )
    };
    json!({
        "bank_legal_name": plan.bank.legal_name, "bank_tax_id": plan.bank.tax_id, "bank_address": plan.bank.address_lines(),
        "bank_registry": registry, "bank_phone": plan.bank.phone, "bank_website": plan.bank.website,
        "branch": {"code": plan.iban[8..12], "name": if en { format!("{} branch", plan.holder.town.town) } else { format!("Oficina {}", plan.holder.town.town) },
                   "address": [crate::places::street(dice), plan.holder.town.line()], "phone": crate::places::landline(dice), "manager": any_name(dice)},
        "holder_address": plan.holder.address_lines(), "holder_tax_id": plan.holder.tax_id, "customer_number": dice.digits(8),
        "product": if en { *dice.pick(&["Everyday Current Account", "Salary Account", "Resident Account"]) } else { *dice.pick(&["Cuenta Nómina", "Cuenta Corriente", "Cuenta Online Sin Comisiones", "Libreta Ahorro Vista"]) },
        "statement_number": dice.int(1, 24).to_string(), "issue_date": iso(made), "previous_statement_date": iso(plus_days(plan.period_start, -1)),
        "total_debits": debits.iter().copied().sum::<Cents>().abs(), "total_credits": credits.iter().copied().sum::<Cents>(),
        "count_debits": debits.len(), "count_credits": credits.len(), "average_balance": average,
        "available_balance": closing + limit, "held_balance": Cents(dice.int(0, 9_000)), "overdraft_limit": limit,
        "debit_interest_rate": "7.25", "credit_interest_rate": "0.10",
        "cards": [{"masked": format!("4548 {}XX XXXX {}", dice.digits(2), dice.digits(4)), "name": if en { "Visa Debit" } else { "Visa Débito" }, "spent": Cents(dice.int(1_000, 60_000))}],
        "other_accounts": [{"name": if en { "Saver account" } else { "Depósito 12 meses" }, "number": format!("****{}", dice.digits(4)), "balance": Cents::whole(dice.int(5, 90) * 100)}],
        "rows": details,
    })
}
