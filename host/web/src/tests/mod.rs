//! The server as people, programs and attackers meet it, on a store in memory.

mod deciding;
pub(crate) mod desk;
mod document;
mod entering;
mod hostile;
mod matrix;
mod pipelines;
mod reading;
mod sending;
mod slack_double;
mod slack_sign_in;
mod stage;
