//! A strict double of Slack for tests: the Web API, Socket Mode, and the people who click. It keeps what it was sent, refuses what
//! Slack refuses, and fails when a test tells it to. Must not know who is tested: it never imports Countersign.
//!
//! Whatever is wrong in a test that uses it panics.

mod answers;
mod arguments;
mod double;
mod limits;
mod people;
mod server;
mod sockets;

pub use double::{Call, Fault, Message, SlackDouble, Trouble};
pub use people::{click, form, signature, submission};
pub use sockets::SocketDouble;

/// The bot token that is taken.
pub const BOT: &str = "xoxb-canary-bot-0001";
/// The app-level token that is taken.
pub const APP: &str = "xapp-canary-app-0002";
/// What a socket's one-use address holds.
pub const TICKET: &str = "canary-ticket-0004";
/// The workspace.
pub const TEAM: &str = "T0TEAM";
/// The app.
pub const APP_ID: &str = "A0APP";
