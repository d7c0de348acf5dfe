//! Sessions: isolation, writing, determinism, limits, wording.

mod support;

use countersign_ports::query_engine::QueryError;
use support::{Step, batches, files, rows, table};

const TRIPS: &str = "fare,company,tips\n7.5,Blue,1\n12.25,Chicago,\n3,Blue,0.5\n";

#[tokio::test]
async fn attempts_to_escape_are_refused() {
    let step = Step::csv(TRIPS);
    let secret = step.root.path().join("secret.csv");
    std::fs::write(&secret, "a\n1\n").unwrap();
    let session = step.open().await.unwrap();
    let secret = secret.display();
    for sql in [
        format!("SELECT * FROM '{secret}'"),
        format!("SELECT * FROM \"{secret}\""),
        "SELECT * FROM 'file.csv'".to_owned(),
        format!("SELECT * FROM \"file://{secret}\""),
        "SELECT * FROM 'http://example.org/x.parquet'".to_owned(),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{secret}'"),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT 1".to_owned(),
        "CREATE SCHEMA s".to_owned(),
        "DROP TABLE delivery.rows".to_owned(),
        format!("COPY (SELECT 1) TO '{secret}.out' STORED AS PARQUET"),
        format!("COPY delivery.rows TO '{secret}.out'"),
        "INSERT INTO delivery.rows VALUES ('1', '2', '3', 4)".to_owned(),
        "DELETE FROM delivery.rows".to_owned(),
        "UPDATE delivery.rows SET fare = '0'".to_owned(),
        "SET datafusion.execution.target_partitions = 99".to_owned(),
        "RESET datafusion.execution.target_partitions".to_owned(),
        "SHOW TABLES".to_owned(),
        "SHOW ALL".to_owned(),
        "DESCRIBE delivery.rows".to_owned(),
        "EXPLAIN SELECT 1".to_owned(),
        "EXPLAIN ANALYZE SELECT * FROM delivery.rows".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        "SELECT 1; DROP TABLE delivery.rows".to_owned(),
        "PREPARE p AS SELECT 1".to_owned(),
        "BEGIN TRANSACTION".to_owned(),
        "WITH x AS (INSERT INTO delivery.rows VALUES ('1', '2', '3', 4)) SELECT * FROM x".to_owned(),
        "SELECT * INTO t FROM delivery.rows".to_owned(),
        "SELECT * FROM information_schema.tables".to_owned(),
        "SELECT * FROM other.delivery.rows".to_owned(),
        format!("SELECT * FROM read_csv('{secret}')"),
        format!("SELECT * FROM parquet_metadata('{secret}')"),
        "SELECT @@version".to_owned(),
        "SELECT now()".to_owned(),
        "SELECT current_timestamp".to_owned(),
        "SELECT current_date".to_owned(),
        "SELECT today()".to_owned(),
        "SELECT current_time".to_owned(),
        "SELECT random()".to_owned(),
        "SELECT uuid()".to_owned(),
        "SELECT version()".to_owned(),
        "SELECT input_file_name() FROM delivery.rows".to_owned(),
        String::new(),
        ";".to_owned(),
        "SELEC 1".to_owned(),
    ] {
        match rows(session.as_ref(), &sql).await {
            Err(QueryError::Invalid(_) | QueryError::Refused(_)) => {}
            Err(error) => panic!("{sql}: {error:?}"),
            Ok(found) => panic!("{sql} gave {found:?}"),
        }
    }
    assert!(!step.root.path().join("secret.csv.out").exists());
    assert_eq!(rows(session.as_ref(), "SELECT count(*) FROM delivery.rows").await.unwrap(), table(&[&["3"]]));
}

