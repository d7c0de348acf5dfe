//! Raw CSV as tables: what is read, what is set aside, what is refused.

mod support;

use countersign_ports::query_engine::QueryError;
use proptest::prelude::*;
use support::{Step, rows, table};

const REJECTED: &str = "SELECT * FROM delivery.rejected";

#[tokio::test]
async fn rows_carry_their_line_and_empty_fields_are_null() {
    let step = Step::csv("\u{FEFF}a,b\r\n1,\"x\ny\"\r\n,\"\"\r\n\r\n\"say \"\"hi\"\"\",z\r\n");
    assert_eq!(
        step.rows("SELECT * FROM delivery.rows").await,
        table(&[&["1", "x\ny", "2"], &["∅", "∅", "4"], &["say \"hi\"", "z", "6"]])
    );
    assert_eq!(step.rows(REJECTED).await, table(&[]));
    let tables = step.open().await.unwrap().tables().await.unwrap();
    let described = tables
        .iter()
        .map(|table| {
            let columns = table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type));
            format!("{}: {}", table.name, columns.collect::<Vec<_>>().join(", "))
        })
        .collect::<Vec<_>>();
    assert_eq!(
        described,
        ["delivery.rejected: line Int64, reason Utf8, text Utf8", "delivery.rows: a Utf8, b Utf8, _line Int64"]
    );
}

#[tokio::test]
async fn bad_records_are_set_aside_with_line_and_reason() {
    let mut text = b"fare,company\n1\n1,2,3\nok,ok\n".to_vec();
    text.extend_from_slice(b"caf\xE9,x\n"); // line 5
    text.extend_from_slice(b"a,b\0c\n"); // line 6
    text.extend_from_slice(b"\"x\ny\",2,3\n"); // lines 7 to 8
    text.extend_from_slice(b"1,\"left open\n"); // line 9
    text.extend_from_slice(b"2,\"fine\"\n3,\"quo\"te\"\nlast,\"also open"); // lines 10 to 12
    let step = Step::csv(text);
    assert_eq!(step.rows("SELECT * FROM delivery.rows").await, table(&[&["ok", "ok", "4"], &["2", "fine", "10"]]));
    let open = "expected a closing quote, found none: a quote is opened in this line and left open";
    let after = "expected a comma or the end of the line after a closing quote, found other text: \
                 a quote is left open, or one inside the text is not doubled";
    assert_eq!(
        step.rows(REJECTED).await,
        table(&[
            &["2", "expected 2 fields, found 1", "1"],
            &["3", "expected 2 fields, found 3", "1,2,3"],
            &["5", "expected UTF-8, found the byte 0xE9 in column 1 (`fare`)", "caf\u{FFFD},x"],
            &["6", "expected text, found a NUL byte in column 2 (`company`)", "a,b\u{FFFD}c"],
            &["7", "expected 2 fields, found 3 in lines 7 to 8: is a quote left open?", "\"x\ny\",2,3"],
            &["9", after, "1,\"left open"],
            &["11", after, "3,\"quo\"te\""],
            &["12", open, "last,\"also open"],
        ])
    );
}

#[tokio::test]
async fn a_rejected_record_is_shown_in_part() {
    let step = Step::csv(format!("a,b\n{}\n1,2\n", "é".repeat(5_000)));
    assert_eq!(step.rows("SELECT line, length(text) FROM delivery.rejected").await, table(&[&["2", "1000"]]));
    assert_eq!(step.rows("SELECT count(*) FROM delivery.rows").await, table(&[&["1"]]));
}

#[tokio::test]
async fn unfit_files_are_refused_naming_file_and_place() {
    let wide = vec!["c"; 10_001].join(",");
    for (text, expected) in [
        (&b""[..], "trips.csv: no header line: the file is empty"),
        (b"\n\r\n", "trips.csv: no header line: the file is empty"),
        (b"\xEF\xBB\xBF", "trips.csv: no header line: the file is empty"),
        (b"a,b,a\n", "trips.csv, line 1: columns 1 and 3 are both named `a`"),
        (b"\na,,c\n", "trips.csv, line 2: column 2 has no name"),
        (b"a,_line\n", "trips.csv, line 1: column 2 is named `_line`, which stands for the line number: rename it"),
        (wide.as_bytes(), "trips.csv, line 1: the header has 10001 columns, and the most is 10000"),
        (b"a,\xE9\n", "trips.csv, line 1: the header is no UTF-8 (at byte 3)"),
        (b"a,\0b\n", "trips.csv, line 1: the header has a NUL byte: is this a CSV file?"),
        (b"\xFF\xFEa\0,\0", "trips.csv, line 1: the file is UTF-16: save it as UTF-8"),
        (b"a,\"b\n1,2\n", "trips.csv, line 1: a quote in the header is left open"),
        (
            b"fare;tips\n1;2\n",
            "trips.csv, line 1: the header has one column: fields seem to be separated by `;`; write them separated by commas",
        ),
        (
            b"fare\ttips\n",
            "trips.csv, line 1: the header has one column: fields seem to be separated by tabs; write them separated by commas",
        ),
    ] {
        assert_eq!(Step::csv(text).refusal().await, format!("query: {expected}"));
    }
    assert_eq!(Step::delivery(&[("trips.txt", b"a\n1\n")]).refusal().await, "query: `delivery` holds no .csv file");
}

