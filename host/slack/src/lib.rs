//! Slack: messages worth reading, delivered once and edited in place; clicks taken to the desk over the signed endpoint or Socket
//! Mode; accounts looked up.
//!
//! What a decision needs and means is settled behind [`countersign_ports::Desk`]; nothing here approves anything. `message` and
//! `picture` are pure. Tokens are sent in the Authorization header and shown nowhere.

mod accounts;
mod check;
mod clerk;
mod client;
mod delivery;
mod error;
mod health;
mod house;
pub mod message;
mod options;
pub mod picture;
mod service;
mod signature;
mod socket;
mod webhook;

pub use check::{CheckLine, CheckMark};
pub use error::SlackError;
pub use health::{SlackHealth, SlackProblem};
pub use options::{SlackOptions, Timing};
pub use service::Slack;
