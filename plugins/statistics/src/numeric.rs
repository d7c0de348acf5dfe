//! Numbers: what is asked of the engine, and what its answers amount to. Knows no protobuf and makes no query itself.

use countersign_formats::reference::FeatureReference;
use countersign_sdk::rows::Cell;
use countersign_sdk::sql;

/// Order statistics are asked for at every 1/20: the reference's edges, the deciles and the median are among them.
const STEPS: u64 = 20;
/// Buckets of equal width.
const WIDTHS: usize = 10;

/// The first pass over one column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// Rows with a value.
    pub present: u64,
    /// Of these, NaN.
    pub nan: u64,
    /// Of these, neither NaN nor infinite.
    pub finite: u64,
    /// Of these, zero.
    pub zeros: u64,
    /// Smallest that is not NaN.
    pub min: f64,
    /// Largest that is not NaN.
    pub max: f64,
    /// Mean of the finite ones.
    pub mean: f64,
    /// Their population standard deviation.
    pub std_dev: f64,
}

/// How many expressions [`moments`] makes.
pub const MOMENTS: usize = 8;

/// Expressions for the first pass, all in one row. The engine orders floats totally: NaN comes after infinity.
pub fn moments(column: &str, index: usize) -> String {
    let value = value(column);
    let finite = finite(&value);
    let (below, infinite) = (sql::number(f64::NEG_INFINITY), sql::number(f64::INFINITY));
    let expressions = [
        format!("count({value})"),
        format!("sum(CASE WHEN {value} > {infinite} THEN 1 ELSE 0 END)"),
        format!("sum(CASE WHEN {finite} THEN 1 ELSE 0 END)"),
        format!("sum(CASE WHEN {value} = 0 THEN 1 ELSE 0 END)"),
        format!("min(CASE WHEN {value} BETWEEN {below} AND {infinite} THEN {value} END)"),
        format!("max(CASE WHEN {value} BETWEEN {below} AND {infinite} THEN {value} END)"),
        format!("avg(CASE WHEN {finite} THEN {value} END)"),
        format!("stddev_pop(CASE WHEN {finite} THEN {value} END)"),
    ];
    let named = expressions.iter().enumerate().map(|(at, expression)| format!("{expression} AS \"{index} {at}\""));
    named.collect::<Vec<_>>().join(", ")
}

/// Reads what [`moments`] answered.
pub fn read_moments(cells: &[Cell]) -> Moments {
    let count = |at: usize| cells.get(at).map_or(0, Cell::count);
    let float = |at: usize| cells.get(at).and_then(Cell::float).unwrap_or(0.0);
    Moments {
        present: count(0),
        nan: count(1),
        finite: count(2),
        zeros: count(3),
        min: float(4),
        max: float(5),
        mean: float(6),
        std_dev: float(7),
    }
}

/// Positions, from 1, of the order statistics at 0, 1/20, ... 1 among `finite` values: the smallest value whose share is reached.
pub fn positions(finite: u64) -> Vec<u64> {
    (0..=STEPS).map(|step| (step * finite).div_ceil(STEPS).max(1)).collect()
}

/// Answers (`feature`, `at`, `value`) for the wanted positions: exact, and the engine sorts, not the guest.
pub fn order_statistics(table: &str, column: &str, index: usize, finite_rows: u64) -> String {
    let value = value(column);
    let mut at = positions(finite_rows);
    at.dedup();
    let at: Vec<String> = at.iter().map(u64::to_string).collect();
    format!(
        "SELECT CAST({index} AS BIGINT) AS \"feature\", CAST(\"at\" AS BIGINT) AS \"at\", \"value\" FROM (\
         SELECT {value} AS \"value\", row_number() OVER (ORDER BY {value}) AS \"at\" FROM {table} WHERE {}) \
         WHERE \"at\" IN ({})",
        finite(&value),
        at.join(", ")
    )
}

/// The 21 order statistics, from (position, value) in any order.
pub fn quantiles(finite: u64, found: &[(u64, f64)]) -> Option<Vec<f64>> {
    let at = |position: &u64| found.iter().find(|(at, _)| at == position).map(|(_, value)| *value);
    positions(finite).iter().map(at).collect()
}

/// Inner edges of the reference's bins. Fifteen digits, so that the edge read back from JSON is the same number: a heavy value that
/// changed sides would look like drift.
pub fn reference_edges(quantiles: &[f64]) -> Vec<f64> {
    let inner = quantiles.get(1..STEPS as usize).unwrap_or_default();
    let mut edges: Vec<f64> = Vec::new();
    for edge in inner.iter().filter_map(|value| format!("{value:.14e}").parse::<f64>().ok()) {
        if edges.last().is_none_or(|last| *last < edge) {
            edges.push(edge);
        }
    }
    edges
}

