//! Reads the Arrow IPC streams of query results: a schema and one batch, in the few types that the host hands over.
//!
//! arrow-ipc's own reader knows every type, and with them comes two thirds of a component's code, to be compiled wherever it first
//! runs. So only its generated messages are used here.

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, RecordBatchOptions,
    StringArray, StructArray,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::{FieldNode, Message, MessageHeader};
use arrow_schema::{ArrowError, DataType, Schema};
use std::sync::Arc;

const CONTINUATION: [u8; 4] = [0xff; 4];
/// What every length in a message is a multiple of.
const ALIGNMENT: usize = 8;

/// The batch in the stream, when there is one.
///
/// # Errors
/// What can not be read, and why.
pub fn decode(stream: Vec<u8>) -> Result<Option<RecordBatch>, String> {
    let stream = aligned(Buffer::from_vec(stream));
    let mut schema = None;
    let mut rest = stream;
    while let Some((message, body, next)) = message(&rest)? {
        match message.header_type() {
            MessageHeader::Schema => {
                let header = message.header_as_schema().ok_or("a schema message without a schema")?;
                schema = Some(Arc::new(arrow_ipc::convert::fb_to_schema(header)));
            }
            MessageHeader::RecordBatch => {
                let schema = schema.ok_or("a batch before its schema")?;
                return batch(&message, body, schema).map(Some);
            }
            other => return Err(format!("a message that is neither schema nor batch: {other:?}")),
        }
        rest = next;
    }
    Ok(None)
}

/// The first message with its body, and what comes after it; none at the end.
fn message(stream: &Buffer) -> Result<Option<(Message<'_>, Buffer, Buffer)>, String> {
    if stream.is_empty() {
        return Ok(None);
    }
    let prefix = stream.get(..8).ok_or("it ends in the prefix of a message")?;
    if prefix[..4] != CONTINUATION {
        return Err("a message without its mark".to_string());
    }
    let length = i32::from_le_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]);
    let length = usize::try_from(length).map_err(|_| "a message of negative length")?;
    if length == 0 {
        return Ok(None);
    }
    let metadata = stream.get(8..8 + length).ok_or("it ends in a message")?;
    let message = arrow_ipc::root_as_message(metadata).map_err(|error| format!("a broken message: {error}"))?;
    let body_length = usize::try_from(message.bodyLength()).map_err(|_| "a body of negative length")?;
    let body = part(stream, 8 + length, body_length)?;
    let next = stream.slice(8 + length + body_length);
    Ok(Some((message, body, next)))
}

fn batch(message: &Message<'_>, body: Buffer, schema: Arc<Schema>) -> Result<RecordBatch, String> {
    let header = message.header_as_record_batch().ok_or("a batch message without a batch")?;
    if header.compression().is_some() {
        return Err("a compressed batch".to_string());
    }
    let rows = usize::try_from(header.length()).map_err(|_| "a batch of negative length")?;
    let nodes = header.nodes().ok_or("a batch without columns")?;
    let buffers = header.buffers().ok_or("a batch without buffers")?;
    let mut columns = Columns { body: aligned(body), nodes: nodes.iter(), buffers: buffers.iter() };
    let arrays = schema.fields().iter().map(|field| {
        columns.next(field.data_type()).map_err(|problem| format!("column `{}`: {problem}", field.name()))
    });
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, arrays, &options).map_err(words)
}

/// Walks the columns in the order in which their parts lie.
struct Columns<N, B> {
    body: Buffer,
    nodes: N,
    buffers: B,
}

impl<'a, N, B> Columns<N, B>
where
    N: Iterator<Item = &'a FieldNode>,
    B: Iterator<Item = &'a arrow_ipc::Buffer>,
{
    fn next(&mut self, kind: &DataType) -> Result<ArrayRef, String> {
        let node = self.nodes.next().ok_or("it is missing")?;
        let rows = usize::try_from(node.length()).map_err(|_| "a column of negative length")?;
        let validity = self.buffer()?;
        let nulls = match node.null_count() {
            0 => None,
            _ => Some(NullBuffer::new(bits(validity, rows)?)),
        };
        Ok(match kind {
            DataType::Boolean => Arc::new(BooleanArray::new(bits(self.buffer()?, rows)?, nulls)),
            DataType::Int64 => Arc::new(Int64Array::new(numbers(self.buffer()?, rows)?, nulls)),
            DataType::Float64 => Arc::new(Float64Array::new(numbers(self.buffer()?, rows)?, nulls)),
            DataType::Utf8 => {
                let offsets = offsets(self.buffer()?, rows)?;
                Arc::new(StringArray::try_new(offsets, self.buffer()?, nulls).map_err(words)?)
            }
            DataType::Binary => {
                let offsets = offsets(self.buffer()?, rows)?;
                Arc::new(BinaryArray::try_new(offsets, self.buffer()?, nulls).map_err(words)?)
            }
            DataType::List(item) => {
                let offsets = offsets(self.buffer()?, rows)?;
                let values = self.next(item.data_type())?;
                Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls).map_err(words)?)
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| self.next(field.data_type())).collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, rows).map_err(words)?)
            }
            other => return Err(format!("its type {other} is none that a component reads: cast it in the query")),
        })
    }

    fn buffer(&mut self) -> Result<Buffer, String> {
        let place = self.buffers.next().ok_or("a buffer is missing")?;
        let offset = usize::try_from(place.offset()).map_err(|_| "a buffer at a negative offset")?;
        let length = usize::try_from(place.length()).map_err(|_| "a buffer of negative length")?;
        if !offset.is_multiple_of(ALIGNMENT) {
            return Err("a buffer that is not aligned".to_string());
        }
        part(&self.body, offset, length)
    }
}

fn part(buffer: &Buffer, offset: usize, length: usize) -> Result<Buffer, String> {
    match offset.checked_add(length) {
        Some(end) if end <= buffer.len() => Ok(buffer.slice_with_length(offset, length)),
        _ => Err("it ends in a buffer".to_string()),
    }
}

fn aligned(buffer: Buffer) -> Buffer {
    if buffer.as_ptr().align_offset(ALIGNMENT) == 0 { buffer } else { Buffer::from(buffer.as_slice()) }
}

fn bits(buffer: Buffer, rows: usize) -> Result<BooleanBuffer, String> {
    if buffer.len() < rows.div_ceil(8) {
        return Err("a buffer that is too short".to_string());
    }
    Ok(BooleanBuffer::new(buffer, 0, rows))
}

fn numbers<T: ArrowNativeType>(buffer: Buffer, rows: usize) -> Result<ScalarBuffer<T>, String> {
    if buffer.len() / size_of::<T>() < rows {
        return Err("a buffer that is too short".to_string());
    }
    Ok(ScalarBuffer::new(buffer, 0, rows))
}

fn offsets(buffer: Buffer, rows: usize) -> Result<OffsetBuffer<i32>, String> {
    // A column without rows may leave them out.
    if rows == 0 && buffer.is_empty() {
        return Ok(OffsetBuffer::new_empty());
    }
    let offsets: ScalarBuffer<i32> = numbers(buffer, rows.saturating_add(1))?;
    if offsets[0] < 0 || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err("offsets that do not rise".to_string());
    }
    Ok(OffsetBuffer::new(offsets))
}

fn words(error: ArrowError) -> String {
    error.to_string()
}

#[cfg(test)]
#[path = "ipc_tests.rs"]
mod tests;
