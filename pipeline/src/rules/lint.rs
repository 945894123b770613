//! `dossier rules check`: what is wrong, or looks wrong, with a flow's rules before any case is decided.
//! Reads the script as text, so that branches that no case takes are checked too.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::cases::CaseReport;
use super::combine::codes;
use super::load::Flow;
use super::script::FUNCTIONS;
use super::{RulesError, run_cases};
use crate::config::{Bundle, DocumentTypeConfig};

/// Something to put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file it is about.
    pub file: String,
    /// One sentence.
    pub message: String,
}

/// Numbers that a script may use as they stand: nothing, one, and what units are made of.
const PLAIN_NUMBERS: [&str; 5] = ["0", "1", "2", "12", "100"];

/// Checks one flow against the known document types.
///
/// # Errors
/// When a file of test cases cannot be understood.
pub fn lint(
    flow: &Flow,
    bundle: &Bundle,
    types: &[DocumentTypeConfig],
) -> Result<Vec<Complaint>, RulesError> {
    let script_file = format!("{}/rules.rhai", flow.name);
    let script = Script::new(bundle.text(&script_file)?);
    let known = Known::new(types);
    let mut complaints = Vec::new();
    let mut complain = |file: &str, messages: Vec<String>| {
        complaints.extend(messages.into_iter().map(|message| Complaint { file: file.to_owned(), message }));
    };
    complain(&script_file, script.unknown_functions());
    complain(&script_file, script.unknown_fields(&known, &columns(flow)));
    complain(&flow.config_file(), unused_connectors(flow, &script));
    complain(&script_file, script.bare_numbers());
    complain(&script_file, script.unknown_limits(flow));
    complain(&script_file, script.unknown_codes(flow));
    complain(&flow.config_file(), unused_limits(flow, &script));
    complain(&flow.config_file(), unknown_documents(flow, &known));
    complain(&flow.config_file(), unused_messages(flow));
    complain(&flow.config_file(), untested_codes(flow, &run_cases(flow, bundle)?));
    Ok(complaints)
}

/// The document types with their fields.
struct Known {
    fields: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    fn new(types: &[DocumentTypeConfig]) -> Self {
        let fields = types.iter().map(|config| {
            let names = config.fields.iter().map(|field| field.name.clone());
            (config.document_type.as_str().to_owned(), names.collect())
        });
        Self { fields: fields.collect() }
    }

    fn has_path(&self, path: &str) -> bool {
        let (document_type, field) = path.split_once('.').unwrap_or((path, ""));
        self.fields.get(document_type).is_some_and(|fields| fields.contains(field))
    }

    fn has_field(&self, field: &str) -> bool {
        self.fields.values().any(|fields| fields.contains(field))
    }

    fn has_type(&self, document_type: &str) -> bool {
        self.fields.contains_key(document_type)
    }
}

/// A script without its comments, and without the contents of its strings.
struct Script {
    text: String,
    bare: String,
}

impl Script {
    fn new(source: &str) -> Self {
        let text: String = source.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let mut bare = String::with_capacity(text.len());
        let mut in_string = false;
        for c in text.chars() {
            if c == '"' {
                in_string = !in_string;
            }
            bare.push(if in_string && c != '"' { ' ' } else { c });
        }
        Self { text, bare }
    }

    fn unknown_functions(&self) -> Vec<String> {
        let own: BTreeSet<&str> = captures(r"fn\s+(\w+)\s*\(", &self.bare).collect();
        let called: BTreeSet<&str> = captures(r"(\w+)\s*\(", &self.bare).collect();
        let words = ["fn", "if", "while", "for", "switch", "in", "return", "else"];
        let unknown = called
            .into_iter()
            .filter(|name| !own.contains(name) && !FUNCTIONS.contains(name) && !words.contains(name));
        unknown.map(|name| format!("there is no function {name}")).collect()
    }

