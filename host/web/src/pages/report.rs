//! Pages as files that stand alone: the stylesheet inside, no form, no link to anywhere else.

use super::browse::RunTemplate;
use super::plots;
use super::review::ReviewTemplate;
use super::shell::Shell;
use crate::forms::Draft;
use crate::review::{Review, RunPage};
use askama::Template;

/// The review of a request as a file.
///
/// # Errors
/// When the template fails, which it does not.
pub fn report(review: &Review) -> Result<String, askama::Error> {
    ReviewTemplate::new(Shell::alone(), review, None, None, &Draft::default()).render()
}

/// A run that asked nobody as a file.
///
/// # Errors
/// When the template fails, which it does not.
pub fn run_report(page: &RunPage) -> Result<String, askama::Error> {
    let graph = plots::nodes("Lineage of the run", &page.lineage.nodes, &page.lineage.edges, None);
    RunTemplate { shell: Shell::alone(), page, graph }.render()
}
