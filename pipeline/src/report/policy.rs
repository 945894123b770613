//! The parameters of the flows that reports reckon with.

use std::collections::BTreeMap;

use crate::rules::{Calendar, Effort, Flow, Quality, Sla, Thresholds, Wording};

/// What reports need of a flow's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowPolicy {
    pub title: Wording,
    pub thresholds: Thresholds,
    pub effort: Effort,
    pub quality: Quality,
    pub sla: Sla,
    pub calendar: Calendar,
}

impl Default for FlowPolicy {
    fn default() -> Self {
        Self {
            title: Wording { es: String::new(), en: String::new() },
            thresholds: Thresholds { default: 0.95, fields: BTreeMap::new() },
            effort: Effort::default(),
            quality: Quality::default(),
            sla: Sla::default(),
            calendar: Calendar::default(),
        }
    }
}

/// The flows' parameters by name; a flow that is no longer configured goes by the defaults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    flows: BTreeMap<String, FlowPolicy>,
    default: FlowPolicy,
}

impl Policies {
    pub fn of<'a>(flows: impl IntoIterator<Item = &'a Flow>) -> Self {
        let flows = flows.into_iter().map(|flow| {
            let config = &flow.config;
            let policy = FlowPolicy {
                title: config.title.clone(),
                thresholds: config.confidence.clone(),
                effort: config.effort.clone(),
                quality: config.quality,
                sla: config.sla,
                calendar: config.calendar.clone(),
            };
            (flow.name.clone(), policy)
        });
        Self { flows: flows.collect(), default: FlowPolicy::default() }
    }

    pub fn flow(&self, name: &str) -> &FlowPolicy {
        self.flows.get(name).unwrap_or(&self.default)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.flows.keys().map(String::as_str)
    }
}
