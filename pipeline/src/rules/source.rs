//! Deciding with records that take a while to come: the rules run, what they asked for is looked up, they run
//! again, until nothing is missing. So rules never wait, and a decision stays a pure function of the case and
//! of what was found.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::records::{CsvRecords, Record, Records, RecordsUnavailable};
use super::{Flow, MOST_LOOK_UPS, decide};
use crate::domain::{Case, Decision};

/// Where the flows' records are, near or far.
#[async_trait]
pub trait RecordSource: Send + Sync {
    /// The record of a flow's table with this key; `None` when there is none.
    ///
    /// # Errors
    /// When the table cannot be consulted or is ambiguous, so that nothing can be said.
    async fn find_for(
        &self,
        flow: &str,
        table: &str,
        key: &str,
    ) -> Result<Option<Record>, RecordsUnavailable>;
}

#[async_trait]
impl RecordSource for CsvRecords {
    async fn find_for(
        &self,
        _flow: &str,
        table: &str,
        key: &str,
    ) -> Result<Option<Record>, RecordsUnavailable> {
        self.find(table, key)
    }
}

/// Decides a case by its flow's rules, looking up what they ask for.
pub async fn decide_with(flow: &Flow, case: &Case, source: &dyn RecordSource) -> Decision {
    let mut known = Known::default();
    let mut decision = decide(flow, case, &known);
    // A rule's next question may follow from the answer to the one before.
    for _ in 0..MOST_LOOK_UPS {
        let wanted = known.take_wanted();
        if wanted.is_empty() {
            break;
        }
        for (table, key) in wanted {
            let found = source.find_for(&flow.name, &table, &key).await;
            if let Err(unavailable) = &found {
                tracing::warn!(flow = flow.name, error = %unavailable, "a record could not be looked up");
            }
            known.found.insert((table, key), found);
        }
        decision = decide(flow, case, &known);
    }
    decision
}

/// What was looked up so far. What was not is unavailable until then.
#[derive(Debug, Default)]
struct Known {
    found: BTreeMap<(String, String), Result<Option<Record>, RecordsUnavailable>>,
    wanted: Mutex<Vec<(String, String)>>,
}

impl Known {
    fn take_wanted(&mut self) -> Vec<(String, String)> {
        std::mem::take(self.wanted.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Records for Known {
    fn find(&self, table: &str, key: &str) -> Result<Option<Record>, RecordsUnavailable> {
        let wanted = (table.to_owned(), key.to_owned());
        if let Some(found) = self.found.get(&wanted) {
            return found.clone();
        }
        let mut all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&wanted) {
            all.push(wanted);
        }
        Err(RecordsUnavailable { table: table.to_owned(), problem: "it was not looked up yet".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bundle;
    use crate::rules::build_case;
    use crate::rules::build_case::Changes;
    use crate::rules::cases::{CaseFile, GivenRecords};
    use crate::rules::load::parse;

    struct Counted<'a> {
        records: &'a GivenRecords,
        asked: Mutex<usize>,
    }

    #[async_trait]
    impl RecordSource for Counted<'_> {
        async fn find_for(
            &self,
            _flow: &str,
            table: &str,
            key: &str,
        ) -> Result<Option<Record>, RecordsUnavailable> {
            *self.asked.lock().unwrap() += 1;
            tokio::task::yield_now().await;
            self.records.find(table, key)
        }
    }

    #[tokio::test]
    async fn looking_up_on_the_way_decides_every_shipped_case_alike() {
        let bundle = Bundle::embedded_rules();
        let mut asked = 0;
        for name in Flow::names(&bundle) {
            let flow = Flow::load(&bundle, &name).unwrap();
            let content: CaseFile = parse(&bundle, &format!("{name}/policy.cases.toml")).unwrap();
            for changes in content.cases.iter().map(|test| &test.changes).chain([&Changes::default()]) {
                let (case, records) = build_case::build(&flow, &content.base, changes).unwrap();
                let source = Counted { records: &records, asked: Mutex::default() };
                assert_eq!(decide_with(&flow, &case, &source).await, decide(&flow, &case, &records));
                let once = source.asked.into_inner().unwrap();
                assert!(once <= 1, "{name} asks {once} times for what it knows");
                asked += once;
            }
        }
        assert!(asked > 50, "{asked}");
    }
}
