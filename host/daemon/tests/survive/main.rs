//! What survives: a daemon and its commands are killed at every named place and at random moments, under a workload that passes through
//! all of them, on both databases; afterwards nothing is lost, nothing is doubled, and all is as in a run that nobody disturbed.

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../signed_off/http.rs"]
mod http;

mod installation;
mod invariants;
mod outcome;
mod people;
mod pipelines;
mod record;
mod workload;

mod points;
mod random;
mod tampered;
