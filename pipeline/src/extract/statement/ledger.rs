//! Running balances as constraints: of all that the amounts and balances of a statement may be, the
//! reading that adds up at the least cost. Knows cents and costs, not pages.
//!
//! A search over the possible balances after each movement, oldest first, that keeps the cheapest few.

/// One movement with what its amount and the balance after it may be, each with a cost. The first is as
/// read.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// Signed, in cents; empty when no amount was read.
    pub(super) amounts: Vec<(i64, f32)>,
    /// Empty when no balance stands on the row.
    pub(super) balances: Vec<(i64, f32)>,
    /// Read by OCR, and not with certainty: characters may be wrong.
    pub(super) doubtful: bool,
}

/// What became of an entry.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the row")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settled {
    pub(super) amount: Option<i64>,
    /// The balance after it, when any is known.
    pub(super) balance: Option<i64>,
    /// Its amount is the difference of the balances around it.
    pub(super) valid: bool,
    /// The balances around it contradict its amount.
    pub(super) contradicted: bool,
    /// A number other than the one read was taken.
    pub(super) repaired: bool,
    /// The amount was not read at all, or not like this.
    pub(super) inferred: bool,
}

/// The cheapest reading of the whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) opening: Option<i64>,
    pub(super) closing: Option<i64>,
    pub(super) rows: Vec<Settled>,
    /// The last balance is one of the closing balances that were offered.
    pub(super) closes: bool,
}

// Costs are comparable to the logarithm of a likelihood ratio.
/// The balances around a row contradict its amount: a row between was missed, or one is misread.
const BREAK: f32 = 10.0;
/// An amount that was not read is taken from the balances.
const MISSING: f32 = 3.0;
/// A balance that was read is not believed, when it is doubtful, and when it is not.
const DISBELIEVED: f32 = 5.5;
const DISBELIEVED_SURE: f32 = 14.0;
/// The opening balance is not believed: one found by its label alone, and one that stands in the table.
const NO_OPENING: f32 = 6.0;
const NO_OPENING_ROW: f32 = 11.0;
/// Candidates cheaper than this stand in the table.
const IN_TABLE: f32 = 0.3;
/// The movements do not lead to the labelled closing balance.
const NO_CLOSING: f32 = 6.0;
/// States kept after each row.
const BEAM: usize = 24;

#[derive(Debug, Clone, Copy)]
struct State {
    balance: Option<i64>,
    cost: f32,
    from: usize,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Start,
    /// Amount and both balances agree.
    Agreed {
        amount: i64,
        repaired: bool,
        inferred: bool,
    },
    /// The balance is the former one plus the amount; none was read, or the one read is not believed.
    Reckoned {
        amount: i64,
        repaired: bool,
        disbelieved: bool,
    },
    /// Nothing to compare with.
    Unchecked {
        amount: Option<i64>,
    },
    /// Amount and balances disagree.
    Broken {
        amount: i64,
    },
}

/// Finds the cheapest reading. `opening` and `closing` are candidates with costs.
pub(super) fn settle(opening: &[(i64, f32)], entries: &[Entry], closing: &[(i64, f32)]) -> Ledger {
    let mut layers: Vec<Vec<State>> = vec![start(opening)];
    for entry in entries {
        let next = advance(&layers[layers.len() - 1], entry);
        layers.push(next);
    }
    trace(&layers, closing)
}

fn start(opening: &[(i64, f32)]) -> Vec<State> {
    let state = |balance, cost| State { balance, cost, from: 0, step: Step::Start };
    let mut states: Vec<State> = opening.iter().map(|(value, cost)| state(Some(*value), *cost)).collect();
    let in_table = opening.iter().any(|(_, cost)| *cost < IN_TABLE);
    let disbelieved = if in_table { NO_OPENING_ROW } else { NO_OPENING };
    states.push(state(None, if opening.is_empty() { 0.0 } else { disbelieved }));
    states
}

