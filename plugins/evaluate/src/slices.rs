//! Cuts the examples by the values of columns, and orders the cuts. Knows no metric but the number it is given to rank by.

use std::collections::HashMap;

/// A column's values, gathered batch by batch.
#[derive(Debug, Clone)]
pub enum Column {
    /// Text and integers: a number for each distinct value, and each example's number.
    Values {
        /// Distinct values, in the order they came; none for missing.
        distinct: Vec<Option<String>>,
        /// Where a value is in `distinct`.
        known: HashMap<Option<String>, usize>,
        /// Each example's value.
        codes: Vec<usize>,
    },
    /// Floats.
    Numbers(Vec<Option<f64>>),
}

impl Column {
    /// An empty column of values.
    pub fn values() -> Self {
        Self::Values { distinct: Vec::new(), known: HashMap::new(), codes: Vec::new() }
    }

    /// Adds one example's text or integer.
    pub fn push_value(&mut self, value: Option<String>) {
        let Self::Values { distinct, known, codes } = self else { return };
        let code = *known.entry(value).or_insert_with_key(|value| {
            distinct.push(value.clone());
            distinct.len() - 1
        });
        codes.push(code);
    }

    /// Adds one example's float; NaN counts as missing.
    pub fn push_number(&mut self, value: Option<f64>) {
        if let Self::Numbers(numbers) = self {
            numbers.push(value.filter(|value| !value.is_nan()));
        }
    }
}

/// One cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Column.
    pub column: String,
    /// Value as text.
    pub value: String,
    /// The examples in it.
    pub rows: Vec<usize>,
}

/// The name of missing values.
pub const MISSING: &str = "(missing)";
/// The name of all values beyond the most frequent.
pub const OTHER: &str = "(other)";

/// Cuts by one column. Of a column's values the `max_values` most frequent are cuts of their own, the others one cut; missing values
/// always are one.
pub fn cut(name: &str, column: &Column, max_values: usize) -> Vec<Cut> {
    let groups = match column {
        Column::Values { distinct, codes, .. } => by_value(distinct, codes, max_values),
        Column::Numbers(numbers) => by_quartile(numbers),
    };
    groups
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(value, rows)| Cut { column: name.to_string(), value, rows })
        .collect()
}

fn by_value(distinct: &[Option<String>], codes: &[usize], max_values: usize) -> Vec<(String, Vec<usize>)> {
    let mut rows = vec![Vec::new(); distinct.len()];
    for (row, &code) in codes.iter().enumerate() {
        rows[code].push(row);
    }
    let mut groups: Vec<(&Option<String>, Vec<usize>)> = distinct.iter().zip(rows).collect();
    groups.sort_by(|left, right| right.1.len().cmp(&left.1.len()).then(left.0.cmp(right.0)));
    let (missing, present): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(value, _)| value.is_none());
    let mut named = Vec::new();
    let mut other = Vec::new();
    for (value, rows) in present {
        match value {
            Some(value) if named.len() < max_values => named.push((value.clone(), rows)),
            _ => other.extend(rows),
        }
    }
    other.sort_unstable();
    named.push((OTHER.to_string(), other));
    named.extend(missing.into_iter().map(|(_, rows)| (MISSING.to_string(), rows)));
    named
}

fn by_quartile(numbers: &[Option<f64>]) -> Vec<(String, Vec<usize>)> {
    let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..4).filter_map(|quarter| sorted.get(quarter * sorted.len() / 4)).copied().collect();
    edges.dedup();
    let mut rows = vec![Vec::new(); edges.len() + 1];
    let mut missing = Vec::new();
    for (row, number) in numbers.iter().enumerate() {
        match number {
            Some(number) => rows[edges.partition_point(|edge| edge <= number)].push(row),
            None => missing.push(row),
        }
    }
    let name = |index: usize| match (index.checked_sub(1).map(|below| edges[below]), edges.get(index)) {
        (None, None) => "(any)".to_string(),
        (None, Some(to)) => format!("below {to}"),
        (Some(from), None) => format!("{from} and above"),
        (Some(from), Some(to)) => format!("{from} to below {to}"),
    };
    let mut groups: Vec<_> = rows.into_iter().enumerate().map(|(index, rows)| (name(index), rows)).collect();
    groups.push((MISSING.to_string(), missing));
    groups
}

/// What a cut is ranked by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Fewer examples than asked for.
    pub small: bool,
    /// The headline, turned so that less is worse; none where it is not defined.
    pub goodness: Option<f64>,
    /// Examples.
    pub examples: u64,
}

/// Order of presentation: worst first; then those without a value; small ones after all others. Of equals the larger first.
pub fn worst_first(left: &Standing, right: &Standing) -> std::cmp::Ordering {
    left.small
        .cmp(&right.small)
        .then(left.goodness.is_none().cmp(&right.goodness.is_none()))
        .then_with(|| left.goodness.unwrap_or(0.0).total_cmp(&right.goodness.unwrap_or(0.0)))
        .then(right.examples.cmp(&left.examples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(cuts: &[Cut]) -> Vec<(&str, &[usize])> {
        cuts.iter().map(|cut| (cut.value.as_str(), cut.rows.as_slice())).collect()
    }

    #[test]
    fn the_most_frequent_values_stand_alone_and_the_rest_together() {
        let mut column = Column::values();
        for value in ["b", "a", "b", "c", "", "a", "b", "d"] {
            column.push_value((!value.is_empty()).then(|| value.to_string()));
        }
        let cuts = cut("x", &column, 2);
        assert_eq!(names(&cuts), [("b", &[0, 2, 6][..]), ("a", &[1, 5]), (OTHER, &[3, 7]), (MISSING, &[4])]);
        assert_eq!(names(&cut("x", &column, 9)).len(), 5, "no empty (other)");
    }

    #[test]
    fn floats_are_cut_at_their_quartiles() {
        let numbers = [4.0, 1.0, 3.0, 2.0].map(Some).into_iter().chain([None]).collect();
        let cuts = cut("x", &Column::Numbers(numbers), 2);
        assert_eq!(
            names(&cuts),
            [
                ("below 2", &[1][..]),
                ("2 to below 3", &[3]),
                ("3 to below 4", &[2]),
                ("4 and above", &[0]),
                (MISSING, &[4])
            ]
        );
        let constant = cut("x", &Column::Numbers(vec![Some(5.0); 8]), 2);
        assert_eq!(names(&constant), [("5 and above", &[0, 1, 2, 3, 4, 5, 6, 7][..])]);
        assert!(cut("x", &Column::Numbers(vec![]), 2).is_empty());
    }

    #[test]
    fn small_cuts_come_last_and_undefined_ones_before_them() {
        let standing = |small, goodness, examples| Standing { small, goodness, examples };
        let mut all = [
            standing(true, Some(0.1), 3),
            standing(false, None, 60),
            standing(false, Some(0.9), 60),
            standing(false, Some(0.7), 60),
            standing(false, Some(0.7), 90),
        ];
        all.sort_by(worst_first);
        assert_eq!(all.map(|one| one.goodness), [Some(0.7), Some(0.7), Some(0.9), None, Some(0.1)]);
        assert_eq!(all[0].examples, 90);
    }
}
