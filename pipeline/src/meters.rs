//! What the machine has done since it started, for those who operate it: seconds by stage, pages, cases. Knows
//! no case.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::domain::{CaseResult, Outcome};

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Meters {
    decode_ms: AtomicU64,
    ocr_ms: AtomicU64,
    classify_ms: AtomicU64,
    extract_ms: AtomicU64,
    decide_ms: AtomicU64,
    total_ms: AtomicU64,
    pages: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    documents_requested: AtomicU64,
    reviewed: AtomicU64,
    failures: AtomicU64,
}

impl Meters {
    /// A case was read and decided.
    pub(crate) fn processed(&self, result: &CaseResult) {
        let spent = result.timings_ms;
        for (counter, by) in [
            (&self.decode_ms, spent.decode),
            (&self.ocr_ms, spent.ocr),
            (&self.classify_ms, spent.classify),
            (&self.extract_ms, spent.extract),
            (&self.decide_ms, spent.decide),
            (&self.total_ms, spent.total),
            (&self.pages, result.pages.into()),
        ] {
            counter.fetch_add(by, Relaxed);
        }
        let outcome = match result.outcome {
            Outcome::Accept => &self.accepted,
            Outcome::Reject => &self.rejected,
            Outcome::RequestDocuments => &self.documents_requested,
            Outcome::Review => &self.reviewed,
        };
        outcome.fetch_add(1, Relaxed);
    }

    /// A case could not be processed, for want of infrastructure.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// The counters as Prometheus text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, help: &str, label: &str, values: &[(&str, String)]| {
            // Writing to a string cannot fail.
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter").ok();
            for (value, number) in values {
                let labels =
                    if label.is_empty() { String::new() } else { format!("{{{label}=\"{value}\"}}") };
                writeln!(text, "{name}{labels} {number}").ok();
            }
        };
        let seconds = |counter: &AtomicU64| {
            let milliseconds = counter.load(Relaxed);
            format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
        };
        let count = |counter: &AtomicU64| counter.load(Relaxed).to_string();
        family(
            "dossier_stage_seconds_total",
            "Time spent in each stage; files are read at the same time.",
            "stage",
            &[
                ("decode", seconds(&self.decode_ms)),
                ("ocr", seconds(&self.ocr_ms)),
                ("classify", seconds(&self.classify_ms)),
                ("extract", seconds(&self.extract_ms)),
                ("decide", seconds(&self.decide_ms)),
                ("total", seconds(&self.total_ms)),
            ],
        );
        family("dossier_pages_total", "Pages read.", "", &[("", count(&self.pages))]);
        family(
            "dossier_processed_total",
            "Cases read and decided by the machine, by what it decided.",
            "outcome",
            &[
                ("accept", count(&self.accepted)),
                ("reject", count(&self.rejected)),
                ("request_documents", count(&self.documents_requested)),
                ("review", count(&self.reviewed)),
            ],
        );
        let failures = [("", count(&self.failures))];
        family("dossier_failures_total", "Attempts at a case that infrastructure failed.", "", &failures);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::plain_result;

    #[test]
    fn what_was_done_adds_up() {
        let meters = Meters::default();
        let mut result = plain_result("A-1", Outcome::Review);
        result.timings_ms.ocr = 1_250;
        result.pages = 3;
        meters.processed(&result);
        meters.processed(&result);
        meters.failed();
        let text = meters.text();
        for line in [
            "dossier_stage_seconds_total{stage=\"ocr\"} 2.500",
            "dossier_pages_total 6",
            "dossier_processed_total{outcome=\"review\"} 2",
            "dossier_processed_total{outcome=\"accept\"} 0",
            "dossier_failures_total 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
