//! The rest of a review, page by page.

use super::plots::{self, Plot};
use super::shell::{Frame, Shell};
use super::words;
use crate::review::{FeatureLine, FeaturesPage, SlicesPage};
use askama::Template;

#[derive(Template)]
#[template(path = "features.html")]
struct FeaturesTemplate<'a> {
    shell: Shell<'a>,
    page: &'a FeaturesPage,
    features: Vec<(&'a FeatureLine, Option<Plot>)>,
}

/// All features of a request.
///
/// # Errors
/// When the template fails, which it does not.
pub fn features(frame: &Frame<'_>, page: &FeaturesPage) -> Result<String, askama::Error> {
    let drawn = page.features.iter().enumerate();
    let features = drawn.map(|(at, feature)| (feature, plots::feature(at, feature))).collect();
    FeaturesTemplate { shell: Shell::of(frame, "inbox"), page, features }.render()
}

#[derive(Template)]
#[template(path = "slices.html")]
struct SlicesTemplate<'a> {
    shell: Shell<'a>,
    page: &'a SlicesPage,
}

/// All slices of a request.
///
/// # Errors
/// When the template fails, which it does not.
pub fn slices(frame: &Frame<'_>, page: &SlicesPage) -> Result<String, askama::Error> {
    SlicesTemplate { shell: Shell::of(frame, "inbox"), page }.render()
}
