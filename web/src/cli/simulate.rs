//! `dossier rules simulate`: past cases under changed rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{Days, NaiveDate, NaiveTime};
use dossier::clock::{Clock as _, Micros, SystemClock};
use dossier::config::Bundle;
use dossier::domain::Outcome;
use dossier::rules::{Changed, Flow, Simulation, Verdict};
use dossier::store::{CaseFilter, CaseState, StoredCase};

use super::args::SimulateArguments;
use super::installation::Installed;
use super::output::{note, say};

/// Cases taken from the store at a time.
const STEP: i64 = 500;
/// Changed cases that are listed for people; JSON has all.
const MOST_LISTED: usize = 100;
const OUTCOMES: [Outcome; 4] = [Outcome::Accept, Outcome::Reject, Outcome::RequestDocuments, Outcome::Review];

type Flows = BTreeMap<String, Flow>;

pub(crate) async fn run(installed: &Installed, arguments: SimulateArguments) -> anyhow::Result<ExitCode> {
    let in_force = flows(&installed.rules()?)?;
    let changed = arguments.changed.as_deref().map(changed_rules).transpose()?;
    let known = changed.as_ref().unwrap_or(&in_force);
    if let Some(name) = arguments.flow.as_deref().filter(|&name| !known.contains_key(name)) {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        bail!("there is no flow {name}; known are {}", names.join(", "));
    }
    let folder = arguments.records.as_deref();
    let (records, records_in_force) =
        (installed.records_of(folder, known.values())?, installed.records_of(folder, in_force.values())?);
    let store = installed.existing_store().await?;
    let filter = CaseFilter {
        flow: arguments.flow,
        created_from: arguments.from.map(first_moment),
        created_before: arguments.to.and_then(|day| day.checked_add_days(Days::new(1))).map(first_moment),
        ..CaseFilter::default()
    };
    let (now, mut after) = (SystemClock.now(), None);
    let mut simulation = Simulation::default();
    loop {
        let some = store.cases(&filter, now, after.take(), STEP).await?;
        for summary in &some {
            let Some(case) = store.case(&summary.id).await? else { continue };
            // Nothing is left of what was read.
            if case.erased_at.is_some() {
                continue;
            }
            let Some(read) = case.machine_result.as_ref().or(case.result.as_ref()) else { continue };
            let (Some(flow), then) = (known.get(&case.flow), in_force.get(&case.flow)) else {
                simulation.without_flow += 1;
                continue;
            };
            let before = match then.filter(|_| changed.is_some()) {
                Some(then) => Verdict::replayed(then, read, &case.declared, &records_in_force).await,
                None => Verdict::stored(read),
            };
            let verdict = Verdict::replayed(flow, read, &case.declared, &records).await;
            simulation.add((&case.flow, &case.reference), before, verdict, by_person(&case));
        }
        let Some(last) = some.last().filter(|_| i64::try_from(some.len()) == Ok(STEP)) else { break };
        after = Some((last.created_at, last.id.clone()));
        note(&format!("{} cases replayed", simulation.cases));
    }
    store.close().await;
    say(&if arguments.json {
        serde_json::to_string_pretty(&simulation)? + "\n"
    } else {
        told(&simulation)?
    })?;
    Ok(ExitCode::SUCCESS)
}

fn changed_rules(folder: &Path) -> anyhow::Result<Flows> {
    if !folder.is_dir() {
        bail!("there is no folder of rules at {}", folder.display());
    }
    let bundle = Bundle::from_directory(folder)
        .with_context(|| format!("cannot load the rules in {}", folder.display()))?;
    let flows = flows(&bundle)?;
    if flows.is_empty() {
        bail!("the folder {} has no flow: a flow is a folder with a flow.toml", folder.display());
    }
    Ok(flows)
}

fn flows(bundle: &Bundle) -> anyhow::Result<Flows> {
    let names = Flow::names(bundle).into_iter();
    names.map(|name| Ok((name.clone(), Flow::load(bundle, &name)?))).collect()
}

fn first_moment(day: NaiveDate) -> Micros {
    day.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// What a person decided, where one did.
fn by_person(case: &StoredCase) -> Option<Outcome> {
    let decided = case.state == CaseState::Final && case.touched;
    case.result.as_ref().filter(|_| decided).map(|result| result.outcome)
}

fn told(simulation: &Simulation) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let Simulation { cases, without_flow, automatic, people, changed, .. } = simulation;
    writeln!(
        text,
        "{cases} past cases replayed: {} would be decided otherwise, {} for other reasons alone",
        simulation.decided_otherwise(),
        changed.len() - simulation.decided_otherwise()
    )?;
    if *without_flow > 0 {
        writeln!(text, "{without_flow} cases belong to flows that the changed rules do not have")?;
    }
    let share = |count: u32| f64::from(count) * 100.0 / f64::from((*cases).max(1));
    writeln!(
        text,
        "decided without a person: {} ({:.1} %) before, {} ({:.1} %) under the changed rules",
        automatic.0,
        share(automatic.0),
        automatic.1,
        share(automatic.1)
    )?;
    writeln!(
        text,
        "of these a person had decided {}: {} the same way, {} otherwise\n",
        people.0 + people.1,
        people.0,
        people.1
    )?;
    write!(text, "{:<20}", "before")?;
    for after in OUTCOMES {
        write!(text, "{:>20}", after.as_str())?;
    }
    text.push('\n');
    for before in OUTCOMES {
        let Some(row) = simulation.outcomes.get(&before) else { continue };
        write!(text, "{:<20}", before.as_str())?;
        for after in OUTCOMES {
            write!(text, "{:>20}", row.get(&after).copied().unwrap_or(0))?;
        }
        text.push('\n');
    }
    if !changed.is_empty() {
        text.push('\n');
    }
    for case in changed.iter().take(MOST_LISTED) {
        text.push_str(&one_line(case)?);
    }
    if changed.len() > MOST_LISTED {
        writeln!(text, "and {} more: --json lists all", changed.len() - MOST_LISTED)?;
    }
    Ok(text)
}

fn one_line(case: &Changed) -> Result<String, std::fmt::Error> {
    let only = |these: &Verdict, those: &Verdict| {
        let codes = these.codes.iter().filter(|code| !those.codes.contains(code));
        codes.cloned().collect::<Vec<_>>().join(", ")
    };
    let (gone, new) = (only(&case.before, &case.after), only(&case.after, &case.before));
    let mut line = format!(
        "{}/{}: {} → {}",
        case.flow,
        case.reference,
        case.before.outcome.as_str(),
        case.after.outcome.as_str()
    );
    for (what, codes) in [("no longer", gone), ("now", new)] {
        if !codes.is_empty() {
            write!(line, "; {what} {codes}")?;
        }
    }
    if let Some(person) = case.person {
        write!(line, "; a person decided {}", person.as_str())?;
    }
    line.push('\n');
    Ok(line)
}
