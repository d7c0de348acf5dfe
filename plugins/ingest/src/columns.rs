//! Which type a column has, from every value it holds. Text that would not come back the same from a number (`007`, `+49`, a number of
//! twenty digits) makes the column text: it is a code, not a quantity.

use countersign_formats::examples::{ColumnType, ExampleColumn};
use countersign_sdk::rows::Cell;
use countersign_sdk::sql;

/// Answers one row: for each column its values, those that are not integers, those that are not numbers.
pub fn inference(table: &str, columns: &[String]) -> String {
    let counts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let column = sql::name(column);
            let (integer, number) = (is_integer(&column), is_number(&column));
            format!(
                "count({column}) AS \"values {index}\", \
                 sum(CASE WHEN {column} IS NULL OR {integer} THEN 0 ELSE 1 END) AS \"not integer {index}\", \
                 sum(CASE WHEN {column} IS NULL OR {number} THEN 0 ELSE 1 END) AS \"not number {index}\""
            )
        })
        .collect();
    format!("SELECT {} FROM {table}", counts.join(", "))
}

/// Reads what [`inference`] answered.
pub fn inferred(columns: &[String], counts: &[Cell]) -> Vec<ExampleColumn> {
    let column_type = |counts: &[Cell]| match counts {
        [values, _, _] if values.count() == 0 => ColumnType::String,
        [_, not_integer, _] if not_integer.count() == 0 => ColumnType::Int,
        [_, _, not_number] if not_number.count() == 0 => ColumnType::Float,
        _ => ColumnType::String,
    };
    let typed = columns.iter().zip(counts.chunks(3));
    typed.map(|(name, counts)| ExampleColumn { name: name.clone(), column_type: column_type(counts) }).collect()
}

/// The column as its type, under its own name.
pub fn typed(column: &ExampleColumn) -> String {
    let name = sql::name(&column.name);
    match column.column_type {
        ColumnType::Int => format!("CAST({name} AS BIGINT) AS {name}"),
        ColumnType::Float => format!("CAST({name} AS DOUBLE) AS {name}"),
        ColumnType::String => name,
    }
}

/// `0_%` is a zero and at least one more character.
fn is_code(column: &str) -> String {
    let fraction =
        format!("{column} LIKE '0.%' OR {column} LIKE '-0.%' OR {column} ILIKE '0e%' OR {column} ILIKE '-0e%'");
    format!("({column} LIKE '+%' OR (({column} LIKE '0_%' OR {column} LIKE '-0%') AND NOT ({fraction})))")
}

fn is_integer(column: &str) -> String {
    format!("(TRY_CAST({column} AS BIGINT) IS NOT NULL AND NOT {})", is_code(column))
}

/// Digits alone have to fit an integer: as a float they would lose their last ones. Of the rest, `n` is in `nan` and `inf`.
fn is_number(column: &str) -> String {
    let written_as_float = format!("{column} LIKE '%.%' OR {column} ILIKE '%e%' OR {column} ILIKE '%n%'");
    format!(
        "(TRY_CAST({column} AS DOUBLE) IS NOT NULL AND NOT {} AND (TRY_CAST({column} AS BIGINT) IS NOT NULL OR {written_as_float}))",
        is_code(column)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_narrowest_type_that_all_its_values_fit_and_text_without_any() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
        let counts: Vec<Cell> = [5, 0, 0, 5, 1, 0, 5, 1, 1, 0, 0, 0].map(Cell::Int).to_vec();
        let types: Vec<ColumnType> = inferred(&names, &counts).iter().map(|column| column.column_type).collect();
        assert_eq!(types, [ColumnType::Int, ColumnType::Float, ColumnType::String, ColumnType::String]);
    }

    #[test]
    fn names_are_quoted_wherever_they_stand() {
        let name = "big \"tip\"".to_string();
        assert!(inference("t", std::slice::from_ref(&name)).contains("count(\"big \"\"tip\"\"\")"));
        let column = ExampleColumn { name, column_type: ColumnType::Int };
        assert_eq!(typed(&column), "CAST(\"big \"\"tip\"\"\" AS BIGINT) AS \"big \"\"tip\"\"\"");
    }
}
