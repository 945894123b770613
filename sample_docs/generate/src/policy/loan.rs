//! Consumer loans.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::dates::{age, plus_days, plus_months};
use crate::documents::Fields;
use crate::identifiers::mod97;
use crate::money::{Cents, french_instalment};
use crate::policy::{
    Decision, Findings, Outcome, Seen, View, cents, date, identity_holds, identity_name, identity_tax_id,
    is_holder, money, same_name, text,
};

/// How this generator words a returned direct debit.
const RETURNED: [&str; 7] = [
    "RETURNED DIRECT DEBIT",
    "UNPAID DIRECT DEBIT",
    "DIRECT DEBIT RETURNED",
    "DEVOLUCION RECIBO",
    "DEVOLUCIÓN DE RECIBO",
    "RECIBO DEVUELTO",
    "DEVOL. RECIBO",
];

pub fn decide(view: &View<'_>) -> Decision {
    let mut found = Findings::default();
    let identity = view.identity();
    for kind in ["bank_statement", "payslip", "contract"] {
        found.check(view.of_kind(kind).is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    }
    found.check(identity.is_some_and(|seen| seen.complete), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    if let Some(seen) = identity {
        check_identity(&mut found, view, seen);
    }
    check_same_person(&mut found, view, identity);
    let (statement, payslip, contract) =
        (view.of_kind("bank_statement"), view.of_kind("payslip"), view.of_kind("contract"));
    if let Some(fields) = statement {
        check_statement(&mut found, view, fields);
    }
    if let Some(fields) = payslip {
        let end = date(fields, "period_end");
        found.check(
            end.is_none_or(|d| d >= plus_days(view.received_on, -90)),
            Outcome::RequestDocuments,
            "PAYSLIP_TOO_OLD",
        );
    }
    if let Some(fields) = contract {
        check_contract(&mut found, view, fields);
    }
    check_ibans(&mut found, statement, contract);
    if let (Some(statement), Some(payslip)) = (statement, payslip) {
        check_income(&mut found, statement, payslip);
    }
    if let (Some(contract), Some(payslip)) = (contract, payslip) {
        check_debt_to_income(&mut found, contract, payslip);
    }
    found.decide("ALL_CHECKS_PASSED")
}

fn check_identity(found: &mut Findings, view: &View<'_>, seen: &Seen) {
    let expiry = date(&seen.fields, "expiry_date");
    found.check(expiry.is_none_or(|d| d >= view.received_on), Outcome::RequestDocuments, "ID_EXPIRED");
    found.check(identity_holds(seen), Outcome::Review, "ID_CHECK_FAILED");
    let Some(born) = date(&seen.fields, "birth_date") else { return };
    found.check(age(born, view.received_on) >= 18, Outcome::Reject, "UNDERAGE");
    if let Some(contract) = view.of_kind("contract") {
        let months = contract.get("term_months").and_then(Value::as_i64).unwrap_or(0) as i32;
        let end = date(contract, "contract_date").map(|d| plus_months(d, months));
        found.check(end.is_none_or(|d| age(born, d) <= 75), Outcome::Reject, "AGE_LIMIT");
    }
    let declared = view.declared("applicant", "birth_date");
    found.check(
        declared.is_none_or(|d| text(&seen.fields, "birth_date") == Some(d)),
        Outcome::Review,
        "DECLARED_DATA_MISMATCH",
    );
}

fn check_same_person(found: &mut Findings, view: &View<'_>, identity: Option<&Seen>) {
    let mut names: Vec<String> = identity.map(|seen| identity_name(&seen.fields)).into_iter().collect();
    let mut tax_ids: BTreeSet<&str> = identity.and_then(identity_tax_id).into_iter().collect();
    if let (Some(given), Some(surnames)) =
        (view.declared("applicant", "given_names"), view.declared("applicant", "surnames"))
    {
        names.push(format!("{given} {surnames}"));
    }
    tax_ids.extend(view.declared("applicant", "tax_id"));
    for (kind, name, tax_id) in
        [("payslip", "employee_name", "employee_tax_id"), ("contract", "borrower_name", "borrower_tax_id")]
    {
        if let Some(fields) = view.of_kind(kind) {
            names.extend(text(fields, name).map(str::to_owned));
            tax_ids.extend(text(fields, tax_id));
        }
    }
    let holders = view.of_kind("bank_statement").and_then(|fields| text(fields, "account_holder"));
    let same = names.windows(2).all(|pair| same_name(&pair[0], &pair[1]))
        && holders.is_none_or(|h| names.iter().all(|name| is_holder(h, name)));
    found.check(same, Outcome::Review, "NAME_MISMATCH");
    found.check(tax_ids.len() <= 1, Outcome::Review, "TAX_ID_MISMATCH");
}

fn check_statement(found: &mut Findings, view: &View<'_>, fields: &Fields) {
    let end = date(fields, "period_end");
    found.check(
        end.is_none_or(|d| d >= plus_days(view.received_on, -90)),
        Outcome::RequestDocuments,
        "STATEMENT_TOO_OLD",
    );
    let rows: Vec<&Value> =
        fields.get("transactions").and_then(Value::as_array).into_iter().flatten().collect();
    let (Some(opening), Some(closing)) = (money(fields, "opening_balance"), money(fields, "closing_balance"))
    else {
        return found.undetermined();
    };
    let mut balance = opening;
    let mut running_holds = true;
    for row in &rows {
        balance += amount(row);
        running_holds &= row["balance"].as_str().is_none_or(|printed| cents(printed) == balance);
    }
    found.check(running_holds && balance == closing, Outcome::Review, "STATEMENT_INCONSISTENT");
    let returned = rows
        .iter()
        .filter(|row| {
            RETURNED.iter().any(|words| row["description"].as_str().unwrap_or("").starts_with(words))
        })
        .count();
    match returned {
        0 => {}
        1 | 2 => found.fail(Outcome::Review, "RETURNED_DEBITS"),
        _ => found.fail(Outcome::Reject, "RETURNED_DEBITS"),
    }
}

fn amount(row: &Value) -> Cents {
    row["amount"].as_str().map_or(Cents(0), cents)
}

fn check_contract(found: &mut Findings, view: &View<'_>, fields: &Fields) {
    let signed = fields.get("borrower_signed").and_then(Value::as_bool).unwrap_or(false);
    found.check(signed, Outcome::RequestDocuments, "CONTRACT_UNSIGNED");
    let term = fields.get("term_months").and_then(Value::as_u64).unwrap_or(0) as u32;
    let rate: f64 = text(fields, "nominal_rate").and_then(|r| r.parse().ok()).unwrap_or(0.0);
    let (Some(principal), Some(instalment)) = (money(fields, "principal"), money(fields, "instalment"))
    else {
        return;
    };
    let right = french_instalment(principal, rate, term);
    found.check((instalment - right).abs().0 * 100 <= right.0, Outcome::Review, "CONTRACT_INCONSISTENT");
    found.check(principal <= Cents::whole(30_000), Outcome::Review, "AMOUNT_LIMIT");
    let declared_principal = view.declared("loan", "principal").map(cents);
    let declared_term =
        view.application.get("loan").and_then(|l| l.get("term_months")).and_then(Value::as_u64);
    let agrees = declared_principal.is_none_or(|p| p == principal)
        && declared_term.is_none_or(|t| t == u64::from(term));
    if !agrees {
        // Check 11 and the settled detail on declared data both speak of it, and every failing check is listed.
        found.fail(Outcome::Review, "CONTRACT_INCONSISTENT");
        found.fail(Outcome::Review, "DECLARED_DATA_MISMATCH");
    }
}

fn check_ibans(found: &mut Findings, statement: Option<&Fields>, contract: Option<&Fields>) {
    let ibans: Vec<Option<&str>> =
        [statement, contract].into_iter().flatten().map(|fields| text(fields, "iban")).collect();
    found.check(ibans.iter().flatten().all(|iban| mod97(iban) == 1), Outcome::Review, "IBAN_INVALID");
    match ibans[..] {
        [Some(left), Some(right)] => found.check(left == right, Outcome::Review, "IBAN_MISMATCH"),
        [_, _] => found.undetermined(),
        _ => {}
    }
}

fn check_income(found: &mut Findings, statement: &Fields, payslip: &Fields) {
    let Some(net) = money(payslip, "net_pay") else { return found.undetermined() };
    let rows = statement.get("transactions").and_then(Value::as_array).into_iter().flatten();
    let confirmed = rows.map(amount).any(|amount| (amount - net).abs().0 * 20 <= net.0);
    found.check(confirmed, Outcome::Review, "INCOME_NOT_CONFIRMED");
}

fn check_debt_to_income(found: &mut Findings, contract: &Fields, payslip: &Fields) {
    let (Some(instalment), Some(net)) = (money(contract, "instalment"), money(payslip, "net_pay")) else {
        return found.undetermined();
    };
    let ratio = instalment.units() / net.units();
    found.output("debt_to_income", format!("{ratio:.2}"));
    if instalment.0 * 2 > net.0 {
        found.fail(Outcome::Reject, "DEBT_TO_INCOME");
    } else if instalment.0 * 100 > net.0 * 35 {
        found.fail(Outcome::Review, "DEBT_TO_INCOME");
    }
}
