//! Reads delivered CSV (RFC 4180, comma, UTF-8) as a stream of good rows and a stream of rejected ones.
//!
//! Nothing is guessed and nothing is dropped silently: every record ends up in exactly one of the two streams, with the line
//! where it starts. Memory is bounded whatever the file holds. Must not know SQL.

mod fields;
mod frames;
mod header;
mod record;
mod scan;

pub(crate) use header::{Header, read_header};
pub(crate) use scan::{DeliveryFile, DeliveryScan, Part};
