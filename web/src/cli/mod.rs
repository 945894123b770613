//! The commands: what people type, turned into calls of the library.

mod args;
mod installation;
mod labelled;
mod output;
mod process;
mod read;
mod pages;
mod serve;
mod worker;
mod sign_in;
mod user;
mod report;
mod rules;
mod simulate;
mod eval;
mod database;
mod reconcile;
mod deliveries;
mod erase;
mod doctor;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, AuditCommand, BlobsCommand, Command};
use installation::Installed;

/// Runs the command that the program was called with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::ReadChild = arguments.command {
        return dossier::read::child::main();
    }
    dossier::net::use_ring();
    let filter = tracing_subscriber::EnvFilter::try_from_env("DOSSIER_LOG").unwrap_or_else(|_| "warn".into());
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match std::env::var("DOSSIER_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).init(),
        _ => log.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let installed = Installed::find(arguments.installation)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Process(arguments) => process::run(&installed, arguments).await,
            Command::Read(arguments) => read::run(&installed, arguments).await,
            Command::Serve(arguments) => serve::run(&installed, arguments, false).await,
            Command::Web(arguments) => serve::run(&installed, arguments, true).await,
            Command::Worker => worker::run(&installed).await,
            Command::User { command } => user::run(&installed, command).await,
            Command::Report(arguments) => report::run(&installed, arguments).await,
            Command::Rules { command } => rules::run(&installed, command).await,
            Command::Eval(arguments) => eval::run(&installed, arguments).await,
            Command::Migrate => database::migrate(&installed).await,
            Command::Db { command } => database::run(command).await,
            Command::Backup { file } => database::backup(&installed, &file).await,
            Command::Restore { file } => database::restore(&installed, &file).await,
            Command::Audit { command: AuditCommand::Verify } => database::verify(&installed).await,
            Command::Reconcile { manifest } => reconcile::run(&installed, manifest.as_deref()).await,
            Command::Erase { case } => erase::run(&installed, &case).await,
            Command::Blobs { command: BlobsCommand::Rotate } => erase::rotate(&installed).await,
            Command::Deliveries { command } => deliveries::run(&installed, command).await,
            Command::Doctor => doctor::run(&installed).await,
            Command::ReadChild => Ok(ExitCode::SUCCESS),
        }
    })
}
