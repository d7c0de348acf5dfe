//! The one picture of a request: drift, slices, error by difficulty and the hardest rows, below one another, readable on a phone.
//! Pure: evidence in, PNG out; the same bytes for the same evidence. Knows nothing of Slack's calls.

mod panels;
mod raster;

use countersign_model::evidence::Evidence;
use countersign_plots::{Caption, Picture, stack};

/// The drawing's own width: that of its panels, so that headings and labels are equally large.
const DRAWN: u32 = 720;
/// Pixels across.
const WIDTH: u32 = 1_200;
/// Longest description. Slack takes 1,000 characters for a file and 2,000 in a block.
const DESCRIPTION: usize = 1_000;

/// A picture as PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Png {
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What it shows, in words.
    pub description: String,
}

/// The picture of an evidence document; none when it has nothing to draw.
pub fn montage(evidence: &Evidence) -> Option<Png> {
    let drawn = drawing(evidence)?;
    let (bytes, width, height) = raster::png(&drawn.svg, WIDTH)?;
    Some(Png { bytes, width, height, description: description(evidence) })
}

/// What the picture of an evidence document shows, in words.
pub fn description(evidence: &Evidence) -> String {
    let sentences = panels::of(evidence).into_iter().map(|panel| panel.says).collect::<Vec<_>>().join(" ");
    crate::message::plain(&sentences, DESCRIPTION)
}

fn drawing(evidence: &Evidence) -> Option<Picture> {
    let panels = panels::of(evidence);
    if panels.is_empty() {
        return None;
    }
    let title = format!("{}, gate {}", evidence.pipeline, evidence.gate);
    let caption =
        Caption { id: "montage", title: &title, description: "Drift, slices, error by difficulty, hardest rows" };
    let panels: Vec<(&str, &Picture)> = panels.iter().map(|panel| (panel.heading, &panel.picture)).collect();
    Some(stack(&caption, DRAWN, &panels))
}
