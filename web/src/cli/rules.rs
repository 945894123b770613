//! `dossier rules`: checking and testing the business rules.

use std::process::ExitCode;

use dossier::config::load_document_types;
use dossier::rules::{Flow, lint, run_cases};

use super::args::RulesCommand;
use super::installation::Installed;
use super::output::say;
use super::simulate;

pub(crate) async fn run(installed: &Installed, command: RulesCommand) -> anyhow::Result<ExitCode> {
    let clean = match command {
        RulesCommand::Check => check(installed)?,
        RulesCommand::Test => test(installed)?,
        RulesCommand::Simulate(arguments) => return simulate::run(installed, arguments).await,
    };
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Loads everything as a run would: an unknown field, function or key is an error here.
fn check(installed: &Installed) -> anyhow::Result<bool> {
    let bundle = installed.rules()?;
    let types = load_document_types(&bundle)?;
    say(&format!("{} document types\n", types.len()))?;
    let mut clean = true;
    for name in Flow::names(&bundle) {
        let flow = Flow::load(&bundle, &name)?;
        say(&format!("{name}: {} rules, {} codes\n", flow.config.rules.len(), flow.codes().len()))?;
        for complaint in lint(&flow, &bundle, &types)? {
            clean = false;
            say(&format!("    {}: {}\n", complaint.file, complaint.message))?;
        }
    }
    Ok(clean)
}

fn test(installed: &Installed) -> anyhow::Result<bool> {
    let bundle = installed.rules()?;
    let (mut passed, mut failed) = (0, 0);
    for name in Flow::names(&bundle) {
        let flow = Flow::load(&bundle, &name)?;
        for report in run_cases(&flow, &bundle)? {
            if report.passed() {
                passed += 1;
                continue;
            }
            failed += 1;
            say(&format!("{} {}\n", report.file, report.name))?;
            for difference in &report.differences {
                say(&format!("    {difference}\n"))?;
            }
        }
    }
    say(&format!("{passed} passed, {failed} failed\n"))?;
    Ok(failed == 0)
}
