//! One feature's distribution against its reference: cells side by side, effect, noise, and which way it moved.

use crate::divergence;
use countersign_formats::reference::FeatureReference;
use std::collections::BTreeSet;

/// How a missing value is called beside the others.
pub const MISSING: &str = "(missing)";

/// A comparison of two sets of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Jensen-Shannon divergence of the cells.
    pub effect: f64,
    /// What it stays under when nothing changed.
    pub noise: f64,
    /// How it moved.
    pub movement: Movement,
    /// Shares of missing values, before and now; none where they are told on their own.
    pub missing: Option<(f64, f64)>,
    /// Shares of NaN among the values, before and now.
    pub nan: (f64, f64),
}

/// How a distribution moved.
#[derive(Debug, Clone, PartialEq)]
pub enum Movement {
    /// Numbers.
    Numeric {
        /// 10 %, 50 % and 90 % quantiles before.
        before: [f64; 3],
        /// The same now.
        now: [f64; 3],
        /// The bin that gained most: from (inclusive), to (exclusive).
        gained: (f64, f64),
    },
    /// Text.
    Categorical {
        /// The value whose share changed most, its share before and now.
        changed: (String, f64, f64),
        /// What its change stays under when nothing changed.
        noise: f64,
        /// The value whose share rose most.
        gained: String,
    },
}

impl Movement {
    /// Signed shifts of the 10 %, 50 % and 90 % quantiles in units of the spread before (90 % - 10 %).
    pub fn shifts(&self) -> Option<[f64; 3]> {
        let Self::Numeric { before, now, .. } = self else { return None };
        // Where 80 % of the values are one, any move is large: the size of that value is the next best unit.
        let spread = (before[2] - before[0]).max(before[1].abs() * 1e-3).max(f64::MIN_POSITIVE);
        Some([0, 1, 2].map(|at| (now[at] - before[at]) / spread))
    }
}

/// Which parts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Missing values are a cell. They are not where their change is told on its own.
    pub missing: bool,
    /// Comparisons made in all: the more there are, the higher the floor.
    pub comparisons: usize,
}

/// Compares `now` with `before`. `counted` are now's numbers on before's edges. None: numbers against text.
pub fn compare(
    before: &FeatureReference,
    now: &FeatureReference,
    counted: Option<&[u64]>,
    scope: Scope,
) -> Option<Comparison> {
    match (before, now) {
        (FeatureReference::Numeric { .. }, FeatureReference::Numeric { .. }) => numeric(before, now, counted?, scope),
        (FeatureReference::Categorical { .. }, FeatureReference::Categorical { .. }) => categorical(before, now, scope),
        _ => None,
    }
}

fn numeric(before: &FeatureReference, now: &FeatureReference, counted: &[u64], scope: Scope) -> Option<Comparison> {
    let FeatureReference::Numeric { missing, nan, edges, counts, p10, p50, p90 } = before else { return None };
    let FeatureReference::Numeric { missing: missing_now, nan: nan_now, p10: low, p50: middle, p90: high, .. } = now
    else {
        return None;
    };
    let gained = gained(edges, counts, counted);
    let mut cells = (counts.clone(), counted.to_vec());
    cells.0.push(*nan);
    cells.1.push(*nan_now);
    let nans = (share(&cells.0, counts.len()), share(&cells.1, counts.len()));
    let missing = add_missing(&mut cells, (*missing, *missing_now), scope);
    let (effect, noise) = effect(&cells, scope);
    let movement = Movement::Numeric { before: [*p10, *p50, *p90], now: [*low, *middle, *high], gained };
    Some(Comparison { effect, noise, movement, missing, nan: nans })
}

fn gained(edges: &[f64], before: &[u64], now: &[u64]) -> (f64, f64) {
    let rise = |bin: &usize| share(now, *bin) - share(before, *bin);
    let bin = (0..before.len()).max_by(|a, b| rise(a).total_cmp(&rise(b))).unwrap_or(0);
    let from = if bin == 0 { f64::NEG_INFINITY } else { edges[bin - 1] };
    (from, edges.get(bin).copied().unwrap_or(f64::INFINITY))
}

fn categorical(before: &FeatureReference, now: &FeatureReference, scope: Scope) -> Option<Comparison> {
    let FeatureReference::Categorical { missing, values, other } = before else { return None };
    let FeatureReference::Categorical { missing: missing_now, values: values_now, other: other_now } = now else {
        return None;
    };
    // Where one side's list is cut off, a value that it lacks may be among its others: both sides put it there.
    let cut_off = *other > 0 || *other_now > 0;
    let mut names: Vec<&str> = Vec::new();
    let mut cells = (vec![*other], vec![*other_now]);
    for name in values.keys().chain(values_now.keys()).collect::<BTreeSet<_>>() {
        let counts = [values, values_now].map(|values| values.get(name).copied());
        if cut_off && counts.contains(&None) {
            cells.0[0] += counts[0].unwrap_or(0);
            cells.1[0] += counts[1].unwrap_or(0);
        } else {
            names.push(name);
            cells.0.push(counts[0].unwrap_or(0));
            cells.1.push(counts[1].unwrap_or(0));
        }
    }
    let missing = add_missing(&mut cells, (*missing, *missing_now), scope);
    let (effect, noise) = effect(&cells, scope);
    let name = |cell: usize| match cell.checked_sub(1) {
        None => "(other)".to_string(),
        Some(at) => names.get(at).map_or(MISSING.to_string(), |name| (*name).to_string()),
    };
    let rise = |cell: &usize| share(&cells.1, *cell) - share(&cells.0, *cell);
    let all = 0..cells.0.len();
    let changed = all.clone().max_by(|a, b| rise(a).abs().total_cmp(&rise(b).abs())).unwrap_or(0);
    let gained = all.max_by(|a, b| rise(a).total_cmp(&rise(b))).unwrap_or(0);
    let sizes = (cells.0.iter().sum::<u64>(), cells.1.iter().sum::<u64>());
    let common = (cells.0[changed] + cells.1[changed]) as f64 / (sizes.0 + sizes.1).max(1) as f64;
    let movement = Movement::Categorical {
        changed: (name(changed), share(&cells.0, changed), share(&cells.1, changed)),
        noise: divergence::share_noise(common, sizes.0, sizes.1, scope.comparisons * cells.0.len()),
        gained: name(gained),
    };
    Some(Comparison { effect, noise, movement, missing, nan: (0.0, 0.0) })
}

/// Adds the cell of missing values and says its shares.
fn add_missing(cells: &mut (Vec<u64>, Vec<u64>), missing: (u64, u64), scope: Scope) -> Option<(f64, f64)> {
    if !scope.missing {
        return None;
    }
    cells.0.push(missing.0);
    cells.1.push(missing.1);
    Some((share(&cells.0, cells.0.len() - 1), share(&cells.1, cells.1.len() - 1)))
}

fn effect(cells: &(Vec<u64>, Vec<u64>), scope: Scope) -> (f64, f64) {
    let (before, now) = divergence::pooled(&cells.0, &cells.1);
    let (rows, rows_now) = (before.iter().sum(), now.iter().sum());
    let noise = divergence::divergence_noise(before.len(), rows, rows_now, scope.comparisons);
    (divergence::jensen_shannon(&before, &now), noise)
}

fn share(counts: &[u64], cell: usize) -> f64 {
    let all: u64 = counts.iter().sum();
    if all == 0 { 0.0 } else { counts.get(cell).copied().unwrap_or(0) as f64 / all as f64 }
}
