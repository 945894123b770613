//! A flow, ready to decide: its configuration and its compiled script, checked before the first case.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{AST, Engine};

use super::combine::Combination;
use super::engine;
use super::flow::{FlowConfig, Language, Outcomes, Thresholds, limit_value, phrases_value};
use super::script::Limits;
use super::wording::{Messages, SharedWording};
use crate::config::{Bundle, BundleError};

/// Why a flow's rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("cannot understand {file}")]
    Form { file: String, source: Box<toml::de::Error> },
    #[error("cannot compile {file}: {problem}")]
    Script { file: String, problem: String },
    #[error("{file}: {problem}")]
    Meaning { file: String, problem: String },
}

/// One line of business: what it needs and how it decides.
#[derive(Debug)]
pub struct Flow {
    pub name: String,
    pub config: FlowConfig,
    pub(super) thresholds: Arc<Thresholds>,
    pub(super) engine: Engine,
    pub(super) script: AST,
    pub(super) limits: Limits,
    pub(super) messages: Messages,
}

impl Flow {
    /// Reads `<name>/flow.toml`, `<name>/rules.rhai` and `wording.toml` and checks that they belong
    /// together; every rule is run on the flow's first test case, so that a rule that cannot run is
    /// found now.
    ///
    /// # Errors
    /// Says which file is wrong and how.
    pub fn load(bundle: &Bundle, name: &str) -> Result<Self, RulesError> {
        let flow = Self::compile(bundle, name)?;
        flow.check_meaning()?;
        super::cases::try_out(&flow, bundle)?;
        Ok(flow)
    }

    /// The sentence for a code that has no places to fill.
    pub fn message(&self, code: &str) -> String {
        self.messages.text(code, &BTreeMap::new())
    }

    /// What people call a document type (alternatives are joined by "or").
    pub fn document_name(&self, types: &str, language: Language) -> String {
        self.messages.document_in(types, language)
    }

    /// What people call a field of a document type.
    pub fn field_name(&self, document_type: &str, field: &str, language: Language) -> String {
        self.messages.field_in(document_type, field, language)
    }

    /// What people call a declared value, by its path in what was declared; the path when
    /// `wording.toml` has no other.
    pub fn declared_name(&self, path: &str, language: Language) -> String {
        self.messages.declared_in(path, language)
    }

    /// What people call a check of a value; its name when `wording.toml` has no other.
    pub fn check_name(&self, check: &str, language: Language) -> String {
        self.messages.check_in(check, language)
    }

    /// What people call a variable that the rules set; its name when `wording.toml` has no other.
    pub fn output_name(&self, output: &str, language: Language) -> String {
        self.messages.output_in(output, language)
    }

    /// Names of the flows in a bundle: the folders with a `flow.toml`.
    pub fn names(bundle: &Bundle) -> Vec<String> {
        let folders = bundle.folders().into_iter();
        let flows = folders.filter(|folder| bundle.find(&format!("{folder}/flow.toml")).is_some());
        flows.map(str::to_owned).collect()
    }

    fn compile(bundle: &Bundle, name: &str) -> Result<Self, RulesError> {
        let config: FlowConfig = parse(bundle, &format!("{name}/flow.toml"))?;
        let shared: SharedWording = parse(bundle, "wording.toml")?;
        let engine = engine::build();
        let file = format!("{name}/rules.rhai");
        let script = engine
            .compile(bundle.text(&file)?)
            .map_err(|error| RulesError::Script { file: file.clone(), problem: error.to_string() })?;
        let limits = limits_of(&config).map_err(|problem| meaning(&format!("{name}/flow.toml"), problem))?;
        Ok(Self {
            name: name.to_owned(),
            thresholds: Arc::new(config.confidence.clone()),
            messages: Messages::new(config.language, shared, config.messages.clone()),
            config,
            engine,
            script,
            limits,
        })
    }

    /// What the file of the flow's configuration is called.
    pub(super) fn config_file(&self) -> String {
        format!("{}/flow.toml", self.name)
    }

