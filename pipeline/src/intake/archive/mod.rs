//! Archives of documents: zip files and mails with attachments, opened under caps.
//!
//! Runs in the sandboxed child. Must not write anything: it hands members over one by one.
