//! Several daemons on one database, and the days on which the database or the disk is not well: whoever is stopped, cut off or out of
//! space, no transition is lost, none is doubled, and the work goes on by itself.

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../signed_off/http.rs"]
mod http;

mod cramped;
mod page;
mod pipelines;
mod record;
mod site;

mod alone;
mod disk;
mod duties;
mod locked;
mod moved;
mod outages;
mod shared;
mod stopped;
mod torn;
