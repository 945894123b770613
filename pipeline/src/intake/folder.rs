//! A path that somebody names becomes cases: which files belong together, to which flow.
//!
//! Looks at names and folders, and reads `application.json` alone; opens no document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::domain::{Finding, FindingCode};

/// What the applicant declared, beside the documents.
pub const APPLICATION_FILE: &str = "application.json";

/// Declared data is a page of text; more than this is something else under its name.
const MAX_APPLICATION_BYTES: u64 = 1 << 20;
/// Folders inside a case folder are looked into this deep: people group by front and back, by month.
pub(super) const MAX_DEPTH: usize = 4;
/// More files than any case has; keeps a wrongly named path from walking a whole disk.
const MAX_FILES_IN_CASE: usize = 500;

/// The files of one case and what came with them.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSource {
    /// The case folder's name, or the stem of a file that is a case of its own.
    pub reference: String,
    /// `None` when neither the caller nor a parent folder says it.
    pub flow: Option<String>,
    /// In order of their names. A zip or eml stands here as one file until it is unpacked.
    pub files: Vec<SourceFile>,
    /// The object in `application.json`; `None` without one or when it cannot be understood.
    pub application: Option<serde_json::Value>,
    /// What was wrong on the way, by file name. The case is processed all the same.
    pub findings: Vec<(String, Finding)>,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As the sender named it, relative to the case; a member of an archive is
    /// `archive.zip/member.pdf`.
    pub name: String,
    pub path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("there is nothing at {path}")]
    NotFound { path: PathBuf },
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} holds no case: no file that could be a document")]
    NoCase { path: PathBuf },
}

/// The cases at `path`: a case folder, a folder of case folders, a flow folder, an inbox of flow
/// folders, or a single file. `flow` overrides what the folders say; `flows` are the names of all
/// configured flows. Sorted by flow and reference.
///
/// # Errors
/// When the path does not exist, cannot be read or holds no case.
pub fn discover(path: &Path, flow: Option<&str>, flows: &[&str]) -> Result<Vec<CaseSource>, IntakeError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let metadata = std::fs::metadata(&absolute).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => IntakeError::NotFound { path: path.to_owned() },
        _ => IntakeError::Read { path: path.to_owned(), source },
    })?;
    let parent_flow = flow_above(&absolute, flows);
    let mut collector = Collector { flow, flows, cases: BTreeMap::new() };
    if metadata.is_dir() {
        collector.add_folder(&absolute, parent_flow)?;
    } else {
        collector.add_file_case(&absolute, parent_flow);
    }
    if collector.cases.is_empty() {
        return Err(IntakeError::NoCase { path: path.to_owned() });
    }
    Ok(collector.cases.into_values().collect())
}

/// Whether a name is one that intake passes over: hidden, still being written, or left by a system.
pub fn is_ignored(name: &str) -> bool {
    let lower = name.to_lowercase();
    let unfinished = [".part", ".tmp", ".crdownload"].iter().any(|ending| lower.ends_with(ending));
    let left_by_system = matches!(lower.as_str(), "thumbs.db" | "desktop.ini" | "__macosx");
    lower.starts_with('.') || unfinished || left_by_system
}

/// The object in the bytes of an `application.json`.
///
/// # Errors
/// A finding that says why they cannot be used.
pub fn parse_application(bytes: &[u8]) -> Result<serde_json::Value, Finding> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(broken_application("it must be one JSON object")),
        Err(error) => Err(broken_application(&format!(
            "it is not valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

fn broken_application(why: &str) -> Finding {
    let message = format!("The declared data could not be used: {why}.");
    Finding::new(FindingCode::Damaged, message)
}

fn flow_above<'a>(path: &Path, flows: &[&'a str]) -> Option<&'a str> {
    let names = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    names.into_iter().find_map(|name| flows.iter().copied().find(|flow| *flow == name))
}

struct Collector<'a> {
    flow: Option<&'a str>,
    flows: &'a [&'a str],
    cases: BTreeMap<(Option<String>, String), CaseSource>,
}

impl<'a> Collector<'a> {
    /// Tells what kind of folder it is, and adds its cases.
    fn add_folder(&mut self, folder: &Path, above: Option<&'a str>) -> Result<(), IntakeError> {
        let entries = Entries::of(folder)?;
        let own_name = file_name(folder);
        if let Some(own) = self.flows.iter().copied().find(|flow| *flow == own_name) {
            return self.add_flow_folder(&entries, Some(own));
        }
        let is_flow = |path: &PathBuf| self.flows.contains(&file_name(path).as_str());
        if entries.folders.iter().any(is_flow) {
            for inner in entries.folders {
                self.add_folder(&inner, None)?;
            }
            return Ok(());
        }
        if above.is_none() && entries.holds_case_folders() {
            return self.add_flow_folder(&entries, None);
        }
        self.add_case_folder(folder, above)
    }

