//! A workshop's or tradesman's invoice.

use serde_json::{Value, json};

use crate::companies::Company;
use crate::dates::{Date, iso, plus_days};
use crate::dice::Dice;
use crate::documents::{Doc, fields};
use crate::identifiers::spanish_iban;
use crate::money::Cents;
use crate::people::Person;
use chrono::Datelike;

#[derive(Debug)]
pub struct Plan<'a> {
    pub supplier: &'a Company,
    pub customer: &'a Person,
    pub customer_name: String,
    pub customer_tax_id: String,
    pub claim_type: &'a str,
    pub date: Date,
    /// What the invoice should come to, tax included; met to within a few cents.
    pub about: Cents,
    /// What the printed total is wrong by.
    pub total_error: Cents,
    pub english: bool,
}

type Work = (&'static str, &'static str);
fn works(claim_type: &str) -> &'static [Work] {
    match claim_type {
        "glass" => &[
            ("Luna delantera", "Windscreen"),
            ("Mano de obra sustitución luna", "Labour, windscreen replacement"),
            ("Adhesivo y sellado", "Adhesive and sealing"),
            ("Calibrado de cámara", "Camera calibration"),
        ],
        "water_damage" => &[
            ("Reparación de tubería empotrada", "Repair of embedded pipe"),
            ("Desmontaje de alicatado", "Removal of tiles"),
            ("Pintura de techo y paredes", "Painting of ceiling and walls"),
            ("Material de fontanería", "Plumbing material"),
            ("Retirada de escombros", "Debris removal"),
        ],
        "fire" => &[
            ("Limpieza de hollín", "Soot cleaning"),
            ("Sustitución de instalación eléctrica", "Rewiring"),
            ("Pintura de estancias", "Painting of rooms"),
            ("Reposición de muebles de cocina", "Kitchen units"),
        ],
        "theft" => &[
            ("Cambio de cerradura de seguridad", "Security lock replacement"),
            ("Reparación de puerta", "Door repair"),
            ("Cristal de ventanilla", "Side window"),
            ("Mano de obra", "Labour"),
        ],
        "vandalism" => &[
            ("Pintura de puertas", "Painting of doors"),
            ("Pulido de carrocería", "Body polishing"),
            ("Retrovisor izquierdo", "Left mirror"),
            ("Mano de obra chapa", "Body work labour"),
        ],
        _ => &[
            ("Paragolpes delantero", "Front bumper"),
            ("Faro izquierdo", "Left headlight"),
            ("Mano de obra chapa", "Body work labour"),
            ("Pintura y barnizado", "Paint and varnish"),
            ("Aleta delantera derecha", "Right front wing"),
            ("Alineación de dirección", "Wheel alignment"),
        ],
    }
}

pub fn repair_invoice(plan: &Plan<'_>, dice: &mut Dice) -> Doc {
    let (lines, net) = lines(plan, dice);
    let tax = net.times(0.21);
    let total = net + tax + plan.total_error;
    let number = match dice.int(0, 3) {
        0 => format!("{}/{:04}", plan.date.year(), dice.int(12, 2_900)),
        1 => format!("F{}-{}", plan.date.format("%y"), dice.digits(5)),
        2 => format!("A-{}", dice.digits(6)),
        _ => format!("{}{}", plan.date.format("%y"), dice.digits(6)),
    };
    let printed = fields(json!({
        "invoice_number": number, "issue_date": iso(plan.date), "supplier_name": plan.supplier.legal_name,
        "supplier_tax_id": plan.supplier.tax_id, "customer_name": plan.customer_name, "customer_tax_id": plan.customer_tax_id,
        "net_amount": net, "tax_amount": tax, "total_amount": total, "currency": "EUR",
    }));
    let extra = json!({
        "supplier_brand": plan.supplier.brand, "supplier_address": plan.supplier.address_lines(), "supplier_phone": plan.supplier.phone,
        "supplier_website": plan.supplier.website, "supplier_iban": spanish_iban(dice, "2943", "0031"), "customer_address": plan.customer.address_lines(),
        "customer_phone": plan.customer.phone, "customer_code": dice.digits(5), "order_number": format!("OR-{}", dice.digits(6)),
        "order_date": iso(plus_days(plan.date, -dice.int(0, 2))), "due_date": iso(plus_days(plan.date, 30)),
        "plate": format!("{} {}", dice.digits(4), dice.letters(3)), "vehicle": dice.pick(&["Turismo 5 puertas diésel", "Furgoneta mixta", "Turismo híbrido", "SUV gasolina"]),
        "kilometres": dice.int(8_000, 190_000), "lines": lines, "vat_rate": "21.00",
        "is_vehicle": !matches!(plan.claim_type, "water_damage" | "fire"),
        "payment": if plan.english { "Bank transfer, 30 days" } else { *dice.pick(&["Transferencia a 30 días", "Tarjeta", "Contado"]) },
    });
    Doc {
        kind: "repair_invoice",
        fields: printed,
        extra,
        signed: false,
        date: plan.date,
        seed: dice.next_u64(),
    }
}

fn lines(plan: &Plan<'_>, dice: &mut Dice) -> (Vec<Value>, Cents) {
    let mut works = works(plan.claim_type).to_vec();
    dice.shuffle(&mut works);
    works.truncate(dice.int(3, 5) as usize);
    let net_wanted = plan.about.times(1.0 / 1.21);
    let mut shares: Vec<f64> = works.iter().map(|_| dice.float(0.4, 1.6)).collect();
    let whole: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= whole);
    let last = works.len() - 1;
    let mut net = Cents(0);
    let lines = works
        .iter()
        .zip(shares)
        .enumerate()
        .map(|(k, ((es, en), share))| {
            let quantity = if k == last { 1 } else { dice.int(1, 3) };
            let amount = if k == last { net_wanted - net } else { net_wanted.times(share) };
            let unit = Cents(amount.0 / quantity);
            let amount = Cents(unit.0 * quantity);
            net += amount;
            json!({"code": dice.digits(4), "description": if plan.english { en } else { es }, "quantity": quantity, "unit_price": unit, "amount": amount})
        })
        .collect();
    (lines, net)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::ymd;
    use crate::people::{Origin, person};

    #[test]
    fn lines_make_the_net_amount_and_the_total_is_near_what_was_wanted() {
        for seed in 0..100 {
            let mut dice = Dice::new(seed);
            let customer = person(&mut dice, Origin::Spaniard, 40, ymd(2026, 1, 1));
            let supplier = crate::companies::workshop(&mut dice);
            let plan = Plan {
                supplier: &supplier,
                customer: &customer,
                customer_name: customer.full_name(),
                customer_tax_id: customer.tax_id.clone(),
                claim_type: "collision",
                date: ymd(2026, 2, 3),
                about: Cents::whole(800),
                total_error: Cents(0),
                english: false,
            };
            let (lines, net) = lines(&plan, &mut dice);
            assert!(lines.len() >= 3);
            assert!((net.times(1.21).0 - 80_000).abs() < 20, "{net}");
        }
    }
}
