//! Pictures of view models. Each comes with its twin in text.

use super::words;
use crate::review::{Difficulty, FeatureLine, GraphNode, LineageView, SliceLine};
use countersign_plots::{Bar, Caption, Cell, Interval, Node, Picture, Series, bars, distribution, forest, graph};

/// Inks that the stylesheet gives by class. Without their attributes a page of pictures is a fifth smaller; a rasteriser, which has no
/// stylesheet, is given the pictures as they are drawn.
const INKS: [(&str, &str); 2] = [("\" fill=\"#", "\""), ("\" stroke=\"#", "\"")];

/// A picture for a page that has the stylesheet.
pub(super) struct Plot {
    pub(super) svg: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What the table is of.
    pub(super) title: String,
    /// Whether the table says more than the picture and is shown with it.
    pub(super) open: bool,
}

impl Plot {
    fn of(caption: &Caption<'_>, picture: Picture) -> Self {
        let Picture { svg, table, .. } = picture;
        Self {
            svg: without_inks(&svg),
            head: table.head,
            rows: table.rows,
            title: caption.title.to_string(),
            open: false,
        }
    }
}

/// Leaves out colours of elements that have a class. Escaped text holds no quotation mark, so that only markup matches.
fn without_inks(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    for line in svg.split_inclusive('\n') {
        let mut line = line.to_string();
        if line.contains("class=\"cs-") {
            for (start, end) in INKS {
                while let Some(at) = line.find(start) {
                    let digits = &line[at + start.len()..];
                    let Some(length) = digits.find(end).filter(|length| *length == 6) else { break };
                    line.replace_range(at + 1..at + start.len() + length + end.len(), "");
                }
            }
        }
        out.push_str(&line);
    }
    out
}

/// How one feature's values fall, in each dataset.
pub(super) fn feature(at: usize, feature: &FeatureLine) -> Option<Plot> {
    if feature.series.is_empty() {
        return None;
    }
    let id = format!("feature-{at}");
    let names: Vec<&str> = feature.series.iter().map(|series| series.name.as_str()).collect();
    let title = format!("Values of {}", feature.name);
    let description = format!("Share of rows by value, in {}.", names.join(", "));
    let caption = Caption { id: &id, title: &title, description: &description };
    let cell = |cell: &crate::review::Cell| Cell { label: cell.label.clone(), share: cell.share };
    let series: Vec<Series> = feature
        .series
        .iter()
        .map(|series| Series { name: series.name.clone(), cells: series.cells.iter().map(cell).collect() })
        .collect();
    Some(Plot::of(&caption, distribution(&caption, &series)))
}

/// How far features moved.
pub(super) fn drift(features: &[FeatureLine]) -> Option<Plot> {
    let bar =
        |feature: &FeatureLine| Bar { label: feature.name.clone(), value: feature.effect, mark: feature.threshold };
    let drawn: Vec<Bar> = features.iter().filter(|feature| feature.effect.is_some()).map(bar).collect();
    if drawn.is_empty() {
        return None;
    }
    let caption = Caption {
        id: "drift",
        title: "How far features moved",
        description: "Effect against the previous delivery, 0 to 1; the mark is where an effect begins to mean something.",
    };
    Some(Plot::of(&caption, bars(&caption, "effect (mark: from here it counts)", &drawn)))
}

/// Slices with their intervals, the live model as a mark.
pub(super) fn slices(id: &str, metric: &str, which: &str, slices: &[SliceLine]) -> Option<Plot> {
    if slices.is_empty() {
        return None;
    }
    let title = format!("{metric} of the {which}");
    let description = format!("The candidate's {metric} with its 95 % interval, the live model's as a mark.");
    let caption = Caption { id, title: &title, description: &description };
    let row = |slice: &SliceLine| Interval {
        label: slice.slice.clone(),
        value: slice.candidate,
        margin: slice.margin,
        reference: slice.live,
    };
    let rows: Vec<Interval> = slices.iter().map(row).collect();
    let plot = Plot::of(&caption, forest(&caption, &rows));
    let head = ["slice", "examples", "candidate", "live", "change"].map(str::to_string).to_vec();
    Some(Plot { head, rows: slices.iter().map(table_row).collect(), open: true, ..plot })
}

