//! What leaves the engine: batches in the few types that every guest can read, as Arrow IPC.

use countersign_ports::query_engine::QueryError;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use std::sync::Arc;

/// About the most bytes of one IPC stream: a guest holds it whole.
const MESSAGE_BYTES: usize = 4 << 20;

/// The type that a guest gets: integers as `Int64`, numbers as `Float64`, text, dates and times as `Utf8`.
fn guest_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Boolean => DataType::Boolean,
        kind if kind.is_integer() => DataType::Int64,
        // What arithmetic between `UInt64` and `Int64` becomes: `stable_hash(x) % 4`.
        DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) => DataType::Int64,
        kind if kind.is_numeric() => DataType::Float64,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Dictionary(_, values) => guest_type(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            DataType::List(Arc::new(Field::new("item", guest_type(item.data_type()), true)))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| plain(field, guest_type)).collect()),
        _ => DataType::Utf8,
    }
}

/// The type that goes into Parquet: the same as computed, without encodings that some readers do not know.
fn stored_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, values) => stored_type(values),
        other => other.clone(),
    }
}

fn plain(field: &Field, convert: fn(&DataType) -> DataType) -> Field {
    // Metadata is left out: it is no data, and a hash map's order would get into the bytes.
    Field::new(field.name(), convert(field.data_type()), true)
}

/// Converts batches of one schema.
pub(crate) struct Conversion {
    schema: SchemaRef,
}

impl Conversion {
    /// For guests.
    pub(crate) fn for_guest(schema: &Schema) -> Self {
        Self::new(schema, guest_type)
    }

    /// For Parquet.
    pub(crate) fn for_storage(schema: &Schema) -> Self {
        Self::new(schema, stored_type)
    }

    fn new(schema: &Schema, convert: fn(&DataType) -> DataType) -> Self {
        Self {
            schema: Arc::new(Schema::new(
                schema.fields().iter().map(|field| plain(field, convert)).collect::<Vec<_>>(),
            )),
        }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The batch in the new types. What does not fit (a `UInt64` above 2^63) is an error, never NULL.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(column.clone());
            }
            cast_with_options(column, field.data_type(), &options).map_err(|error| {
                QueryError::Invalid(format!(
                    "column `{}` can not be handed over as {}: {error}; cast it in the query",
                    field.name(),
                    field.data_type()
                ))
            })
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows).map_err(engine)
    }
}

/// The batch in slices that a guest can hold.
pub(crate) fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    let pieces = (batch.get_array_memory_size() / MESSAGE_BYTES).clamp(1, batch.num_rows().max(1));
    let rows = batch.num_rows().div_ceil(pieces).max(1);
    (0..batch.num_rows()).step_by(rows).map(move |from| batch.slice(from, rows.min(batch.num_rows() - from)))
}

/// A whole IPC stream with this one batch.
pub(crate) fn to_ipc(batch: &RecordBatch) -> Result<Vec<u8>, QueryError> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).map_err(engine)?;
    writer.write(batch).and_then(|()| writer.finish()).map_err(engine)?;
    drop(writer);
    Ok(bytes)
}

fn engine(error: ArrowError) -> QueryError {
    QueryError::Engine { operation: "hand over batch", source: error.into() }
}
