//! What `--help` says below the arguments: rules, examples, exit codes.

pub(super) const PROCESS_HELP: &str = "\
PATH is a case folder, a folder of case folders, a flow folder, an inbox, or a single file.
Nothing under it is moved or changed.

Examples:
  dossier process inbox                         every case of every flow under inbox/
  dossier process inbox/consumer_loan/A-1042    one case
  dossier process claim.pdf --flow energy_claim one file as a case of its own
  dossier process inbox --out results --json    results as files and as lines of JSON

Exit code: 0 when every case was processed, whatever its outcome; 1 when some could not be; 2 for a
usage error.";

pub(super) const SERVE_HELP: &str = "\
The inbox (./inbox, or `inbox` of the configuration) has one folder per flow; a case is a folder or a
file in it. Cases and documents are kept in ./data (`data` of the configuration).

Examples:
  dossier serve --demo                 a filled queue to look at, on http://127.0.0.1:8080
  dossier serve --listen 127.0.0.1:80  on another address";

pub(super) const WORKER_HELP: &str = "\
The two roles find one another over a NATS server with JetStream, named in the configuration of both:

  [nats]
  url = \"nats://nats.internal:4222\"
  user = \"worker\"
  password_file = \"nats.password\"

They share the folder `blobs` of the data folder, or a bucket. A worker gets the files that are to be read with the models, passwords
and version that it has, and no others. Several `dossier web` share a PostgreSQL database; each has a data folder of
its own, with `blobs` in common.";

pub(super) const READ_HELP: &str = "\
Examples:
  dossier read dni.jpg                 documents and fields, for people
  dossier read statement.pdf --text    the text of every page
  dossier read payslip.pdf --json      everything, as JSON
  dossier read contract.pdf --pages p  page images with the boxes drawn, in the folder p";

pub(super) const REPORT_HELP: &str = "\
Examples:
  dossier process inbox --db cases.db && dossier report --db cases.db
  dossier report --db cases.db --by reason --from 2026-03-01 --to 2026-03-31
  dossier report --db cases.db --table fields --format csv > fields.csv
  dossier report --db cases.db --format xlsx > report.xlsx";

pub(super) const EVAL_HELP: &str = "\
DIR holds inbox/<flow>/<reference>/… as `process` takes it, truth/<flow>/<reference>.json with what is
right, and optionally records/ with customers.csv and policies.csv.

Examples:
  dossier eval sample_docs               scores by document type, rendering, seen and unseen layouts
  dossier eval held-out --calibrate c.json   also fit the confidence model on it";

pub(super) const MIGRATE_HELP: &str = "\
A SQLite file is brought up to date by whatever opens it. A PostgreSQL database is shared by several
machines: stop dossier on all of them, run this once with the new version, start them again. Until then they
refuse to work with it.

Examples:
  createdb dossier && dossier migrate --db postgres://dossier@db.internal/dossier
  DOSSIER_DB=postgres:///dossier?host=/run/postgresql dossier migrate
  dossier migrate --db 'postgres://dossier@db.internal/dossier?sslmode=verify-full'";

pub(super) const COPY_HELP: &str = "\
Stop the server first: what comes in while it copies stays behind. The target must have its tables (`dossier
migrate`) and no cases. All is copied in one transaction: when something is wrong, the target stays empty. At the
end the rows of every table are counted and every case's history is verified. The files of the documents stay where
they are (the folder `blobs` of the data folder).

Example:
  dossier migrate --db postgres://dossier@db.internal/dossier
  dossier db copy --from data/cases.db --to postgres://dossier@db.internal/dossier";

pub(super) const BACKUP_HELP: &str = "\
The server may run while a backup is written: it holds what was there at one moment. FILE is a zip archive of
the database and the originals, readable by nobody else; what stood there is replaced when the new one is whole. What
is restored is checked first: the database, every history, the hash of every original.
A PostgreSQL database is backed up with pg_dump, and the folder `blobs` of the data folder, or the bucket, after it.

Examples:
  dossier backup /backups/dossier-$(date +%F).zip
  dossier restore /backups/dossier-2026-03-14.zip";

pub(super) const DELIVERIES_HELP: &str = "\
Where decisions go is the section [delivery] of the configuration. What could not be delivered after all attempts is a
dead letter; sent again it has its attempts anew and the id that it had.

Examples:
  dossier deliveries list --state dead
  dossier deliveries resend msg_0199b8f4c0de7a11b2f3a4c5d6e7f809
  dossier deliveries resend --all";

pub(super) const ERASE_HELP: &str = "\
Originals that no other case needs, what was read in them, what was declared, values that people changed, what they
wrote, and letters that wait are gone for good. The reference, the outcome, the codes of its reasons and its history stay, and
`dossier audit verify` still verifies it; reports keep what they counted. Originals that came within the last quarter of
an hour are taken away by the server when that is over. Backups are not changed.

A flow erases by itself after `days` of [retention] in its flow.toml.

Examples:
  dossier erase consumer_loan/A-1042
  dossier erase 0199b8f4-c0de-7a11-b2f3-a4c5d6e7f809";

pub(super) const ROTATE_HELP: &str = "\
Originals are sealed where [blobs] of the configuration has a key. To change it, put the key in use under earlier_keys and a
new one under key, start the server again, run this, and take the earlier key out. What lies open from before there was a key
is sealed too. The server may run meanwhile.";

pub(super) const VERIFY_HELP: &str = "\
Each event of a case's history carries the hash of the one before it. A changed, missing or moved event is
found; events cut off at the end of a history are not.

Exit code: 0 when every history is as it was written, 1 when one is not or cannot be read.";

pub(super) const RECONCILE_HELP: &str = "\
Compares cases, originals, histories and the inbox; changes nothing. A server may run meanwhile. Every original is
read to compare its hash, which takes as long as reading them from the disk.

Examples:
  dossier reconcile
  (cd scans && sha256sum */*/*) > scans.txt     before the scans are moved to the inbox
  dossier reconcile --manifest scans.txt        later: each of them is with its case or was moved aside

Exit code: 0 when everything is accounted for, 1 when something is not: a sentence each says what.";

pub(super) const SIMULATE_HELP: &str = "\
What the machine read of each case is decided again, without people's corrections; nothing is changed. Records
are looked up as they are now. Cases are those taken in from the first to the last day.

Examples:
  dossier rules simulate changed-rules            the rules in force against the folder changed-rules
  dossier rules simulate --rules changed-rules    what was decided then against the folder changed-rules
  dossier rules simulate changed-rules --flow consumer_loan --from 2026-01-01 --json";
