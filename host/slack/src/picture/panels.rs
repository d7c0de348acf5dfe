//! The panels of the picture, each with the sentence that says the same.

use crate::message::{number, percent};
use countersign_model::evidence::{Evidence, ShownDifficulty, ShownDrift, ShownExample, ShownSlice};
use countersign_plots::{Bar, Caption, Card, Interval, Mark, Picture, bars, cards, forest};

/// Features drawn.
const FEATURES: usize = 8;
/// Slices drawn of each sort: the worst, and those that lost most.
const SLICES: usize = 4;
/// Hard examples drawn.
const EXAMPLES: usize = 4;
/// Columns of an example.
const COLUMNS: usize = 5;

/// One panel.
pub struct Panel {
    /// What stands above it.
    pub heading: &'static str,
    /// The drawing.
    pub picture: Picture,
    /// What it shows, in a sentence.
    pub says: String,
}

/// Every panel that the evidence has something for.
pub fn of(evidence: &Evidence) -> Vec<Panel> {
    let shown = &evidence.shown;
    let difficulty = shown.difficulty.as_ref();
    let panels = [
        drift(&shown.drift),
        slices(&shown.slices, &shown.regressions),
        difficulty.and_then(deciles),
        difficulty.and_then(|difficulty| hardest(&difficulty.hardest)),
    ];
    panels.into_iter().flatten().collect()
}

fn drift(drift: &[ShownDrift]) -> Option<Panel> {
    let first = drift.first()?;
    let bar = |drift: &ShownDrift| Bar {
        label: name(&drift.feature),
        value: Some(drift.effect),
        mark: Some(drift.threshold),
    };
    let drawn: Vec<Bar> = drift.iter().take(FEATURES).map(bar).collect();
    let moved = drift.iter().filter(|drift| drift.effect > drift.threshold).count();
    let says = format!(
        "Drift: {moved} of {} features moved beyond their threshold; farthest {} {} (threshold {}).",
        drift.len(),
        name(&first.feature),
        number(first.effect),
        number(first.threshold)
    );
    let heading = "Drift since the last delivery · mark: threshold";
    let picture = bars(&caption("drift", "Drift", &says), "effect, 0 to 1", &drawn);
    Some(Panel { heading, picture, says })
}

fn slices(worst: &[ShownSlice], lost: &[ShownSlice]) -> Option<Panel> {
    let first = worst.first().or(lost.first())?;
    let mut shown: Vec<&ShownSlice> = worst.iter().take(SLICES).collect();
    for slice in lost.iter().take(SLICES) {
        if !shown.iter().any(|other| other.slice == slice.slice) {
            shown.push(slice);
        }
    }
    let interval = |slice: &&ShownSlice| Interval {
        label: name(&slice.slice),
        value: slice.candidate,
        margin: slice.margin,
        reference: slice.baseline,
    };
    let rows: Vec<Interval> = shown.iter().map(interval).collect();
    let value = |value: Option<f64>| value.map_or_else(|| "not defined".to_string(), number);
    let says = format!(
        "Slices: worst {} with {} {}, live {}.",
        name(&first.slice),
        name(&first.metric),
        value(first.candidate),
        value(first.baseline)
    );
    // The axis carries it.
    let metric = name(&first.metric);
    let heading = "Worst slices and greatest losses against live";
    Some(Panel { heading, picture: forest(&caption("slices", &metric, &says), &rows), says })
}

fn deciles(difficulty: &ShownDifficulty) -> Option<Panel> {
    if difficulty.error_by_decile.is_empty() {
        return None;
    }
    let last = difficulty.error_by_decile.len().min(10);
    let label = |place: usize| match place {
        0 => "easiest 10 %".to_string(),
        place if place + 1 == last => "hardest 10 %".to_string(),
        place => format!("decile {}", place + 1),
    };
    let bar = |(place, error): (usize, &f64)| Bar {
        label: label(place),
        value: Some(error * 100.0),
        mark: difficulty.base_error.map(|base| base * 100.0),
    };
    let drawn: Vec<Bar> = difficulty.error_by_decile.iter().take(10).enumerate().map(bar).collect();
    let errors = difficulty.error_by_decile.iter().take(10).map(|error| percent(*error)).collect::<Vec<_>>().join(", ");
    let says = format!("Error by difficulty decile: {errors} %, direction {}.", name(&difficulty.direction));
    let heading = "Error by difficulty (VoG) · mark: over all rows";
    Some(Panel { heading, picture: bars(&caption("deciles", "Error by difficulty", &says), "% wrong", &drawn), says })
}

fn hardest(examples: &[ShownExample]) -> Option<Panel> {
    let first = examples.first()?;
    let card = |example: &ShownExample| Card {
        heading: format!("row {}: {} → {}", example.row, name(&example.label), name(&example.predicted)),
        lines: std::iter::once(format!("score {}", number(example.score)))
            .chain(
                example
                    .columns
                    .iter()
                    .take(COLUMNS)
                    .map(|(column, value)| format!("{}: {}", name(column), name(value))),
            )
            .collect(),
        mark: if example.label == example.predicted { Mark::Neutral } else { Mark::Bad },
    };
    let drawn: Vec<Card> = examples.iter().take(EXAMPLES).map(card).collect();
    let says = format!(
        "Hardest rows: {} of them, first row {}, given {}, predicted {}.",
        drawn.len(),
        first.row,
        name(&first.label),
        name(&first.predicted)
    );
    let heading = "Hardest rows · given → predicted";
    Some(Panel { heading, picture: cards(&caption("hardest", "Hardest rows", &says), &drawn), says })
}

/// A name that may be of any length, for a label.
fn name(text: &str) -> String {
    crate::message::plain(text, 80)
}

fn caption<'a>(id: &'a str, title: &'a str, description: &'a str) -> Caption<'a> {
    Caption { id, title, description }
}