    fn add_flow_folder(&mut self, entries: &Entries, flow: Option<&'a str>) -> Result<(), IntakeError> {
        for folder in &entries.folders {
            self.add_case_folder(folder, flow)?;
        }
        for file in &entries.files {
            if !is_application(&file_name(file)) {
                self.add_file_case(file, flow);
            }
        }
        Ok(())
    }

    fn add_case_folder(&mut self, folder: &Path, flow: Option<&str>) -> Result<(), IntakeError> {
        let mut content = FolderContent::default();
        content.walk(folder, "", 0)?;
        if content.files.is_empty() && content.application.is_none() && content.findings.is_empty() {
            return Ok(());
        }
        let case = self.case_mut(file_name(folder), flow);
        case.files.extend(content.files);
        case.findings.extend(content.findings);
        case.application = content.application.or(case.application.take());
        Ok(())
    }

    /// Two files of one stem are one case: `A-1.pdf` and `A-1.jpg` are of the same reference.
    fn add_file_case(&mut self, file: &Path, flow: Option<&str>) {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let source = SourceFile { name: file_name(file), path: file.to_owned() };
        self.case_mut(stem, flow).files.push(source);
    }

    fn case_mut(&mut self, reference: String, flow: Option<&str>) -> &mut CaseSource {
        let flow = self.flow.or(flow).map(str::to_owned);
        self.cases.entry((flow.clone(), reference.clone())).or_insert_with(|| CaseSource {
            reference,
            flow,
            files: Vec::new(),
            application: None,
            findings: Vec::new(),
        })
    }
}

/// What a folder holds, sorted, without what intake passes over.
struct Entries {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    links: Vec<PathBuf>,
}

impl Entries {
    fn of(folder: &Path) -> Result<Self, IntakeError> {
        let failed = |source| IntakeError::Read { path: folder.to_owned(), source };
        let mut entries = Self { folders: vec![], files: vec![], links: vec![] };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_ignored(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                entries.folders.push(entry.path());
            } else if kind.is_file() {
                entries.files.push(entry.path());
            } else {
                entries.links.push(entry.path());
            }
        }
        for list in [&mut entries.folders, &mut entries.files, &mut entries.links] {
            list.sort();
        }
        Ok(entries)
    }

    /// A folder of case folders has folders alone, or folders that say they are cases.
    fn holds_case_folders(&self) -> bool {
        if self.folders.is_empty() || self.files.iter().any(|file| is_application(&file_name(file))) {
            return false;
        }
        self.files.is_empty() || self.folders.iter().any(|folder| folder.join(APPLICATION_FILE).is_file())
    }
}

#[derive(Default)]
struct FolderContent {
    files: Vec<SourceFile>,
    application: Option<serde_json::Value>,
    findings: Vec<(String, Finding)>,
}

impl FolderContent {
    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), IntakeError> {
        let entries = Entries::of(folder)?;
        for path in &entries.links {
            self.refuse(
                format!("{prefix}{}", file_name(path)),
                "a link is not followed; put the file itself here",
            );
        }
        for path in entries.files {
            let name = file_name(&path);
            if depth == 0 && is_application(&name) {
                self.take_application(&path, name);
            } else if self.files.len() < MAX_FILES_IN_CASE {
                self.files.push(SourceFile { name: format!("{prefix}{name}"), path });
            } else {
                let why = format!("a case has at most {MAX_FILES_IN_CASE} files");
                self.refuse(format!("{prefix}{name}"), &why);
                return Ok(());
            }
        }
        for path in entries.folders {
            let name = format!("{prefix}{}", file_name(&path));
            if depth + 1 < MAX_DEPTH {
                self.walk(&path, &format!("{name}/"), depth + 1)?;
            } else {
                self.refuse(name, "folders are nested too deep; put the files higher up");
            }
        }
        Ok(())
    }

    fn take_application(&mut self, path: &Path, name: String) {
        let too_large = std::fs::metadata(path).is_ok_and(|found| found.len() > MAX_APPLICATION_BYTES);
        let parsed = if too_large {
            Err(broken_application("it is larger than 1 MB"))
        } else {
            match std::fs::read(path) {
                Ok(bytes) => parse_application(&bytes),
                Err(_) => Err(broken_application("the file cannot be read")),
            }
        };
        match parsed {
            Ok(value) => self.application = Some(value),
            Err(finding) => self.findings.push((name, finding)),
        }
    }

    fn refuse(&mut self, name: String, why: &str) {
        let finding = Finding::new(FindingCode::RefusedMember, format!("This was left out: {why}."));
        self.findings.push((name, finding));
    }
}

