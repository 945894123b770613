//! Look-ups in the customer and policy records. The rules ask for a record by its key and never know
//! where it is kept.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::config::Bundle;

/// One row of a table, by column. An empty cell is absent.
pub type Record = BTreeMap<String, String>;

/// The records cannot be consulted now; nothing is said about whether the record exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {table} records cannot be consulted: {problem}")]
pub struct RecordsUnavailable {
    pub table: String,
    pub problem: String,
}

/// Where customers and policies are looked up.
pub trait Records: Send + Sync {
    /// The record of `table` with this key; `None` when there is none.
    ///
    /// # Errors
    /// When the table cannot be consulted or is ambiguous, so that nothing can be said.
    fn find(&self, table: &str, key: &str) -> Result<Option<Record>, RecordsUnavailable>;
}

/// Column by which each table is looked up.
const KEYS: [(&str, &str); 2] = [("customers", "cups"), ("policies", "policy_number")];

/// Tables of comma-separated values, `customers.csv` and `policies.csv`, held in memory. A table that
/// is missing or broken is unavailable; the others work.
#[derive(Debug, Clone, Default)]
pub struct CsvRecords {
    tables: BTreeMap<String, Result<Table, String>>,
}

/// Rows by normalised key; two rows of one key are kept to tell that the key is ambiguous.
type Table = BTreeMap<String, Vec<Record>>;

impl CsvRecords {
    /// `records/*.csv` of a rule bundle.
    pub fn from_bundle(bundle: &Bundle) -> Self {
        Self::from_tables(KEYS.iter().filter_map(|(table, _)| {
            let content = bundle.find(&format!("records/{table}.csv"))?;
            Some(((*table).to_owned(), Ok(content.to_vec())))
        }))
    }

    /// `customers.csv` and `policies.csv` of a folder.
    pub fn from_directory(folder: &std::path::Path) -> Self {
        Self::from_tables(KEYS.iter().map(|(table, _)| {
            let content = std::fs::read(folder.join(format!("{table}.csv")));
            ((*table).to_owned(), content.map_err(|error| error.to_string()))
        }))
    }

    fn from_tables(contents: impl Iterator<Item = (String, Result<Vec<u8>, String>)>) -> Self {
        let tables = contents.map(|(table, content)| {
            let rows = content.and_then(|bytes| parse_table(&table, &bytes));
            (table, rows)
        });
        Self { tables: tables.collect() }
    }

    /// What is wrong with the tables, for `dossier doctor` and `rules check`.
    pub fn problems(&self) -> Vec<String> {
        let problem = |(table, rows): (&String, &Result<Table, String>)| {
            rows.as_ref().err().map(|problem| format!("{table}.csv: {problem}"))
        };
        self.tables.iter().filter_map(problem).collect()
    }
}

impl Records for CsvRecords {
    fn find(&self, table: &str, key: &str) -> Result<Option<Record>, RecordsUnavailable> {
        let unavailable = |problem: String| RecordsUnavailable { table: table.to_owned(), problem };
        let rows = self.tables.get(table).ok_or_else(|| unavailable("there is no such table".to_owned()))?;
        let rows = rows.as_ref().map_err(|problem| unavailable(problem.clone()))?;
        match rows.get(&plain_key(table, key)).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([record]) => Ok(Some(record.clone())),
            Some(_) => Err(unavailable("the key stands in more than one row".to_owned())),
        }
    }
}

fn parse_table(table: &str, bytes: &[u8]) -> Result<Table, String> {
    let key_column = KEYS.iter().find(|(name, _)| *name == table).map_or("", |(_, column)| column);
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    if !headers.iter().any(|column| column == key_column) {
        return Err(format!("has no column {key_column}"));
    }
    let mut rows = Table::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let cells = headers.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let record: Record = cells.map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect();
        if let Some(key) = record.get(key_column) {
            let entries = rows.entry(plain_key(table, key)).or_default();
            if !entries.contains(&record) {
                entries.push(record);
            }
        }
    }
    Ok(rows)
}

/// A key in capitals without separators, as keys of CSV tables are compared; a CUPS by its first 20 characters.
pub fn plain_key(table: &str, key: &str) -> String {
    let key: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    if table == "customers" { key.chars().take(20).collect() } else { key }
}

/// An earlier invoice in a customer's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedInvoice {
    pub(super) number: String,
    pub(super) period_start: NaiveDate,
    pub(super) period_end: NaiveDate,
}

/// The column `invoices`: `number|period_start|period_end|total` joined by `;`. `None` when it does not
/// have this form.
pub(super) fn parse_invoices(cell: &str) -> Option<Vec<RecordedInvoice>> {
    let entries = cell.split(';').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let [number, start, end, _total] = entry.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                return None;
            };
            let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
            Some(RecordedInvoice {
                number: number.to_owned(),
                period_start: day(start)?,
                period_end: day(end)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(csv: &str) -> CsvRecords {
        let file = ("records/customers.csv".to_owned(), csv.as_bytes().to_vec());
        CsvRecords::from_bundle(&Bundle::from_files([file]))
    }

    #[test]
    fn a_customer_is_found_by_any_spelling_of_the_key() {
        let records = records("cups,holder_name\nES0021000000000001BK,Ana Ruiz\n");
        let found = records.find("customers", "es0021 0000 0000 0001 bk 0F").unwrap().unwrap();
        assert_eq!(found.get("holder_name").map(String::as_str), Some("Ana Ruiz"));
        assert_eq!(records.find("customers", "ES0021000000000002XX"), Ok(None));
    }

    #[test]
    fn a_missing_broken_or_ambiguous_table_is_unavailable() {
        assert!(records("cups\n").find("policies", "P-1").is_err());
        assert!(records("name\nAna\n").find("customers", "ES1").is_err());
        assert!(records("cups,holder_name\nES1,Ana\nES1,Eva\n").find("customers", "ES1").is_err());
        assert!(records("cups,holder_name\nES1\n").find("customers", "ES1").is_err());
    }

    #[test]
    fn invoices_of_a_customer_are_a_list_in_one_cell() {
        let invoices =
            parse_invoices("F-1|2026-01-01|2026-01-31|50.00; F-2|2026-02-01|2026-02-28|40.00").unwrap();
        assert_eq!(invoices.len(), 2);
        assert_eq!(parse_invoices(""), Some(Vec::new()));
        assert_eq!(parse_invoices("F-1|enero|2026-01-31|50.00"), None);
        assert_eq!(parse_invoices("F-1"), None);
    }

    #[test]
    fn equal_rows_are_one_record() {
        assert!(records("cups,holder_name\nES1,Ana\nES1,Ana\n").find("customers", "ES1").unwrap().is_some());
    }

    proptest! {
        #[test]
        fn no_table_breaks_looking_up(bytes in prop::collection::vec(any::<u8>(), 0..300), cell in "\\PC{0,60}", key in "\\PC{0,20}") {
            let table = [b"cups,holder_name,invoices\n".as_slice(), &bytes].concat();
            for table in [bytes, table] {
                let records = CsvRecords::from_bundle(&Bundle::from_files([("records/customers.csv".to_owned(), table)]));
                drop((records.problems(), records.find("customers", &key)));
            }
            drop((parse_invoices(&cell), plain_key("customers", &key)));
        }
    }
}
