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
mod traces;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use args::{Arguments, AuditCommand, BlobsCommand, Command};
use installation::Installed;
use traces::Traces;

/// Runs the command that the program was called with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::ReadChild = arguments.command {
        return dossier::read::child::main();
    }
    dossier::net::use_ring();
    match prepare_and_run(arguments) {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

fn prepare_and_run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let installed = Installed::find(arguments.installation)?;
    let traces = Traces::begin(&installed.settings)?;
    log(&traces);
    let code = run(&installed, arguments.command);
    traces.end();
    code
}

/// Messages go to standard error, as `DOSSIER_LOG` and `DOSSIER_LOG_FORMAT` say.
fn log(traces: &Traces) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DOSSIER_LOG").unwrap_or_else(|_| "warn".into());
    let messages = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let messages = match std::env::var("DOSSIER_LOG_FORMAT").as_deref() {
        Ok("json") => messages.json().flatten_event(true).boxed(),
        _ => messages.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(messages.with_filter(filter)).with(traces.layer()).init();
}

fn run(installed: &Installed, command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match command {
            Command::Process(arguments) => process::run(installed, arguments).await,
            Command::Read(arguments) => read::run(installed, arguments).await,
            Command::Serve(arguments) => serve::run(installed, arguments, false).await,
            Command::Web(arguments) => serve::run(installed, arguments, true).await,
            Command::Worker => worker::run(installed).await,
            Command::User { command } => user::run(installed, command).await,
            Command::Report(arguments) => report::run(installed, arguments).await,
            Command::Rules { command } => rules::run(installed, command).await,
            Command::Eval(arguments) => eval::run(installed, arguments).await,
            Command::Migrate => database::migrate(installed).await,
            Command::Db { command } => database::run(command).await,
            Command::Backup { file } => database::backup(installed, &file).await,
            Command::Restore { file } => database::restore(installed, &file).await,
            Command::Audit { command: AuditCommand::Verify } => database::verify(installed).await,
            Command::Reconcile { manifest } => reconcile::run(installed, manifest.as_deref()).await,
            Command::Erase { case } => erase::run(installed, &case).await,
            Command::Blobs { command: BlobsCommand::Rotate } => erase::rotate(installed).await,
            Command::Deliveries { command } => deliveries::run(installed, command).await,
            Command::Doctor => doctor::run(installed).await,
            Command::ReadChild => Ok(ExitCode::SUCCESS),
        }
    })
}
