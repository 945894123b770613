//! People's work, what it saves, and how often the machine was wrong without it.

use super::flow_cell;
use crate::report::sheet::{Cell, Column, Sheet};
use crate::report::summary::Report;

impl Report {
    pub(super) fn reviewers_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("reviewer", "reviewer"),
            Column::new("cases", "cases"),
            Column::new("decisions", "decisions"),
            Column::new("corrections", "corrections"),
            Column::new("handling_median", "handling, median"),
            Column::new("handling_total", "handling, in all"),
        ];
        let rows = self.reviewers.iter().map(|line| {
            vec![
                Cell::Text(line.login.clone()),
                Cell::cases(line.cases, None, &self.link().mark(format!("worked:{}", line.id))),
                Cell::count(line.decisions),
                Cell::count(line.corrections),
                Cell::Seconds(line.median_s.map(u64::from)),
                Cell::Seconds(Some(line.total_s)),
            ]
        });
        Sheet {
            code: "reviewers",
            title: "Reviewers",
            definition: "Handling: from taking a case to deciding it, setting it aside, handing it over or giving it \
                         back; of a case that was left, to the last thing done. Corrections: fields changed, added or \
                         taken away.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn effort_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("flow", "flow"),
            Column::new("cases", "decided"),
            Column::new("manual_minutes", "minutes by hand"),
            Column::new("worked_minutes", "minutes worked"),
            Column::new("saved_minutes", "minutes saved"),
            Column::new("cost_per_case", "EUR a case"),
            Column::new("manual_cost_per_case", "EUR a case by hand"),
        ];
        let rows = self.effort.iter().map(|(flow, line)| {
            let decided = self.link().with("flow", flow).with("state", "final");
            vec![
                flow_cell(flow),
                Cell::cases(line.cases, None, &decided),
                Cell::Minutes(line.manual_minutes),
                Cell::Minutes(line.worked_minutes),
                Cell::Minutes(line.saved_minutes),
                Cell::Euros(line.cost_per_case),
                Cell::Euros(Some(line.manual_cost_per_case)),
            ]
        });
        Sheet {
            code: "effort",
            title: "Time saved and cost",
            definition: "Cases with a final outcome. By hand: what the flow's parameter says that a case takes without \
                         help. Cost: people's time at the flow's hourly cost, and the flow's other cost a case.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }

    pub(super) fn quality_sheet(&self) -> Sheet {
        let columns = vec![
            Column::new("flow", "flow"),
            Column::new("decided_e2e", "decided end to end"),
            Column::new("drawn", "drawn"),
            Column::new("judged", "judged blind"),
            Column::new("wrong", "wrong"),
            Column::new("wrong_rate", "wrong, with 95 % interval"),
            Column::new("largest_wrong_rate", "limit"),
        ];
        let rows = self.quality.iter().map(|(flow, line)| {
            let link = self.link().with("flow", flow);
            vec![
                flow_cell(flow),
                Cell::cases(line.decided_e2e, None, &link.clone().with("mode", "e2e")),
                Cell::cases(line.drawn, None, &link.clone().mark("blind:drawn")),
                Cell::cases(line.judged, None, &link.clone().mark("blind:judged")),
                Cell::cases(line.wrong, None, &link.mark("blind:wrong")),
                Cell::Interval(line.wrong_rate),
                Cell::Share(line.largest_wrong_rate),
            ]
        });
        Sheet {
            code: "quality",
            title: "Quality of the machine's own decisions",
            definition: "A share of the cases decided end to end is drawn at random and judged by a person who does not \
                         see the decision. Wrong: the person decided otherwise. The interval (Wilson, 95 %) holds the \
                         rate over all such cases in nineteen reports of twenty; when its upper end passes the limit, \
                         the flow sends all cases to people.",
            rows: rows.collect(),
            columns,
            has_total: false,
        }
    }
}
