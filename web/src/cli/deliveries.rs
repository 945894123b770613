//! `dossier deliveries`: what others are told of cases, what was given up, and sending it again.

use std::process::ExitCode;

use anyhow::bail;
use chrono::{DateTime, SecondsFormat};
use dossier::clock::{Clock as _, SystemClock};
use dossier::store::{Delivery, DeliveryState};

use super::args::{DeliveriesCommand, DeliveryStateArgument};
use super::installation::Installed;
use super::output::say;

pub(crate) async fn run(installed: &Installed, command: DeliveriesCommand) -> anyhow::Result<ExitCode> {
    let store = installed.existing_store().await?;
    let done = match command {
        DeliveriesCommand::List { state, json, limit } => {
            let found = store.deliveries(state.map(DeliveryState::from), None, None, limit).await?;
            for delivery in found {
                let text = if json { serde_json::to_string(&delivery)? } else { line(&delivery) };
                say(&format!("{text}\n"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        DeliveriesCommand::Resend { ids, all } => {
            let now = SystemClock.now();
            let mut sent = 0;
            if all {
                sent = store.resend(None, now).await?;
            }
            let mut unknown = Vec::new();
            for id in &ids {
                match store.resend(Some(id), now).await? {
                    0 => unknown.push(id.as_str()),
                    _ => sent += 1,
                }
            }
            say(&format!("{sent} dead letters are sent again by the server\n"))?;
            if unknown.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(unknown.join(", ")) }
        }
    };
    store.close().await;
    match done {
        Ok(code) => Ok(code),
        Err(unknown) => bail!("there is no dead letter {unknown}"),
    }
}

fn line(delivery: &Delivery) -> String {
    let created = DateTime::from_timestamp_micros(delivery.created_at).unwrap_or_default();
    format!(
        "{}  {}  {:9}  {}/{}  {} to {}  attempts {}{}",
        created.to_rfc3339_opts(SecondsFormat::Secs, true),
        delivery.id,
        delivery.state.as_str(),
        delivery.flow,
        delivery.reference,
        delivery.occasion.as_str(),
        delivery.destination,
        delivery.attempts,
        delivery.problem.as_ref().map(|problem| format!("  {problem}")).unwrap_or_default()
    )
}

impl From<DeliveryStateArgument> for DeliveryState {
    fn from(state: DeliveryStateArgument) -> Self {
        match state {
            DeliveryStateArgument::Waiting => DeliveryState::Waiting,
            DeliveryStateArgument::Delivered => DeliveryState::Delivered,
            DeliveryStateArgument::Dead => DeliveryState::Dead,
        }
    }
}