/// Whether a name is that of the declared data.
pub fn is_application(name: &str) -> bool {
    name.eq_ignore_ascii_case(APPLICATION_FILE)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLOWS: [&str; 2] = ["consumer_loan", "energy_claim"];

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let content: &[u8] =
                if is_application(&file_name(&path)) { br#"{"channel": "branch"}"# } else { b"x" };
            std::fs::write(path, content).unwrap();
        }
        root
    }

    fn outline(path: &Path, flow: Option<&str>) -> Vec<String> {
        let cases = discover(path, flow, &FLOWS).unwrap();
        let line = |case: &CaseSource| {
            let names: Vec<&str> = case.files.iter().map(|file| file.name.as_str()).collect();
            let flow = case.flow.as_deref().unwrap_or("-");
            let declared = if case.application.is_some() { "+" } else { "" };
            format!("{flow} {}{declared}: {}", case.reference, names.join(" "))
        };
        cases.iter().map(line).collect()
    }

    #[test]
    fn every_kind_of_path_gives_its_cases() {
        let root = tree(&[
            "inbox/consumer_loan/A-1/application.json",
            "inbox/consumer_loan/A-1/dni.jpg",
            "inbox/consumer_loan/A-1/.ready",
            "inbox/consumer_loan/A-1/late.pdf.part",
            "inbox/consumer_loan/A-1/payslips/june.pdf",
            "inbox/consumer_loan/B-2.zip",
            "inbox/energy_claim/C-3/form.tif",
            "inbox/.rejected/consumer_loan/Z/form.tif",
        ]);
        let inbox = root.path().join("inbox");
        let loan = ["consumer_loan A-1+: dni.jpg payslips/june.pdf", "consumer_loan B-2: B-2.zip"];
        assert_eq!(outline(&inbox, None), [loan[0], loan[1], "energy_claim C-3: form.tif"]);
        assert_eq!(outline(&inbox.join("consumer_loan"), None), loan);
        assert_eq!(outline(&inbox.join("consumer_loan/A-1"), None), [loan[0]]);
        assert_eq!(outline(&inbox.join("consumer_loan/B-2.zip"), None), [loan[1]]);
        assert_eq!(outline(&inbox.join("consumer_loan/A-1/dni.jpg"), None), ["consumer_loan dni: dni.jpg"]);
        assert_eq!(
            outline(&inbox.join("energy_claim"), Some("consumer_loan")),
            ["consumer_loan C-3: form.tif"]
        );
    }

    #[test]
    fn a_folder_of_case_folders_needs_no_flow_above() {
        let root = tree(&["batch/A/dni.jpg", "batch/B/application.json", "batch/B/x.pdf", "batch/notes.txt"]);
        let batch = root.path().join("batch");
        assert_eq!(
            outline(&batch, Some("consumer_loan")),
            ["consumer_loan A: dni.jpg", "consumer_loan B+: x.pdf", "consumer_loan notes: notes.txt"]
        );
        assert_eq!(outline(&batch.join("A"), None), ["- A: dni.jpg"]);
    }

    #[test]
    fn broken_declared_data_is_a_finding_and_the_case_goes_on() {
        let root = tree(&["consumer_loan/A/dni.jpg"]);
        let folder = root.path().join("consumer_loan/A");
        std::fs::write(folder.join(APPLICATION_FILE), b"{\"applicant\": ").unwrap();
        let cases = discover(&folder, None, &FLOWS).unwrap();
        assert_eq!(cases[0].application, None);
        assert_eq!(cases[0].files.len(), 1);
        assert_eq!(cases[0].findings[0].1.code, FindingCode::Damaged);
    }

    #[test]
    fn nothing_there_is_an_error() {
        let root = tree(&["empty/.hidden"]);
        assert!(matches!(
            discover(&root.path().join("none"), None, &FLOWS),
            Err(IntakeError::NotFound { .. })
        ));
        assert!(matches!(
            discover(&root.path().join("empty"), None, &FLOWS),
            Err(IntakeError::NoCase { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_case_folder_are_not_followed() {
        let root = tree(&["consumer_loan/A/dni.jpg", "secret"]);
        let folder = root.path().join("consumer_loan/A");
        std::os::unix::fs::symlink(root.path().join("secret"), folder.join("link.pdf")).unwrap();
        let cases = discover(&folder, None, &FLOWS).unwrap();
        assert_eq!(cases[0].files.len(), 1);
        assert_eq!(cases[0].findings[0].1.code, FindingCode::RefusedMember);
    }

    proptest! {
        #[test]
        fn declared_data_is_an_object_or_told_of(bytes in prop::collection::vec(any::<u8>(), 0..200), depth in 0usize..3_000) {
            let deep = [b"{\"a\":".repeat(depth), bytes.clone()].concat();
            for text in [bytes, deep, b"[".repeat(depth)] {
                match parse_application(&text) {
                    Ok(value) => prop_assert!(value.is_object()),
                    Err(finding) => prop_assert!(finding.message.len() < 200, "it repeats nothing of the file"),
                }
            }
        }
    }
}
