//! The SVG writer: a handful of shapes, text that can not break out, identifiers that do not clash.

use crate::number::plain;
use crate::picture::{Caption, Picture, Table};
use crate::text::escape;
use std::fmt::Write as _;

/// The width of every plot, pixels.
pub(crate) const WIDTH: f64 = 720.0;
/// Size of running text, pixels.
pub(crate) const TEXT: f64 = 13.0;
/// Size of tick labels and notes, pixels.
pub(crate) const SMALL: f64 = 12.0;

/// What a shape is drawn with: a class for stylesheets and a colour for everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink {
    pub(crate) class: &'static str,
    pub(crate) colour: &'static str,
}

pub(crate) const BACK: Ink = Ink { class: "cs-back", colour: "#ffffff" };
pub(crate) const INK: Ink = Ink { class: "cs-text", colour: "#1f2328" };
pub(crate) const MUTED: Ink = Ink { class: "cs-muted", colour: "#57606a" };
pub(crate) const AXIS: Ink = Ink { class: "cs-axis", colour: "#57606a" };
pub(crate) const GRID: Ink = Ink { class: "cs-grid", colour: "#d8dee4" };
pub(crate) const MARK: Ink = Ink { class: "cs-mark", colour: "#a40e26" };
pub(crate) const GRAIN: Ink = Ink { class: "cs-grain", colour: "#ffffff" };
pub(crate) const CARD: Ink = Ink { class: "cs-card", colour: "#f6f8fa" };
pub(crate) const GOOD: Ink = Ink { class: "cs-good", colour: "#1a7f37" };
pub(crate) const BAD: Ink = Ink { class: "cs-bad", colour: "#a40e26" };
/// The series, told apart by every kind of colour vision.
pub(crate) const SERIES: [Ink; 3] = [
    Ink { class: "cs-a", colour: "#0067a6" },
    Ink { class: "cs-b", colour: "#d0640a" },
    Ink { class: "cs-c", colour: "#6e7781" },
];

/// What lies over a bar so that series differ without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    Plain,
    Lines,
    Dots,
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A picture in the making.
pub(crate) struct Canvas {
    id: String,
    body: String,
    grain: bool,
    links: bool,
}

impl Canvas {
    pub(crate) fn new(caption: &Caption<'_>) -> Self {
        Self { id: identifier(caption.id), body: String::new(), grain: false, links: false }
    }

