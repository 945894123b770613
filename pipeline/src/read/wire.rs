//! What parent and child tell each other: length-prefixed postcard frames over the child's pipes.

use std::ffi::OsString;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file::{PageTimings, ReadOptions};
use crate::domain::{Finding, FindingCode, Page};
use crate::intake::archive::ArchiveLimits;

/// A page of dense text with all its runner-ups is about 2 MB; a child that sends more has been
/// taken over by its input.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// A request may carry a whole file.
pub(super) const MAX_REQUEST_BYTES: usize = 512 << 20;

/// Limits that a child puts on itself before it opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildLimits {
    /// Address space. An A4 page at 300 dpi takes 200 MB with its models and networks; the largest
    /// pictures that are let through, 900 MB.
    pub memory_bytes: u64,
    /// Processor time for opening and the first page; a slow scanned page takes 5 seconds.
    pub cpu_seconds: u64,
    /// Processor time added for every page that was finished.
    pub cpu_seconds_per_page: u64,
    /// Files, pipes included.
    pub open_files: u64,
}

impl Default for ChildLimits {
    fn default() -> Self {
        Self { memory_bytes: 1536 << 20, cpu_seconds: 60, cpu_seconds_per_page: 20, open_files: 64 }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) limits: ChildLimits,
    pub(super) task: Task,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    Read {
        source: Source,
        options: ReadOptions,
        models: Option<OsString>,
    },
    /// Pictures of pages alone.
    Draw {
        source: Source,
        options: ReadOptions,
        models: Option<OsString>,
    },
    /// Members go to numbered files in the scratch folder.
    Unpack {
        source: Source,
        limits: ArchiveLimits,
        scratch: OsString,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Source {
    Path(OsString),
    Bytes(Vec<u8>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    Opened {
        page_count: u32,
    },
    Page(Box<Page>, PageTimings),
    Picture(PageImage),
    Finding(FindingFrame),
    Member {
        name: String,
        file: String,
    },
    /// On a member of an archive, or on the archive itself when the name is empty.
    MemberFinding {
        name: String,
        finding: FindingFrame,
    },
    /// The models or the machine failed, not the file.
    Failed {
        problem: String,
    },
    Done,
}

/// The upright picture of a page: rows of red, green and blue, three bytes a pixel. Raw, so that the
/// parent parses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageImage {
    /// From 1.
    pub page: u32,
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

/// A finding without the skipped keys of its JSON, which this encoding cannot express.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FindingFrame {
    code: FindingCode,
    message: String,
    page: Option<u32>,
}

impl From<Finding> for FindingFrame {
    fn from(finding: Finding) -> Self {
        Self { code: finding.code, message: finding.message, page: finding.page }
    }
}

impl From<FindingFrame> for Finding {
    fn from(frame: FindingFrame) -> Self {
        Self { code: frame.code, message: frame.message, page: frame.page }
    }
}

/// A value as one frame: its length in four bytes, then postcard.
pub(super) fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(value, vec![0; 4]).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    if let Some(prefix) = frame.get_mut(..4) {
        prefix.copy_from_slice(&length.to_le_bytes());
    }
    Ok(frame)
}

pub(super) fn decode<T: DeserializeOwned>(payload: &[u8]) -> io::Result<T> {
    postcard::from_bytes(payload).map_err(io::Error::other)
}

pub(super) fn write_frame(writer: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    writer.write_all(&encode(value)?)?;
    writer.flush()
}

pub(super) fn read_frame<T: DeserializeOwned>(reader: &mut impl Read, max_bytes: usize) -> io::Result<T> {
    let mut prefix = [0; 4];
    reader.read_exact(&mut prefix)?;
    let length = u32::from_le_bytes(prefix) as usize;
    if length > max_bytes {
        return Err(io::Error::other("the frame is larger than allowed"));
    }
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload)?;
    decode(&payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_come_back_as_they_went() {
        let finding = Finding::on_page(FindingCode::BlankPage, 3, "Nothing on it.");
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &Message::Finding(finding.clone().into())).unwrap();
        let back: Message = read_frame(&mut bytes.as_slice(), 1000).unwrap();
        let Message::Finding(frame) = back else { panic!("another message came back") };
        assert_eq!(Finding::from(frame), finding);
        assert!(read_frame::<Message>(&mut bytes.as_slice(), 2).is_err(), "over the cap");
    }

    proptest! {
        /// A child may have been taken over by what it read.
        #[test]
        fn nothing_that_a_child_sends_breaks_its_parent(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            prop_assert!(read_frame::<Message>(&mut bytes.as_slice(), 200).is_err() || bytes.len() < 204);
            drop(decode::<Message>(&bytes));
            let picture = PageImage { page: 1, width: 2, height: 1, rgb: bytes };
            let member = Message::Member { name: "nómina.pdf".to_owned(), file: "0001".to_owned() };
            for message in [Message::Picture(picture), member, Message::Opened { page_count: 9 }] {
                let mut frame = encode(&message).unwrap();
                for (place, byte) in &changes {
                    let at = place.index(frame.len());
                    frame[at] = *byte;
                }
                drop(read_frame::<Message>(&mut frame.as_slice(), MAX_MESSAGE_BYTES));
            }
        }
    }
}