#[tokio::test]
async fn header_only_is_a_table_without_rows() {
    let step = Step::csv("a,b");
    assert_eq!(step.rows("SELECT count(*) FROM delivery.rows").await, table(&[&["0"]]));
    // The columns still arrive, in one empty batch.
    let batches = support::batches(step.open().await.unwrap().as_ref(), "SELECT * FROM delivery.rows").await.unwrap();
    assert_eq!((batches.len(), batches[0].num_rows(), batches[0].num_columns()), (1, 0, 3));
}

#[tokio::test]
async fn several_files_are_read_in_name_order_with_lines_of_their_own() {
    let step = Step::delivery(&[("b.CSV", b"a\n3\n"), ("a.csv", b"a\n1\n2\n"), ("notes.txt", b"x,y\n")]);
    assert_eq!(step.rows("SELECT * FROM delivery.rows").await, table(&[&["1", "2"], &["2", "3"], &["3", "2"]]));
    let step = Step::delivery(&[("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x,z\n1,2\n")]);
    assert_eq!(
        step.refusal().await,
        "query: b.csv, line 1: other columns than a.csv: column 2 is `y` there and `z` here"
    );
}

#[tokio::test]
async fn five_thousand_columns() {
    let header = (0..5_000).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    let row = (0..5_000).map(|column| column.to_string()).collect::<Vec<_>>().join(",");
    let step = Step::csv(format!("{header}\n{}", format!("{row}\n").repeat(500)));
    assert_eq!(
        step.rows("SELECT count(c4999), max(c4999), max(_line) FROM delivery.rows").await,
        table(&[&["500", "4999", "501"]])
    );
    let session = step.open().await.unwrap();
    let written = session.write("SELECT * FROM delivery.rows", "examples", "train/part-0.parquet").await.unwrap();
    assert_eq!(written.rows, 500);
}

#[tokio::test]
async fn an_over_long_record_does_not_eat_the_memory() {
    let mut text = b"a,b\n1,\"".to_vec();
    text.resize(40 << 20, b'x');
    text.extend_from_slice(b"\n2,3\n");
    let step = Step::csv(text);
    assert_eq!(step.rows("SELECT a, _line FROM delivery.rows").await, table(&[&["2", "3"]]));
    assert_eq!(
        step.rows("SELECT line, reason, length(text) FROM delivery.rejected").await,
        table(&[&["2", "expected at most 16 MiB in a record, found more: is a quote left open?", "1000"]])
    );
}

#[tokio::test]
async fn batches_span_many_rows_in_order() {
    let text = (0..50_000).fold(String::from("n\n"), |text, row| text + &format!("{row}\n"));
    let step = Step::csv(text);
    let session = step.open().await.unwrap();
    let rows = rows(session.as_ref(), "SELECT n FROM delivery.rows").await.unwrap();
    assert!(rows.iter().enumerate().all(|(row, cells)| cells[0] == row.to_string()) && rows.len() == 50_000);
    // Leaving a stream early stops it and leaves the session usable.
    drop(session.query("SELECT n FROM delivery.rows").await.unwrap());
    assert_eq!(session.tables().await.unwrap().len(), 2);
    assert!(matches!(session.query("SELECT m FROM delivery.rows").await, Err(QueryError::Invalid(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the `csv` crate writes is read back equal.
    #[test]
    fn csv_round_trip(
        records in (1usize..6).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("([ -~]|\n|\r\n|\"|,|é|🚕){0,12}", width), 0..40)
        }),
        crlf: bool,
    ) {
        let width = records.first().map_or(2, Vec::len);
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record((0..width).map(|column| format!("c{column}"))).unwrap();
        for record in &records {
            writer.write_record(record).unwrap();
        }
        let step = Step::csv(writer.into_inner().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (read, rejected) = runtime.block_on(async {
            let session = step.open().await.unwrap();
            let columns = (0..width).map(|column| format!("c{column}")).collect::<Vec<_>>().join(", ");
            let read = rows(session.as_ref(), &format!("SELECT {columns} FROM delivery.rows")).await.unwrap();
            (read, rows(session.as_ref(), REJECTED).await.unwrap())
        });
        let expected = records
            .iter()
            .map(|record| record.iter().map(|field| if field.is_empty() { "∅".to_owned() } else { field.clone() }).collect())
            .collect::<Vec<Vec<_>>>();
        prop_assert_eq!(read, expected);
        prop_assert!(rejected.is_empty());
    }
}
