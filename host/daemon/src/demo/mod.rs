//! The demo: a folder with a pipeline, settings and deliveries, made from what is bundled in the binary.

mod deliveries;
mod folder;

pub use folder::Folder;
