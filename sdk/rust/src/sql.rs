//! Names and texts inside SQL.

/// A quoted name: columns keep their case, whatever characters they have.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted text.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A number. Infinite bounds and every digit survive.
pub fn number(number: f64) -> String {
    if number.is_finite() { format!("CAST({} AS DOUBLE)", text(&format!("{number:e}"))) } else { infinity(number) }
}

fn infinity(number: f64) -> String {
    let name = if number.is_nan() {
        "nan"
    } else if number > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    format!("CAST('{name}' AS DOUBLE)")
}

/// The table of one split: `"examples"."train"`.
pub fn table(input: &str, split: &str) -> String {
    format!("{}.{}", name(input), name(split))
}

/// The bin of a value: bin i holds `edge[i-1] <= x < edge[i]`, as in `countersign_formats::reference`.
pub fn bin(value: &str, edges: &[f64]) -> String {
    let case = |(bin, edge): (usize, &f64)| format!("WHEN {value} < {} THEN {bin}", number(*edge));
    let cases: Vec<String> = edges.iter().enumerate().map(case).collect();
    match cases.is_empty() {
        true => "CAST(0 AS BIGINT)".to_string(),
        false => format!("CAST(CASE {} ELSE {} END AS BIGINT)", cases.join(" "), edges.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_are_doubled_numbers_keep_their_digits_and_an_edge_opens_its_bin() {
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(text("O'Hare"), "'O''Hare'");
        assert_eq!(table("examples", "train"), "\"examples\".\"train\"");
        assert_eq!(number(0.1), "CAST('1e-1' AS DOUBLE)");
        assert_eq!(bin("x", &[0.5]), "CAST(CASE WHEN x < CAST('5e-1' AS DOUBLE) THEN 0 ELSE 1 END AS BIGINT)");
        assert_eq!(number(f64::NEG_INFINITY), "CAST('-inf' AS DOUBLE)");
    }
}
