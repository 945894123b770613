//! The columns of a statement's table: amounts that share a right edge, dates that share a left edge.
//! What a column of amounts holds is told by its heading and by whether the running balances add up.

use super::heading::{Header, Heading};
use super::line::Line;
use super::vocabulary::Role;

/// Right edges this near, in text heights, are one column.
const COLUMN_SLACK: f32 = 1.8;
/// Columns of different pages this near, as a share of the page's width, are one.
const PAGE_SLACK: f32 = 0.035;
/// More columns of amounts than this are not looked at.
const MOST_COLUMNS: usize = 6;

/// Right edges of amounts in one column, as shares of the page's width.
#[derive(Debug, Clone)]
pub(super) struct AmountColumn {
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) members: usize,
    /// What the heading over it says, and how far that is away, in text heights.
    pub(super) named: Vec<(Role, f32)>,
}

/// For every line, the columns of its amounts, by token.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) amounts: Vec<AmountColumn>,
    /// For every page, how its places are laid over those of the first.
    pub(super) fits: Vec<(f32, f32)>,
    /// `(line, token)` → column.
    placed: std::collections::BTreeMap<(usize, usize), usize>,
}

impl Columns {
    pub(super) fn of(&self, line: usize, token: usize) -> Option<usize> {
        self.placed.get(&(line, token)).copied()
    }
}

/// Clusters the amounts of the lines that belong to the table.
pub(super) fn find_columns(lines: &[Line], table: &[bool], headers: &[Header]) -> Columns {
    let mut columns = Columns::default();
    let pages: Vec<usize> = lines.iter().map(|line| line.page).collect();
    let last = pages.iter().copied().max().unwrap_or(0);
    for page in 0..=last {
        let mut own = clusters_on(lines, table, page);
        own.sort_by(|a, b| a.right.total_cmp(&b.right));
        let fit = best_fit(&columns.amounts, &own);
        columns.fits.push(fit);
        for mut cluster in own {
            let unfitted = (cluster.left, cluster.right);
            cluster.left = fit.0 * cluster.left + fit.1;
            cluster.right = fit.0 * cluster.right + fit.1;
            let home = home_of(&columns.amounts, &cluster).unwrap_or_else(|| {
                columns.amounts.push(AmountColumn {
                    left: cluster.left,
                    right: cluster.right,
                    members: 0,
                    named: Vec::new(),
                });
                columns.amounts.len() - 1
            });
            let column = &mut columns.amounts[home];
            column.members += cluster.members.len();
            column.left = column.left.min(cluster.left);
            name_column(column, unfitted, lines, headers, page);
            for member in cluster.members {
                columns.placed.insert(member, home);
            }
        }
    }
    drop_rare(&mut columns);
    columns
}

struct Cluster {
    left: f32,
    right: f32,
    members: Vec<(usize, usize)>,
}

fn clusters_on(lines: &[Line], table: &[bool], page: usize) -> Vec<Cluster> {
    let mut edges: Vec<(f32, f32, f32, (usize, usize))> = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(index, line)| line.page == page && table[*index]) {
        for (place, token, _) in line.amounts() {
            let width = line.page_width.max(1.0);
            let slack = COLUMN_SLACK * line.height / width;
            edges.push((token.bounds.right() / width, token.bounds.left / width, slack, (index, place)));
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut previous = f32::NEG_INFINITY;
    for (right, left, slack, member) in edges {
        match clusters.last_mut() {
            Some(cluster) if right - previous < 0.5 * slack || right - cluster.right < 0.6 * slack => {
                let count = cluster.members.len() as f32;
                cluster.right = (cluster.right * count + right) / (count + 1.0);
                cluster.left = cluster.left.min(left);
                cluster.members.push(member);
            }
            _ => clusters.push(Cluster { left, right, members: vec![member] }),
        }
        previous = right;
    }
    clusters
}

/// Scale and offset under which most amounts of a page stand in the columns that are known: another page
/// may be scanned with another margin.
fn best_fit(columns: &[AmountColumn], own: &[Cluster]) -> (f32, f32) {
    let mut fits: Vec<(f32, f32)> = vec![(1.0, 0.0)];
    for column in columns {
        fits.extend(own.iter().map(|cluster| (1.0, column.right - cluster.right)));
    }
    for (index, one) in own.iter().enumerate() {
        for two in own.iter().skip(index + 1) {
            for (place, first) in columns.iter().enumerate() {
                for second in columns.iter().skip(place + 1) {
                    let scale = (second.right - first.right).abs() / (two.right - one.right).abs().max(1e-3);
                    let left = first.right.min(second.right);
                    fits.push((scale, left - scale * one.right.min(two.right)));
                }
            }
        }
    }
    fits.retain(|(scale, offset)| (0.7..=1.4).contains(scale) && offset.abs() < 0.35);
    let total: usize = own.iter().map(|cluster| cluster.members.len()).sum();
    let score = |fit: &(f32, f32)| {
        let mut matched = 0.0;
        for cluster in own {
            let right = fit.0 * cluster.right + fit.1;
            let near =
                columns.iter().map(|column| (column.right - right).abs()).fold(f32::INFINITY, f32::min);
            matched += cluster.members.len() as f32 * (1.0 - near / PAGE_SLACK).max(0.0);
        }
        matched / total.max(1) as f32 - 0.6 * (fit.0 - 1.0).abs() - 0.5 * fit.1.abs()
    };
    fits.into_iter().max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or((1.0, 0.0))
}

fn home_of(columns: &[AmountColumn], cluster: &Cluster) -> Option<usize> {
    let near =
        columns.iter().enumerate().map(|(index, column)| ((column.right - cluster.right).abs(), index));
    near.filter(|(apart, _)| *apart < PAGE_SLACK).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, index)| index)
}

