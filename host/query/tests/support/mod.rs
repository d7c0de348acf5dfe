//! Sessions over files that a test writes.
#![allow(dead_code, reason = "each test binary uses its own part")]

use countersign_ports::query_engine::{Dataset, QueryEngine, QueryError, QuerySession, SessionOptions};
use countersign_query::Engine;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A step's directories.
pub struct Step {
    pub engine: Engine,
    pub root: TempDir,
    pub datasets: Vec<Dataset>,
    pub memory_bytes: u64,
    pub output_bytes: u64,
}

impl Step {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["out", "scratch"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { engine: Engine::new(), root, datasets: Vec::new(), memory_bytes: 256 << 20, output_bytes: 64 << 20 }
    }

    /// A step with the input `delivery` of these files.
    pub fn delivery(files: &[(&str, &[u8])]) -> Self {
        let mut step = Self::new();
        let directory = step.root.path().join("delivered");
        std::fs::create_dir(&directory).unwrap();
        for (name, bytes) in files {
            std::fs::write(directory.join(name), bytes).unwrap();
        }
        step.add("delivery", "Delivery", vec![directory]);
        step
    }

    pub fn csv(text: impl AsRef<[u8]>) -> Self {
        Self::delivery(&[("trips.csv", text.as_ref())])
    }

    pub fn add(&mut self, input: &str, kind: &str, paths: Vec<PathBuf>) {
        self.datasets.push(Dataset { input: input.to_owned(), kind: kind.to_owned(), paths });
    }

    pub fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    pub async fn open(&self) -> Result<Box<dyn QuerySession>, QueryError> {
        let options = SessionOptions {
            datasets: self.datasets.clone(),
            outputs: vec![("examples".to_owned(), self.out())],
            scratch: self.root.path().join("scratch"),
            memory_bytes: self.memory_bytes,
            output_bytes: self.output_bytes,
        };
        self.engine.open(options).await
    }

    /// The error of opening, as text.
    pub async fn refusal(&self) -> String {
        match self.open().await {
            Ok(_) => panic!("the session opened"),
            Err(error) => error.to_string(),
        }
    }

    /// The rows that `sql` gives.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        rows(self.open().await.unwrap().as_ref(), sql).await.unwrap()
    }

    pub async fn error(&self, sql: &str) -> QueryError {
        match rows(self.open().await.unwrap().as_ref(), sql).await {
            Ok(rows) => panic!("{sql} gave {rows:?}"),
            Err(error) => error,
        }
    }
}

pub async fn batches(session: &dyn QuerySession, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
    let mut stream = session.query(sql).await?;
    let mut batches = Vec::new();
    while let Some(bytes) = stream.next().await? {
        let read = StreamReader::try_new(bytes.as_slice(), None).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(read.len(), 1, "each stream holds one batch");
        batches.extend(read);
    }
    Ok(batches)
}

/// Every cell as text, NULL as `∅`.
pub async fn rows(session: &dyn QuerySession, sql: &str) -> Result<Vec<Vec<String>>, QueryError> {
    let options = FormatOptions::default().with_null("∅");
    let mut rows = Vec::new();
    for batch in batches(session, sql).await? {
        let columns =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect::<Vec<_>>();
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect());
        }
    }
    Ok(rows)
}

pub fn table(text: &[&[&str]]) -> Vec<Vec<String>> {
    text.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

/// Names of the files below a directory.
pub fn files(directory: &Path) -> Vec<String> {
    let mut names = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    names.sort();
    names
}
