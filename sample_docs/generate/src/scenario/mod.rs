//! The stories that cases tell. A story fixes what is true and which documents say so; the outcome
//! follows from the policy, evaluated over what the chosen layouts print.

pub mod energy;
pub mod insurance;
pub mod loan;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::dates::{Date, iso};
use crate::dice::Dice;
use crate::documents::Doc;
use crate::layouts::{Catalogue, Layout};
use crate::money::Cents;
use crate::people::Person;
use crate::policy::{Decision, Seen, View};
use crate::records::Records;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Flow {
    ConsumerLoan,
    EnergyClaim,
    InsuranceClaim,
}

impl Flow {
    pub fn name(self) -> &'static str {
        match self {
            Self::ConsumerLoan => "consumer_loan",
            Self::EnergyClaim => "energy_claim",
            Self::InsuranceClaim => "insurance_claim",
        }
    }

    /// The stories of this flow, those that end well first.
    pub fn stories(self) -> (&'static [&'static str], &'static [Story]) {
        match self {
            Self::ConsumerLoan => (loan::GOOD, loan::OTHERS),
            Self::EnergyClaim => (energy::GOOD, energy::OTHERS),
            Self::InsuranceClaim => (insurance::GOOD, insurance::OTHERS),
        }
    }
}

/// A story's name and the codes that its outcome must show.
pub type Story = (&'static str, &'static [&'static str]);

/// A document with the face it gets.
#[derive(Debug, Clone)]
pub struct Planned {
    pub doc: Doc,
    pub layout: Layout,
    /// Only the front of an identity card was handed in.
    pub front_only: bool,
}

impl Planned {
    /// The truth of this document.
    pub fn printed(&self) -> crate::documents::Fields {
        let mut printed = self.layout.printed(&self.doc);
        if self.front_only {
            printed.remove("mrz");
        }
        printed
    }
}

#[derive(Debug)]
pub struct Case {
    pub flow: Flow,
    pub reference: String,
    pub story: &'static str,
    pub received_on: Date,
    pub application: Value,
    pub documents: Vec<Planned>,
    pub decision: Decision,
}

/// What every story starts from.
#[derive(Debug)]
pub struct Desk<'a> {
    pub catalogue: &'a Catalogue,
    pub records: Records,
}

pub fn tell(
    desk: &mut Desk<'_>,
    flow: Flow,
    story: &'static str,
    reference: String,
    dice: &mut Dice,
) -> Result<Case> {
    let mut draft = match flow {
        Flow::ConsumerLoan => loan::draft(desk, story, dice)?,
        Flow::EnergyClaim => energy::draft(desk, story, dice)?,
        Flow::InsuranceClaim => insurance::draft(desk, story, dice)?,
    };
    draft.application.insert("received_on".to_owned(), iso(draft.received_on).into());
    let application = Value::Object(draft.application);
    let documents = draft
        .documents
        .iter()
        .map(|p| Seen { kind: p.doc.kind, fields: p.printed(), complete: !p.front_only })
        .collect();
    let view =
        View { documents, application: &application, received_on: draft.received_on, records: &desk.records };
    let decision = match flow {
        Flow::ConsumerLoan => crate::policy::loan::decide(&view),
        Flow::EnergyClaim => crate::policy::energy::decide(&view),
        Flow::InsuranceClaim => crate::policy::insurance::decide(&view),
    };
    Ok(Case {
        flow,
        reference,
        story,
        received_on: draft.received_on,
        application,
        documents: draft.documents,
        decision,
    })
}

/// A case before it is judged.
#[derive(Debug)]
pub struct Draft {
    pub received_on: Date,
    pub application: Map<String, Value>,
    pub documents: Vec<Planned>,
}

/// What the applicant typed when applying; sometimes less, sometimes nothing.
pub fn declared_applicant(person: &Person, dice: &mut Dice) -> Option<Value> {
    match dice.int(0, 9) {
        0 | 1 => None,
        2 => Some(json!({"given_names": person.given_names, "surnames": person.surnames})),
        _ => Some(json!({
            "given_names": person.given_names, "surnames": person.surnames, "tax_id": person.tax_id,
            "birth_date": iso(person.birth_date), "email": person.email, "phone": person.phone,
        })),
    }
}

pub fn declared_claim(claim_type: &str, amount: Cents, cups: Option<&str>, dice: &mut Dice) -> Option<Value> {
    match dice.int(0, 9) {
        0..=2 => None,
        3 => Some(json!({"type": claim_type})),
        _ => Some(match cups {
            Some(cups) => json!({"type": claim_type, "amount_claimed": amount, "cups": cups}),
            None => json!({"type": claim_type, "amount_claimed": amount}),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::layouts::Choice;
    use crate::policy::Outcome;

    fn told(flow: Flow, story: &'static str, seed: u64) -> Case {
        let catalogue =
            Catalogue::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts"), Choice::All).unwrap();
        let mut desk = Desk { catalogue: &catalogue, records: Records::default() };
        tell(&mut desk, flow, story, "A-1".to_owned(), &mut Dice::new(seed)).unwrap()
    }

    #[test]
    fn stories_that_end_well_are_accepted() {
        for flow in [Flow::ConsumerLoan, Flow::EnergyClaim, Flow::InsuranceClaim] {
            for story in flow.stories().0 {
                for seed in 0..25 {
                    let case = told(flow, story, seed);
                    assert_eq!(
                        case.decision.outcome,
                        Outcome::Accept,
                        "{story} {seed}: {:?}",
                        case.decision.codes
                    );
                }
            }
        }
    }

    #[test]
    fn other_stories_fail_for_their_reasons_alone() {
        // Reasons that come along because the documents cannot say the one without the other.
        let company = |code: &str, story: &str| match code {
            "TAX_ID_MISMATCH" => story == "payslip_of_another",
            "IBAN_MISMATCH" => story == "broken_iban",
            "CUPS_MISMATCH" => matches!(story, "broken_cups"),
            "CUSTOMER_UNKNOWN" => matches!(story, "broken_cups"),
            _ => false,
        };
        for flow in [Flow::ConsumerLoan, Flow::EnergyClaim, Flow::InsuranceClaim] {
            for (story, codes) in flow.stories().1 {
                for seed in 0..25 {
                    let case = told(flow, story, seed);
                    for code in *codes {
                        assert!(
                            case.decision.codes.contains(code),
                            "{story} {seed}: {:?}",
                            case.decision.codes
                        );
                    }
                    for code in &case.decision.codes {
                        assert!(codes.contains(code) || company(code, story), "{story} {seed}: {code}");
                    }
                }
            }
        }
    }
}
