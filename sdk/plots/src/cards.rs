//! Cards: a few single cases, each with its own lines.

use crate::bars::{nothing, rest_note};
use crate::picture::{Caption, Picture, Table};
use crate::svg::{Anchor, Area, BAD, Canvas, GOOD, INK, Ink, MUTED, SMALL, TEXT, WIDTH};
use crate::text::fit;

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What it is called.
    pub heading: String,
    /// What is said about it.
    pub lines: Vec<String>,
    /// How it turned out.
    pub mark: Mark,
}

/// How a case turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should.
    Good,
    /// Not as it should.
    Bad,
    /// Neither.
    Neutral,
}

impl Mark {
    fn ink(self) -> Ink {
        match self {
            Self::Good => GOOD,
            Self::Bad => BAD,
            Self::Neutral => MUTED,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "right",
            Self::Bad => "wrong",
            Self::Neutral => "",
        }
    }
}

const COLUMNS: usize = 3;
const GAP: f64 = 12.0;
const LINE: f64 = 18.0;
const MOST_CARDS: usize = 24;
const MOST_LINES: usize = 12;

/// Cards in rows of three.
pub fn cards(caption: &Caption<'_>, cards: &[Card]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let mut table = Table::new(["Name", "Mark", "Details"]);
    for card in cards {
        table.rows.push(vec![card.heading.clone(), card.mark.word().to_string(), card.lines.join("; ")]);
    }
    if cards.is_empty() {
        return nothing(caption, canvas, table);
    }
    let shown = &cards[..cards.len().min(MOST_CARDS)];
    let width = (WIDTH - GAP * (COLUMNS as f64 + 1.0)) / COLUMNS as f64;
    let mut y = GAP;
    for row in shown.chunks(COLUMNS) {
        let lines = row.iter().map(|card| card.lines.len().min(MOST_LINES)).max().unwrap_or(0);
        let height = 38.0 + lines as f64 * LINE;
        for (column, card) in row.iter().enumerate() {
            let x = GAP + column as f64 * (width + GAP);
            draw(&mut canvas, card, Area { x, y, width, height });
        }
        y += height + GAP;
    }
    let height = rest_note(&mut canvas, y, cards.len() - shown.len());
    canvas.finish(caption, WIDTH, height, table)
}

fn draw(canvas: &mut Canvas, card: &Card, area: Area) {
    canvas.frame(area);
    canvas.rect(Area { width: 5.0, ..area }, card.mark.ink());
    let word = card.mark.word();
    canvas.text((area.x + area.width - 10.0, area.y + 21.0), Anchor::End, SMALL, card.mark.ink(), word);
    let room = area.width - if word.is_empty() { 24.0 } else { 72.0 };
    canvas.bold((area.x + 14.0, area.y + 21.0), TEXT, &fit(&card.heading, room / 1.12, TEXT));
    let cut = card.lines.len() > MOST_LINES;
    let whole = if cut { MOST_LINES - 1 } else { card.lines.len() };
    for (index, line) in card.lines.iter().take(whole).enumerate() {
        let at = (area.x + 14.0, area.y + 41.0 + index as f64 * LINE);
        canvas.text(at, Anchor::Start, SMALL, INK, &fit(line, area.width - 24.0, SMALL));
    }
    if cut {
        let at = (area.x + 14.0, area.y + 41.0 + whole as f64 * LINE);
        canvas.text(at, Anchor::Start, SMALL, MUTED, &format!("… {} more", card.lines.len() - whole));
    }
}
