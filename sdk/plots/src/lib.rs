//! Plots as SVG text, each with a table that says the same in words. Pure and without dependencies, so that it also builds
//! for wasm. Must not know what is plotted: no models, no runs, no pages.
//!
//! Every picture has a title and a description, escapes all text, runs no script, loads nothing, and is the same bytes for
//! the same input. Colours are plain attributes, so that a rasteriser needs no stylesheet; a page may override them by class:
//! `fill` of `cs-back`, `cs-text`, `cs-muted`, `cs-a`, `cs-b`, `cs-c`, `cs-good`, `cs-bad`, `cs-card`, and `stroke` of
//! `cs-axis`, `cs-grid`, `cs-mark`, `cs-grain`. Bars also carry `cs-bar`. No meaning hangs on colour alone: series differ in
//! grain, marks in shape, and values are written out.

mod bars;
mod cards;
mod distribution;
mod forest;
mod graph;
mod number;
mod picture;
mod scale;
mod stack;
mod svg;
mod text;

pub use bars::{Bar, bars};
pub use cards::{Card, Mark, cards};
pub use distribution::{Cell, Series, distribution};
pub use forest::{Interval, forest};
pub use graph::{Node, graph};
pub use picture::{Caption, Picture, Table};
pub use stack::stack;
