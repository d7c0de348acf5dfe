//! View models as HTML: compiled templates, no script, no style in the markup, everything that comes from data escaped. Knows nothing of
//! HTTP or of where view models come from.

mod browse;
mod door;
mod plots;
mod report;
mod review;
mod shell;
mod tables;
mod words;

pub use browse::{artifact, artifacts, compare, inbox, log, pipeline, pipelines, run, runs};
pub use door::{problem, sign_in, sign_in_link, sign_in_slack};
pub use report::{report, run_report};
pub use review::review;
pub use shell::{Frame, stylesheet};
pub use tables::{features, slices};

#[cfg(test)]
mod markup;
#[cfg(test)]
mod tests;
