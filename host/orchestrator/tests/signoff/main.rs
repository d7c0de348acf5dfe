//! Sign-off from the gate to the push, over the store's twin in memory and artifacts on disk; components, directory, signatures and
//! notifiers are doubles. Time is the test's.

mod deadlines;
mod decisions;
mod doubles;
mod handling;
mod one_core;
mod outbox;
mod overriding;
mod permits;
mod pokes;
mod stopping;
mod world;
