//! Where cases, decisions and their history are kept. Knows SQL and the blobs; nothing else does.

mod event;
mod address;
mod query;
mod tables;
mod connect;
mod record;
mod cases;
mod arrival;
mod jobs;
mod readings;
mod processing;
mod list;
mod queue;
mod escalation;
mod outbox;
mod awaited;
mod review;
mod users;
mod identities;
mod audit;
mod facts;
mod report;
mod blind;
mod erase;
mod verify;
mod ledger;
mod copy;
mod seal;
mod blobs;
mod backup;
#[cfg(any(test, feature = "synthetic"))]
pub mod testing;
#[cfg(any(test, feature = "synthetic"))]
pub mod synthetic;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod blob_tests;

pub use address::{BadAddress, StoreAddress};
pub use arrival::{Accepted, Arrival, ArrivedFile};
pub use audit::{Access, Correction, DocumentRequest, Note};
pub use backup::{BackedUp, BackupError, back_up, restore};
pub use blind::{BlindJudged, BlindSample};
pub use blobs::{BlobError, BlobStore, BucketError, LocalCopy, Rotated, Stored, bucket};
pub use cases::{CaseFile, CaseState, StoredCase};
pub use connect::{Migrated, Store, StoreError};
pub use copy::{Copied, CopyError, copy_store};
pub use erase::Erased;
pub use event::{BrokenChain, Event, EventKind, verify_chain};
pub use identities::{Admission, Vouched};
pub use jobs::{Failure, Job};
pub use ledger::{LedgerCase, LedgerFile};
pub use list::{CaseFilter, CaseSummary, Counts, SlaState};
pub use outbox::{Delivery, DeliveryState, DueDelivery, NewDelivery};
pub use processing::{Finished, NewFile};
pub use queue::{Lease, Postponed, Taken};
pub use readings::{ReadingJob, ReadingState};
pub use review::{Committed, Effect, ReviewCommit};
pub use seal::{KeyError, Keyring};
pub use users::{NewUser, Role, SessionUser, Token, User};
pub use verify::Verified;
