//! A case's files out of the blob store, its archives opened.

use std::collections::HashSet;
use std::path::Path;

use super::{WorkError, Workshop};
use crate::intake::{CaseSource, SourceFile};
use crate::store::{ArrivedFile, BlobError, CaseFile, NewFile, StoredCase};

/// The case's files out of the blob store, with the members of its archives recorded as files of
/// their own, so that they can be looked at.
pub(super) async fn source_of(
    shop: &Workshop,
    case: &StoredCase,
    scratch: &Path,
) -> Result<CaseSource, WorkError> {
    let mut files = shop.store.files(&case.id).await?;
    let mut findings = shop.store.intake_findings(&case.id).await?;
    let mut declared = declared_of(case);
    let packed = CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files: local_files(shop, files.iter().filter(|file| is_packed(file)), scratch).await?,
        application: None,
        findings: Vec::new(),
    };
    let before: HashSet<String> = packed.files.iter().map(|file| file.name.clone()).collect();
    let unpacked = shop.engine.expand(&packed, scratch).await?;
    findings.extend(unpacked.findings.clone());
    declared = declared.or(unpacked.application.clone());
    let kept: HashSet<&str> = unpacked.files.iter().map(|file| file.name.as_str()).collect();
    let archives: Vec<String> = before.iter().filter(|name| !kept.contains(name.as_str())).cloned().collect();
    if !archives.is_empty() {
        let mut members = Vec::new();
        for file in unpacked.files.iter().filter(|file| !before.contains(&file.name)) {
            let stored = shop.blobs.put_file(file.path.clone()).await?;
            let archive = archives.iter().find(|name| file.name.starts_with(&format!("{name}/")));
            members.push(NewFile {
                archive: archive.cloned().unwrap_or_default(),
                file: ArrivedFile {
                    name: file.name.clone(),
                    sha256: stored.sha256,
                    size_bytes: stored.size_bytes,
                },
            });
        }
        shop.store
            .add_members(
                &case.id,
                &members,
                &archives,
                declared.as_ref(),
                &unpacked.findings,
                shop.clock.now(),
            )
            .await?;
        files = shop.store.files(&case.id).await?;
    }
    let documents = files.iter().filter(|file| !file.unpacked);
    Ok(CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files: local_files(shop, documents, scratch).await?,
        application: declared,
        findings,
    })
}

/// The case's files as they came in, archives closed: of a case that is given up, perhaps because they cannot be
/// opened or are not there.
pub(super) async fn closed_source(
    shop: &Workshop,
    case: &StoredCase,
    scratch: &Path,
) -> Result<CaseSource, WorkError> {
    let mut files = Vec::new();
    for file in shop.store.files(&case.id).await?.iter().filter(|file| is_packed(file)) {
        let opened = shop.blobs.local_in(&file.sha256, scratch).await;
        let path = opened.unwrap_or_else(|_| shop.blobs.path(&file.sha256));
        files.push(SourceFile { name: file.name.clone(), path });
    }
    Ok(CaseSource {
        reference: case.reference.clone(),
        flow: Some(case.flow.clone()),
        files,
        application: declared_of(case),
        findings: shop.store.intake_findings(&case.id).await?,
    })
}

/// It came in as it is and was not unpacked.
fn is_packed(file: &CaseFile) -> bool {
    file.archive.is_none() && !file.unpacked
}

fn declared_of(case: &StoredCase) -> Option<serde_json::Value> {
    (case.declared != serde_json::json!({})).then(|| case.declared.clone())
}

/// Files with their plain bytes: where they lie, or opened into `scratch`.
async fn local_files<'f>(
    shop: &Workshop,
    files: impl Iterator<Item = &'f CaseFile>,
    scratch: &Path,
) -> Result<Vec<SourceFile>, BlobError> {
    let mut found = Vec::new();
    for file in files {
        let path = shop.blobs.local_in(&file.sha256, scratch).await?;
        found.push(SourceFile { name: file.name.clone(), path });
    }
    Ok(found)
}
