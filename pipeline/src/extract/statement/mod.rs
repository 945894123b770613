//! Bank statements: the account's data, the balances and every movement of the table.
//!
//! The table is read by mechanisms that hold for any layout: headings and alignment make columns,
//! amounts make rows, and running balances decide signs, order and doubtful digits. Must not know any
//! bank's template.

mod amount;
mod line;
mod vocabulary;
mod heading;
mod columns;
mod region;
mod running;
mod roles;
mod assembly;
mod rows;
mod description;
mod days;
mod ledger;
mod issuer;
mod account;
mod order;
mod book;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::FieldReading;
use crate::domain::Page;

/// Adds to what labels told: the movements, and whatever the table and the letterhead know better.
/// `pages` are the document's, in reading order.
pub fn read(pages: &[&Page], fields: &mut BTreeMap<String, FieldReading>) {
    let mut lines = line::lines_of(pages);
    running::set_apart(&mut lines);
    let table = rows::read_table(&lines);
    account::complete(fields, pages, &lines, &table.used);
    book::enter(fields, &lines, &table, pages);
}
