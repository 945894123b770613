//! What each column of amounts holds: every assignment of roles to columns is tried, and the one that
//! best fits the headings, the usual order and the arithmetic of the running balances is taken.

use super::columns::Columns;
use super::line::Line;
use super::vocabulary::Role;
use crate::extract::parse::money::Sign;

/// What an assignment gains when every balance follows from the one before.
const ARITHMETIC: f32 = 3.0;
/// What leaving a column out costs, times its share of the amounts.
const LEFT_OUT: f32 = 1.2;
/// Headings farther than this from their column, in text heights, say nothing.
const FARTHEST: f32 = 12.0;

/// The role of each column; `Other` is none of the movement's.
pub(super) fn assign(lines: &[Line], skip: &[bool], columns: &Columns) -> Vec<Role> {
    let count = columns.amounts.len();
    let rows = rows_of(lines, skip, columns);
    // Balances that phrases name have no column.
    let named = lines.iter().any(|line| line.running.is_some());
    let mut best: (f32, Vec<Role>) = (f32::NEG_INFINITY, vec![Role::Other; count]);
    for roles in assignments(count).into_iter().filter(|roles| !(named && roles.contains(&Role::Balance))) {
        let score = prior(&roles, columns) + ARITHMETIC * arithmetic(&roles, &rows);
        if score > best.0 + 1e-4 {
            best = (score, roles);
        }
    }
    best.1
}

/// All sensible assignments: at most one balance, and either signed amounts or debits and credits.
fn assignments(count: usize) -> Vec<Vec<Role>> {
    const CHOICES: [Role; 5] = [Role::Amount, Role::Debit, Role::Credit, Role::Balance, Role::Other];
    let mut all: Vec<Vec<Role>> = vec![Vec::new()];
    for _ in 0..count {
        all = all
            .into_iter()
            .flat_map(|roles| CHOICES.iter().map(move |role| [roles.as_slice(), &[*role]].concat()))
            .collect();
    }
    let number = |roles: &[Role], wanted: Role| roles.iter().filter(|role| **role == wanted).count();
    all.retain(|roles| {
        let (amount, debit, credit) =
            (number(roles, Role::Amount), number(roles, Role::Debit), number(roles, Role::Credit));
        let movement = amount == 1 && debit + credit == 0
            || amount == 0 && debit <= 1 && credit <= 1 && debit + credit > 0;
        movement && number(roles, Role::Balance) <= 1
    });
    all
}

/// One amount of a row: column, cents without sign, printed sign.
type Cell = (usize, i64, Sign);

fn rows_of(lines: &[Line], skip: &[bool], columns: &Columns) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(index, _)| !skip[*index]) {
        let cells: Vec<Cell> = line
            .amounts()
            .filter_map(|(place, _, amount)| Some((columns.of(index, place)?, amount.cents, amount.sign)))
            .collect();
        if !cells.is_empty() {
            rows.push(cells);
        }
    }
    rows
}

fn prior(roles: &[Role], columns: &Columns) -> f32 {
    let total: usize = columns.amounts.iter().map(|column| column.members).sum();
    let share = |index: usize| columns.amounts[index].members as f32 / total.max(1) as f32;
    let mut score = 0.0;
    let headed = columns.amounts.iter().any(|column| !column.named.is_empty());
    for (index, role) in roles.iter().enumerate() {
        let column = &columns.amounts[index];
        if *role == Role::Other {
            score -= LEFT_OUT * share(index).max(0.03);
            continue;
        }
        if headed {
            let named = column.named.iter().find(|(name, _)| name == role).map(|(_, apart)| *apart);
            let fits = named.map_or(FARTHEST, |apart| apart.min(FARTHEST));
            score += 0.8 * (1.0 - fits / FARTHEST * 1.5);
        }
    }
    let place = |wanted: Role| roles.iter().position(|role| *role == wanted);
    if let Some(balance) = place(Role::Balance)
        && roles[balance + 1..].iter().any(|role| *role != Role::Other)
    {
        score -= 0.25;
    }
    if let (Some(debit), Some(credit)) = (place(Role::Debit), place(Role::Credit))
        && credit < debit
    {
        score -= 0.15;
    }
    if !headed && place(Role::Debit).is_some() != place(Role::Credit).is_some() {
        score -= 0.5;
    }
    score
}

/// The share of rows whose balance follows from the neighbour's, in the better direction; 0.3 where
/// there is nothing to compare.
fn arithmetic(roles: &[Role], rows: &[Vec<Cell>]) -> f32 {
    let mut series: Vec<(Option<Vec<i64>>, Option<i64>)> = Vec::new();
    let mut clashes = 0_usize;
    for row in rows {
        let mut movement: Option<Vec<i64>> = None;
        let mut balance = None;
        for (column, cents, sign) in row {
            let signed = if sign.is_negative() { -*cents } else { *cents };
            let options = match roles[*column] {
                Role::Amount if *sign == Sign::Unsigned => vec![*cents, -*cents],
                Role::Amount => vec![signed],
                Role::Debit => vec![-*cents],
                Role::Credit => vec![signed],
                Role::Balance => {
                    balance = Some(signed);
                    continue;
                }
                _ => continue,
            };
            if *cents == 0 {
                continue;
            }
            clashes += usize::from(movement.is_some());
            movement = Some(options);
        }
        series.push((movement, balance));
    }
    let movements = series.iter().filter(|(movement, _)| movement.is_some()).count();
    let (mut forward, mut backward, mut compared) = (0_usize, 0_usize, 0_usize);
    for pair in series.windows(2) {
        let (Some(first), Some(second)) = (pair[0].1, pair[1].1) else { continue };
        let Some(movement) = &pair[1].0 else { continue };
        compared += 1;
        forward += usize::from(movement.contains(&(second - first)));
        let earlier = pair[0].0.as_ref();
        backward += usize::from(earlier.is_some_and(|movement| movement.contains(&(first - second))));
    }
    let clash = clashes as f32 / movements.max(1) as f32;
    let agreed = forward.max(backward);
    if compared < 2 {
        return 0.3 - clash;
    }
    agreed as f32 / compared as f32 * (compared as f32 / movements.max(1) as f32).clamp(0.3, 1.0) - clash
}
