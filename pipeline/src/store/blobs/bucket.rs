//! Originals as objects of a bucket on S3-compatible storage. On this machine nothing stays but what is being written or
//! read. Needs of the storage that a read after a write sees it, as S3 promises, and nothing conditional.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};
use tempfile::NamedTempFile;
use tokio::runtime::Handle;

use super::SEALED;
use super::place::{Place, came_just_now, is_hash};

/// Sent in one request, and the size of the parts of what is longer. S3 takes parts from 5 MiB on.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file that are on their way at a time.
const PARTS_AT_A_TIME: usize = 4;
/// How long somebody is waited for who erases the same bytes at this moment, and how often it is looked.
const ERASED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Where the notes of who erases lie.
const ERASING: &str = "erasing";
const PROBE: &[u8] = b"dossier";

pub(super) struct Bucket {
    objects: Arc<dyn ObjectStore>,
    /// What people call it.
    name: String,
    /// Before all keys.
    prefix: Key,
    /// Where drafts of what is read lie.
    drafts: PathBuf,
    /// The requests run there, while this thread waits.
    runtime: Handle,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Within a runtime, on whose other threads the requests run.
    pub(super) fn new(objects: Arc<dyn ObjectStore>, name: String, prefix: &str, drafts: PathBuf) -> Self {
        Self { objects, name, prefix: Key::from(prefix), drafts, runtime: Handle::current() }
    }

    /// `ab/abc…`, as on disks: listings stay short to look at.
    fn key(&self, name: &str) -> Key {
        self.prefix.clone().join(name.get(..2).unwrap_or("__")).join(name)
    }

    fn note_of_erasing(&self, name: &str) -> Key {
        self.prefix.clone().join(ERASING).join(name)
    }

    async fn upload(&self, draft: &mut File, key: &Key) -> io::Result<()> {
        draft.rewind()?;
        let mut part = read_part(draft)?;
        if part.len() < PART_BYTES {
            self.objects.put(key, part.into()).await.map_err(failed)?;
            return Ok(());
        }
        let begun = self.objects.put_multipart(key).await.map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(begun, PART_BYTES);
        while !part.is_empty() {
            upload.wait_for_capacity(PARTS_AT_A_TIME).await.map_err(failed)?;
            upload.write(&part);
            part = read_part(draft)?;
        }
        upload.finish().await.map_err(failed)?;
        Ok(())
    }

    /// Whether the object is there, and when it was written.
    async fn written_at(&self, key: &Key) -> io::Result<Option<SystemTime>> {
        match self.objects.head(key).await {
            Ok(found) => Ok(Some(found.last_modified.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, key: &Key) -> io::Result<()> {
        match self.objects.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Who erases leaves a note, looks when the object was written, and takes it away when that is long ago. So who
    /// brings the same bytes writes them first and then looks for a note and for the object: with neither a note nor a
    /// missing object, whoever comes to erase it later sees that it is new.
    async fn keep_async(&self, draft: &mut File, name: &str) -> io::Result<()> {
        let (key, note) = (self.key(name), self.note_of_erasing(name));
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < ERASED_WITHIN {
            self.upload(draft, &key).await?;
            // A note that is old was left by somebody who was stopped.
            let is_erased = self.written_at(&note).await?.is_some_and(came_just_now);
            if !is_erased && self.written_at(&key).await?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "the same bytes are being erased; try again"))
    }

    async fn erase_async(&self, name: &str) -> io::Result<bool> {
        let (key, note) = (self.key(name), self.note_of_erasing(name));
        self.objects.put(&note, PutPayload::new()).await.map_err(failed)?;
        let erased = self.erase_noted(&key).await;
        self.delete(&note).await?;
        erased
    }

    async fn erase_noted(&self, key: &Key) -> io::Result<bool> {
        match self.written_at(key).await? {
            None => Ok(true),
            Some(at) if came_just_now(at) => Ok(false),
            Some(_) => self.delete(key).await.map(|()| true),
        }
    }

    async fn open_async(&self, name: &str) -> io::Result<File> {
        let mut file = tempfile::tempfile_in(&self.drafts)?;
        let found = self.objects.get(&self.key(name)).await.map_err(failed)?;
        let mut bytes = found.into_stream();
        while let Some(piece) = bytes.next().await {
            file.write_all(&piece.map_err(failed)?)?;
        }
        file.rewind()?;
        Ok(file)
    }

    async fn examine_async(&self) -> io::Result<()> {
        let probes = self.prefix.clone().join("probe");
        let probe = probes.clone().join(uuid::Uuid::now_v7().to_string());
        self.objects.put(&probe, PutPayload::from_static(PROBE)).await.map_err(failed)?;
        let back = self.objects.get(&probe).await.map_err(failed)?.bytes().await.map_err(failed)?;
        let listed: Vec<_> = self.objects.list(Some(&probes)).try_collect().await.map_err(failed)?;
        self.delete(&probe).await?;
        if back != PROBE || listed.iter().all(|object| object.location != probe) {
            return Err(io::Error::other("it does not give back what was written"));
        }
        Ok(())
    }
}

impl Place for Bucket {
    fn keep(&self, mut draft: NamedTempFile, name: &str) -> io::Result<()> {
        self.runtime.block_on(self.keep_async(draft.as_file_mut(), name))
    }

    fn replace(&self, mut draft: NamedTempFile, name: &str) -> io::Result<()> {
        let key = self.key(name);
        self.runtime.block_on(self.upload(draft.as_file_mut(), &key))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        self.runtime.block_on(self.open_async(name))
    }

    fn has(&self, name: &str) -> io::Result<bool> {
        Ok(self.runtime.block_on(self.written_at(&self.key(name)))?.is_some())
    }

    fn file(&self, _name: &str) -> Option<PathBuf> {
        None
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let prefix = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let listed = self.objects.list(prefix).map_ok(|object| object.location);
        let keys: Vec<Key> = self.runtime.block_on(listed.try_collect()).map_err(failed)?;
        let is_original = |key: &Key| {
            let name = key.filename()?;
            let is_own = is_hash(name.strip_suffix(SEALED).unwrap_or(name)) && *key == self.key(name);
            is_own.then(|| name.to_owned())
        };
        Ok(keys.iter().filter_map(is_original).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.runtime.block_on(self.delete(&self.key(name)))
    }

    fn erase(&self, name: &str) -> io::Result<bool> {
        self.runtime.block_on(self.erase_async(name))
    }

    /// Objects can be written, read, listed and taken away.
    fn examine(&self) -> io::Result<()> {
        self.runtime.block_on(self.examine_async())
    }

    /// A bucket out of reach is an error of every request.
    fn is_there(&self) -> bool {
        true
    }

    fn shown(&self, name: &str) -> PathBuf {
        if name.is_empty() {
            return PathBuf::from(format!("s3://{}/{}", self.name, self.prefix));
        }
        PathBuf::from(format!("s3://{}/{}", self.name, self.key(name)))
    }
}

fn read_part(draft: &mut File) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    draft.take(PART_BYTES as u64).read_to_end(&mut part)?;
    Ok(part)
}

/// What came of a request, in one line: the errors of the client repeat one another and hold whole answers.
fn failed(error: object_store::Error) -> io::Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        _ => io::ErrorKind::Other,
    };
    let mut root: &dyn std::error::Error = &error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    let told = root.to_string();
    let line = told.lines().next().unwrap_or_default();
    // Behind the status comes the answer.
    io::Error::new(kind, line.split(": <").next().unwrap_or_default().to_owned())
}
