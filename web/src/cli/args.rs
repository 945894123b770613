//! The command line as types.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Reads the documents of loan applications and claims, decides what rules can decide, and shows
/// people only what needs a person.
#[derive(Debug, Parser)]
#[command(name = "dossier", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) installation: Installation,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Installation {
    /// Configuration file [default: dossier.toml in the working directory, if there is one]
    #[arg(long, global = true, env = "DOSSIER_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder with the rules [default: the rules that the binary carries]
    #[arg(long, global = true, env = "DOSSIER_RULES", value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// Folder with the OCR models [default: the models that the binary carries]
    #[arg(long, global = true, env = "DOSSIER_MODELS", value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// Where cases and their history are kept: a `SQLite` file, or `postgres://USER@HOST/DATABASE` (the password
    /// in PGPASSWORD or ~/.pgpass) [default: cases.db in the data folder; for `process` a temporary file]
    #[arg(long, global = true, env = "DOSSIER_DB", value_name = "FILE|URL", hide_env_values = true)]
    // Text: an address that cannot be understood would else be repeated with its password.
    pub(crate) db: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Process cases: documents in, decisions out, then the split
    #[command(after_help = PROCESS_HELP)]
    Process(ProcessArguments),
    /// Show what is read in files: text by page, documents and fields; no case, no rules
    #[command(after_help = READ_HELP)]
    Read(ReadArguments),
    /// Watch the inbox, work, and serve the web in one process
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArguments),
    /// The same as `serve`, with the files read by workers on other machines
    #[command(after_help = WORKER_HELP)]
    Web(ServeArguments),
    /// Read files for `dossier web`: needs NATS and the blobs, and no database
    #[command(after_help = WORKER_HELP)]
    Worker,
    /// Manage who may log in
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Report how much went end to end, and why the rest did not
    #[command(after_help = REPORT_HELP)]
    Report(ReportArguments),
    /// Check and test the business rules, and replay past cases under changed ones
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Score extraction and decisions against a labelled folder
    #[command(after_help = EVAL_HELP)]
    Eval(EvalArguments),
    /// Bring the tables of the database up to date, making them where there are none
    #[command(after_help = MIGRATE_HELP)]
    Migrate,
    /// Move everything that is kept from one database to another
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Write the cases and the originals of their documents to one file (`SQLite` stores)
    #[command(after_help = BACKUP_HELP)]
    Backup {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a backup back, where no store is yet
    #[command(after_help = BACKUP_HELP)]
    Restore {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show what others are told of cases, and have dead letters sent again
    Deliveries {
        #[command(subcommand)]
        command: DeliveriesCommand,
    },
    /// Erase the documents and personal data of a decided case
    #[command(after_help = ERASE_HELP)]
    Erase {
        /// Id of the case, or FLOW/REFERENCE
        #[arg(value_name = "CASE")]
        case: String,
    },
    /// Look after the originals of documents
    Blobs {
        #[command(subcommand)]
        command: BlobsCommand,
    },
    /// Look after the audit trail
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Prove that every file that came in is accounted for
    #[command(after_help = RECONCILE_HELP)]
    Reconcile {
        /// What was put into the inbox, as `sha256sum` writes it: each of these files is looked for
        #[arg(long, value_name = "FILE")]
        manifest: Option<PathBuf>,
    },
    /// Show what is configured, reachable and missing
    Doctor,
    /// Read one file in a sandbox (started by dossier itself)
    #[command(hide = true)]
    ReadChild,
}

const PROCESS_HELP: &str = "\
PATH is a case folder, a folder of case folders, a flow folder, an inbox, or a single file.
Nothing under it is moved or changed.

Examples:
  dossier process inbox                         every case of every flow under inbox/
  dossier process inbox/consumer_loan/A-1042    one case
  dossier process claim.pdf --flow energy_claim one file as a case of its own
  dossier process inbox --out results --json    results as files and as lines of JSON

Exit code: 0 when every case was processed, whatever its outcome; 1 when some could not be; 2 for a
usage error.";

const SERVE_HELP: &str = "\
The inbox (./inbox, or `inbox` of the configuration) has one folder per flow; a case is a folder or a
file in it. Cases and documents are kept in ./data (`data` of the configuration).

Examples:
  dossier serve --demo                 a filled queue to look at, on http://127.0.0.1:8080
  dossier serve --listen 127.0.0.1:80  on another address";

const WORKER_HELP: &str = "\
The two roles find one another over a NATS server with JetStream, named in the configuration of both:

  [nats]
  url = \"nats://nats.internal:4222\"
  user = \"worker\"
  password_file = \"nats.password\"

They share the folder `blobs` of the data folder. A worker gets the files that are to be read with the models, passwords
and version that it has, and no others. Several `dossier web` share a PostgreSQL database; each has a data folder of
its own, with `blobs` in common.";

const READ_HELP: &str = "\
Examples:
  dossier read dni.jpg                 documents and fields, for people
  dossier read statement.pdf --text    the text of every page
  dossier read payslip.pdf --json      everything, as JSON
  dossier read contract.pdf --pages p  page images with the boxes drawn, in the folder p";

const REPORT_HELP: &str = "\
Examples:
  dossier process inbox --db cases.db && dossier report --db cases.db
  dossier report --db cases.db --by reason --from 2026-03-01 --to 2026-03-31
  dossier report --db cases.db --table fields --format csv > fields.csv
  dossier report --db cases.db --format xlsx > report.xlsx";

const EVAL_HELP: &str = "\
DIR holds inbox/<flow>/<reference>/… as `process` takes it, truth/<flow>/<reference>.json with what is
right, and optionally records/ with customers.csv and policies.csv.

Examples:
  dossier eval sample_docs               scores by document type, rendering, seen and unseen layouts
  dossier eval held-out --calibrate c.json   also fit the confidence model on it";

const MIGRATE_HELP: &str = "\
A SQLite file is brought up to date by whatever opens it. A PostgreSQL database is shared by several
machines: stop dossier on all of them, run this once with the new version, start them again. Until then they
refuse to work with it.

Examples:
  createdb dossier && dossier migrate --db postgres://dossier@db.internal/dossier
  DOSSIER_DB=postgres:///dossier?host=/run/postgresql dossier migrate
  dossier migrate --db 'postgres://dossier@db.internal/dossier?sslmode=verify-full'";

const COPY_HELP: &str = "\
Stop the server first: what comes in while it copies stays behind. The target must have its tables (`dossier
migrate`) and no cases. All is copied in one transaction: when something is wrong, the target stays empty. At the
end the rows of every table are counted and every case's history is verified. The files of the documents stay where
they are (the folder `blobs` of the data folder).

Example:
  dossier migrate --db postgres://dossier@db.internal/dossier
  dossier db copy --from data/cases.db --to postgres://dossier@db.internal/dossier";

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Copy a `SQLite` store into an empty `PostgreSQL` database
    #[command(after_help = COPY_HELP)]
    Copy {
        /// The `SQLite` file
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The `PostgreSQL` database
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

const BACKUP_HELP: &str = "\
The server may run while a backup is written: it holds what was there at one moment. FILE is a zip archive of
the database and the originals, readable by nobody else; what stood there is replaced when the new one is whole. What
is restored is checked first: the database, every history, the hash of every original.
A PostgreSQL database is backed up with pg_dump, and the folder `blobs` of the data folder after it.

Examples:
  dossier backup /backups/dossier-$(date +%F).zip
  dossier restore /backups/dossier-2026-03-14.zip";

const DELIVERIES_HELP: &str = "\
Where decisions go is the section [delivery] of the configuration. What could not be delivered after all attempts is a
dead letter; sent again it has its attempts anew and the id that it had.

Examples:
  dossier deliveries list --state dead
  dossier deliveries resend msg_0199b8f4c0de7a11b2f3a4c5d6e7f809
  dossier deliveries resend --all";

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// List deliveries, the newest first
    #[command(after_help = DELIVERIES_HELP)]
    List {
        /// In this state alone
        #[arg(long, value_enum)]
        state: Option<DeliveryStateArgument>,
        /// Print each as one line of JSON
        #[arg(long)]
        json: bool,
        /// How many at most
        #[arg(long, default_value = "100", value_name = "N")]
        limit: i64,
    },
    /// Have dead letters sent again
    #[command(after_help = DELIVERIES_HELP)]
    Resend {
        #[arg(value_name = "ID", required_unless_present = "all")]
        ids: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DeliveryStateArgument {
    Waiting,
    Delivered,
    Dead,
}

const ERASE_HELP: &str = "\
Originals that no other case needs, what was read in them, what was declared, values that people changed, what they
wrote, and letters that wait are gone for good. The reference, the outcome, the codes of its reasons and its history stay, and
`dossier audit verify` still verifies it; reports keep what they counted. Originals that came within the last quarter of
an hour are taken away by the server when that is over. Backups are not changed.

A flow erases by itself after `days` of [retention] in its flow.toml.

Examples:
  dossier erase consumer_loan/A-1042
  dossier erase 0199b8f4-c0de-7a11-b2f3-a4c5d6e7f809";

const ROTATE_HELP: &str = "\
Originals are sealed where [blobs] of the configuration has a key. To change it, put the key in use under earlier_keys and a
new one under key, start the server again, run this, and take the earlier key out. What lies open from before there was a key
is sealed too. The server may run meanwhile.";

#[derive(Debug, Subcommand)]
pub(crate) enum BlobsCommand {
    /// Seal every original with the present key
    #[command(after_help = ROTATE_HELP)]
    Rotate,
}

const VERIFY_HELP: &str = "\
Each event of a case's history carries the hash of the one before it. A changed, missing or moved event is
found; events cut off at the end of a history are not.

Exit code: 0 when every history is as it was written, 1 when one is not or cannot be read.";

const RECONCILE_HELP: &str = "\
Compares cases, originals, histories and the inbox; changes nothing. A server may run meanwhile. Every original is
read to compare its hash, which takes as long as reading them from the disk.

Examples:
  dossier reconcile
  (cd scans && sha256sum */*/*) > scans.txt     before the scans are moved to the inbox
  dossier reconcile --manifest scans.txt        later: each of them is with its case or was moved aside

Exit code: 0 when everything is accounted for, 1 when something is not: a sentence each says what.";

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the history of every case
    #[command(after_help = VERIFY_HELP)]
    Verify,
}

#[derive(Debug, Args)]
pub(crate) struct ProcessArguments {
    /// Cases to process
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Line of business [default: the name of the parent folder that is a flow]
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// Write each result to DIR/<flow>/<reference>.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print each result as one line of JSON (the split then goes to standard error)
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder with customers.csv and policies.csv to look up instead of the flows' own
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Print the milliseconds spent in each stage
    #[arg(long)]
    pub(crate) timings: bool,
    /// Day on which cases without a date of their own count as received [default: today]
    #[arg(long, value_name = "DATE")]
    pub(crate) received_on: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address to serve on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "DOSSIER_LISTEN")]
    pub(crate) listen: Option<String>,
    /// Feed the sample cases in
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; a one-time password is printed
    Add {
        login: String,
        #[arg(long, value_enum, default_value = "reviewer")]
        role: UserRole,
        /// What the person is called [default: the login]
        #[arg(long)]
        name: Option<String>,
    },
    /// Give a user a new one-time password
    Passwd { login: String },
    /// List all users
    List,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UserRole {
    Reviewer,
    Senior,
    Manager,
    Auditor,
    Administrator,
}

impl From<UserRole> for dossier::store::Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Reviewer => Self::Reviewer,
            UserRole::Senior => Self::Senior,
            UserRole::Manager => Self::Manager,
            UserRole::Auditor => Self::Auditor,
            UserRole::Administrator => Self::Administrator,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    /// Files to read
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Print the text of every page
    #[arg(long, conflicts_with = "json")]
    pub(crate) text: bool,
    /// Print everything as one JSON object a file
    #[arg(long)]
    pub(crate) json: bool,
    /// Print what else each field could have been and how strongly it is labelled (0 to 1)
    #[arg(long, conflicts_with_all = ["json", "text"])]
    pub(crate) rivals: bool,
    /// Draw every page with the boxes of its words and fields into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) pages: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// First day of decision
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<NaiveDate>,
    /// Last day of decision
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<NaiveDate>,
    /// What the rows stand for
    #[arg(long, value_enum, default_value = "flow")]
    pub(crate) by: By,
    /// Cases of this flow alone
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// One table alone, such as fields; CSV holds one [default: all as text, the split as CSV]
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Flow,
    Day,
    Week,
    Month,
    Reviewer,
    Reason,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
    Xlsx,
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Look for mistakes in the rules without running a case
    Check,
    /// Run the rule tests (rules/<flow>/*.cases.toml)
    Test,
    /// Replay past cases under changed rules: what would be decided otherwise
    #[command(after_help = SIMULATE_HELP)]
    Simulate(SimulateArguments),
}

const SIMULATE_HELP: &str = "\
What the machine read of each case is decided again, without people's corrections; nothing is changed. Records
are looked up as they are now. Cases are those taken in from the first to the last day.

Examples:
  dossier rules simulate changed-rules            the rules in force against the folder changed-rules
  dossier rules simulate --rules changed-rules    what was decided then against the folder changed-rules
  dossier rules simulate changed-rules --flow consumer_loan --from 2026-01-01 --json";

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// Folder with the changed rules [default: --rules, against what was decided then]
    #[arg(value_name = "DIR")]
    pub(crate) changed: Option<PathBuf>,
    /// Cases of this flow alone
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// First day of intake
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<NaiveDate>,
    /// Last day of intake
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<NaiveDate>,
    /// Folder with customers.csv and policies.csv to look up instead of the flows' own
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Print the figures and every changed case as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArguments {
    /// Labelled folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// List what was wrong or missed on layouts that may be looked at (never on unseen ones)
    #[arg(long)]
    pub(crate) errors: bool,
    /// Fit the confidence model on this folder and write it to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) calibrate: Option<PathBuf>,
    /// Write the evidence of every given value, and whether it was right, to this CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) observations: Option<PathBuf>,
    /// Count at which step labelled values get lost, by field (reads all files again: use --readings)
    #[arg(long)]
    pub(crate) losses: bool,
    /// Write the words of every labelled page to FILE, a JSON object a line: what page types are learned
    /// from
    #[arg(long, value_name = "FILE")]
    pub(crate) page_words: Option<PathBuf>,
    /// Keep what is read of each file in this folder and take it from there in the next run (empty it
    /// when the code that reads has changed)
    #[arg(long, value_name = "DIR")]
    pub(crate) readings: Option<PathBuf>,
    /// Fail (exit code 1) when a figure is under its floor in this TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) floors: Option<PathBuf>,
}
