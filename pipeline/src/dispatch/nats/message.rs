//! What servers and workers tell each other. Neither trusts the other's lengths.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use crate::read::FileOutcome;
use crate::store::Keyring;

/// Readings longer than this go to the object store: a message of NATS holds a megabyte, unless it is told
/// otherwise. A page of dense text packs to about 60 kB.
pub(super) const LONGEST_INLINE: usize = 600 << 10;
/// Two hundred pages of dense text are 400 MB as JSON.
const LONGEST_READING: u64 = 1 << 30;

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Who asks.
    pub(super) server: String,
    pub(super) job: String,
    pub(super) sha256: String,
    pub(super) generation: i64,
}

impl Order {
    /// The same order is taken once by a stream.
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.server, self.job, self.generation)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) job: String,
    pub(super) generation: i64,
    pub(super) came: Came,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Came {
    /// What was read, packed.
    Read(Vec<u8>),
    /// What was read, packed, is an object of this name.
    ReadAside(String),
    /// The worker's machine failed: for the operator, without anything of the file.
    Failed(String),
    /// So many workers ended while they read it that this one did not try.
    GivenUp(i64),
}

/// How far a worker is with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pages {
    pub(super) job: String,
    pub(super) known: u32,
    pub(super) read: u32,
}

pub(super) fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(io::Error::other)
}

pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(io::Error::other)
}

/// A reading made small; sealed where there are keys, since NATS keeps it on its disk.
pub(super) fn pack(outcome: &FileOutcome, keys: Option<&Keyring>) -> io::Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packer, outcome)?;
    packer.flush()?;
    let packed = packer.finish()?;
    match keys {
        Some(keys) => keys.sealed(&packed),
        None => Ok(packed),
    }
}

/// A reading as it was packed.
pub(super) fn unpack(bytes: &[u8], keys: Option<&Keyring>) -> io::Result<FileOutcome> {
    let opened = match keys {
        Some(keys) if Keyring::are_sealed(bytes) => Some(keys.opened(bytes)?),
        _ => None,
    };
    let mut json = Vec::new();
    let packed = opened.as_deref().unwrap_or(bytes);
    let read = ZlibDecoder::new(packed).take(LONGEST_READING).read_to_end(&mut json)?;
    if read as u64 == LONGEST_READING {
        return Err(io::Error::other("the reading is longer than any file's"));
    }
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Finding, FindingCode};
    use crate::store::testing::keyring;

    #[test]
    fn readings_come_back_as_they_went() {
        let mut outcome = FileOutcome { page_count: 3, ..FileOutcome::default() };
        outcome.reading.findings.push(Finding::on_page(FindingCode::BlankPage, 2, "Nothing on it."));
        let packed = pack(&outcome, None).unwrap();
        assert_eq!(unpack(&packed, None).unwrap(), outcome);
        assert!(unpack(&packed[..packed.len() / 2], None).is_err());
        let (keys, others) = (keyring(&[1]), keyring(&[2]));
        let sealed = pack(&outcome, Some(&keys)).unwrap();
        assert_eq!(unpack(&sealed, Some(&keys)).unwrap(), outcome);
        assert!(unpack(&sealed, None).is_err() && unpack(&sealed, Some(&others)).is_err());
        assert_eq!(unpack(&packed, Some(&keys)).unwrap(), outcome, "of a worker that has no key yet");
        let answer = Answer { job: "a-b".to_owned(), generation: 2, came: Came::Read(packed) };
        assert_eq!(decode::<Answer>(&encode(&answer).unwrap()).unwrap(), answer);
        assert!(decode::<Answer>(b"\xff\xff\xff\xff\xff").is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_comes_over_nats_breaks_who_hears_it(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let keys = keyring(&[1]);
            drop((decode::<Order>(&bytes), decode::<Answer>(&bytes), unpack(&bytes, None), unpack(&bytes, Some(&keys))));
            let outcome = FileOutcome { page_count: 3, ..FileOutcome::default() };
            for key in [None, Some(&keys)] {
                let whole = pack(&outcome, key).unwrap();
                let mut changed = whole.clone();
                for (place, byte) in &changes {
                    let at = place.index(changed.len());
                    changed[at] = *byte;
                }
                // Zlib's own checksum, or the seal, tells every change of what is read.
                match unpack(&changed, key) {
                    Ok(read) => prop_assert_eq!(read, outcome.clone()),
                    Err(_) => prop_assert!(changed != whole),
                }
            }
        }
    }
}
