//! Fields that are neither a single value beside a label nor a table: the currency of a document, running
//! text, and everything that labels tell put together for one document.

mod currency;
mod paragraph;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::FieldReading;
use super::labels;
use super::signature;
use crate::config::{DocumentTypeConfig, FieldKind};
use crate::domain::Page;

/// All fields of a document except those that a reader of their own reads (`mrz`, `statement`).
pub fn read_document(config: &DocumentTypeConfig, pages: &[&Page]) -> BTreeMap<String, FieldReading> {
    let readings = labels::read_pages(config, pages);
    let mut fields = labels::fields_of(config, &readings);
    for (index, field) in config.fields.iter().enumerate() {
        let read = match field.kind {
            FieldKind::Currency => currency::read(config, index, &readings),
            FieldKind::Paragraph => paragraph::read(index, &readings),
            FieldKind::Signature => signature::read(index, name_of_party(config, index, &fields), &readings),
            _ => None,
        };
        if let Some(read) = read {
            fields.insert(field.name.clone(), read);
        }
    }
    fields
}

/// What the document calls the person whom a field is about.
fn name_of_party<'f>(
    config: &DocumentTypeConfig,
    field: usize,
    fields: &'f BTreeMap<String, FieldReading>,
) -> Option<&'f str> {
    let party = config.fields[field].party.as_ref()?;
    let mut names = config.fields.iter().filter(|other| {
        matches!(other.kind, FieldKind::Person | FieldKind::Party) && other.party.as_ref() == Some(party)
    });
    names.find_map(|name| fields.get(&name.name)?.value.as_text())
}
