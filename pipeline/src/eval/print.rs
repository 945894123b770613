//! An evaluation for people.

use std::fmt;

use super::score::Evaluation;

impl fmt::Display for Evaluation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{:22} {:>9} {:>6} {:>7} {:>9} {:>12} {:>7}",
            "documents", "count", "type", "recall", "precision", "sure (wrong)", "row F1"
        )?;
        for (name, group) in &self.groups {
            writeln!(
                formatter,
                "{name:22} {:>9} {:>6.3} {:>7.3} {:>9.3} {:>12} {:>7.3}",
                group.documents,
                group.type_accuracy(),
                group.fields.recall(),
                group.fields.precision(),
                format!("{} ({})", group.fields.sure, group.fields.sure_wrong),
                group.rows.f1(),
            )?;
        }
        for (confusion, count) in &self.confusions {
            writeln!(formatter, "{confusion}: {count}")?;
        }
        writeln!(formatter)?;
        for (name, field) in &self.fields {
            writeln!(
                formatter,
                "{name:45} recall {:.3} precision {:.3} right {} wrong {} missed {} sure {} ({})",
                field.recall(),
                field.precision(),
                field.right,
                field.wrong,
                field.missed,
                field.sure,
                field.sure_wrong
            )?;
        }
        writeln!(formatter)?;
        writeln!(
            formatter,
            "cases {}: outcome as labelled {}; decided without a person {} of {} that could be; wrongly accepted {}, wrongly rejected {}",
            self.cases,
            self.outcome_right,
            self.decided,
            self.decidable,
            self.wrong_accepts,
            self.wrong_rejects
        )?;
        for (what, stopped) in [
            ("uncertain", &self.stopped_by),
            ("uncertainty in", &self.stopped_by_document),
            ("reason", &self.stopped_by_reason),
        ] {
            let mut stops: Vec<_> = stopped.iter().collect();
            stops.sort_by_key(|(_, (all, alone))| std::cmp::Reverse((*all, *alone)));
            for (cause, (all, alone)) in stops {
                writeln!(
                    formatter,
                    "{what} {cause} stopped {all} cases that could be decided, {alone} of them alone"
                )?;
            }
        }
        Ok(())
    }
}
