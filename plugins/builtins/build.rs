//! Builds the ten built-in components.

use countersign_embed::{Embedded, build_script};

fn main() -> std::process::ExitCode {
    let components = [
        Embedded { name: "ingest", package: "countersign-plugin-ingest" },
        Embedded { name: "statistics", package: "countersign-plugin-statistics" },
        Embedded { name: "schema", package: "countersign-plugin-schema" },
        Embedded { name: "validate", package: "countersign-plugin-validate" },
        Embedded { name: "transform", package: "countersign-plugin-transform" },
        Embedded { name: "train", package: "countersign-plugin-train" },
        Embedded { name: "evaluate", package: "countersign-plugin-evaluate" },
        Embedded { name: "difficulty", package: "countersign-plugin-difficulty" },
        Embedded { name: "push", package: "countersign-plugin-push" },
        Embedded { name: "predict", package: "countersign-plugin-predict" },
    ];
    build_script(&components, &["plugins"])
}
