use super::*;
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, StringViewArray};
use std::sync::Arc;

fn batch() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("_line", Arc::new(Int64Array::from(vec![2, 3, 5]))),
        ("hour", Arc::new(Int64Array::from(vec![Some(7), None, Some(18)]))),
        ("area", Arc::new(Float64Array::from(vec![Some(60.0), Some(7.5), None]))),
        ("company", Arc::new(StringViewArray::from(vec![Some("Blue Ribbon Taxi Association"), None, Some("x")]))),
        ("tip", Arc::new(StringArray::from(vec![Some("yes"), Some("perhaps"), None]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn raw(name: &str, text: bool) -> RawInput {
    RawInput { name: name.to_owned(), text }
}

fn text(values: [&str; 3]) -> Value {
    Value::Text(Array2::from_shape_fn((3, 1), |(i, _)| values[i].to_owned()))
}

#[test]
fn columns_are_fed_as_the_graph_wants_them() {
    let wanted = [raw("hour", false), raw("area", true), raw("company", true)];
    let fed = inputs(&batch(), &wanted).unwrap();
    let Value::Double(hours) = &fed["hour"] else { panic!("{fed:?}") };
    assert!(hours[(0, 0)] == 7.0 && hours[(1, 0)].is_nan() && hours[(2, 0)] == 18.0);
    assert_eq!(fed["area"], text(["60", "7.5", ""]));
    assert_eq!(fed["company"], text(["Blue Ribbon Taxi Association", "", "x"]));
    assert_eq!(lines(&batch()).unwrap(), [2, 3, 5]);
}

#[test]
fn a_column_that_is_absent_or_of_another_type_is_named() {
    let error = |input| inputs(&batch(), &[input]).unwrap_err().to_string();
    assert_eq!(error(raw("fare", false)), "read column `fare`: the data does not have it");
    assert!(error(raw("tip", false)).starts_with("read column `tip`: a number is wanted, not"));
}

#[test]
fn labels_are_matched_by_text_and_others_are_none() {
    let label = |name: &str, classes: &[&str]| Label {
        name: name.to_owned(),
        classes: classes.iter().map(|c| (*c).to_owned()).collect(),
    };
    assert_eq!(class_indices(&batch(), &label("tip", &["no", "yes"])).unwrap(), [Some(1), None, None]);
    assert_eq!(class_indices(&batch(), &label("hour", &["7", "18"])).unwrap(), [Some(0), None, Some(1)]);
}

#[test]
fn sql_quotes_names_and_reads_each_column_once() {
    let sql = select(["fare", "odd \"name\"", "fare", "_line"], "examples", "eval");
    assert_eq!(sql, "SELECT \"_line\", \"fare\", \"odd \"\"name\"\"\" FROM \"examples\".\"eval\" ORDER BY \"_line\"");
}
