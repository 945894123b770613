use serde::{Deserialize, Serialize};

/// Something that a reviewer must know about a file: why (a part of) it could not be read.
///
/// A finding is a result, not an error: the work on the case goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub code: FindingCode,
    /// One sentence for people: what is wrong and what to do. Never holds file content.
    pub message: String,
    /// The page it concerns, from 1; absent when it is the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    /// The content is none of the accepted forms.
    UnsupportedFormat,
    /// A known form that is broken or cut short.
    Damaged,
    /// Encrypted, and no configured password opens it.
    PasswordNeeded,
    /// More pages, pixels or bytes than the limits allow.
    TooLarge,
    /// Reading was stopped at its memory, processor or wall-clock limit.
    LimitReached,
    /// The reader ended unexpectedly on this file.
    ReaderCrashed,
    /// A page without any readable text.
    BlankPage,
    /// A nested archive, an unsafe member name and the like.
    RefusedMember,
    /// Nothing in it.
    EmptyFile,
}

impl Finding {
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), page: None }
    }

    pub fn on_page(code: FindingCode, page: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), page: Some(page) }
    }
}
