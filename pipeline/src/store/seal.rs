//! Encryption of what lies on the disk: XChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar,
//! Rogaway, Vizár 2015), so that a file of any size is sealed and opened a piece at a time, and one that was
//! cut, joined or changed does not open.
//!
//! A sealed file: `DOSSIER1`, the id of its key (8 bytes), a random nonce (19 bytes), then pieces of 64 KiB,
//! each with its tag of 16 bytes; the last one is shorter.

use std::io::{self, Read, Write};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::Payload;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use sha2::{Digest as _, Sha256};

use crate::config::{SecretError, SecretSource};

const MAGIC: &[u8; 8] = b"DOSSIER1";
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 8;
/// Of `XChaCha20`, less the counter and the mark of the last piece.
const NONCE_BYTES: usize = 19;
const HEADER_BYTES: usize = MAGIC.len() + ID_BYTES + NONCE_BYTES;
const PIECE_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key of [blobs] cannot be used: {0}")]
    Secret(#[from] SecretError),
    #[error("a key of [blobs] is not 32 bytes in base64 (`openssl rand -base64 32` makes one)")]
    Form,
}

/// The key that seals, and earlier ones that still open.
pub struct Keyring {
    keys: Vec<Key>,
}

struct Key {
    id: [u8; ID_BYTES],
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<String> = self.keys.iter().map(|key| hex::encode(key.id)).collect();
        formatter.debug_struct("Keyring").field("keys", &ids).finish()
    }
}

impl Keyring {
    /// # Errors
    /// When a key is not there or not of its form.
    pub fn of(present: &SecretSource, earlier: &[SecretSource]) -> Result<Self, KeyError> {
        let keys = std::iter::once(present).chain(earlier).map(|source| Key::parse(&source.read()?));
        Ok(Self { keys: keys.collect::<Result<_, _>>()? })
    }

    /// Id of the key that seals, in hex.
    pub fn present(&self) -> String {
        self.keys.first().map(|key| hex::encode(key.id)).unwrap_or_default()
    }

    /// Whether a sealed file begins so that the present key sealed it.
    pub(super) fn is_present(&self, header: &[u8]) -> bool {
        let id = header.get(MAGIC.len()..MAGIC.len() + ID_BYTES);
        self.keys.first().is_some_and(|key| id == Some(key.id.as_slice()))
    }

    /// Seals what is read.
    pub(super) fn seal(&self, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
        let key = self.keys.first().ok_or_else(|| io::Error::other("there is no key"))?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| io::Error::other("there are no random numbers"))?;
        let header = [MAGIC.as_slice(), &key.id, &nonce].concat();
        to.write_all(&header)?;
        let mut stream = EncryptorBE32::from_aead(key.cipher.clone(), &nonce.into());
        let mut piece = read_piece(&mut from, PIECE_BYTES)?;
        loop {
            let next = read_piece(&mut from, PIECE_BYTES)?;
            let payload = Payload { msg: &piece, aad: &header };
            if next.is_empty() {
                return to.write_all(&stream.encrypt_last(payload).map_err(|_| cannot("sealed"))?);
            }
            to.write_all(&stream.encrypt_next(payload).map_err(|_| cannot("sealed"))?)?;
            piece = next;
        }
    }

    /// Opens what is read; nothing that was written counts when it fails.
    pub(super) fn open(&self, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
        let header = read_piece(&mut from, HEADER_BYTES)?;
        let id = header.get(MAGIC.len()..MAGIC.len() + ID_BYTES);
        let nonce =
            header.get(MAGIC.len() + ID_BYTES..).and_then(|nonce| <[u8; NONCE_BYTES]>::try_from(nonce).ok());
        let (Some(id), Some(nonce), true) = (id, nonce, header.starts_with(MAGIC)) else {
            return Err(cannot("opened: it is not sealed"));
        };
        let key = self.keys.iter().find(|key| key.id == id);
        let key =
            key.ok_or_else(|| cannot(&format!("opened: the key {} is not configured", hex::encode(id))))?;
        let mut stream = DecryptorBE32::from_aead(key.cipher.clone(), &nonce.into());
        let mut piece = read_piece(&mut from, PIECE_BYTES + TAG_BYTES)?;
        loop {
            let next = read_piece(&mut from, PIECE_BYTES + TAG_BYTES)?;
            let payload = Payload { msg: &piece, aad: &header };
            let changed = |_| cannot("opened: it was changed");
            if next.is_empty() {
                return to.write_all(&stream.decrypt_last(payload).map_err(changed)?);
            }
            to.write_all(&stream.decrypt_next(payload).map_err(changed)?)?;
            piece = next;
        }
    }

    /// Whether bytes begin as sealed ones do.
    pub(crate) fn are_sealed(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Seals bytes that are in memory anyway.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn sealed(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(bytes.len() + HEADER_BYTES + TAG_BYTES);
        self.seal(bytes, &mut sealed)?;
        Ok(sealed)
    }

    /// Opens bytes that [`Keyring::sealed`] gave.
    ///
    /// # Errors
    /// When they are something else, or their key is not there.
    pub fn opened(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(sealed.len());
        self.open(sealed, &mut bytes)?;
        Ok(bytes)
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| KeyError::Form)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| KeyError::Form)?;
        let mut hasher = Sha256::new();
        hasher.update(b"dossier blob key");
        hasher.update(bytes);
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
        Ok(Self { id, cipher: XChaCha20Poly1305::new(&bytes.into()) })
    }
}

