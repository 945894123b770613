//! How long cases take and wait, and where.

use super::flow_cell;
use crate::report::lines::Spread;
use crate::report::sheet::{CasesLink, Cell, Column, Sheet};
use crate::report::summary::Report;

impl Report {
    pub(super) fn times_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("flow", "flow"),
            Column::new("first_response_cases", "answered"),
            Column::new("first_response_median", "first response, median"),
            Column::new("first_response_p90", "first response, 90 %"),
            Column::new("resolution_cases", "resolved"),
            Column::new("resolution_median", "resolution, median"),
            Column::new("resolution_p90", "resolution, 90 %"),
            Column::new("sla_met", "in time"),
            Column::new("sla_missed", "too late"),
            Column::new("sla_share", "in time %"),
        ];
        let rows = self.times.iter().map(|(flow, times)| {
            let link = self.link().with("flow", flow);
            let spread = |spread: &Spread| {
                [
                    Cell::Count { count: spread.cases as u64, of: None, cases: None },
                    Cell::Seconds(spread.median_s.map(u64::from)),
                    Cell::Seconds(spread.p90_s.map(u64::from)),
                ]
            };
            let mut cells = vec![flow_cell(flow)];
            cells.extend(spread(&times.first_response));
            cells.extend(spread(&times.resolution));
            cells.push(Cell::cases(times.sla_met, None, &link.clone().mark("sla:met")));
            cells.push(Cell::cases(times.sla_missed, None, &link.mark("sla:missed")));
            cells.push(Cell::Share(times.sla_share));
            cells
        });
        Sheet {
            code: "times",
            title: "Answers and deadlines",
            definition: "First response: from receipt to the first decision or request for documents. Resolution: from \
                         receipt to the final outcome, with all waiting. Half of the cases took at most the median, nine \
                         in ten at most the 90 %. In time: every decision that people made on the case was made by its \
                         deadline; cases that no person decided are in neither.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn backlog_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("flow", "flow"),
            Column::new("in_review", "in review"),
            Column::new("overdue", "overdue"),
            Column::new("under_1", "under 1 day"),
            Column::new("under_3", "1 to 3 days"),
            Column::new("under_7", "3 to 7 days"),
            Column::new("more", "over 7 days"),
            Column::new("oldest", "oldest since"),
            Column::new("waiting", "waiting for documents"),
            Column::new("processing", "processing"),
        ];
        let rows = self.backlog.iter().map(|(flow, backlog)| {
            let state = |state: &str| CasesLink::default().with("flow", flow).with("state", state);
            let mut cells = vec![
                flow_cell(flow),
                Cell::cases(backlog.in_review, None, &state("in_review")),
                Cell::cases(backlog.overdue, None, &state("in_review").with("sla", "overdue")),
            ];
            let ages = ["0-1", "1-3", "3-7", "7-"].into_iter().zip(backlog.age_days);
            cells.extend(ages.map(|(age, count)| {
                Cell::cases(count, Some(backlog.in_review), &state("in_review").with("age", age))
            }));
            cells.push(Cell::Moment(backlog.oldest_queued_at));
            cells.push(Cell::cases(backlog.waiting_documents, None, &state("waiting_documents")));
            cells.push(Cell::cases(backlog.processing, None, &state("processing")));
            cells
        });
        Sheet {
            code: "backlog",
            title: "Backlog",
            definition: "Cases that are not decided now, whatever the period of the report; ages are those in review, \
                         since they came to the queue.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn stages_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("stage", "stage"),
            Column::new("cases", "cases"),
            Column::new("median", "median"),
            Column::new("p90", "90 %"),
            Column::new("total", "in all"),
            Column::new("share", "of all time"),
        ];
        let rows = self.stages.iter().map(|line| {
            vec![
                Cell::Word("stage", line.stage.as_str().to_owned()),
                Cell::Count { count: line.spread.cases as u64, of: None, cases: None },
                Cell::Seconds(line.spread.median_s.map(u64::from)),
                Cell::Seconds(line.spread.p90_s.map(u64::from)),
                Cell::Seconds(Some(line.total_s)),
                Cell::Share(line.share),
            ]
        });
        Sheet {
            code: "stages",
            title: "Time at each stage",
            definition: "How long cases stood where, up to the last thing that happened to them. The stage with most of \
                         all time is the bottleneck.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn machine_sheet(&self) -> Sheet {
        let line = &self.machine;
        let columns = vec![
            Column::new("cases", "cases"),
            Column::new("pages", "pages"),
            Column::new("decode", "decode ms"),
            Column::new("ocr", "ocr ms"),
            Column::new("classify", "classify ms"),
            Column::new("extract", "extract ms"),
            Column::new("decide", "decide ms"),
            Column::new("elapsed", "total ms"),
        ];
        let steps =
            [line.decode_ms, line.ocr_ms, line.classify_ms, line.extract_ms, line.decide_ms, line.total_ms];
        let mut row = vec![
            Cell::cases(line.cases, None, &self.link()),
            Cell::Count { count: line.pages, of: None, cases: None },
        ];
        row.extend(steps.map(Cell::Milliseconds));
        Sheet {
            code: "machine",
            title: "The machine's own steps",
            definition: "Mean milliseconds of work a case, over its pages; the total is time on the clock.",
            columns,
            rows: if line.cases > 0 { vec![row] } else { Vec::new() },
            has_total: false,
        }
    }
}