fn advance(states: &[State], entry: &Entry) -> Vec<State> {
    let mut next: Vec<State> = Vec::new();
    for (from, state) in states.iter().enumerate() {
        let mut push = |balance: Option<i64>, cost: f32, step: Step| {
            next.push(State { balance, cost: state.cost + cost, from, step });
        };
        match state.balance {
            Some(before) => from_known(before, entry, &mut push),
            None => from_unknown(entry, &mut push),
        }
    }
    prune(next)
}

fn from_unknown(entry: &Entry, push: &mut impl FnMut(Option<i64>, f32, Step)) {
    let amount = entry.amounts.first().map(|(amount, _)| *amount);
    for (balance, cost) in &entry.balances {
        push(Some(*balance), *cost, Step::Unchecked { amount });
    }
    let cost = match (entry.balances.is_empty(), entry.doubtful) {
        (true, _) => 0.0,
        (false, true) => DISBELIEVED,
        (false, false) => DISBELIEVED_SURE,
    };
    push(None, cost, Step::Unchecked { amount });
}

fn from_known(before: i64, entry: &Entry, push: &mut impl FnMut(Option<i64>, f32, Step)) {
    let read = entry.amounts.first().map(|(amount, _)| *amount);
    for (place, (balance, cost)) in entry.balances.iter().enumerate() {
        let difference = balance - before;
        if let Some(at) = entry.amounts.iter().position(|(amount, _)| *amount == difference) {
            let repaired = place > 0 || entry.amounts[at].0.abs() != entry.amounts[0].0.abs();
            let step = Step::Agreed { amount: difference, repaired, inferred: false };
            push(Some(*balance), cost + entry.amounts[at].1, step);
            continue;
        }
        let step = match read {
            Some(amount) => (BREAK, Step::Broken { amount }),
            None => (MISSING, Step::Agreed { amount: difference, repaired: false, inferred: true }),
        };
        push(Some(*balance), cost + step.0, step.1);
    }
    for (place, (amount, cost)) in entry.amounts.iter().enumerate().take(6) {
        let balance = before + amount;
        let doubt = match entry.balances.first() {
            None => 0.0,
            Some((read, _)) if entry.doubtful && digits_apart(*read, balance) <= 2 => DISBELIEVED * 0.75,
            Some(_) if entry.doubtful => DISBELIEVED,
            Some(_) => DISBELIEVED_SURE,
        };
        let repaired = place > 0 && amount.abs() != entry.amounts[0].0.abs();
        let disbelieved = entry.balances.first().is_some_and(|(read, _)| *read != balance);
        push(Some(balance), cost + doubt, Step::Reckoned { amount: *amount, repaired, disbelieved });
    }
    if entry.amounts.is_empty() && entry.balances.is_empty() {
        push(Some(before), 0.0, Step::Unchecked { amount: None });
    }
}

/// The cheapest state of each balance, at most [`BEAM`] of them.
fn prune(mut states: Vec<State>) -> Vec<State> {
    states
        .sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.balance.cmp(&b.balance)).then(a.from.cmp(&b.from)));
    let mut kept: Vec<State> = Vec::new();
    for state in states {
        if kept.len() >= BEAM {
            break;
        }
        if !kept.iter().any(|known| known.balance == state.balance) {
            kept.push(state);
        }
    }
    kept
}

fn trace(layers: &[Vec<State>], closing: &[(i64, f32)]) -> Ledger {
    let close_cost = |state: &State| match state.balance {
        _ if closing.is_empty() => 0.0,
        Some(balance) => {
            let found = closing.iter().find(|(value, _)| *value == balance);
            found.map_or(NO_CLOSING, |(_, cost)| *cost)
        }
        None => NO_CLOSING * 0.5,
    };
    let Some(last) = layers.last() else { return Ledger::default() };
    let best = (0..last.len()).min_by(|a, b| {
        (last[*a].cost + close_cost(&last[*a])).total_cmp(&(last[*b].cost + close_cost(&last[*b])))
    });
    let Some(mut at) = best else { return Ledger::default() };
    let closing_balance = last[at].balance;
    let closes = closing_balance.is_some_and(|balance| closing.iter().any(|(value, _)| *value == balance));
    let mut rows = Vec::new();
    let mut confirmed = closes;
    for layer in layers.iter().skip(1).rev() {
        let state = layer[at];
        rows.push(settled(&state, &mut confirmed));
        at = state.from;
    }
    rows.reverse();
    let opening = layers[0].get(at).and_then(|state| state.balance);
    Ledger { opening, closing: closing_balance, rows, closes }
}