fn cannot(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it cannot be {what}"))
}

/// So many bytes, fewer at the end.
fn read_piece(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(most);
    from.take(most as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Keys made of one byte each, the first one seals.
    pub(crate) fn keyring(bytes: &[u8]) -> Keyring {
        let folder = tempfile::tempdir().unwrap();
        let sources: Vec<SecretSource> = bytes
            .iter()
            .map(|byte| {
                let path = folder.path().join(byte.to_string());
                std::fs::write(&path, BASE64_STANDARD.encode([*byte; KEY_BYTES])).unwrap();
                SecretSource::File(path)
            })
            .collect();
        Keyring::of(&sources[0], &sources[1..]).unwrap()
    }

    #[test]
    fn whatever_its_size_comes_back_and_no_change_goes_unseen() {
        let keys = keyring(&[1]);
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
            let sealed = keys.sealed(&bytes).unwrap();
            assert_ne!(sealed, keys.sealed(&bytes).unwrap(), "every time another nonce");
            assert_eq!(keys.opened(&sealed).unwrap(), bytes, "{size}");
            for at in [0, 9, 20, HEADER_BYTES, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(keys.opened(&changed).is_err(), "{size} changed at {at}");
            }
            assert!(keys.opened(&sealed[..sealed.len() - 1]).is_err(), "{size} cut");
            let longer = [sealed.as_slice(), b"x"].concat();
            assert!(keys.opened(&longer).is_err(), "{size} longer");
        }
        let two = keys.sealed(&vec![7; 2 * PIECE_BYTES + 5]).unwrap();
        let cut_at_a_piece = &two[..HEADER_BYTES + 2 * (PIECE_BYTES + TAG_BYTES)];
        assert!(keys.opened(cut_at_a_piece).is_err(), "the last piece says that it is the last");
    }

    #[test]
    fn earlier_keys_open_and_the_present_one_seals() {
        let old = keyring(&[1]).sealed(b"text").unwrap();
        let both = keyring(&[2, 1]);
        assert_eq!(both.opened(&old).unwrap(), b"text");
        assert!(!both.is_present(&old) && both.is_present(&both.sealed(b"text").unwrap()));
        let told = keyring(&[3]).opened(&old).unwrap_err().to_string();
        assert!(told.contains("is not configured"), "{told}");
        assert!(keyring(&[1]).opened(b"plain").is_err());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "abc", "AAAA", "not base64 at all"] {
            std::fs::write(&path, text).unwrap();
            assert!(Keyring::of(&SecretSource::File(path.clone()), &[]).is_err(), "{text}");
        }
    }
}
