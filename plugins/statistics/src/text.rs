//! Text: what is asked of the engine, and what its answers amount to. Knows no protobuf and makes no query itself.

use countersign_formats::reference::FeatureReference;
use countersign_sdk::rows::Cell;
use countersign_sdk::sql;

/// Values that are listed.
pub const LISTED: usize = 1000;

/// Everything known about one column of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextProfile {
    /// Rows of the split.
    pub rows: u64,
    /// Rows with a value.
    pub present: u64,
    /// Distinct values.
    pub unique: u64,
    /// The most frequent ones, most frequent first, and how often they occur.
    pub values: Vec<(String, u64)>,
}

/// How many expressions [`presence`] makes.
pub const PRESENCE: usize = 2;

/// Expressions for the first pass, all in one row.
pub fn presence(column: &str, index: usize) -> String {
    let column = sql::name(column);
    format!("count({column}) AS \"{index} 0\", count(DISTINCT {column}) AS \"{index} 1\"")
}

/// Reads what [`presence`] answered: rows with a value, distinct values.
pub fn read_presence(cells: &[Cell]) -> (u64, u64) {
    let count = |at: usize| cells.get(at).map_or(0, Cell::count);
    (count(0), count(1))
}

/// Answers (`value`, `rows`), most frequent first; of equally frequent ones the last in the alphabet, as TFDV lists them.
pub fn frequencies(table: &str, column: &str) -> String {
    let column = sql::name(column);
    format!(
        "SELECT {column} AS \"value\", count(*) AS \"rows\" FROM {table} WHERE {column} IS NOT NULL \
         GROUP BY {column} ORDER BY \"rows\" DESC, \"value\" DESC LIMIT {LISTED}"
    )
}

/// Reads what [`frequencies`] answered.
pub fn read_frequencies(rows: &[Vec<Cell>]) -> Vec<(String, u64)> {
    let read = |row: &Vec<Cell>| match row.as_slice() {
        [value, count] => Some((value.text()?.to_string(), count.count())),
        _ => None,
    };
    rows.iter().filter_map(read).collect()
}

impl TextProfile {
    /// Mean length in bytes, of the listed values.
    pub fn mean_length(&self) -> f64 {
        let listed: u64 = self.values.iter().map(|(_, count)| count).sum();
        let bytes: u64 = self.values.iter().map(|(value, count)| value.len() as u64 * count).sum();
        if listed == 0 { 0.0 } else { bytes as f64 / listed as f64 }
    }

    /// The reference of this column for the next delivery.
    pub fn reference(&self) -> FeatureReference {
        let listed: u64 = self.values.iter().map(|(_, count)| count).sum();
        FeatureReference::Categorical {
            missing: self.rows - self.present,
            values: self.values.iter().cloned().collect(),
            other: self.present - listed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_other_and_lengths_are_bytes() {
        let values = vec![("Zoë".to_string(), 3), ("x".to_string(), 1)];
        let profile = TextProfile { rows: 10, present: 6, unique: 4, values };
        assert_eq!(profile.mean_length(), 13.0 / 4.0);
        let FeatureReference::Categorical { missing, values, other } = profile.reference() else { panic!() };
        assert_eq!((missing, values["Zoë"], other), (4, 3, 2));
    }
}
