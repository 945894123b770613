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
mod roles;
mod rows;
mod days;
mod ledger;
mod account;
mod book;

use std::collections::BTreeMap;

use super::FieldReading;
use crate::config::DocumentTypeConfig;
use crate::domain::Page;

/// The fields of a statement. `pages` are the document's, in reading order.
pub fn read(config: &DocumentTypeConfig, pages: &[&Page]) -> BTreeMap<String, FieldReading> {
    let lines = line::lines_of(pages);
    let table = rows::read_table(&lines);
    let mut fields = account::read_account(config, pages, &lines, &table.used);
    book::enter(&mut fields, &lines, &table, pages);
    fields
}
