//! Archives opened in a child: their members go to the place of the archive in the case.

use std::path::Path;

use tokio::io::AsyncReadExt;

use super::sandbox::{Sandbox, SandboxError};
use super::stop::Stop;
use super::wire::{Message, Source, Task};
use crate::domain::{Finding, FindingCode};
use crate::intake::folder::{is_application, parse_application};
use crate::intake::sniff::{SNIFF_BYTES, sniff};
use crate::intake::{CaseSource, SourceFile};

/// Names of members with their files, findings by name, and why the child stopped early.
type Unpacked = (Vec<(String, String)>, Vec<(String, Finding)>, Option<Stop>);

impl Sandbox {
    /// Puts the members of a case's archives in the place of the archives: their files go to
    /// `scratch`, an `application.json` among them becomes the declared data.
    ///
    /// # Errors
    /// When no child can be started, an archive is out of reach, or `scratch` cannot be written.
    pub async fn expand(&self, case: CaseSource, scratch: &Path) -> Result<CaseSource, SandboxError> {
        let mut expanded = CaseSource { files: Vec::new(), ..case };
        for (index, file) in case.files.into_iter().enumerate() {
            if is_archive(&file.path).await? {
                self.expand_archive(&file, index, scratch, &mut expanded).await?;
            } else {
                expanded.files.push(file);
            }
        }
        Ok(expanded)
    }

    async fn expand_archive(
        &self,
        archive: &SourceFile,
        index: usize,
        scratch: &Path,
        case: &mut CaseSource,
    ) -> Result<(), SandboxError> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("archive-{index}-"))
            .tempdir_in(scratch)
            .map(tempfile::TempDir::keep)
            .map_err(|source| SandboxError::File { path: scratch.to_owned(), source })?;
        let absolute = std::path::absolute(&archive.path).unwrap_or_else(|_| archive.path.clone());
        let task = Task::Unpack {
            source: Source::Path(absolute.into_os_string()),
            limits: self.limits.archive,
            scratch: folder.clone().into_os_string(),
        };
        let (mut members, mut findings, mut end) = self.unpack(task.clone()).await?;
        if end == Some(Stop::Killed) {
            (members, findings, end) = self.unpack(task).await?;
        }
        if let Some(stop) = end {
            findings.push((String::new(), stop.finding(None)));
        }
        for (name, file) in members {
            let path = folder.join(file);
            let is_declared = name.rsplit('/').next().is_some_and(is_application);
            let shown = format!("{}/{name}", archive.name);
            if is_declared {
                take_application(&path, shown, case).await?;
            } else {
                case.files.push(SourceFile { name: shown, path });
            }
        }
        let named = |name: String| {
            if name.is_empty() { archive.name.clone() } else { format!("{}/{name}", archive.name) }
        };
        case.findings.extend(findings.into_iter().map(|(name, finding)| (named(name), finding)));
        Ok(())
    }

    async fn unpack(&self, task: Task) -> Result<Unpacked, SandboxError> {
        let mut members = Vec::new();
        let mut findings: Vec<(String, Finding)> = Vec::new();
        let mut failed = None;
        let mut on_message = |message| match message {
            Message::Member { name, file } if is_plain_number(&file) => members.push((name, file)),
            Message::MemberFinding { name, finding } => findings.push((name, finding.into())),
            Message::Failed { problem } => failed = Some(problem),
            _ => {}
        };
        let end = self.run_child(task, &mut on_message).await?;
        if let Some(problem) = failed {
            return Err(SandboxError::Reader { problem });
        }
        Ok((members, findings, end))
    }
}

async fn is_archive(path: &Path) -> Result<bool, SandboxError> {
    let failed = |source| SandboxError::File { path: path.to_owned(), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut head = Vec::new();
    file.take(SNIFF_BYTES as u64).read_to_end(&mut head).await.map_err(failed)?;
    Ok(sniff(&head).is_ok_and(crate::intake::Format::is_archive))
}

async fn take_application(path: &Path, name: String, case: &mut CaseSource) -> Result<(), SandboxError> {
    let failed = |source| SandboxError::File { path: path.to_owned(), source };
    let bytes = tokio::fs::read(path).await.map_err(failed)?;
    match parse_application(&bytes) {
        Ok(declared) if case.application.is_none() => case.application = Some(declared),
        Ok(_) => {
            let message = "The case has declared data already, so this second set was left out.";
            case.findings.push((name, Finding::new(FindingCode::RefusedMember, message)));
        }
        Err(finding) => case.findings.push((name, finding)),
    }
    Ok(())
}

/// A child names member files by number; anything else was not written by our code.
fn is_plain_number(file: &str) -> bool {
    !file.is_empty() && file.len() <= 8 && file.bytes().all(|byte| byte.is_ascii_digit())
}
