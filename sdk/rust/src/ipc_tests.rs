//! Judged by arrow-ipc's own writer.

use super::*;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int32Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Field, Fields};

fn encode(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn every_type() -> RecordBatch {
    let fields = Fields::from(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
    let inner: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![1, 2, 3])), Arc::new(StringArray::from(vec!["x", "", "größe"]))];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(7)]))),
        ("float", Arc::new(Float64Array::from(vec![0.1, f64::INFINITY, -0.0]))),
        ("text", Arc::new(StringArray::from(vec![Some("Flash Cab"), None, Some("")]))),
        ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"\0\xff"[..]), None, Some(b"")]))),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
                Some(vec![Some(1), None]),
                None,
                Some(vec![]),
            ])),
        ),
        ("struct", Arc::new(StructArray::new(fields, inner, Some(vec![true, false, true].into())))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn every_type_that_the_host_hands_over_comes_back() {
    let batch = every_type();
    assert_eq!(decode(encode(&batch)), Ok(Some(batch.clone())));
    assert_eq!(decode(encode(&batch.slice(1, 2))), Ok(Some(batch.slice(1, 2))));
    assert_eq!(decode(encode(&batch.slice(0, 0))), Ok(Some(batch.slice(0, 0))));
}

#[test]
fn a_result_without_columns_keeps_its_rows() {
    let options = RecordBatchOptions::new().with_row_count(Some(5));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    assert_eq!(decode(encode(&batch)).unwrap().unwrap().num_rows(), 5);
    assert_eq!(decode(Vec::new()), Ok(None));
}

#[test]
fn bytes_at_any_address_are_read() {
    let mut shifted = vec![0];
    shifted.extend(encode(&every_type()));
    let shifted = Buffer::from_vec(shifted).slice(1);
    assert_ne!(shifted.as_ptr().align_offset(ALIGNMENT), 0);
    assert_eq!(aligned(shifted.clone()).as_slice(), shifted.as_slice());
    assert_eq!(aligned(shifted).as_ptr().align_offset(ALIGNMENT), 0);
}

#[test]
fn another_type_is_named_with_its_column() {
    let column: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("small", column)]).unwrap();
    let problem = decode(encode(&batch)).unwrap_err();
    assert!(problem.contains("`small`") && problem.contains("Int32") && problem.contains("cast it"), "{problem}");
}

#[test]
fn a_cut_or_flipped_stream_is_an_error_or_another_batch_but_no_panic() {
    let whole = encode(&every_type());
    let end = whole.len() - 8; // the mark of the end may be missing
    for cut in 1..end {
        let answer = decode(whole[..cut].to_vec());
        assert!(!matches!(answer, Ok(Some(_))), "cut at {cut}");
    }
    // Not in the schema's message: its conversion is arrow-ipc's, which panics on types that it does not know.
    let schema = 8 + i32::from_le_bytes(whole[4..8].try_into().unwrap()) as usize;
    for index in schema..whole.len() {
        let mut flipped = whole.clone();
        flipped[index] ^= 0x41;
        let _ = decode(flipped);
    }
}

#[test]
fn nulls_stay_nulls() {
    let batch = decode(encode(&every_type())).unwrap().unwrap();
    let text = batch.column_by_name("text").unwrap();
    assert!(text.is_null(1) && text.is_valid(2));
}