    pub(super) fn combination(&self) -> Combination<'_> {
        Combination {
            rules: &self.config.rules,
            accept_code: self.config.accept_code.as_deref(),
            messages: &self.messages,
        }
    }

    fn check_meaning(&self) -> Result<(), RulesError> {
        let problem = self.problem_of_rules().or_else(|| self.problem_of_numbers());
        let connectors = || super::connector::problem(&self.config.records, &self.config.connectors);
        let problem = problem.or_else(connectors);
        problem.map_or(Ok(()), |problem| Err(meaning(&self.config_file(), problem)))
    }

    fn problem_of_rules(&self) -> Option<String> {
        for rule in &self.config.rules {
            let name = &rule.name;
            let has_function = self
                .script
                .iter_functions()
                .any(|function| function.name == name && function.params.len() == 2);
            if !has_function {
                return Some(format!("rules.rhai has no function {name}(case, limits)"));
            }
            if rule.gives.values().any(|outcomes| outcomes.as_slice().is_empty()) {
                return Some(format!("rule {name} gives a code without an outcome"));
            }
            if let Some(code) = rule.gives.keys().find(|code| !self.messages.has(code)) {
                return Some(format!("code {code} of rule {name} has no message"));
            }
        }
        let names = self.config.rules.iter().map(|rule| &rule.name);
        let mut seen = std::collections::BTreeSet::new();
        let twice = names.into_iter().find(|name| !seen.insert(*name));
        twice.map(|name| format!("rule {name} is listed twice"))
    }

    fn problem_of_numbers(&self) -> Option<String> {
        let thresholds = &self.config.confidence;
        let all = std::iter::once(&thresholds.default).chain(thresholds.fields.values());
        if all.into_iter().any(|threshold| !(0.0..=1.0).contains(threshold)) {
            return Some("a confidence threshold is not between 0 and 1".to_owned());
        }
        let config = &self.config;
        let problem = config.sla.problem().or_else(|| config.calendar.problem());
        let problem = problem.or_else(|| config.awaited.problem());
        if let Some(problem) = problem.or_else(|| config.quality.problem()) {
            return Some(problem.to_owned());
        }
        let accept = self.config.accept_code.as_ref().filter(|code| !self.messages.has(code));
        accept.map(|code| format!("code {code} has no message"))
    }

    /// Every code that the flow's own rules can give.
    pub fn codes(&self) -> BTreeMap<&str, &Outcomes> {
        let codes = self.config.rules.iter().flat_map(|rule| &rule.gives);
        codes.map(|(code, outcomes)| (code.as_str(), outcomes)).collect()
    }
}

