//! What an operator sees of the real binary: probes, numbers, traces, what comes as it comes, systemd, manual pages.

#[path = "../../../telemetry/tests/traces/collector.rs"]
mod collector;
mod daemon;
mod following;
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../signed_off/http.rs"]
mod http;
mod manual;
mod probes;
mod supervision;
mod traced;
mod unit;
