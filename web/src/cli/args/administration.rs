//! Arguments of the commands that look after an installation: its users, database, originals, letters.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::help::{COPY_HELP, DELIVERIES_HELP, ROTATE_HELP, VERIFY_HELP};

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

#[derive(Debug, Subcommand)]
pub(crate) enum BlobsCommand {
    /// Seal every original with the present key
    #[command(after_help = ROTATE_HELP)]
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the history of every case
    #[command(after_help = VERIFY_HELP)]
    Verify,
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