    fn unknown_fields(&self, known: &Known, columns: &[&str]) -> Vec<String> {
        let getters = r"(?:text|date|amount|integer|yes_no|rows)(?:_if_given)?";
        // On a document named in place the field must be that document's.
        let direct = Regex::new(&format!(r#"\.(\w+)\.{getters}\("(\w+)"\)"#));
        let mut unknown = BTreeSet::new();
        for found in direct.iter().flat_map(|pattern| pattern.captures_iter(&self.text)) {
            let path = format!("{}.{}", &found[1], &found[2]);
            if known.has_type(&found[1]) && !known.has_path(&path) {
                unknown.insert(format!("no document has a field {path}"));
            }
        }
        for field in captures(&format!(r#"\.{getters}\("(\w+)"\)"#), &self.text) {
            if !known.has_field(field) && !columns.contains(&field) {
                unknown.insert(format!("no document or record has a field {field}"));
            }
        }
        for types in captures(r#"\.(?:has|document|all)\("([\w|]+)"\)"#, &self.text) {
            let missing = types.split('|').filter(|name| !known.has_type(name) && !known.has_field(name));
            unknown.extend(missing.map(|name| format!("there is no document type {name}")));
        }
        unknown.into_iter().collect()
    }

    fn bare_numbers(&self) -> Vec<String> {
        let numbers: BTreeSet<&str> = captures(r"(?:^|[^\w.])(\d[\d_.]*)", &self.bare).collect();
        let bare = numbers.into_iter().filter(|number| !PLAIN_NUMBERS.contains(number));
        bare.map(|number| format!("the number {number} should be a limit in flow.toml")).collect()
    }

    fn limits(&self) -> BTreeSet<&str> {
        captures(r"\blimits\.(\w+)", &self.bare).collect()
    }

    fn unknown_limits(&self, flow: &Flow) -> Vec<String> {
        let unknown = self.limits().into_iter().filter(|name| !flow.config.limits.contains_key(*name));
        unknown.map(|name| format!("flow.toml has no limit {name}")).collect()
    }

    fn unknown_codes(&self, flow: &Flow) -> Vec<String> {
        let listed = flow.codes();
        let verbs = r#"\.(?:accept|request_documents|review|reject)\("(\w+)""#;
        let given: BTreeSet<&str> = captures(verbs, &self.text).collect();
        let given = &given;
        let unknown = given.iter().filter(|code| !listed.contains_key(**code));
        let unused = listed.keys().filter(|code| !given.contains(**code));
        let unknown = unknown.map(|code| format!("no rule in flow.toml lists the code {code}"));
        unknown
            .chain(unused.map(|code| format!("no rule gives the code {code} that flow.toml lists")))
            .collect()
    }
}

/// The line up to `//` outside a string.
fn without_comment(line: &str) -> &str {
    let mut in_string = false;
    let mut before = None;
    for (at, c) in line.char_indices() {
        match c {
            '"' => in_string = !in_string,
            '/' if !in_string && before == Some('/') => return line.get(..at - 1).unwrap_or(line),
            _ => {}
        }
        before = Some(c);
    }
    line
}

/// What the first group of `pattern` finds.
fn captures<'a>(pattern: &str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let pattern = Regex::new(pattern).ok();
    let found: Vec<&str> = pattern
        .iter()
        .flat_map(|pattern| pattern.captures_iter(text))
        .filter_map(|found| found.get(1).map(|group| group.as_str()))
        .collect();
    found.into_iter()
}

/// The columns that rules may read of records.
fn columns(flow: &Flow) -> Vec<&str> {
    let shipped = ["excess", "limit", "status", "valid_from", "valid_to", "last_real_reading"];
    let connectors = flow.config.connectors.iter();
    let own = connectors.flat_map(|connector| {
        let values = connector.http.iter().flat_map(|http| http.values.keys());
        connector.columns.iter().chain(values).map(String::as_str)
    });
    shipped.into_iter().chain(own).collect()
}

fn unused_connectors(flow: &Flow, script: &Script) -> Vec<String> {
    let asked: BTreeSet<&str> = captures(r#"\brecord\("(\w+)""#, &script.text).collect();
    let unused = flow.config.connectors.iter().filter(|connector| !asked.contains(connector.table.as_str()));
    unused.map(|connector| format!("no rule looks up the table {} of a connector", connector.table)).collect()
}

fn unused_limits(flow: &Flow, script: &Script) -> Vec<String> {
    let used = script.limits();
    let unused = flow.config.limits.keys().filter(|name| !used.contains(name.as_str()));
    unused.map(|name| format!("no rule uses the limit {name}")).collect()
}

fn unknown_documents(flow: &Flow, known: &Known) -> Vec<String> {
    let documents = &flow.config.documents;
    let needed = documents.needed.iter().flat_map(|types| types.split('|'));
    let types = needed
        .chain(documents.two_sided.iter().map(String::as_str))
        .filter(|name| !known.has_type(name))
        .map(|name| format!("there is no document type {name}"));
    let newest = documents.newest_by.iter().map(|(name, field)| format!("{name}.{field}"));
    let copies = documents
        .copies_agree_on
        .iter()
        .flat_map(|(name, fields)| fields.iter().map(move |field| format!("{name}.{field}")));
    let thresholds = flow.config.confidence.fields.keys().cloned();
    let paths = newest.chain(copies).chain(thresholds).filter(|path| !known.has_path(path));
    types.chain(paths.map(|path| format!("no document has a field {path}"))).collect()
}

fn unused_messages(flow: &Flow) -> Vec<String> {
    let listed = flow.codes();
    let is_given = |key: &String| {
        let code = key.split('.').next().unwrap_or(key);
        listed.contains_key(code)
            || flow.config.accept_code.as_deref() == Some(code)
            || codes::ALL.contains(&code)
    };
    let unused = flow.config.messages.keys().filter(|key| !is_given(key));
    unused.map(|key| format!("no rule gives the code of the message {key}")).collect()
}

/// Every code needs a case that expects it and, so that it is not given always, one that does not.
fn untested_codes(flow: &Flow, reports: &[CaseReport]) -> Vec<String> {
    let listed = flow.codes();
    let all = listed.keys().copied().chain(flow.config.accept_code.as_deref());
    let tested = |code: &str| {
        let expects = |report: &&CaseReport| report.codes.iter().any(|expected| expected == code);
        let with = reports.iter().filter(expects).count();
        with > 0 && with < reports.len()
    };
    let untested = all.filter(|code| !tested(code));
    untested.map(|code| format!("the code {code} has no test case with it and one without")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_document_types;

    #[test]
    fn the_shipped_flows_have_no_complaints() {
        let bundle = Bundle::embedded_rules();
        let types = load_document_types(&bundle).unwrap();
        for name in Flow::names(&bundle) {
            let flow = Flow::load(&bundle, &name).unwrap();
            assert_eq!(lint(&flow, &bundle, &types).unwrap(), Vec::new(), "{name}");
        }
    }

    #[test]
    fn a_script_is_checked_in_branches_that_no_case_takes() {
        let script = Script::new(
            "fn rule(case, limits) { // text(\"x\") 77\n if false { case.payslip.text(\"no_such\"); unheard_of(3.5); limits.gone } }",
        );
        assert_eq!(script.unknown_functions(), ["there is no function unheard_of"]);
        assert_eq!(script.bare_numbers(), ["the number 3.5 should be a limit in flow.toml"]);
        assert!(script.limits().contains("gone"));
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let unknown = script.unknown_fields(&Known::new(&types), &[]);
        assert_eq!(unknown.len(), 2, "{unknown:?}");
    }
}