/// Inner edges of the buckets of equal width; none where all values are one.
pub fn equal_width_edges(quantiles: &[f64]) -> Vec<f64> {
    let (Some(low), Some(high)) = (quantiles.first(), quantiles.last()) else { return Vec::new() };
    let width = high / WIDTHS as f64 - low / WIDTHS as f64;
    (1..WIDTHS).map(|step| low + width * step as f64).filter(|edge| edge > low && edge < high).collect()
}

/// Both sets of edges together, increasing: one count serves both histograms.
pub fn cuts(quantiles: &[f64]) -> Vec<f64> {
    let mut cuts = reference_edges(quantiles);
    cuts.extend(equal_width_edges(quantiles));
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

/// Answers (`feature`, `bin`, `rows`): bin i holds cut[i-1] <= x < cut[i]. NaN and missing are in none.
pub fn counts(table: &str, column: &str, index: usize, cuts: &[f64]) -> String {
    let value = value(column);
    format!(
        "SELECT CAST({index} AS BIGINT) AS \"feature\", \"bin\", count(*) AS \"rows\" FROM (\
         SELECT {} AS \"bin\" FROM {table} WHERE {value} <= {}) GROUP BY \"bin\"",
        sql::bin(&value, cuts),
        sql::number(f64::INFINITY)
    )
}

/// Counts between `edges` from counts between finer `cuts` that hold all of them.
pub fn coarser(cuts: &[f64], fine: &[u64], edges: &[f64]) -> Vec<u64> {
    let mut coarse = vec![0; edges.len() + 1];
    for (bin, count) in fine.iter().enumerate() {
        // A bin begins at the cut before it; the lowest begins below every edge.
        let begins = |edge: &&f64| bin > 0 && **edge <= cuts[bin - 1];
        coarse[edges.iter().take_while(begins).count()] += count;
    }
    coarse
}

/// Everything known about one column of numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NumericProfile {
    /// Rows of the split.
    pub rows: u64,
    /// The first pass.
    pub moments: Moments,
    /// The 21 order statistics; none without a finite value.
    pub quantiles: Vec<f64>,
    /// Counts between [`cuts`].
    pub counts: Vec<u64>,
}

impl NumericProfile {
    /// The reference of this column for the next delivery.
    pub fn reference(&self) -> FeatureReference {
        let edges = reference_edges(&self.quantiles);
        let at = |step: usize| self.quantiles.get(step).copied().unwrap_or(0.0);
        FeatureReference::Numeric {
            missing: self.rows - self.moments.present,
            nan: self.moments.nan,
            counts: coarser(&cuts(&self.quantiles), &self.counts, &edges),
            edges,
            p10: at(2),
            p50: at(10),
            p90: at(18),
        }
    }
}

fn value(column: &str) -> String {
    format!("CAST({} AS DOUBLE)", sql::name(column))
}

fn finite(value: &str) -> String {
    format!("{value} BETWEEN {} AND {}", sql::number(f64::MIN), sql::number(f64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_the_smallest_that_reach_their_share() {
        assert_eq!(positions(1), vec![1; 21]);
        assert_eq!(positions(20), [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
        let at = positions(11_252);
        assert_eq!((at[1], at[10], at[20]), (563, 5626, 11_252));
    }

    #[test]
    fn repeated_quantiles_make_one_edge_and_edges_survive_json() {
        let mut quantiles = vec![0.0; 10];
        quantiles.extend((0..11).map(|step| 0.1 + 0.2 * f64::from(step) + 1e-17));
        let edges = reference_edges(&quantiles);
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]) && edges.len() == 11, "{edges:?}");
        assert_eq!(edges[2], 0.3, "not 0.30000000000000004");
    }

    #[test]
    fn one_count_serves_both_histograms() {
        let quantiles: Vec<f64> = (0..=20).map(|step| f64::from(step) * 5.0).collect();
        let cuts = cuts(&quantiles);
        assert_eq!(cuts.len(), 19, "ten equal widths of 0..100 fall on the quantiles");
        let fine = vec![5; 20];
        assert_eq!(coarser(&cuts, &fine, &reference_edges(&quantiles)), vec![5; 20]);
        assert_eq!(coarser(&cuts, &fine, &equal_width_edges(&quantiles)), vec![10; 10]);
        assert_eq!(coarser(&[], &[7], &[]), [7]);
    }

    #[test]
    fn one_value_has_no_width() {
        assert!(equal_width_edges(&[4.0; 21]).is_empty());
        assert_eq!(reference_edges(&[4.0; 21]), [4.0]);
        assert!(cuts(&[]).is_empty());
    }
}
