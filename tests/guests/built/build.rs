//! Builds the guests that tests and benchmarks run.

use countersign_embed::{Embedded, build_script};

fn main() -> std::process::ExitCode {
    let components = [
        Embedded { name: "misbehave", package: "countersign-guest-misbehave" },
        Embedded { name: "noop", package: "countersign-guest-noop" },
    ];
    build_script(&components, &["tests/guests"])
}