/// `confirmed`: whether a later balance bears out the balance after this row.
fn settled(state: &State, confirmed: &mut bool) -> Settled {
    let balance = state.balance;
    match state.step {
        Step::Agreed { amount, repaired, inferred } => {
            *confirmed = true;
            Settled { amount: Some(amount), balance, valid: true, repaired, inferred, ..Settled::default() }
        }
        Step::Reckoned { amount, repaired, disbelieved } => Settled {
            amount: Some(amount),
            balance,
            valid: *confirmed,
            contradicted: disbelieved && !*confirmed,
            repaired,
            inferred: false,
        },
        Step::Unchecked { amount } => {
            *confirmed = false;
            Settled { amount, balance, ..Settled::default() }
        }
        Step::Broken { amount } => {
            *confirmed = false;
            Settled { amount: Some(amount), balance, contradicted: true, ..Settled::default() }
        }
        Step::Start => Settled::default(),
    }
}

/// In how many digits two amounts differ; signs do not count.
pub(super) fn digits_apart(one: i64, other: i64) -> usize {
    strsim::levenshtein(&one.unsigned_abs().to_string(), &other.unsigned_abs().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(amounts: &[i64], balance: Option<i64>) -> Entry {
        let costs = |values: &[i64]| -> Vec<(i64, f32)> {
            values.iter().enumerate().map(|(place, value)| (*value, place as f32 * 2.0)).collect()
        };
        Entry { amounts: costs(amounts), balances: costs(balance.as_slice()), doubtful: true }
    }

    #[test]
    fn rows_that_add_up_are_valid() {
        let entries = [entry(&[-500], Some(500)), entry(&[200], Some(700))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[(700, 0.0)]);
        assert!(ledger.closes && ledger.rows.iter().all(|row| row.valid && !row.repaired));
    }

    #[test]
    fn an_unsigned_amount_takes_the_sign_that_the_balances_tell() {
        let entries = [entry(&[500, -500], Some(500)), entry(&[200, -200], Some(700))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[]);
        let amounts: Vec<Option<i64>> = ledger.rows.iter().map(|row| row.amount).collect();
        assert_eq!(amounts, [Some(-500), Some(200)]);
    }

    #[test]
    fn a_runner_up_that_fits_both_neighbours_repairs_a_digit() {
        let entries = [entry(&[-570, -510], Some(490)), entry(&[200], Some(690))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[(690, 0.0)]);
        assert_eq!(ledger.rows[0].amount, Some(-510));
        assert!(ledger.rows[0].repaired && ledger.rows[0].valid);
    }

    #[test]
    fn a_misread_balance_is_not_believed() {
        let entries = [entry(&[-500], Some(5000)), entry(&[200], Some(700)), entry(&[100], Some(800))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[(800, 0.0)]);
        assert!(ledger.rows.iter().all(|row| row.valid));
        assert_eq!(ledger.rows[0].balance, Some(500));
    }

    #[test]
    fn a_missed_row_breaks_once() {
        let entries = [entry(&[-500], Some(500)), entry(&[200], Some(950)), entry(&[100], Some(1050))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[(1050, 0.0)]);
        let broken: Vec<bool> = ledger.rows.iter().map(|row| row.contradicted).collect();
        assert_eq!(broken, [false, true, false]);
    }

    #[test]
    fn balances_at_the_end_of_a_day_bear_out_the_rows_before() {
        let entries = [entry(&[-500], None), entry(&[200], Some(700))];
        let ledger = settle(&[(1000, 0.0)], &entries, &[]);
        assert!(ledger.rows.iter().all(|row| row.valid));
    }
}
