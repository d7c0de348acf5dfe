//! Sign-off over the real binary: `serve` against a strict double of Slack, from a message to a live model, on good days and bad ones.

mod chat;
#[path = "../harness/mod.rs"]
mod harness;
mod http;
mod page;
mod prepared;
mod record;
mod stage;

mod alerts;
mod audit;
mod bundles;
mod clicks;
mod connection;
mod endpoint;
mod outages;
mod permits;
mod policies;
mod restarts;
mod secrets;
mod story;
mod strangers;
