//! Makes labelled sample cases: paperwork that looks real, with the truth beside it.
//!
//! The way of a case: scenario → documents → layouts → typeset → render (and degrade) → package → truth.
//! It shares no code with the product that it measures.

mod companies;
mod dates;
mod degrade;
mod dice;
mod documents;
mod identifiers;
mod layouts;
mod money;
mod package;
mod people;
mod places;
mod policy;
mod records;
mod render;
mod scenario;
mod text;
mod truth;
mod typeset;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use clap::Parser;

use crate::dice::Dice;
use crate::layouts::{Catalogue, Choice};
use crate::records::Records;
use crate::render::Rendering;
use crate::scenario::{Case, Desk, Flow};
use crate::typeset::Press;

const FAMILIES: [&str; 18] = [
    "Liberation Sans",
    "Liberation Serif",
    "Liberation Mono",
    "Carlito",
    "Caladea",
    "Roboto",
    "Open Sans",
    "Lato",
    "Cantarell",
    "Cabin",
    "EB Garamond 12",
    "Courier Prime",
    "Inconsolata",
    "DejaVu Sans",
    "DejaVu Sans Mono",
    "DejaVu Serif",
    "Libertinus Serif",
    "OCR B",
];

#[derive(Debug, Parser)]
#[command(about = "Makes labelled sample cases")]
struct Arguments {
    /// Where `inbox/`, `truth/` and `records/` go
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 30)]
    cases: usize,
    /// Only cases of this flow
    #[arg(long)]
    flow: Option<Flow>,
    /// Only cases of these stories
    #[arg(long, value_delimiter = ',')]
    stories: Vec<String>,
    #[arg(long, value_enum, default_value_t = Choice::All)]
    layouts: Choice,
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Rendering::BornDigital, Rendering::Scan, Rendering::Photo, Rendering::Fax, Rendering::Mixed])]
    renderings: Vec<Rendering>,
    /// The folder of layouts
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/layouts"))]
    layouts_dir: PathBuf,
    /// Folders of fonts
    #[arg(long, num_args = 1.., default_values_os_t = [PathBuf::from("/usr/share/fonts")])]
    fonts: Vec<PathBuf>,
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let catalogue = Catalogue::open(&arguments.layouts_dir, arguments.layouts)?;
    let press = Press::open(&arguments.layouts_dir, &arguments.fonts)?;
    for family in FAMILIES.iter().filter(|family| !press.has_family(family)) {
        eprintln!("font not found, another will be used: {family}");
    }
    let (cases, records) = plan(&arguments, &catalogue)?;
    write_records(&arguments.out, &records)?;
    write_cases(&arguments, &press, &cases)
}

/// Which story each case tells: half of them end well; the others go through every reason in turn.
fn plan(arguments: &Arguments, catalogue: &Catalogue) -> Result<(Vec<Case>, Records)> {
    let mut desk = Desk { catalogue, records: Records::default() };
    let flows: Vec<Flow> = match arguments.flow {
        Some(flow) => vec![flow],
        None => [Flow::ConsumerLoan, Flow::EnergyClaim, Flow::ConsumerLoan, Flow::InsuranceClaim].to_vec(),
    };
    let mut told = [0usize; 3];
    let mut cases = Vec::new();
    let mut index = 0;
    while cases.len() < arguments.cases {
        let flow = flows[index % flows.len()];
        let nth = &mut told[flow as usize];
        let (good, others) = flow.stories();
        let story =
            if *nth % 2 == 0 { good[*nth / 2 % good.len()] } else { others[*nth / 2 % others.len()].0 };
        *nth += 1;
        index += 1;
        if !arguments.stories.is_empty() && !arguments.stories.iter().any(|s| s == story) {
            if index > 500 {
                return Err(anyhow!("no such story in the flows asked for"));
            }
            continue;
        }
        let mut dice = Dice::new(arguments.seed.wrapping_mul(1_000_003).wrapping_add(index as u64));
        let letter = ["A", "E", "S"][flow as usize];
        let reference = format!("{letter}-{:04}", (1000 + arguments.seed % 89 * 100 + index as u64) % 10_000);
        cases.push(scenario::tell(&mut desk, flow, story, reference, &mut dice)?);
    }
    Ok((cases, desk.records))
}

fn write_records(out: &Path, records: &Records) -> Result<()> {
    let folder = out.join("records");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("customers.csv"), records.customers_csv())?;
    fs::write(folder.join("policies.csv"), records.policies_csv())?;
    Ok(())
}

fn write_cases(arguments: &Arguments, press: &Press, cases: &[Case]) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at) else { return Ok(()) };
            write_case(arguments, press, case)
                .with_context(|| format!("case {} ({})", case.reference, case.story))?;
            comemo::evict(10);
            eprintln!(
                "{:>4}/{} {} {} {} → {}",
                at + 1,
                cases.len(),
                case.flow.name(),
                case.reference,
                case.story,
                case.decision.outcome.name()
            );
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker stopped"))?)
    })
}

fn write_case(arguments: &Arguments, press: &Press, case: &Case) -> Result<()> {
    let mut dice = Dice::new(arguments.seed).fork(&case.reference);
    let package = package::package(case, press, &arguments.renderings, &mut dice)?;
    let folder = arguments.out.join("inbox").join(case.flow.name()).join(&case.reference);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("application.json"), serde_json::to_string_pretty(&case.application)? + "\n")?;
    for file in &package.files {
        fs::write(folder.join(&file.name), &file.bytes)?;
    }
    write_texts(&arguments.out.join("text").join(case.flow.name()).join(&case.reference), &package)?;
    let labels = arguments.out.join("truth").join(case.flow.name());
    fs::create_dir_all(&labels)?;
    fs::write(
        labels.join(format!("{}.json", case.reference)),
        serde_json::to_string_pretty(&truth::truth(case, &package))? + "\n",
    )?;
    Ok(())
}

/// The words of each page, for measuring OCR: `FILE.PAGE.txt`, pages counted from 1.
fn write_texts(folder: &Path, package: &package::Package) -> Result<()> {
    fs::create_dir_all(folder)?;
    for placed in &package.placed {
        let pages = placed.parts.iter().flat_map(|(file, pages)| pages.iter().map(move |page| (file, page)));
        for ((file, page), text) in pages.zip(&placed.texts) {
            fs::write(folder.join(format!("{file}.{page}.txt")), text)?;
        }
    }
    Ok(())
}
