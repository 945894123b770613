//! The script engine: what a rule may do and for how long. No clock, no files, no output, no waiting;
//! the limits count operations, so that a decision is the same on every machine.

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};

use super::flow::RuleConfig;
use super::script::{Limits, register};
use super::trace::{End, RuleRun, Stop};
use super::view::CaseView;

/// A shipped rule takes some hundred operations; a statement of 1 000 rows is walked in Rust.
const MOST_OPERATIONS: u64 = 200_000;
const MOST_CALL_LEVELS: usize = 16;
const MOST_EXPRESSION_DEPTH: usize = 48;
const LONGEST_STRING_BYTES: usize = 16 << 10;
const MOST_ITEMS: usize = 4_096;

/// Words of the language that a rule has no use for: running other code, output, waiting, and the
/// catching of what the engine uses to end a rule.
const FORBIDDEN: [&str; 11] =
    ["eval", "print", "debug", "import", "export", "try", "catch", "throw", "Fn", "call", "curry"];

/// An engine with the functions of the rules and nothing else.
pub(super) fn build() -> Engine {
    let mut engine = Engine::new_raw();
    // Core language and time packages stay out: they bring `sleep`, `exit` and `timestamp`.
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    for word in FORBIDDEN {
        engine.disable_symbol(word);
    }
    engine
        .set_max_operations(MOST_OPERATIONS)
        .set_max_call_levels(MOST_CALL_LEVELS)
        .set_max_expr_depths(MOST_EXPRESSION_DEPTH, MOST_EXPRESSION_DEPTH)
        .set_max_string_size(LONGEST_STRING_BYTES)
        .set_max_array_size(MOST_ITEMS)
        .set_max_map_size(MOST_ITEMS)
        .set_max_modules(0)
        .set_max_functions(500)
        .set_max_variables(200)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true);
    register(&mut engine);
    engine
}

/// How the run of a rule ended, or the record that it needs first.
pub(super) enum Ran {
    Done(RuleRun),
    RecordWanted { table: String, key: String },
}

/// Runs one rule on a case.
pub(super) fn run(engine: &Engine, script: &AST, rule: &RuleConfig, case: CaseView, limits: &Limits) -> Ran {
    let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
    let arguments = (case.clone(), limits.clone());
    let result =
        engine.call_fn_with_options::<Dynamic>(options, &mut Scope::new(), script, &rule.name, arguments);
    let end = match result {
        Ok(_) => End::Finished,
        Err(error) => match stop_in(&error) {
            Some(Stop::RecordWanted { table, key }) => return Ran::RecordWanted { table, key },
            Some(Stop::DocumentMissing) => End::Skipped,
            Some(Stop::FieldAbsent | Stop::RecordsUnavailable) => End::Undetermined,
            None => End::Failed(error.to_string()),
        },
    };
    let trace = case.into_trace();
    let forbidden = trace.verdicts.iter().find(|verdict| !rule.can_give(&verdict.code, verdict.outcome));
    let end = match forbidden {
        Some(verdict) => {
            let (name, code, outcome) = (&rule.name, &verdict.code, verdict.outcome.as_str());
            End::Failed(format!("rule {name} gives {code} with {outcome}, which flow.toml does not list"))
        }
        None => end,
    };
    Ran::Done(RuleRun { trace, end })
}

fn stop_in(error: &EvalAltResult) -> Option<Stop> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(reason, _) => reason.clone().try_cast::<Stop>(),
        _ => None,
    }
}
