//! Traces of runs for an OpenTelemetry collector: OTLP over HTTP, protobuf messages of our own with upstream's field numbers.
//!
//! A run is one trace, named by the run's own identifier, so that daemons that share a run agree without talking. What is sent is what
//! the record says; the record does not need it. Sending never delays a run: what does not fit into the queue is dropped and counted.
//! Knows no store and no engine.

mod error;
mod export;
mod header;
mod otlp;
mod record;
mod span;
mod tracer;

pub use error::TelemetryError;
pub use record::{push_span, run_span, signoff_span, step_span};
pub use span::{Failure, Span, SpanId, TraceId, Value};
pub use tracer::{TraceOptions, Tracer};
