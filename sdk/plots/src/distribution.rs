//! Distributions side by side: how the rows of each series fall into the same bins or categories.

use crate::bars::nothing;
use crate::number::{drawable, percent};
use crate::picture::{Caption, Picture, Table};
use crate::scale::Scale;
use crate::svg::{AXIS, Anchor, Area, Canvas, GRID, Grain, INK, Ink, MUTED, SERIES, SMALL, TEXT, WIDTH};
use crate::text::{fit, width_of};
use std::collections::{BTreeMap, BTreeSet};

/// One distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is of: `train`, `eval`, `previous`.
    pub name: String,
    /// Its bins or categories; those of the same label stand side by side.
    pub cells: Vec<Cell>,
}

/// One bin or category.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its range or value.
    pub label: String,
    /// The share of rows in it, 0 to 1.
    pub share: f64,
}

const LEFT: f64 = 56.0;
const TOP: f64 = 36.0;
const HEIGHT: f64 = 190.0;
const SLANTED: f64 = 150.0;
/// More columns would be read in the table, not in the picture.
const MOST_COLUMNS: usize = 40;

/// Columns over the union of all labels, in the order in which they first appear.
pub fn distribution(caption: &Caption<'_>, series: &[Series]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let labels = labels(series);
    let shares: Vec<BTreeMap<&str, f64>> = series.iter().map(shares).collect();
    let table = table(series, &labels, &shares);
    let shown = &labels[..labels.len().min(MOST_COLUMNS)];
    let drawn = |share: f64| drawable(share).map(|share| share.max(0.0) * 100.0);
    let values: Vec<f64> =
        shown.iter().flat_map(|label| shares.iter().filter_map(|of| drawn(*of.get(label)?))).collect();
    if values.is_empty() {
        return nothing(caption, canvas, table);
    }
    let bottom = TOP + HEIGHT;
    let scale = Scale::over(&[values, vec![0.0]].concat(), bottom, -HEIGHT);
    legend(&mut canvas, series);
    axis(&mut canvas, &scale);
    let slot = (WIDTH - LEFT - 12.0) / shown.len() as f64;
    let thick = (slot * 0.8 / series.len() as f64).min(48.0);
    for (which, of) in shares.iter().enumerate() {
        let beside = thick * (which as f64 - series.len() as f64 / 2.0);
        let bar = |(index, label): (usize, &&str)| {
            let y = scale.place(of.get(label).copied().and_then(drawn)?);
            let x = LEFT + (index as f64 + 0.5) * slot + beside;
            Some(Area { x, y, width: thick, height: bottom - y })
        };
        let areas: Vec<Area> = shown.iter().enumerate().filter_map(bar).collect();
        let (ink, grain) = look(which);
        canvas.bars(&areas, ink, grain);
    }
    canvas.line((LEFT, bottom), (WIDTH - 12.0, bottom), AXIS, 1.0);
    let height = name_columns(&mut canvas, shown, slot, bottom);
    let height = crate::bars::rest_note(&mut canvas, height, labels.len() - shown.len());
    canvas.finish(caption, WIDTH, height, table)
}

/// Colour and grain of a series: the first nine differ in one or the other.
fn look(which: usize) -> (Ink, Grain) {
    let grains = [Grain::Plain, Grain::Lines, Grain::Dots];
    (SERIES[which % 3], grains[(which + which / 3) % 3])
}

fn labels(series: &[Series]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let all = series.iter().flat_map(|series| &series.cells).map(|cell| cell.label.as_str());
    all.filter(|label| seen.insert(*label)).collect()
}

/// By label; a label that comes twice counts together.
fn shares(series: &Series) -> BTreeMap<&str, f64> {
    let mut all = BTreeMap::new();
    for cell in &series.cells {
        *all.entry(cell.label.as_str()).or_insert(0.0) += cell.share;
    }
    all
}

fn table(series: &[Series], labels: &[&str], shares: &[BTreeMap<&str, f64>]) -> Table {
    let mut table = Table::new(["Value"]);
    table.head.extend(series.iter().map(|series| series.name.clone()));
    for label in labels {
        let shares = shares.iter().map(|of| percent(of.get(label).copied().unwrap_or(f64::NAN)));
        table.rows.push(std::iter::once(label.to_string()).chain(shares).collect());
    }
    table
}

fn legend(canvas: &mut Canvas, series: &[Series]) {
    let room = (WIDTH - LEFT) / series.len() as f64;
    let mut x = LEFT + 8.0;
    for (which, series) in series.iter().enumerate() {
        let (ink, grain) = look(which);
        canvas.bar(Area { x, y: 9.0, width: 14.0, height: 14.0 }, ink, grain);
        let name = fit(&series.name, room - 44.0, TEXT);
        canvas.text((x + 20.0, 20.5), Anchor::Start, TEXT, INK, &name);
        x += 44.0 + width_of(&name, TEXT);
    }
}

fn axis(canvas: &mut Canvas, scale: &Scale) {
    for (y, text) in scale.ticks() {
        canvas.line((LEFT, y), (WIDTH - 12.0, y), GRID, 1.0);
        canvas.text((LEFT - 6.0, y + 4.0), Anchor::End, SMALL, MUTED, &text);
    }
    canvas.text((8.0, 20.5), Anchor::Start, SMALL, MUTED, "% rows");
}

/// The columns' names, level where they fit and slanted where not; gives the height of the picture.
fn name_columns(canvas: &mut Canvas, labels: &[&str], slot: f64, bottom: f64) -> f64 {
    let level = labels.iter().all(|label| width_of(label, SMALL) <= slot - 4.0);
    for (index, label) in labels.iter().enumerate() {
        let middle = LEFT + (index as f64 + 0.5) * slot;
        if level {
            canvas.text((middle, bottom + 17.0), Anchor::Middle, SMALL, INK, label);
        } else {
            // A slanted name reaches to the left: the first ones have less room.
            let room = ((middle - 6.0) / 0.82).min(SLANTED);
            canvas.slanted((middle + 4.0, bottom + 14.0), SMALL, INK, &fit(label, room, SMALL));
        }
    }
    bottom + if level { 28.0 } else { SLANTED * 0.574 + 22.0 }
}
