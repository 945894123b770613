//! Outcomes, the reasons that send cases to people, and fields.

use super::flow_cell;
use crate::domain::{Mode, Outcome};
use crate::report::sheet::{Cell, Column, Sheet};
use crate::report::summary::Report;

impl Report {
    pub(super) fn outcomes_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("flow", "flow"),
            Column::new("outcome", "outcome"),
            Column::new("cases", "cases"),
            Column::new("e2e", "end to end"),
            Column::new("hybrid", "hybrid"),
            Column::new("manual", "manual"),
        ];
        let mut rows = Vec::new();
        for (flow, lines) in &self.outcomes {
            let all: u32 = lines.iter().map(|line| line.cases).sum();
            for outcome in [Outcome::Accept, Outcome::Reject, Outcome::RequestDocuments, Outcome::Review] {
                let of_mode = |mode: Option<Mode>| {
                    let lines = lines.iter().filter(|line| line.outcome == outcome);
                    lines
                        .filter(|line| mode.is_none() || line.mode == mode)
                        .map(|line| line.cases)
                        .sum::<u32>()
                };
                let cases = of_mode(None);
                if cases == 0 {
                    continue;
                }
                let link = self.link().with("flow", flow).with("outcome", outcome.as_str());
                let mut cells = vec![
                    flow_cell(flow),
                    Cell::Word("outcome", outcome.as_str().to_owned()),
                    Cell::cases(cases, Some(all), &link),
                ];
                cells.extend([Mode::E2e, Mode::Hybrid, Mode::Manual].map(|mode| {
                    let count = of_mode(Some(mode));
                    Cell::cases(count, Some(cases), &link.clone().with("mode", mode.as_str()))
                }));
                rows.push(cells);
            }
        }
        Sheet {
            code: "outcomes",
            title: "Outcomes",
            definition: "What was decided last, and how. Shares of the modes are of the cases with that outcome; \
                         requests and reviews are not final and have no mode.",
            columns,
            rows,
            has_total: false,
        }
    }

    pub(super) fn reasons_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("reason", "reason"),
            Column::new("sent", "cases sent to people"),
            Column::new("accepted", "then accepted"),
            Column::new("rejected", "then rejected"),
            Column::new("requested", "then documents requested"),
            Column::new("agreed", "people agreed"),
            Column::new("disagreed", "people disagreed"),
            Column::new("agreed_share", "agreed %"),
        ];
        let rows = self.reasons.iter().map(|line| {
            let (code, counts) = (&line.code, &line.counts);
            let link = |part: &str| self.link().mark(format!("sent:{code}{part}"));
            vec![
                Cell::Word("reason", code.clone()),
                Cell::cases(counts.cases, Some(self.sent_cases), &link("")),
                Cell::cases(counts.accepted, None, &link(":accept")),
                Cell::cases(counts.rejected, None, &link(":reject")),
                Cell::cases(counts.requested, None, &link(":request_documents")),
                Cell::cases(counts.agreed, None, &link(":agreed")),
                Cell::cases(counts.disagreed, None, &link(":disagreed")),
                Cell::Share(line.agreed_share),
            ]
        });
        Sheet {
            code: "reasons",
            title: "What sends cases to people",
            definition: "Reasons that the case had when it came to the queue; a case with several counts in each. \
                         What the machine proposes by an objection is not to accept: people agreed when they rejected or \
                         asked for documents. What it proposes by an uncertain field is the value that it read: people \
                         agreed when they left it.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn fields_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("field", "field"),
            Column::new("read", "read"),
            Column::new("certain", "certain"),
            Column::new("certain_share", "certain %"),
            Column::new("confirmed", "confirmed"),
            Column::new("corrected", "corrected"),
            Column::new("added", "added"),
            Column::new("removed", "removed"),
            Column::new("certain_but_wrong", "certain but wrong"),
        ];
        let rows = self.fields.iter().map(|line| {
            let (path, counts) = (&line.field, &line.counts);
            let cases = |count: u32, kind: &str| {
                Cell::cases(count, None, &self.link().mark(format!("field:{path}:{kind}")))
            };
            vec![
                Cell::Word("field", path.clone()),
                Cell::count(counts.read),
                Cell::count(counts.certain),
                Cell::Share(line.certain_share),
                cases(counts.confirmed, "confirmed"),
                cases(counts.corrected, "corrected"),
                cases(counts.added, "added"),
                cases(counts.removed, "removed"),
                cases(counts.certain_but_wrong, "certain_but_wrong"),
            ]
        });
        Sheet {
            code: "fields",
            title: "Fields",
            definition: "Read: documents in which the machine found the field. Certain: of these, at or above the \
                         threshold of the flow. The rest are cases in which a person confirmed the value, gave another, \
                         keyed one where there was none, or took it away; certain but wrong: certain, and yet changed \
                         or taken away.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }
}
