//! Writes a stream of batches into one Parquet file: all of it or nothing, and the same bytes for the same rows.

use crate::boundary::Conversion;
use crate::wording::Wording;
use countersign_ports::query_engine::{QueryError, Written};
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use futures::StreamExt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ROW_GROUP_ROWS: usize = 256 << 10;
/// A row group is held in memory until it is whole.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Streams `batches` into `path`, at most `limit` bytes.
pub(crate) async fn write(
    mut batches: SendableRecordBatchStream,
    path: &Path,
    limit: u64,
    wording: &Wording,
) -> Result<Written, QueryError> {
    let conversion = Conversion::for_storage(&batches.schema());
    let partial = Partial::create(path)?;
    let exceeded = Arc::new(AtomicBool::new(false));
    let failed = |error: ParquetError| match exceeded.load(Ordering::Relaxed) {
        true => QueryError::Limit(format!("output bytes: the step's limit leaves {limit} bytes for this result")),
        false => QueryError::Engine { operation: "write Parquet", source: error.into() },
    };
    let file = partial.file.try_clone().map_err(io_failed("write Parquet"))?;
    let sink = Bounded { file, left: limit, exceeded: exceeded.clone() };
    let mut writer = ArrowWriter::try_new(sink, conversion.schema(), Some(properties())).map_err(failed)?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        let batch: RecordBatch = conversion.apply(&batch.map_err(|error| wording.reword(error))?)?;
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
        if writer.in_progress_size() > ROW_GROUP_BYTES {
            writer.flush().map_err(failed)?;
        }
    }
    writer.close().map_err(failed)?;
    Ok(Written { rows, bytes: partial.finish(path)? })
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("countersign".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build()
}

fn io_failed(operation: &'static str) -> impl Fn(io::Error) -> QueryError {
    move |source| QueryError::Engine { operation, source: source.into() }
}

/// A file under a temporary name beside its final one, removed unless it is finished.
struct Partial {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    fn create(path: &Path) -> Result<Self, QueryError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = path.with_file_name(format!(".{name}.partial"));
        // Never through a link that somebody left under this name.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_failed("create output file")(error));
            }
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        Ok(Self { file: file.map_err(io_failed("create output file"))?, path, finished: false })
    }

    /// Gives the file its name; its size in bytes.
    fn finish(mut self, path: &Path) -> Result<u64, QueryError> {
        let bytes = self.file.metadata().map_err(io_failed("finish output file"))?.len();
        fs::rename(&self.path, path).map_err(io_failed("finish output file"))?;
        self.finished = true;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(error = %error, "removing an unfinished output file failed");
        }
    }
}

/// A file that refuses to grow beyond its limit.
struct Bounded {
    file: File,
    left: u64,
    exceeded: Arc<AtomicBool>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            self.exceeded.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the output's limit is reached"));
        }
        let written = self.file.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