/// Every money heading of the page with its distance from the column.
fn name_column(
    column: &mut AmountColumn,
    (left, right): (f32, f32),
    lines: &[Line],
    headers: &[Header],
    page: usize,
) {
    let Some(line) = lines.iter().find(|line| line.page == page) else { return };
    let (width, height) = (line.page_width.max(1.0), line.height.max(0.1));
    for header in headers.iter().filter(|header| header.page == page) {
        for heading in header.headings.iter().filter(|heading| heading.role.is_money()) {
            let apart = distance(heading, left * width, right * width) / height;
            match column.named.iter_mut().find(|(role, _)| *role == heading.role) {
                Some((_, least)) => *least = least.min(apart),
                None => column.named.push((heading.role, apart)),
            }
        }
    }
}

/// How far a heading is from standing over a column of right-aligned amounts.
fn distance(heading: &Heading, left: f32, right: f32) -> f32 {
    let bounds = &heading.bounds;
    let gap = (bounds.left - right).max(left - bounds.right()).max(0.0);
    let edge = (bounds.right() - right).abs();
    let centre = (bounds.center_x() - f32::midpoint(left, right)).abs();
    let start = (bounds.left - left).abs();
    gap + edge.min(centre).min(start) * 0.6 + 0.15 * edge
}

/// Columns of next to nothing are stray amounts within descriptions.
fn drop_rare(columns: &mut Columns) {
    let most = columns.amounts.iter().map(|column| column.members).max().unwrap_or(0);
    let mut order: Vec<usize> = (0..columns.amounts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(columns.amounts[*index].members));
    let named = |index: usize| columns.amounts[index].named.iter().any(|(_, apart)| *apart < 3.0);
    let kept: Vec<usize> = order
        .iter()
        .copied()
        .filter(|index| named(*index) || columns.amounts[*index].members * 25 >= most)
        .take(MOST_COLUMNS)
        .collect();
    let mut sorted = kept;
    sorted.sort_by(|a, b| columns.amounts[*a].right.total_cmp(&columns.amounts[*b].right));
    let renamed: std::collections::BTreeMap<usize, usize> =
        sorted.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    columns.amounts = sorted.iter().map(|index| columns.amounts[*index].clone()).collect();
    columns.placed =
        columns.placed.iter().filter_map(|(place, column)| Some((*place, *renamed.get(column)?))).collect();
}

/// Left edges of dates at the beginning of rows, as shares of the page's width.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DateColumns {
    pub(super) date: Option<f32>,
    pub(super) value_date: Option<f32>,
}

/// Where rows with amounts have their dates.
pub(super) fn find_date_columns(lines: &[Line], table: &[bool], headers: &[Header]) -> DateColumns {
    let mut edges: Vec<f32> = Vec::new();
    let mut rows = 0_usize;
    for (index, line) in lines.iter().enumerate() {
        if !table[index] || !line.has_date() {
            continue;
        }
        rows += 1;
        let dates = line.tokens.iter().filter(|token| token.date().is_some());
        edges.extend(dates.map(|token| line.share(token.bounds.left)));
    }
    edges.sort_by(f32::total_cmp);
    let mut clusters: Vec<(f32, usize)> = Vec::new();
    let mut previous = f32::NEG_INFINITY;
    for edge in edges {
        match clusters.last_mut() {
            Some((mean, count)) if edge - previous < 0.022 => {
                *mean = (*mean * *count as f32 + edge) / (*count as f32 + 1.0);
                *count += 1;
            }
            _ => clusters.push((edge, 1)),
        }
        previous = edge;
    }
    clusters.retain(|(_, count)| count * 5 >= rows.max(1) * 2);
    let Some((first, _)) = clusters.first().copied() else { return DateColumns::default() };
    let second = clusters.get(1).map(|(edge, _)| *edge);
    match second {
        Some(second) if value_date_first(headers) => {
            DateColumns { date: Some(second), value_date: Some(first) }
        }
        _ => DateColumns { date: Some(first), value_date: second },
    }
}

/// Whether the headings name the value date to the left of the operation's date.
fn value_date_first(headers: &[Header]) -> bool {
    let Some(header) = headers.first() else { return false };
    let edge = |wanted: Role| {
        let named = header.headings.iter().filter(|heading| heading.role == wanted);
        named.map(|heading| heading.bounds.left).reduce(f32::min)
    };
    match (edge(Role::Date), edge(Role::ValueDate)) {
        (Some(date), Some(value)) => value < date,
        _ => false,
    }
}
