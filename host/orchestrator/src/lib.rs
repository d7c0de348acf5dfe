//! Carries runs through their steps: driver -> executor -> publisher, sign-off gates, permits and pushes.
//!
//! Everything it knows between two steps is in the metadata store, so a process that dies loses at most the step it was in.
//! Knows the seams of `ports` only, never a database, a sandbox or a file format's library.

mod attempts;
mod attestation;
mod damage;
mod deadlines;
mod decide;
mod delivery;
mod desk;
mod driver;
mod engine;
mod error;
mod evidence;
mod executor;
mod gate;
mod layout;
mod notices;
mod outbox;
mod overriding;
mod permit;
mod placement;
mod poke;
mod publisher;
mod push;
mod run_loop;
mod shown;
mod since_live;
mod watcher;
mod worker;
mod workplace;

pub use engine::{Components, Engine, EngineOptions, Parts, Routes};
pub use error::OrchestratorError;
pub use watcher::{RunEvent, Silent, Watcher};
pub use worker::WorkEnd;