#[tokio::test]
async fn queries_of_every_allowed_shape_run() {
    let step = Step::csv(TRIPS);
    for (sql, expected) in [
        ("VALUES (1, 'a'), (2, 'b');", table(&[&["1", "a"], &["2", "b"]])),
        ("WITH t AS (SELECT fare FROM delivery.rows) SELECT max(CAST(fare AS DOUBLE)) FROM t", table(&[&["12.25"]])),
        ("SELECT count(*) FROM generate_series(1, 10)", table(&[&["10"]])),
        (
            "SELECT company, count(*) FROM delivery.rows GROUP BY company ORDER BY 2 DESC, 1",
            table(&[&["Blue", "2"], &["Chicago", "1"]]),
        ),
        ("SELECT sum(x) OVER () FROM (VALUES (1), (2)) AS t(x)", table(&[&["3"], &["3"]])),
        (
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT max(i) FROM n",
            table(&[&["3"]]),
        ),
        ("SELECT * FROM delivery.rows WHERE false", table(&[])),
    ] {
        assert_eq!(step.rows(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn batches_arrive_in_plain_types() {
    let step = Step::csv(TRIPS);
    let session = step.open().await.unwrap();
    let sql = "SELECT arrow_cast('a', 'Dictionary(Int32, Utf8)') AS d, arrow_cast('v', 'Utf8View') AS v, \
               arrow_cast(3, 'UInt8') AS i, arrow_cast(1.5, 'Float32') AS f, true AS b, NULL AS n, \
               arrow_cast('2026-11-23', 'Date32') AS day, arrow_cast('x', 'BinaryView') AS bytes, \
               arrow_cast(2.5, 'Decimal128(10, 2)') AS money, approx_distinct(company) AS many \
               FROM delivery.rows";
    let found = batches(session.as_ref(), sql).await.unwrap();
    let types = found[0].schema().fields().iter().map(|field| field.data_type().to_string()).collect::<Vec<_>>();
    assert_eq!(types, ["Utf8", "Utf8", "Int64", "Float64", "Boolean", "Utf8", "Utf8", "Binary", "Float64", "Int64"]);
    assert_eq!(
        rows(session.as_ref(), sql).await.unwrap(),
        table(&[&["a", "v", "3", "1.5", "true", "∅", "2026-11-23", "78", "2.5", "2"]])
    );
    let error = rows(session.as_ref(), "SELECT stable_hash('abc') AS h").await.unwrap_err().to_string();
    assert!(error.contains("column `h` can not be handed over as Int64"), "{error}");
}

#[tokio::test]
async fn stable_hash_is_the_head_of_sha_256() {
    let step = Step::csv(TRIPS);
    assert_eq!(
        step.rows("SELECT CAST(stable_hash('abc') AS VARCHAR), stable_hash(NULL) = stable_hash('')").await,
        table(&[&[&0xba78_16bf_8f01_cfea_u64.to_string(), "true"]])
    );
    let split = step.rows("SELECT _line, stable_hash(concat_ws(',', fare, company)) % 4 FROM delivery.rows").await;
    assert!(split.iter().all(|row| row[1].parse::<u8>().unwrap() < 4), "{split:?}");
}

#[tokio::test]
async fn the_same_rows_make_the_same_bytes() {
    let text =
        (0..60_000).fold(String::from("k,x\n"), |text, row| text + &format!("k{},{}\n", row % 97, row as f64 / 7.0));
    let sql = "SELECT k, sum(CAST(x AS DOUBLE)) AS s, avg(CAST(x AS DOUBLE)) AS a FROM delivery.rows GROUP BY k \
               UNION ALL SELECT k, CAST(x AS DOUBLE), 0 FROM delivery.rows \
               UNION ALL SELECT max(k), sum(CAST(x AS DOUBLE)), 1 FROM delivery.rows";
    let mut made = Vec::new();
    for _ in 0..3 {
        let step = Step::csv(&text);
        let session = step.open().await.unwrap();
        let written = session.write(sql, "examples", "train/part-0.parquet").await.unwrap();
        let bytes = std::fs::read(step.out().join("train/part-0.parquet")).unwrap();
        assert_eq!((written.rows, written.bytes), (60_098, bytes.len() as u64));
        assert_eq!(files(&step.out().join("train")), ["part-0.parquet"]);
        made.push(bytes);
    }
    assert!(made[0] == made[1] && made[1] == made[2]);
    assert!(!made[0].windows(7).any(|window| window == b"parquet".as_slice()), "no version of a writer in the bytes");
}

#[tokio::test]
async fn exact_aggregates_may_use_every_core() {
    let text = (0..30_000).fold(String::from("k\n"), |text, row| text + &format!("k{}\n", row % 5));
    let step = Step::csv(text);
    assert_eq!(
        step.rows("SELECT count(*), count(DISTINCT k), min(k), sum(_line) FROM delivery.rows").await,
        table(&[&["30000", "5", "k0", "450045000"]])
    );
    assert_eq!(
        step.rows("SELECT k, count(*) AS n FROM delivery.rows GROUP BY k ORDER BY n DESC, k LIMIT 2").await,
        table(&[&["k0", "6000"], &["k1", "6000"]])
    );
}

#[tokio::test]
async fn spans_are_united_by_column_name() {
    let mut step = Step::csv("a,b\n1,x\n");
    let session = step.open().await.unwrap();
    let root = step.root.path().to_owned();
    let write = async |span: &str, sql: &str| {
        session.write(sql, "examples", &format!("{span}/train/part-0.parquet")).await.unwrap();
        root.join("out").join(span)
    };
    let new = write("2-new", "SELECT 'n' AS c, CAST(2 AS BIGINT) AS a").await;
    let old = write("1-old", "SELECT CAST(1 AS BIGINT) AS a, 'x' AS b").await;
    let odd = write("3-odd", "SELECT 'text' AS a").await;
    write("2-new", "SELECT CAST(2 AS BIGINT) AS a, 'n' AS c").await;
    std::fs::write(new.join("train/notes.txt"), "no data").unwrap();
    step.add("examples", "Examples", vec![new, old.clone()]);
    assert_eq!(
        step.rows("SELECT * FROM examples.train ORDER BY a").await,
        table(&[&["1", "∅", "x"], &["2", "n", "∅"]])
    );
    step.datasets.truncate(1);
    step.add("examples", "Examples", vec![old, odd]);
    assert_eq!(
        step.refusal().await,
        "query: `examples.train` unites data that does not fit together: \
         column `a` is Int64 in one span and Utf8 in another"
    );
}

#[tokio::test]
async fn materialized_tables_live_with_the_session() {
    let step = Step::csv(TRIPS);
    let session = step.open().await.unwrap();
    let written = session.materialize("typed", "SELECT CAST(fare AS DOUBLE) AS fare FROM delivery.rows").await.unwrap();
    assert_eq!(written.rows, 3);
    assert_eq!(rows(session.as_ref(), "SELECT sum(fare) FROM scratch.typed").await.unwrap(), table(&[&["22.75"]]));
    session.materialize("typed", "SELECT 1 AS one").await.unwrap();
    assert_eq!(rows(session.as_ref(), "SELECT one FROM scratch.typed").await.unwrap(), table(&[&["1"]]));
    let names = session.tables().await.unwrap().into_iter().map(|table| table.name).collect::<Vec<_>>();
    assert_eq!(names, ["delivery.rejected", "delivery.rows", "scratch.typed"]);
    for name in ["", "Typed", "a b", "a.b", "../x", "1a", &"x".repeat(65)] {
        assert!(matches!(session.materialize(name, "SELECT 1").await, Err(QueryError::Invalid(_))), "{name}");
    }
    // Another session sees none of it.
    assert_eq!(step.open().await.unwrap().tables().await.unwrap().len(), 2);
}

#[tokio::test]
async fn outputs_stay_inside_their_directory_and_limit() {
    let mut step = Step::csv(TRIPS);
    step.output_bytes = 4_000;
    let session = step.open().await.unwrap();
    for path in ["/tmp/x.parquet", "../x.parquet", "a/../../x", ""] {
        let result = session.write("SELECT 1", "examples", path).await;
        assert!(matches!(result, Err(QueryError::Refused(_))), "{path}: {result:?}");
    }
    assert_eq!(
        session.write("SELECT 1", "model", "x").await.unwrap_err().to_string(),
        "query: there is no output `model`; the outputs are `examples`"
    );
    session.write("SELECT 1 AS one", "examples", "small.parquet").await.unwrap();
    let big = "SELECT CAST(stable_hash(CAST(value AS VARCHAR)) AS VARCHAR) AS h FROM generate_series(1, 100000)";
    let error = session.write(big, "examples", "big.parquet").await.unwrap_err();
    assert!(matches!(&error, QueryError::Limit(message) if message.starts_with("output bytes: ")), "{error}");
    assert!(matches!(session.materialize("big", big).await, Err(QueryError::Limit(_))));
    // Nothing half-written stays.
    assert_eq!(files(&step.out()), ["small.parquet"]);
    assert_eq!(files(&step.root.path().join("scratch/materialized")), [""; 0]);
}

#[tokio::test]
async fn memory_is_limited() {
    let mut step = Step::csv(TRIPS);
    step.memory_bytes = 8 << 20;
    let sql = "SELECT array_agg(CAST(value AS VARCHAR) || 'some more text to hold') FROM generate_series(1, 2000000)";
    let error = step.error(sql).await;
    assert_eq!(
        error.to_string(),
        "query limit: memory: the query needs more than the 8 MiB that the engine may use for this step"
    );
    // A sort spills instead.
    let sorted = "SELECT count(*) FROM (SELECT value, row_number() OVER (ORDER BY stable_hash(CAST(value AS VARCHAR))) \
                  FROM generate_series(1, 400000))";
    assert_eq!(step.rows(sorted).await, table(&[&["400000"]]));
}

#[tokio::test]
async fn errors_help_and_show_no_host_path() {
    let step = Step::csv("Fare,company\n1,x\n");
    for (sql, expected) in [
        (
            "SELECT * FROM delivery.row",
            "query: there is no table `delivery.row`: did you mean `delivery.rows`?; \
             the tables are `delivery.rejected`, `delivery.rows`",
        ),
        (
            "SELECT compny FROM delivery.rows",
            "query: there is no column `compny`: did you mean `company`?; the columns are `Fare`, `company`, `_line`",
        ),
        (
            "SELECT Fare FROM delivery.rows",
            "query: there is no column `fare`: did you mean `Fare`? (unquoted names are read in lower case: \
             write \"Fare\" in double quotes); the columns are `Fare`, `company`, `_line`",
        ),
        ("SELECT 1 AS a, 2 AS a", "query: "),
        ("SELECT CAST(company AS DOUBLE) FROM delivery.rows", "query: Cannot cast string 'x' to value of Float64 type"),
        ("SELECT 1 / 0", "query: Divide by zero error"),
        ("SELECT nothing(1)", "query: Invalid function 'nothing'"),
        ("SELECT (1", "query: syntax error: Expected: ), found: EOF"),
    ] {
        let error = step.error(sql).await.to_string();
        assert!(error.starts_with(expected), "{sql}: {error}");
    }
    let mut broken = Step::new();
    let directory = broken.root.path().join("artifact");
    std::fs::create_dir_all(directory.join("train")).unwrap();
    std::fs::write(directory.join("train/part-0.parquet"), "no Parquet at all").unwrap();
    broken.add("examples", "Examples", vec![directory]);
    let error = broken.open().await.map(|_| ()).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains(broken.root.path().to_str().unwrap()), "{text}");
}

#[tokio::test]
async fn deep_statements_are_planned_or_refused_but_never_crash() {
    let step = Step::csv(TRIPS);
    let chain = |part: &str, by: &str, count: usize| vec![part; count].join(by);
    // As deep as it gets before it is refused.
    assert_eq!(step.rows(&format!("SELECT {}", chain("1", "+", 500))).await, table(&[&["500"]]));
    let concatenated = format!("SELECT max(length({})) FROM delivery.rows", chain("company", "||", 498));
    assert_eq!(step.rows(&concatenated).await, table(&[&["3486"]]));
    assert_eq!(step.rows(&format!("SELECT 1{}", "::int".repeat(499))).await, table(&[&["1"]]));
    let nested = (0..30).fold("1".to_owned(), |inner, _| format!("({inner}){}", "+1".repeat(16)));
    assert_eq!(step.rows(&format!("SELECT {nested}")).await, table(&[&["481"]]));
    assert_eq!(step.rows(&format!("SELECT {}", chain("(1)", "+", 500))).await, table(&[&["500"]]));
    let cases = (0..300).fold(String::new(), |cases, edge| cases + &format!(" WHEN _line < {edge} THEN {edge}"));
    let binned = format!("SELECT max(CASE{cases} ELSE 300 END) FROM delivery.rows");
    assert_eq!(step.rows(&binned).await, table(&[&["5"]]));
    let filter = chain("fare IS NOT NULL", " AND ", 200);
    assert_eq!(step.rows(&format!("SELECT count(*) FROM delivery.rows WHERE {filter}")).await, table(&[&["3"]]));
    assert_eq!(step.rows(&chain("SELECT max(fare) FROM delivery.rows", " UNION ALL ", 200)).await.len(), 200);
    for sql in [
        format!("SELECT {}", chain("1", "+", 100_000)),
        format!("SELECT {}", (0..30).fold("1".to_owned(), |inner, _| format!("({inner}){}", "+1".repeat(100)))),
        format!("SELECT {}", chain("CASE WHEN true THEN 1 END", "+", 5_000)),
        chain("SELECT 1", " UNION ALL ", 5_000),
        format!("SELECT 1 FROM {}", chain("delivery.rows", ", ", 5_000)),
        format!("SELECT '{}'", "x".repeat(2 << 20)),
    ] {
        assert!(matches!(step.error(&sql).await, QueryError::Limit(_)));
    }
    for sql in [
        format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("SELECT {}1", "-".repeat(50_001).replace("--", "- -")),
        format!("SELECT {}true", "NOT ".repeat(50_000)),
    ] {
        assert!(matches!(step.error(&sql).await, QueryError::Invalid(_) | QueryError::Limit(_)));
    }
}
