//! Which split a row goes to: by a hash of its record, so that the same row always lands in the same one, whatever else is delivered.

use countersign_sdk::sql;
use std::collections::BTreeMap;

/// The buckets `from..to` that belong to a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The split.
    pub name: String,
    /// First bucket.
    pub from: u64,
    /// The one after the last.
    pub to: u64,
}

/// Buckets by split, largest split first; as many in all as the weights add up to.
pub fn shares(weights: &BTreeMap<String, u32>) -> Result<Vec<Share>, String> {
    if weights.is_empty() {
        return Err("`split` names no split: say for example split = { train = 3, eval = 1 }".to_string());
    }
    let mut by_weight: Vec<(&String, u64)> = weights.iter().map(|(name, weight)| (name, u64::from(*weight))).collect();
    by_weight.sort_by_key(|(name, weight)| (std::cmp::Reverse(*weight), (*name).clone()));
    let mut from = 0;
    let mut shares = Vec::new();
    for (name, weight) in by_weight {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || name.starts_with('_') || !name.chars().all(plain) {
            return Err(format!("`split` has `{name}`: use letters, digits, `-` and `_`, and no `_` in front"));
        }
        if weight == 0 {
            return Err(format!("`split` gives `{name}` the weight 0: leave it out, or give it at least 1"));
        }
        shares.push(Share { name: name.clone(), from, to: from + weight });
        from += weight;
    }
    Ok(shares)
}

/// Columns joined in a row: the engine refuses expressions that nest much deeper, and each joint is one level.
const IN_A_ROW: usize = 100;

/// The bucket of a row. The unit separator keeps `a|bc` and `ab|c` apart; a missing value is not the same as any text.
pub fn bucket(columns: &[String], buckets: u64) -> String {
    let value = |column: &String| format!("coalesce({}, '\u{1}')", sql::name(column));
    let joined = |parts: Vec<String>| parts.join(" || '\u{1f}' || ");
    let group = |columns: &[String]| joined(columns.iter().map(value).collect());
    let record = match columns.len() {
        0..=IN_A_ROW => group(columns),
        _ => joined(columns.chunks(IN_A_ROW).map(|columns| format!("({})", group(columns))).collect()),
    };
    format!("CAST(stable_hash({record}) % CAST({buckets} AS BIGINT UNSIGNED) AS BIGINT)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(weights: &[(&str, u32)]) -> BTreeMap<String, u32> {
        weights.iter().map(|(name, weight)| ((*name).to_string(), *weight)).collect()
    }

    #[test]
    fn the_shares_cover_every_bucket_once_largest_split_first() {
        let shares = shares(&weights(&[("eval", 1), ("test", 1), ("train", 8)])).unwrap();
        let spans: Vec<_> = shares.iter().map(|share| (share.name.as_str(), share.from, share.to)).collect();
        assert_eq!(spans, [("train", 0, 8), ("eval", 8, 9), ("test", 9, 10)]);
    }

    #[test]
    fn a_split_that_can_not_be_is_refused() {
        assert!(shares(&weights(&[])).unwrap_err().contains("names no split"));
        assert!(shares(&weights(&[("train", 1), ("eval", 0)])).unwrap_err().contains("`eval` the weight 0"));
        assert!(shares(&weights(&[("../up", 1)])).unwrap_err().contains("`../up`"));
        assert!(shares(&weights(&[("_line", 1)])).unwrap_err().contains("`_line`"));
    }

    #[test]
    fn many_columns_are_joined_in_groups() {
        let names: Vec<String> = (0..250).map(|column| format!("c{column}")).collect();
        let sql = bucket(&names, 4);
        let groups: Vec<usize> =
            sql.split(" || '\u{1f}' || (").map(|group| group.matches("coalesce").count()).collect();
        assert_eq!(groups, [100, 100, 50]);
        assert_eq!(sql.matches("'\u{1f}'").count(), 249, "the same record as without groups");
    }

    #[test]
    fn a_missing_value_and_a_moved_border_make_another_record() {
        let sql = bucket(&["a".into(), "b".into()], 4);
        assert_eq!(
            sql,
            "CAST(stable_hash(coalesce(\"a\", '\u{1}') || '\u{1f}' || coalesce(\"b\", '\u{1}')) % CAST(4 AS BIGINT UNSIGNED) AS BIGINT)"
        );
    }
}
