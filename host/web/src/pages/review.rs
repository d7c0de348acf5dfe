//! The page on which people decide.

use super::plots::{self, Plot};
use super::shell::{Frame, Shell};
use super::words;
use crate::access::Viewer;
use crate::forms::Draft;
use crate::review::{FeatureLine, PokeLine, Review};
use askama::Template;
use countersign_model::poke::Poke;

#[derive(Template)]
#[template(path = "review.html")]
pub(super) struct ReviewTemplate<'a> {
    shell: Shell<'a>,
    review: &'a Review,
    may: May,
    draft: &'a Draft,
    /// What the poke form is filled with.
    fields: Vec<Filled<'a>>,
    poke: Option<PokeLine>,
    pictures: Pictures<'a>,
}

struct Pictures<'a> {
    worst: Option<Plot>,
    regressions: Option<Plot>,
    drift: Option<Plot>,
    features: Vec<(&'a FeatureLine, Option<Plot>)>,
    deciles: Option<Plot>,
    graph: Option<Plot>,
}

struct Filled<'a> {
    name: &'a str,
    number: bool,
    value: &'a str,
}

/// What the viewer may do here, as far as a page can tell: the engine judges every decision anew.
struct May {
    decide: bool,
    /// Why not, in words.
    why_not: String,
    poke: bool,
}

impl May {
    fn of(review: &Review, viewer: Option<&Viewer>) -> Self {
        let bar = &review.bar;
        let no = |why_not: String| Self { decide: false, why_not, poke: false };
        let Some(viewer) = viewer else { return no("Sign in to decide.".to_string()) };
        if viewer.read_only() {
            return no("You came in with a token: tokens read and decide nothing.".to_string());
        }
        let identity = &viewer.identity;
        if let Some(why) = &identity.barred {
            return no(format!("You may decide nothing here: {why}."));
        }
        let holds = bar.quorum.iter().any(|quorum| identity.roles.contains(&quorum.role));
        let poke = identity.is_listed() || holds;
        if bar.kinds.is_empty() {
            return Self { decide: false, why_not: String::new(), poke };
        }
        let roles: Vec<&str> = bar.quorum.iter().map(|quorum| quorum.role.as_str()).collect();
        let why_not = match (holds, roles.is_empty()) {
            (true, _) => String::new(),
            (false, true) => "Nobody may decide here: the policy names no one.".to_string(),
            (false, false) => format!("You hold none of the roles that decide here: {}.", roles.join(", ")),
        };
        Self { decide: holds, why_not, poke }
    }
}

impl<'a> ReviewTemplate<'a> {
    pub(super) fn new(
        shell: Shell<'a>,
        review: &'a Review,
        viewer: Option<&'a Viewer>,
        poke: Option<&'a Poke>,
        draft: &'a Draft,
    ) -> Self {
        let artifacts = format!("{}/artifacts/", shell.base);
        let headline = &review.metrics.headline;
        let drawn = review.data.top.iter().enumerate();
        let pictures = Pictures {
            worst: plots::slices("worst", headline, "worst slices", &review.metrics.worst),
            regressions: plots::slices("regressions", headline, "slices that lost most", &review.metrics.regressions),
            drift: plots::drift(&review.data.top),
            features: drawn.map(|(at, feature)| (feature, plots::feature(at, feature))).collect(),
            deciles: review.difficulty.as_ref().and_then(plots::deciles),
            graph: plots::nodes(
                "Lineage of the candidate",
                &review.lineage.nodes,
                &review.lineage.edges,
                shell.linked.then_some(artifacts.as_str()),
            ),
        };
        let may = May::of(review, viewer);
        Self { may, draft, fields: fields(review, poke), poke: poke.map(PokeLine::of), pictures, shell, review }
    }
}

/// The fields with what was tried last, or with the example that the form begins with.
fn fields<'a>(review: &'a Review, poke: Option<&'a Poke>) -> Vec<Filled<'a>> {
    let desk = &review.poke;
    if poke.is_none() && desk.begin.is_none() && !desk.is_narrow() {
        return Vec::new();
    }
    let values = poke.map(|poke| &poke.example).or(desk.begin.as_ref().map(|begin| &begin.columns));
    let fill = |field: &'a crate::review::PokeField| Filled {
        name: &field.name,
        number: !field.text,
        value: values.and_then(|values| values.get(&field.name)).map_or("", String::as_str),
    };
    desk.fields.iter().map(fill).collect()
}

/// The page of a request. `poke`: a try to show; `draft`: what was typed and not recorded.
///
/// # Errors
/// When the template fails, which it does not.
pub fn review(
    frame: &Frame<'_>,
    review: &Review,
    poke: Option<&Poke>,
    draft: Option<&Draft>,
) -> Result<String, askama::Error> {
    let nothing = Draft::default();
    let shell = Shell::of(frame, "inbox");
    ReviewTemplate::new(shell, review, frame.viewer, poke, draft.unwrap_or(&nothing)).render()
}