pub(super) fn meaning(file: &str, problem: impl Into<String>) -> RulesError {
    RulesError::Meaning { file: file.to_owned(), problem: problem.into() }
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(bundle: &Bundle, file: &str) -> Result<T, RulesError> {
    toml::from_str(bundle.text(file)?)
        .map_err(|source| RulesError::Form { file: file.to_owned(), source: Box::new(source) })
}

fn limits_of(config: &FlowConfig) -> Result<Limits, String> {
    let limits = config.limits.iter().map(|(name, value)| {
        let read = if name.ends_with("_words") { phrases_value(value) } else { limit_value(value) };
        match read {
            Ok(value) => Ok((name.clone(), value)),
            Err(problem) => Err(format!("limit {name} {problem}")),
        }
    });
    Ok(Limits(Arc::new(limits.collect::<Result<_, _>>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::cases::{Base, GivenRecords};
    use crate::rules::{build_case, decide};

    const FLOW: &str = r#"
        title = { es = "Prueba", en = "Test" }
        language = "en"
        accept_code = "FINE"
        documents = { needed = [] }
        confidence = { default = 0.9 }
        limits = { most = 3 }
        rule = [{ name = "only", gives = { BAD = ["review", "reject"] } }]
        messages = { BAD = { es = "mal {n}", en = "bad {n}" }, FINE = { es = "bien", en = "fine" } }
    "#;

    fn load(flow: &str, script: &str) -> Result<Flow, RulesError> {
        let wording = Bundle::embedded_rules().text("wording.toml").unwrap().to_owned();
        let cases = "base = { received_on = \"2026-03-14\", documents = {} }\ncase = []\n";
        let files = [
            ("t/flow.toml", flow),
            ("t/rules.rhai", script),
            ("wording.toml", &wording),
            ("t/a.cases.toml", cases),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        Flow::load(&Bundle::from_files(files), "t")
    }

    /// What `script` decides on an empty case, or why it does not load.
    fn outcome(script: &str) -> String {
        let flow = match load(FLOW, &format!("fn only(case_, limits) {{ {script} }}")) {
            Ok(flow) => flow,
            Err(error) => return error.to_string(),
        };
        let base = Base {
            received_on: "2026-03-14".parse().unwrap(),
            declared: toml::Table::new(),
            documents: BTreeMap::new(),
            records: BTreeMap::new(),
        };
        let (case, _) = build_case::build(&flow, &base, &build_case::Changes::default()).unwrap();
        let decision = decide(&flow, &case, &GivenRecords::default());
        let reasons = decision.reasons.iter().map(|reason| format!(" {}", reason.message));
        format!("{}{}", decision.outcome.as_str(), reasons.collect::<String>())
    }

    #[test]
    fn checks_and_outputs_have_names_and_an_unknown_one_is_called_as_it_is() {
        let bundle = Bundle::embedded_rules();
        let mut named = 0;
        for name in Flow::names(&bundle) {
            let flow = Flow::load(&bundle, &name).unwrap();
            for check in ["dni_letter", "mrz_composite", "iban_mod97", "running_balance", "balances_add_up"] {
                assert_ne!(flow.check_name(check, Language::Es), check);
            }
            assert_eq!(flow.check_name("not_yet_named", Language::En), "not_yet_named");
            let script = bundle.text(&format!("{name}/rules.rhai")).unwrap();
            for rest in script.split(".output(\"").skip(1) {
                let output = rest.split('"').next().unwrap();
                assert_ne!(flow.output_name(output, Language::En), output, "{output} has no name");
                named += 1;
            }
        }
        assert!(named > 2, "only {named} outputs were found");
    }

    #[test]
    fn rules_give_what_they_say() {
        assert_eq!(outcome(""), "accept Fine");
        assert_eq!(outcome("case_.review(\"BAD\", #{ n: limits.most })"), "review Bad 3");
        assert_eq!(outcome("case_.reject(\"BAD\", #{ n: case_.received_on })"), "reject Bad 2026-03-14");
        assert_eq!(
            outcome("case_.payslip.date(\"period_end\")"),
            "accept Fine",
            "a missing document ends the rule"
        );
    }

    #[test]
    fn messages_are_sentences() {
        let flow = Flow::load(&Bundle::embedded_rules(), "consumer_loan").unwrap();
        let document = flow.messages.document("id_card");
        let side = flow.messages.side("front", &document);
        let details = BTreeMap::from([("document".to_owned(), rhai::Dynamic::from(side))]);
        assert_eq!(
            flow.messages.text("MISSING_DOCUMENT", &details),
            "Falta el reverso del documento de identidad (solo se ha recibido el anverso)."
        );
        assert_eq!(
            flow.messages.open_field("payslip.net_pay", false),
            "No se ha leído con seguridad «líquido a percibir» en la nómina: compruébelo."
        );
    }

    #[test]
    fn what_a_rule_may_not_do_is_refused_at_load() {
        for script in [
            "sleep(1)",
            "timestamp()",
            "eval(\"1\")",
            "print(1)",
            "import \"x\" as x;",
            "exit()",
            "try { 1 } catch { 2 }",
            "throw 1",
            "unheard_of(1)",
            "limits.unheard_of",
            "loop {}",
            "let a = [1]; loop { a += a; }",
            "let s = \"xx\"; loop { s += s; }",
            "only(case_, limits)",
            "case_.accept(\"BAD\")",
            "case_.review(\"OTHER\")",
            "not_declared + 1",
        ] {
            let told = outcome(script);
            assert!(told.starts_with("t/") || told.starts_with("cannot compile t/"), "{script}: {told}");
        }
    }

    #[test]
    fn a_configuration_that_does_not_fit_its_script_is_refused() {
        let script = "fn only(case_, limits) {}";
        assert!(load(FLOW, script).is_ok());
        assert!(load(FLOW, "fn other(case_, limits) {}").is_err());
        for (from, to) in [
            ("most = 3", "most = 2026-01-01"),
            ("default = 0.9", "default = 1.9"),
            ("BAD = { es", "WORSE = { es"),
            ("FINE = { es", "FAIR = { es"),
            ("language", "unknown_key = 1\n language"),
            ("[\"review\", \"reject\"]", "[]"),
            ("[\"review\", \"reject\"]", "\"perhaps\""),
        ] {
            assert!(load(&FLOW.replace(from, to), script).is_err(), "{from} → {to}");
        }
    }
}
