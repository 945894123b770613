//! The customer and policy records that claims are looked up in.

use std::fmt::Write as _;

use crate::dates::{Date, iso};
use crate::documents::energy_invoice::price;
use crate::money::Cents;

#[derive(Debug, Clone)]
pub struct Customer {
    pub cups: String,
    pub holder_name: String,
    pub holder_tax_id: String,
    pub tariff: &'static str,
    pub price_micros: i64,
    pub last_real_reading: i64,
    pub last_real_reading_date: Date,
    /// Number, period, total.
    pub invoices: Vec<(String, Date, Date, Cents)>,
}

#[derive(Debug, Clone)]
pub struct Policy {
    pub policy_number: String,
    pub holder_name: String,
    pub holder_tax_id: String,
    pub product: &'static str,
    pub valid_from: Date,
    pub valid_to: Date,
    pub excess: Cents,
    pub limit: Cents,
    pub active: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Records {
    pub customers: Vec<Customer>,
    pub policies: Vec<Policy>,
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

impl Records {
    pub fn customers_csv(&self) -> String {
        let mut out = "cups,holder_name,holder_tax_id,tariff,price_per_kwh,last_real_reading,last_real_reading_date,invoices\n".to_owned();
        for c in &self.customers {
            let invoices: Vec<String> = c
                .invoices
                .iter()
                .map(|(number, from, to, total)| format!("{number}|{}|{}|{total}", iso(*from), iso(*to)))
                .collect();
            let _ = writeln!(
                out,
                "{},{},{},{},{},{},{},{}",
                c.cups,
                quoted(&c.holder_name),
                c.holder_tax_id,
                c.tariff,
                price(c.price_micros),
                c.last_real_reading,
                iso(c.last_real_reading_date),
                quoted(&invoices.join(";"))
            );
        }
        out
    }

    pub fn policies_csv(&self) -> String {
        let mut out =
            "policy_number,holder_name,holder_tax_id,product,valid_from,valid_to,excess,limit,status\n"
                .to_owned();
        for p in &self.policies {
            let status = if p.active { "active" } else { "cancelled" };
            let (from, to) = (iso(p.valid_from), iso(p.valid_to));
            let _ = writeln!(
                out,
                "{},{},{},{},{from},{to},{},{},{status}",
                p.policy_number,
                quoted(&p.holder_name),
                p.holder_tax_id,
                p.product,
                p.excess,
                p.limit
            );
        }
        out
    }
}
