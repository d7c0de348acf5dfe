//! A forest plot: values with their intervals on one axis, each beside a value to compare it with.

use crate::bars::{MOST_ROWS, axis_below, nothing, rest_note};
use crate::number::{decimals, drawable, written, written_or_none};
use crate::picture::{Caption, Picture, Table};
use crate::scale::Scale;
use crate::svg::{Anchor, Area, Canvas, Grain, INK, MARK, MUTED, SERIES, SMALL, TEXT, WIDTH, pixel};
use crate::text::fit;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// What it stands for.
    pub label: String,
    /// The candidate's value; none where it is not defined.
    pub value: Option<f64>,
    /// Half-width of its 95 % interval.
    pub margin: Option<f64>,
    /// The live model's value.
    pub reference: Option<f64>,
}

const LABELS: f64 = 250.0;
const VALUES: f64 = 216.0;
const LIVE: f64 = 70.0;
const ROW: f64 = 26.0;
const TOP: f64 = 32.0;

/// Rows with intervals; the axis is named after the title.
pub fn forest(caption: &Caption<'_>, rows: &[Interval]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let places = decimals(rows.iter().flat_map(|row| [row.value, row.reference]).flatten());
    let mut table = Table::new(["Name", "Candidate", "95 % interval", "Live"]);
    for row in rows {
        table.rows.push(vec![
            row.label.clone(),
            written_or_none(row.value, places),
            interval(row, places),
            written_or_none(row.reference, places),
        ]);
    }
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    let values: Vec<f64> = shown.iter().flat_map(ends).collect();
    if values.is_empty() {
        return nothing(caption, canvas, table);
    }
    let scale = Scale::over(&values, LABELS, WIDTH - LABELS - VALUES);
    let bottom = TOP + shown.len() as f64 * ROW;
    legend(&mut canvas);
    axis_below(&mut canvas, &scale, (TOP, bottom), caption.title);
    for (index, row) in shown.iter().enumerate() {
        let middle = TOP + (index as f64 + 0.5) * ROW;
        let label = fit(&row.label, LABELS - 16.0, TEXT);
        canvas.text((LABELS - 10.0, middle + 4.5), Anchor::End, TEXT, INK, &label);
        draw(&mut canvas, &scale, middle, row);
        let said = fit(&said(row, places), VALUES - LIVE - 16.0, TEXT);
        canvas.text((WIDTH - LIVE - 8.0, middle + 4.5), Anchor::End, TEXT, INK, &said);
        let live = row.reference.map(|live| written(live, places)).unwrap_or_default();
        canvas.text((WIDTH - 8.0, middle + 4.5), Anchor::End, TEXT, INK, &live);
    }
    let height = rest_note(&mut canvas, bottom + 46.0, rows.len() - shown.len());
    canvas.finish(caption, WIDTH, height, table)
}

/// Everything of a row that has to find room on the axis.
fn ends(row: &Interval) -> impl Iterator<Item = f64> {
    let value = row.value.and_then(drawable);
    let margin = margin(row);
    let sides = value.zip(margin).map(|(value, margin)| [value - margin, value + margin]);
    [value, row.reference.and_then(drawable)].into_iter().flatten().chain(sides.into_iter().flatten())
}

fn margin(row: &Interval) -> Option<f64> {
    row.margin.and_then(drawable).filter(|margin| *margin >= 0.0)
}

fn draw(canvas: &mut Canvas, scale: &Scale, middle: f64, row: &Interval) {
    if let Some(value) = row.value.and_then(drawable) {
        if let Some(margin) = margin(row) {
            let (left, right) = (scale.place(value - margin), scale.place(value + margin));
            whisker(canvas, (left, right), middle);
        }
        canvas.dot((scale.place(value), middle), 5.0, SERIES[0]);
    }
    if let Some(reference) = row.reference.and_then(drawable) {
        diamond(canvas, (scale.place(reference), middle));
    }
}

fn whisker(canvas: &mut Canvas, (left, right): (f64, f64), middle: f64) {
    let mut bar = |x: f64, y: f64, width: f64, height: f64| {
        canvas.bar(Area { x, y, width, height }, SERIES[0], Grain::Plain);
    };
    bar(left, middle - 1.0, right - left, 2.0);
    bar(left - 1.0, middle - 5.0, 2.0, 10.0);
    bar(right - 1.0, middle - 5.0, 2.0, 10.0);
}

fn diamond(canvas: &mut Canvas, (x, y): (f64, f64)) {
    let [left, right, top, low] = [x - 6.0, x + 6.0, y - 6.0, y + 6.0].map(pixel);
    let (x, y) = (pixel(x), pixel(y));
    canvas.path(&format!("M{left} {y}L{x} {top}L{right} {y}L{x} {low}Z"), MARK, 2.0);
}

fn legend(canvas: &mut Canvas) {
    whisker(canvas, (LABELS, LABELS + 24.0), 15.0);
    canvas.dot((LABELS + 12.0, 15.0), 5.0, SERIES[0]);
    canvas.text((LABELS + 32.0, 19.0), Anchor::Start, SMALL, MUTED, "candidate, 95 % interval");
    diamond(canvas, (LABELS + 200.0, 15.0));
    canvas.text((LABELS + 212.0, 19.0), Anchor::Start, SMALL, MUTED, "live");
    canvas.text((WIDTH - LIVE - 8.0, 19.0), Anchor::End, SMALL, MUTED, "candidate");
    canvas.text((WIDTH - 8.0, 19.0), Anchor::End, SMALL, MUTED, "live");
}

/// The candidate's numbers, as they stand beside the row.
fn said(row: &Interval, places: usize) -> String {
    let value = written_or_none(row.value, places);
    match (row.value.filter(|value| value.is_finite()), margin(row)) {
        (Some(_), Some(margin)) => format!("{value} ± {}", written(margin, places)),
        (Some(_), None) | (None, _) => value,
    }
}

fn interval(row: &Interval, places: usize) -> String {
    match (row.value.filter(|value| value.is_finite()), margin(row)) {
        (Some(value), Some(margin)) => {
            format!("{} to {}", written(value - margin, places), written(value + margin, places))
        }
        (Some(_), None) | (None, _) => crate::number::NO_DATA.to_string(),
    }
}
