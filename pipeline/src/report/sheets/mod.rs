//! Which tables a report has, with the cases behind each figure: here how cases were decided.

mod decisions;
mod service;
mod people;

use super::lines::AutomationLine;
use super::sheet::{CasesLink, Cell, Column, Sheet};
use super::summary::Report;
use super::{GroupBy, Split};

impl Report {
    /// All tables, in the order in which people read them.
    pub fn sheets(&self) -> Vec<Sheet> {
        vec![
            self.split_sheet(),
            self.automation_sheet(),
            self.periods_sheet(),
            self.outcomes_sheet(),
            self.reasons_sheet(),
            self.fields_sheet(),
            self.times_sheet(),
            self.backlog_sheet(),
            self.stages_sheet(),
            self.machine_sheet(),
            self.reviewers_sheet(),
            self.effort_sheet(),
            self.quality_sheet(),
        ]
    }

    /// All cases of the report.
    fn link(&self) -> CasesLink {
        let first = self.from.or(self.first_day).unwrap_or_default();
        let last = self.to.or(self.last_day).unwrap_or_default();
        let link = CasesLink::decided(first, last);
        match &self.flow {
            Some(flow) => link.with("flow", flow),
            None => link,
        }
    }

    fn group_link(&self, group: &str) -> CasesLink {
        let link = self.link();
        match self.by {
            GroupBy::Flow => link.with("flow", group),
            GroupBy::Reason => link.with("reason", group),
            GroupBy::Reviewer => {
                let id = self.group_ids.get(group).map_or(group, String::as_str);
                link.mark(format!("by:{id}"))
            }
            GroupBy::Day | GroupBy::Week | GroupBy::Month => {
                let line = self.periods.iter().find(|line| line.period.label == group);
                line.map_or(link, |line| self.period_link(line.period.first, line.period.last))
            }
        }
    }

    /// The part of a period that the report is about.
    fn period_link(&self, first: chrono::NaiveDate, last: chrono::NaiveDate) -> CasesLink {
        let first = self.from.map_or(first, |from| from.max(first));
        let last = self.to.map_or(last, |to| to.min(last));
        self.link().with("decided_from", first.to_string()).with("decided_to", last.to_string())
    }

    pub(in crate::report) fn split_sheet(&self) -> Sheet {
        let mut columns = vec![Column::new("group", self.by.as_str())];
        columns.extend(SPLIT_COLUMNS);
        let family = match self.by {
            GroupBy::Flow => "flow",
            GroupBy::Reason => "reason",
            GroupBy::Reviewer => "group",
            GroupBy::Day | GroupBy::Week | GroupBy::Month => "period",
        };
        let row = |name: Cell, split: &Split, link: &CasesLink| {
            let mut cells = vec![name];
            cells.extend(split_cells(split, link));
            cells
        };
        let lines = self.groups.iter();
        let mut rows: Vec<Vec<Cell>> = lines
            .map(|(group, split)| row(Cell::Word(family, group.clone()), split, &self.group_link(group)))
            .collect();
        rows.push(row(Cell::Word("group", "total".to_owned()), &self.total, &self.link()));
        Sheet {
            code: "split",
            title: "How cases were decided",
            definition: "Cases by their newest decision. End to end: finally decided and no person touched it. \
                         Hybrid: a person corrected or decided, on what the machine had read. Manual: nothing of \
                         what decided it was the machine's. Documents that the applicant sent and blind reviews \
                         are no touches.",
            columns,
            rows,
            has_total: true,
        }
    }

    fn automation_sheet(&self) -> Sheet {
        let mut columns = vec![Column::new("flow", "flow")];
        columns.extend(AUTOMATION_COLUMNS);
        let rows = self.automation.iter().map(|(flow, line)| {
            let link = self.link().with("flow", flow);
            let mut cells = vec![flow_cell(flow)];
            cells.extend(automation_cells(line, &link));
            cells
        });
        Sheet {
            code: "automation",
            title: "Automation of cases, documents and fields",
            definition: "Of cases with a final outcome. Case: decided and no person touched it. Document \
                         straight-through: nobody changed, confirmed or retyped anything of it. Field: stands in the \
                         final result and nobody confirmed or entered it. A case needs all of its documents, a document \
                         all of its fields: so the three differ, and only the first is what is saved.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    fn periods_sheet(&self) -> Sheet {
        let mut columns = vec![Column::new("period", "period")];
        columns.extend(SPLIT_COLUMNS);
        columns.extend([
            Column::new("cases_share", "cases end to end %"),
            Column::new("documents_share", "documents straight-through %"),
            Column::new("fields_share", "fields automated %"),
        ]);
        let rows = self.periods.iter().map(|line| {
            let link = self.period_link(line.period.first, line.period.last);
            let mut cells = vec![Cell::Word("period", line.period.label.clone())];
            cells.extend(split_cells(&line.split, &link));
            let automation = &line.automation;
            let shares = [automation.cases_share, automation.documents_share, automation.fields_share];
            cells.extend(shares.map(Cell::Share));
            cells
        });
        Sheet {
            code: "periods",
            title: "Over time",
            definition: "Cases by the UTC day of their newest decision; weeks begin on Monday.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }
}

const SPLIT_COLUMNS: [Column; 8] = [
    Column::new("cases", "cases"),
    Column::new("accepted", "accepted"),
    Column::new("rejected", "rejected"),
    Column::new("e2e", "end to end"),
    Column::new("hybrid", "hybrid"),
    Column::new("manual", "manual"),
    Column::new("waiting", "waiting for documents"),
    Column::new("review", "review"),
];

fn split_cells(split: &Split, link: &CasesLink) -> [Cell; 8] {
    let part = |count: u32, name: &'static str, value: &str| {
        Cell::cases(count, Some(split.cases), &link.clone().with(name, value))
    };
    [
        Cell::cases(split.cases, None, link),
        part(split.accepted, "outcome", "accept"),
        part(split.rejected, "outcome", "reject"),
        part(split.e2e, "mode", "e2e"),
        part(split.hybrid, "mode", "hybrid"),
        part(split.manual, "mode", "manual"),
        part(split.waiting, "outcome", "request_documents"),
        part(split.review, "outcome", "review"),
    ]
}

const AUTOMATION_COLUMNS: [Column; 9] = [
    Column::new("final_cases", "cases decided"),
    Column::new("e2e", "end to end"),
    Column::new("cases_share", "cases end to end %"),
    Column::new("documents", "documents"),
    Column::new("documents_untouched", "straight-through"),
    Column::new("documents_share", "documents straight-through %"),
    Column::new("fields", "fields"),
    Column::new("fields_untouched", "automated"),
    Column::new("fields_share", "fields automated %"),
];

fn automation_cells(line: &AutomationLine, link: &CasesLink) -> [Cell; 9] {
    let counts = &line.counts;
    let plain = |count: u64| Cell::Count { count, of: None, cases: None };
    [
        Cell::cases(counts.cases, None, &link.clone().with("state", "final")),
        Cell::cases(counts.cases_e2e, None, &link.clone().with("mode", "e2e")),
        Cell::Share(line.cases_share),
        Cell::count(counts.documents),
        Cell::count(counts.documents_untouched),
        Cell::Share(line.documents_share),
        plain(counts.fields),
        plain(counts.fields_untouched),
        Cell::Share(line.fields_share),
    ]
}

fn flow_cell(flow: &str) -> Cell {
    Cell::Word("flow", flow.to_owned())
}
