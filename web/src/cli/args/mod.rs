//! The command line as types.

mod administration;
mod help;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use administration::{
    AuditCommand, BlobsCommand, DbCommand, DeliveriesCommand, DeliveryStateArgument, UserCommand,
};
use help::{
    BACKUP_HELP, ERASE_HELP, EVAL_HELP, MIGRATE_HELP, PROCESS_HELP, READ_HELP, RECONCILE_HELP, REPORT_HELP,
    SERVE_HELP, SIMULATE_HELP, WORKER_HELP,
};

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
