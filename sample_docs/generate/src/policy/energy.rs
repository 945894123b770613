//! Energy claims.

use crate::dates::plus_days;
use crate::documents::Fields;
use crate::identifiers::cups_letters;
use crate::money::Cents;
use crate::policy::{Decision, Findings, Outcome, View, cents, date, money, number, same_name, text};
use crate::records::Customer;

pub fn decide(view: &View<'_>) -> Decision {
    let mut found = Findings::default();
    let (form, invoice) = (view.of_kind("claim_form"), view.of_kind("energy_invoice"));
    found.check(form.is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    found.check(invoice.is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    let customer = form
        .and_then(|f| text(f, "cups"))
        .and_then(|cups| view.records.customers.iter().find(|c| c.cups == cups));
    if let Some(form) = form {
        let signed = form.get("claimant_signed").and_then(serde_json::Value::as_bool).unwrap_or(false);
        found.check(signed, Outcome::RequestDocuments, "CLAIM_UNSIGNED");
        found.check(customer.is_some(), Outcome::Review, "CUSTOMER_UNKNOWN");
        check_declared(&mut found, view, form);
    }
    check_cups(&mut found, form, invoice);
    check_holder(&mut found, form, invoice, customer);
    if let Some(invoice) = invoice {
        let last_day = date(invoice, "issue_date").map(|d| plus_days(d, 365));
        found.check(last_day.is_none_or(|d| view.received_on <= d), Outcome::Reject, "CLAIM_TOO_LATE");
        if let (Some(before), Some(now), Some(kwh)) =
            (number(invoice, "previous_reading"), number(invoice, "current_reading"), number(invoice, "kwh"))
        {
            found.check(now - before == kwh, Outcome::Review, "INVOICE_INCONSISTENT");
        }
    }
    let mut because = "CLAIM_TYPE_MANUAL";
    if let (Some(form), Some(invoice)) = (form, invoice) {
        because = check_claim(&mut found, form, invoice, customer);
    }
    found.decide(because)
}

pub(super) fn check_declared(found: &mut Findings, view: &View<'_>, form: &Fields) {
    let same_type = view.declared("claim", "type").is_none_or(|t| text(form, "claim_type") == Some(t));
    let same_amount = view
        .declared("claim", "amount_claimed")
        .is_none_or(|a| money(form, "amount_claimed").is_none_or(|m| m == cents(a)));
    found.check(same_type && same_amount, Outcome::Review, "DECLARED_DATA_MISMATCH");
}

fn check_cups(found: &mut Findings, form: Option<&Fields>, invoice: Option<&Fields>) {
    let codes: Vec<&str> =
        [form, invoice].into_iter().flatten().filter_map(|fields| text(fields, "cups")).collect();
    let valid = |cups: &str| cups[2..18].parse().is_ok_and(|n| cups_letters(n) == cups[18..20]);
    found.check(codes.iter().all(|cups| valid(cups)), Outcome::Review, "CUPS_INVALID");
    found.check(codes.windows(2).all(|pair| pair[0] == pair[1]), Outcome::Review, "CUPS_MISMATCH");
}

fn check_holder(
    found: &mut Findings,
    form: Option<&Fields>,
    invoice: Option<&Fields>,
    customer: Option<&Customer>,
) {
    let Some(form) = form else { return };
    let (name, tax_id) = (text(form, "claimant_name").unwrap_or_default(), text(form, "claimant_tax_id"));
    let is_same = |other_name: &str, other_tax_id: Option<&str>| {
        same_name(name, other_name) && tax_id.zip(other_tax_id).is_none_or(|(left, right)| left == right)
    };
    let on_invoice =
        invoice.is_none_or(|i| is_same(text(i, "holder_name").unwrap_or_default(), text(i, "holder_tax_id")));
    let on_record = customer.is_none_or(|c| is_same(&c.holder_name, Some(&c.holder_tax_id)));
    found.check(on_invoice && on_record, Outcome::Review, "HOLDER_MISMATCH");
}

/// Answers the code that an accept would have.
fn check_claim(
    found: &mut Findings,
    form: &Fields,
    invoice: &Fields,
    customer: Option<&Customer>,
) -> &'static str {
    let price = text(invoice, "price_per_kwh").and_then(|p| p.parse::<f64>().ok()).unwrap_or(0.0);
    let refund = match text(form, "claim_type") {
        Some("estimated_reading") => {
            if text(invoice, "reading_kind") == Some("real") {
                found.fail(Outcome::Reject, "READING_WAS_REAL");
                return "ESTIMATE_CORRECTED";
            }
            let (Some(claimed), Some(billed)) =
                (number(form, "meter_reading"), number(invoice, "current_reading"))
            else {
                found.undetermined();
                return "ESTIMATE_CORRECTED";
            };
            let Some(customer) = customer else { return "ESTIMATE_CORRECTED" };
            let plausible = claimed < billed && claimed >= customer.last_real_reading;
            found.check(plausible, Outcome::Review, "READING_IMPLAUSIBLE");
            ("ESTIMATE_CORRECTED", plausible.then(|| Cents::from_units((billed - claimed) as f64 * price)))
        }
        Some("duplicate_invoice") => {
            let Some(customer) = customer else { return "DUPLICATE_CONFIRMED" };
            let period = (date(invoice, "period_start"), date(invoice, "period_end"));
            let own = text(invoice, "invoice_number");
            let twice = customer.invoices.iter().any(|(number, from, to, _)| {
                Some(number.as_str()) != own && (Some(*from), Some(*to)) == period
            });
            found.check(twice, Outcome::Reject, "NO_DUPLICATE");
            ("DUPLICATE_CONFIRMED", money(invoice, "total_amount").filter(|_| twice))
        }
        Some("wrong_price") => {
            let Some(customer) = customer else { return "PRICE_CORRECTED" };
            let micros = (price * 1e6).round() as i64 - customer.price_micros;
            found.check(micros > 0, Outcome::Reject, "PRICE_WAS_RIGHT");
            let kwh = number(invoice, "kwh").unwrap_or(0);
            ("PRICE_CORRECTED", (micros > 0).then(|| Cents(((micros * kwh) as f64 / 1e4).round() as i64)))
        }
        _ => {
            found.fail(Outcome::Review, "CLAIM_TYPE_MANUAL");
            return "CLAIM_TYPE_MANUAL";
        }
    };
    if let (_, Some(amount)) = refund {
        found.output("refund_amount", amount);
        found.check(amount <= Cents::whole(500), Outcome::Review, "AMOUNT_LIMIT");
    }
    refund.0
}
