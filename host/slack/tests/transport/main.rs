//! The way to Slack and back, against strict doubles: delivery, clicks over both transports, sockets, secrets that stay secret.

mod clicks;
mod delivery;
mod desk;
mod endpoint;
mod secrets;
mod sockets;
mod strangers;
mod world;
