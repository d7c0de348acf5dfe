//! What a component can always tell the host while it runs. None of it is an output.
//!
//! Outside a component (in native tests) logs go to standard error and the rest nowhere.

#[cfg(target_family = "wasm")]
use crate::bindings::countersign::component::host as wall;

#[cfg(target_family = "wasm")]
fn log(level: wall::Level, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    wall::log(level, message, &fields);
}

/// Logs what only somebody who looks for a fault wants to know.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_family = "wasm")]
    log(wall::Level::Debug, message, fields);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("debug: {message} {fields:?}");
}

/// Logs what happened.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_family = "wasm")]
    log(wall::Level::Info, message, fields);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("info: {message} {fields:?}");
}

/// Logs what somebody should look at.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_family = "wasm")]
    log(wall::Level::Warn, message, fields);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("warn: {message} {fields:?}");
}

/// Says how far the work is: `progress(7, 12, "epochs", "loss 0.412")`. `total` is 0 where it is not known.
pub fn progress(done: u64, total: u64, unit: &str, note: &str) {
    #[cfg(target_family = "wasm")]
    wall::progress(done, total, unit, note);
    #[cfg(not(target_family = "wasm"))]
    let _ = (done, total, unit, note);
}

/// A number worth keeping with the execution. The host refuses one that is not finite.
pub fn metric(name: &str, value: f64) {
    #[cfg(target_family = "wasm")]
    wall::metric(name, value);
    #[cfg(not(target_family = "wasm"))]
    let _ = (name, value);
}
