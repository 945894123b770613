//! Insurance claims.

use crate::dates::plus_days;
use crate::documents::Fields;
use crate::money::Cents;
use crate::policy::energy::check_declared;
use crate::policy::{
    Decision, Findings, Outcome, Seen, View, date, identity_name, identity_tax_id, money, same_name, text,
};
use crate::records::Policy;

pub fn decide(view: &View<'_>) -> Decision {
    let mut found = Findings::default();
    let (form, invoice, identity) =
        (view.of_kind("claim_form"), view.of_kind("repair_invoice"), view.identity());
    found.check(form.is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    found.check(invoice.is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    found.check(identity.is_some_and(|seen| seen.complete), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    if form.and_then(|f| text(f, "claim_type")) == Some("theft") {
        found.check(view.of_kind("police_report").is_some(), Outcome::RequestDocuments, "MISSING_DOCUMENT");
    }
    let policy = form
        .and_then(|f| text(f, "policy_number"))
        .and_then(|n| view.records.policies.iter().find(|p| p.policy_number == n));
    if let Some(form) = form {
        check_form(&mut found, view, form, policy);
        check_holder(&mut found, form, identity, policy);
    }
    if let (Some(form), Some(invoice)) = (form, invoice) {
        check_invoice(&mut found, form, invoice);
    }
    if let (Some(form), Some(policy)) = (form, policy) {
        check_payable(&mut found, form, policy);
    }
    found.decide("CLAIM_PAYABLE")
}

fn check_form(found: &mut Findings, view: &View<'_>, form: &Fields, policy: Option<&Policy>) {
    let signed = form.get("claimant_signed").and_then(serde_json::Value::as_bool).unwrap_or(false);
    found.check(signed, Outcome::RequestDocuments, "CLAIM_UNSIGNED");
    found.check(policy.is_some(), Outcome::Review, "POLICY_UNKNOWN");
    check_declared(found, view, form);
    let Some(incident) = date(form, "incident_date") else { return found.undetermined() };
    if let Some(policy) = policy {
        let in_force = policy.active && policy.valid_from <= incident && incident <= policy.valid_to;
        found.check(in_force, Outcome::Reject, "POLICY_NOT_IN_FORCE");
    }
    found.check(view.received_on <= plus_days(incident, 7), Outcome::Review, "LATE_NOTICE");
}

fn check_holder(found: &mut Findings, form: &Fields, identity: Option<&Seen>, policy: Option<&Policy>) {
    let (name, tax_id) = (text(form, "claimant_name").unwrap_or_default(), text(form, "claimant_tax_id"));
    let on_policy =
        policy.is_none_or(|p| same_name(name, &p.holder_name) && tax_id.is_none_or(|t| t == p.holder_tax_id));
    let on_identity = identity.is_none_or(|seen| {
        same_name(name, &identity_name(&seen.fields))
            && tax_id.zip(identity_tax_id(seen)).is_none_or(|(left, right)| left == right)
    });
    found.check(on_policy && on_identity, Outcome::Review, "HOLDER_MISMATCH");
}

fn check_invoice(found: &mut Findings, form: &Fields, invoice: &Fields) {
    let sum = money(invoice, "net_amount").zip(money(invoice, "tax_amount")).map(|(net, tax)| net + tax);
    let total = money(invoice, "total_amount");
    let adds_up = sum.zip(total).is_none_or(|(sum, total)| sum == total);
    let made_out_to_claimant = same_name(
        text(form, "claimant_name").unwrap_or_default(),
        text(invoice, "customer_name").unwrap_or_default(),
    );
    let after = date(form, "incident_date")
        .zip(date(invoice, "issue_date"))
        .is_none_or(|(incident, issued)| issued >= incident);
    found.check(adds_up && made_out_to_claimant && after, Outcome::Review, "INVOICE_INCONSISTENT");
    let within = money(form, "amount_claimed").zip(total).is_none_or(|(claimed, total)| claimed <= total);
    found.check(within, Outcome::Review, "AMOUNT_MISMATCH");
}

fn check_payable(found: &mut Findings, form: &Fields, policy: &Policy) {
    let Some(claimed) = money(form, "amount_claimed") else { return found.undetermined() };
    let payable = claimed.min(policy.limit) - policy.excess;
    found.output("payable_amount", payable);
    if payable <= Cents(0) {
        found.fail(Outcome::Reject, "BELOW_EXCESS");
    }
    found.check(payable <= Cents::whole(1_500), Outcome::Review, "AMOUNT_LIMIT");
}
