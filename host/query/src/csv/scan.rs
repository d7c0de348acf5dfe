//! Streams delivered files as Arrow batches: the good rows, or the rejected ones.

use super::fields::split;
use super::frames::Frames;
use super::header::LINE_COLUMN;
use super::record::{judge, shown};
use countersign_ports::query_engine::QueryError;
use datafusion::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

const BATCH_ROWS: usize = 8_192;
/// A batch ends early when its text or its cells reach these, so that wide files stay within memory too.
const BATCH_TEXT_BYTES: usize = 16 << 20;
const BATCH_CELLS: usize = 1 << 20;

/// A delivered file and the name that errors call it by.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// Which records a scan yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Rows,
    Rejected,
}

/// Files of one delivery in order, read anew by each scan.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryScan {
    files: Arc<[DeliveryFile]>,
    columns: Arc<[String]>,
    part: Part,
    schema: SchemaRef,
}

fn rejected_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::Int64, false),
        Field::new("reason", DataType::Utf8, false),
        Field::new("text", DataType::Utf8, false),
    ]))
}

fn rows_schema(columns: &[String]) -> SchemaRef {
    let mut fields = columns.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect::<Vec<_>>();
    fields.push(Field::new(LINE_COLUMN, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

impl DeliveryScan {
    pub(crate) fn new(files: Arc<[DeliveryFile]>, columns: Arc<[String]>, part: Part) -> Self {
        let schema = match part {
            Part::Rows => rows_schema(&columns),
            Part::Rejected => rejected_schema(),
        };
        Self { files, columns, part, schema }
    }

    /// Reads every file, handing each batch to `emit` until that says that nobody wants more.
    fn read(&self, emit: &mut dyn FnMut(RecordBatch) -> bool) -> Result<(), DataFusionError> {
        let mut batch = Batch::new(self.schema.clone());
        for file in self.files.iter() {
            let failed = |source: std::io::Error| {
                tracing::warn!(file.name = %file.name, error = %source, "reading a delivered file failed");
                DataFusionError::External(Box::new(QueryError::Engine {
                    operation: "read delivered CSV",
                    source: source.into(),
                }))
            };
            let mut frames = Frames::new(File::open(&file.path).map_err(failed)?).map_err(failed)?;
            frames.next().map_err(failed)?; // the header
            while let Some(frame) = frames.next().map_err(failed)? {
                match (judge(&frame, &self.columns), self.part) {
                    (Ok(text), Part::Rows) => {
                        let fields = split(text, self.columns.len());
                        batch.push(
                            frame.line,
                            fields.iter().map(|field| Some(&**field).filter(|text| !text.is_empty())),
                        );
                    }
                    (Err(reason), Part::Rejected) => {
                        batch.push(frame.line, [Some(reason.as_str()), Some(&shown(frame.bytes))].into_iter());
                    }
                    (Ok(_), Part::Rejected) | (Err(_), Part::Rows) => {}
                }
                if batch.is_full() && !emit(batch.finish(self.part)?) {
                    return Ok(());
                }
            }
        }
        if batch.rows > 0 {
            emit(batch.finish(self.part)?);
        }
        Ok(())
    }
}

impl PartitionStream for DeliveryScan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), 2);
        let (sender, scan) = (builder.tx(), self.clone());
        builder.spawn_blocking(move || scan.read(&mut |batch| sender.blocking_send(Ok(batch)).is_ok()));
        builder.build()
    }
}

struct Batch {
    schema: SchemaRef,
    lines: Int64Builder,
    texts: Vec<StringBuilder>,
    rows: usize,
    text_bytes: usize,
}

impl Batch {
    fn new(schema: SchemaRef) -> Self {
        let texts = (1..schema.fields().len()).map(|_| StringBuilder::new()).collect();
        Self { schema, lines: Int64Builder::new(), texts, rows: 0, text_bytes: 0 }
    }

    fn push<'a>(&mut self, line: u64, texts: impl Iterator<Item = Option<&'a str>>) {
        self.lines.append_value(i64::try_from(line).unwrap_or(i64::MAX));
        for (builder, text) in self.texts.iter_mut().zip(texts) {
            self.text_bytes += text.map_or(0, str::len);
            builder.append_option(text);
        }
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.text_bytes >= BATCH_TEXT_BYTES || self.rows * self.texts.len() >= BATCH_CELLS
    }

    fn finish(&mut self, part: Part) -> Result<RecordBatch, DataFusionError> {
        let lines: ArrayRef = Arc::new(self.lines.finish());
        let mut arrays =
            self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect::<Vec<_>>();
        match part {
            Part::Rows => arrays.push(lines),
            Part::Rejected => arrays.insert(0, lines),
        }
        (self.rows, self.text_bytes) = (0, 0);
        Ok(RecordBatch::try_new(self.schema.clone(), arrays)?)
    }
}