/// More than the picture can hold: how many examples, and the interval of the change.
fn table_row(slice: &SliceLine) -> Vec<String> {
    let small = if slice.small { " (small)" } else { "" };
    vec![
        slice.slice.clone(),
        format!("{}{small}", words::count(&slice.examples)),
        format!("{}{}", words::number(&slice.candidate), words::margin(&slice.margin)),
        words::number(&slice.live),
        format!("{}{}", words::signed(&slice.change), words::margin(&slice.change_margin)),
    ]
}

/// Error by decile of the score.
pub(super) fn deciles(difficulty: &Difficulty) -> Option<Plot> {
    if difficulty.error_by_decile.is_empty() {
        return None;
    }
    let caption = Caption {
        id: "deciles",
        title: "Error by decile of the score",
        description: "Error rate of each tenth of the examples, lowest scores first; the mark is the error of all.",
    };
    let bar = |(at, error): (usize, &f64)| Bar {
        label: match at {
            0 => "lowest tenth".to_string(),
            9 => "highest tenth".to_string(),
            _ => format!("tenth {}", at + 1),
        },
        value: Some(error * 100.0),
        mark: difficulty.base_error.map(|base| base * 100.0),
    };
    let drawn: Vec<Bar> = difficulty.error_by_decile.iter().enumerate().map(bar).collect();
    Some(Plot::of(&caption, bars(&caption, "% wrong (mark: of all examples)", &drawn)))
}

/// A graph of steps; `artifacts`: what the links of nodes begin with, none for a picture without links.
pub(super) fn nodes(
    title: &str,
    nodes: &[GraphNode],
    edges: &[(usize, usize)],
    artifacts: Option<&str>,
) -> Option<Plot> {
    if nodes.is_empty() {
        return None;
    }
    let description =
        "Boxes are deliveries, earlier artifacts and steps; lines lead from what was read to what was made.";
    let caption = Caption { id: "graph", title, description };
    let node = |node: &GraphNode| Node {
        label: node.label.clone(),
        detail: node.detail.clone(),
        link: artifacts.zip(node.artifact.as_ref()).map(|(path, id)| format!("{path}{id}")),
    };
    let nodes: Vec<Node> = nodes.iter().map(node).collect();
    Some(Plot::of(&caption, graph(&caption, &nodes, edges)))
}

/// A part of the artifacts' graph.
pub(super) fn lineage(id: &str, title: &str, view: &LineageView, artifacts: &str) -> Option<Plot> {
    if view.artifacts.len() < 2 {
        return None;
    }
    let description = "Boxes are artifacts; lines lead from what was read to what was made.";
    let caption = Caption { id, title, description };
    let node = |artifact: &crate::review::ArtifactLine| Node {
        label: artifact.kind.clone(),
        detail: artifact.digest_short.clone(),
        link: Some(format!("{artifacts}{}", artifact.id)),
    };
    let nodes: Vec<Node> = view.artifacts.iter().map(node).collect();
    Some(Plot::of(&caption, graph(&caption, &nodes, &view.edges)))
}

#[cfg(test)]
mod tests {
    use super::without_inks;

    #[test]
    fn only_colours_of_classed_elements_are_left_out() {
        let svg = "<rect class=\"cs-a\" fill=\"#0067a6\"/>\n<path fill=\"#ffffff\" d=\"M0 0\"/>\n<text class=\"cs-text\" fill=\"#1f2328\">a fill=&quot;#000000&quot;</text>";
        let slim = "<rect class=\"cs-a\"/>\n<path fill=\"#ffffff\" d=\"M0 0\"/>\n<text class=\"cs-text\">a fill=&quot;#000000&quot;</text>";
        assert_eq!(without_inks(svg), slim);
    }
}