    pub(crate) fn rect(&mut self, area: Area, ink: Ink) {
        self.shape(area, &format!(r#"class="{}" fill="{}""#, ink.class, ink.colour));
    }

    /// A bar of a series.
    pub(crate) fn bar(&mut self, area: Area, ink: Ink, grain: Grain) {
        self.bars(&[area], ink, grain);
    }

    /// All bars of a series as one shape: a page of plots is mostly bars.
    pub(crate) fn bars(&mut self, areas: &[Area], ink: Ink, grain: Grain) {
        let mut path = String::new();
        for area in areas {
            let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(pixel);
            let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
        }
        let mut fill = |paint: &str| put(&mut self.body, format_args!(r#"<path d="{path}" {paint}/>"#));
        fill(&format!(r#"class="cs-bar {}" fill="{}""#, ink.class, ink.colour));
        let pattern = match grain {
            Grain::Plain => return,
            Grain::Lines => "lines",
            Grain::Dots => "dots",
        };
        fill(&format!(r##"fill="url(#{}-{pattern})""##, self.id));
        self.grain = true;
    }

    /// A box with an outline.
    pub(crate) fn frame(&mut self, area: Area) {
        let paint = format!(r#"class="{}" fill="{}" stroke="{}""#, CARD.class, CARD.colour, GRID.colour);
        self.shape(area, &paint);
    }

    fn shape(&mut self, area: Area, paint: &str) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(pixel);
        put(&mut self.body, format_args!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" {paint}/>"#));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) {
        let path = format!("M{} {}L{} {}", pixel(from.0), pixel(from.1), pixel(to.0), pixel(to.1));
        self.path(&path, ink, width);
    }

    /// A stroked path; its data come from this crate, never from a caller.
    pub(crate) fn path(&mut self, data: &str, ink: Ink, width: f64) {
        let width = pixel(width);
        put(
            &mut self.body,
            format_args!(
                r#"<path d="{data}" class="{}" fill="none" stroke="{}" stroke-width="{width}"/>"#,
                ink.class, ink.colour
            ),
        );
    }

    pub(crate) fn dot(&mut self, centre: (f64, f64), radius: f64, ink: Ink) {
        let [x, y, radius] = [centre.0, centre.1, radius].map(pixel);
        put(
            &mut self.body,
            format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" class="{}" fill="{}"/>"#, ink.class, ink.colour),
        );
    }

    pub(crate) fn text(&mut self, at: (f64, f64), anchor: Anchor, size: f64, ink: Ink, text: &str) {
        self.words(at, anchor, size, ink, "", text);
    }

    pub(crate) fn bold(&mut self, at: (f64, f64), size: f64, text: &str) {
        self.words(at, Anchor::Start, size, INK, r#" font-weight="bold""#, text);
    }

    /// Text that rises to where it is held, for labels under narrow columns.
    pub(crate) fn slanted(&mut self, at: (f64, f64), size: f64, ink: Ink, text: &str) {
        let turn = format!(r#" transform="rotate(-35 {} {})""#, pixel(at.0), pixel(at.1));
        self.words(at, Anchor::End, size, ink, &turn, text);
    }

    fn words(&mut self, at: (f64, f64), anchor: Anchor, size: f64, ink: Ink, more: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let (x, y, size, text) = (pixel(at.0), pixel(at.1), pixel(size), escape(text));
        put(
            &mut self.body,
            format_args!(
                r#"<text x="{x}" y="{y}" font-size="{size}"{anchor}{more} class="{}" fill="{}">{text}</text>"#,
                ink.class, ink.colour
            ),
        );
    }

    /// Opens a link if it stays on this site; the caller closes it when told that it was opened.
    pub(crate) fn open_link(&mut self, link: &str) -> bool {
        let stays = link.starts_with(['#', '?']) || (link.starts_with('/') && !link[1..].starts_with(['/', '\\']));
        if stays {
            self.links = true;
            put(&mut self.body, format_args!(r#"<a href="{}">"#, escape(link)));
        }
        stays
    }

    pub(crate) fn close_link(&mut self) {
        self.body.push_str("</a>\n");
    }

    /// Another picture, scaled into `area`, with identifiers of its own.
    pub(crate) fn nest(&mut self, picture: &Picture, area: Area, number: usize) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(pixel);
        let viewed = format!(r#"viewBox="0 0 {} {}""#, picture.width, picture.height);
        let natural = format!(r#"{viewed} width="{}" height="{}""#, picture.width, picture.height);
        let placed = format!(r#"{viewed} x="{x}" y="{y}" width="{width}" height="{height}""#);
        let own = format!("{}-{number}-", self.id);
        let end = picture.svg.find('>').unwrap_or(0);
        let (open, rest) = picture.svg.split_at(end);
        self.links |= open.contains(r#"role="group""#);
        // A stylesheet that sizes plots means whole ones.
        let open = open.replacen(&natural, &placed, 1).replace("cs-id-", &own).replace(r#" class="cs-plot""#, "");
        // Escaped text holds no quotation marks: what follows one is markup.
        let rest = rest.replace(r#"id="cs-id-"#, &format!(r#"id="{own}"#));
        let rest = rest.replace(r##"fill="url(#cs-id-"##, &format!(r##"fill="url(#{own}"##));
        self.body.push_str(&open);
        self.body.push_str(&rest);
        self.body.push('\n');
    }

    /// The whole picture.
    pub(crate) fn finish(self, caption: &Caption<'_>, width: f64, height: f64, table: Table) -> Picture {
        let (wide, high) = (width.ceil() as u32, height.ceil() as u32);
        let id = &self.id;
        // Links inside an image would be hidden from assistive technology while they still take the focus.
        let role = if self.links { "group" } else { "img" };
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="{role}" aria-labelledby="{id}-title {id}-desc" class="cs-plot" font-family="DejaVu Sans, sans-serif">"#
        );
        svg.push('\n');
        put(&mut svg, format_args!(r#"<title id="{id}-title">{}</title>"#, escape(caption.title)));
        put(&mut svg, format_args!(r#"<desc id="{id}-desc">{}</desc>"#, escape(caption.description)));
        if self.grain {
            svg.push_str(&patterns(id));
        }
        let back = format!(r#"class="{}" fill="{}""#, BACK.class, BACK.colour);
        put(&mut svg, format_args!(r#"<rect width="{wide}" height="{high}" {back}/>"#));
        svg.push_str(&self.body);
        svg.push_str("</svg>");
        Picture { svg, width: wide, height: high, table }
    }
}

fn patterns(id: &str) -> String {
    let Ink { class, colour } = GRAIN;
    format!(
        r#"<defs>
<pattern id="{id}-lines" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5" class="{class}" fill="none" stroke="{colour}" stroke-width="1.6"/></pattern>
<pattern id="{id}-dots" width="5" height="5" patternUnits="userSpaceOnUse"><path d="M1.5 2.5L3.5 2.5" class="{class}" fill="none" stroke="{colour}" stroke-width="2"/></pattern>
</defs>
"#
    )
}

/// A coordinate.
pub(crate) fn pixel(value: f64) -> String {
    let mut text = plain(value, 1);
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

/// One line of markup. Writing to a `String` can not fail.
fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(line);
    out.push('\n');
}

/// An identifier that is another one for every other text: what is no letter, digit, `-` or `_` is spelt as its number.
fn identifier(text: &str) -> String {
    let mut id = String::from("cs-id-");
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '_') {
            id.push(character);
        } else {
            let _ = write!(id, ".{:x}.", u32::from(character));
        }
    }
    id
}
