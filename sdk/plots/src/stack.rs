//! Several pictures below one another as one.

use crate::bars::nothing;
use crate::picture::{Caption, Picture, Table};
use crate::svg::{Area, Canvas};
use crate::text::fit;

const EDGE: f64 = 16.0;
const HEADING: f64 = 34.0;
const HEADING_TEXT: f64 = 16.0;

/// Panels under headings, each as wide as the whole allows; `width` is that of the whole, in pixels.
pub fn stack(caption: &Caption<'_>, width: u32, panels: &[(&str, &Picture)]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let mut table = Table::new(["Panel", "Row"]);
    for (heading, picture) in panels {
        for row in &picture.table.rows {
            let cells = picture.table.head.iter().zip(row).map(|(name, cell)| format!("{name}: {cell}"));
            table.rows.push(vec![heading.to_string(), cells.collect::<Vec<_>>().join("; ")]);
        }
    }
    if panels.is_empty() {
        return nothing(caption, canvas, table);
    }
    let width = f64::from(width.max(200));
    let room = width - EDGE * 2.0;
    let mut y = EDGE;
    for (number, (heading, picture)) in panels.iter().enumerate() {
        canvas.bold((EDGE, y + 18.0), HEADING_TEXT, &fit(heading, room / 1.12, HEADING_TEXT));
        y += HEADING;
        let height = f64::from(picture.height) * room / f64::from(picture.width.max(1));
        canvas.nest(picture, Area { x: EDGE, y, width: room, height }, number);
        y += height + EDGE;
    }
    canvas.finish(caption, width, y, table)
}
