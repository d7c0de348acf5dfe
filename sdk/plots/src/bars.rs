//! Bars beside their names, each with a mark to compare it with.

use crate::number::{decimals, drawable, written_or_none};
use crate::picture::{Caption, Picture, Table};
use crate::scale::Scale;
use crate::svg::{AXIS, Anchor, Area, Canvas, GRID, Grain, INK, MARK, MUTED, SERIES, SMALL, TEXT, WIDTH};
use crate::text::fit;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// How long it is; none where it is not known.
    pub value: Option<f64>,
    /// What it is compared with, such as a threshold.
    pub mark: Option<f64>,
}

const LABELS: f64 = 190.0;
const VALUES: f64 = 96.0;
const ROW: f64 = 24.0;
/// More rows would be read in the table, not in the picture.
pub(crate) const MOST_ROWS: usize = 40;

/// Horizontal bars over an axis in `unit`.
pub fn bars(caption: &Caption<'_>, unit: &str, bars: &[Bar]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let numbers = || bars.iter().flat_map(|bar| [bar.value, bar.mark]).flatten();
    let places = decimals(numbers());
    let marked = bars.iter().any(|bar| bar.mark.is_some());
    let mut table = Table::new(["Name", if unit.is_empty() { "Value" } else { unit }]);
    if marked {
        table.head.push("Mark".to_string());
    }
    for bar in bars {
        let mut row = vec![bar.label.clone(), written_or_none(bar.value, places)];
        if marked {
            row.push(written_or_none(bar.mark, places));
        }
        table.rows.push(row);
    }
    if numbers().all(|number| drawable(number).is_none()) {
        return nothing(caption, canvas, table);
    }
    let shown = &bars[..bars.len().min(MOST_ROWS)];
    let top = if marked { 28.0 } else { 10.0 };
    let bottom = top + shown.len() as f64 * ROW;
    let values: Vec<f64> = shown.iter().flat_map(|bar| [bar.value, bar.mark]).flatten().filter_map(drawable).collect();
    let scale = Scale::over(&[values, vec![0.0]].concat(), LABELS, WIDTH - LABELS - VALUES);
    if marked {
        canvas.line((LABELS + 4.0, 8.0), (LABELS + 4.0, 22.0), MARK, 3.0);
        canvas.text((LABELS + 14.0, 19.0), Anchor::Start, SMALL, MUTED, "mark to compare with");
    }
    axis_below(&mut canvas, &scale, (top, bottom), unit);
    for (index, bar) in shown.iter().enumerate() {
        let middle = top + (index as f64 + 0.5) * ROW;
        row(&mut canvas, &scale, middle, bar);
        let text = written_or_none(bar.value, places);
        canvas.text((WIDTH - 8.0, middle + 4.5), Anchor::End, TEXT, INK, &text);
    }
    let height = rest_note(&mut canvas, bottom + 46.0, bars.len() - shown.len());
    canvas.finish(caption, WIDTH, height, table)
}

fn row(canvas: &mut Canvas, scale: &Scale, middle: f64, bar: &Bar) {
    canvas.text((LABELS - 10.0, middle + 4.5), Anchor::End, TEXT, INK, &fit(&bar.label, LABELS - 16.0, TEXT));
    if let Some(value) = bar.value.and_then(drawable) {
        let (zero, end) = (scale.place(0.0), scale.place(value));
        let area = Area { x: zero.min(end), y: middle - 7.0, width: (end - zero).abs(), height: 14.0 };
        canvas.bar(area, SERIES[0], Grain::Plain);
    }
    if let Some(mark) = bar.mark.and_then(drawable) {
        let x = scale.place(mark);
        canvas.line((x, middle - 10.0), (x, middle + 10.0), MARK, 3.0);
    }
}

/// Grid lines, ticks and the unit under a plot that is `span` high.
pub(crate) fn axis_below(canvas: &mut Canvas, scale: &Scale, span: (f64, f64), unit: &str) {
    let ticks = scale.ticks();
    for (x, text) in &ticks {
        canvas.line((*x, span.0), (*x, span.1), GRID, 1.0);
        canvas.text((*x, span.1 + 16.0), Anchor::Middle, SMALL, MUTED, text);
    }
    let [first, last] = [ticks.first(), ticks.last()].map(|tick| tick.map_or(0.0, |(x, _)| *x));
    canvas.line((first, span.1), (last, span.1), AXIS, 1.0);
    let unit = fit(unit, last - first, SMALL);
    canvas.text(((first + last) / 2.0, span.1 + 34.0), Anchor::Middle, SMALL, MUTED, &unit);
}

/// Says how much is left to the table; gives the height of the picture.
pub(crate) fn rest_note(canvas: &mut Canvas, bottom: f64, left_out: usize) -> f64 {
    if left_out == 0 {
        return bottom;
    }
    let note = format!("… and {left_out} more in the table");
    canvas.text((8.0, bottom + 10.0), Anchor::Start, SMALL, MUTED, &note);
    bottom + 20.0
}

/// A picture that says that there is nothing to draw.
pub(crate) fn nothing(caption: &Caption<'_>, mut canvas: Canvas, table: Table) -> Picture {
    canvas.text((WIDTH / 2.0, 36.0), Anchor::Middle, TEXT, MUTED, crate::number::NO_DATA);
    canvas.finish(caption, WIDTH, 64.0, table)
}
