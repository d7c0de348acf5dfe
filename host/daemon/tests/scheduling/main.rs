//! What starts runs and what steers them, in the real binary: hooks, objects, files, the clock, people; too much at once, settings that
//! change, an end that hands over.

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../signed_off/http.rs"]
mod http;
#[path = "../signed_off/record.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod record;

mod object_store;
mod page;
mod pipelines;
mod site;

mod arrivals;
mod backfills;
mod clock;
mod hooks;
mod objects;
mod overlap;
mod overload;
mod pauses;
mod pushes;
mod reload;
mod stopping;
