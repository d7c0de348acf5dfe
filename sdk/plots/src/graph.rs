//! A directed graph in layers from left to right.

use crate::bars::{nothing, rest_note};
use crate::picture::{Caption, Picture, Table};
use crate::svg::{AXIS, Anchor, Area, Canvas, MUTED, SMALL, TEXT, WIDTH, pixel};
use crate::text::fit;
use std::collections::{BTreeMap, BTreeSet};

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub label: String,
    /// A word about it.
    pub detail: String,
    /// Where it leads: a path, query or fragment of the same site. Anything else is not linked.
    pub link: Option<String>,
}

const BOX: f64 = 150.0;
const HIGH: f64 = 44.0;
const ACROSS: f64 = 40.0;
const DOWN: f64 = 18.0;
const EDGE: f64 = 12.0;
/// Room for a line that passes a layer.
const PASSING: f64 = 10.0;
/// More nodes would be read in the table, not in the picture.
const MOST_NODES: usize = 80;

/// Nodes and the edges between them, by index; an edge that leads nowhere or to its own node is left out.
pub fn graph(caption: &Caption<'_>, nodes: &[Node], edges: &[(usize, usize)]) -> Picture {
    let mut canvas = Canvas::new(caption);
    let within = |edge: &&(usize, usize)| edge.0 < nodes.len() && edge.1 < nodes.len() && edge.0 != edge.1;
    let edges: BTreeSet<(usize, usize)> = edges.iter().filter(within).copied().collect();
    let table = table(nodes, &edges);
    if nodes.is_empty() {
        return nothing(caption, canvas, table);
    }
    let shown = &nodes[..nodes.len().min(MOST_NODES)];
    let edges: BTreeSet<_> = edges.into_iter().filter(|edge| edge.0.max(edge.1) < shown.len()).collect();
    let layout = Layout::of(shown.len(), &edges);
    for (from, to) in &layout.steps {
        layout.draw_step(&mut canvas, *from, *to);
    }
    for (node, place) in shown.iter().zip(&layout.places) {
        draw(&mut canvas, node, *place);
    }
    let height = rest_note(&mut canvas, layout.height, nodes.len() - shown.len());
    canvas.finish(caption, layout.width.max(WIDTH / 2.0), height, table)
}

fn table(nodes: &[Node], edges: &BTreeSet<(usize, usize)>) -> Table {
    let mut table = Table::new(["Name", "Detail", "Made from"]);
    for (index, node) in nodes.iter().enumerate() {
        let parents = edges.iter().filter(|edge| edge.1 == index).map(|edge| nodes[edge.0].label.as_str());
        let parents = parents.collect::<Vec<_>>().join(", ");
        table.rows.push(vec![node.label.clone(), node.detail.clone(), parents]);
    }
    table
}

/// Where everything lies. Beside the nodes, an edge that passes a layer has a place in it, so that it runs between the boxes.
struct Layout {
    /// Upper left corners: the nodes first, then the places where edges pass.
    places: Vec<(f64, f64)>,
    /// Edges cut into steps from one layer to the next.
    steps: Vec<(usize, usize)>,
    nodes: usize,
    width: f64,
    height: f64,
}

impl Layout {
    fn of(nodes: usize, edges: &BTreeSet<(usize, usize)>) -> Self {
        let layer_of = layer_of(nodes, edges);
        let mut layers: Vec<Vec<usize>> = vec![Vec::new(); layer_of.iter().max().map_or(0, |last| last + 1)];
        for (node, layer) in layer_of.iter().enumerate() {
            layers[*layer].push(node);
        }
        let mut count = nodes;
        let mut steps = Vec::new();
        for (from, to) in edges {
            let mut last = *from;
            for layer in layers.iter_mut().take(layer_of[*to]).skip(layer_of[*from] + 1) {
                layer.push(count);
                steps.push((last, count));
                last = count;
                count += 1;
            }
            steps.push((last, *to));
        }
        sort_layers(&mut layers, &steps);
        let mut layout = Self { places: vec![(0.0, 0.0); count], steps, nodes, width: 0.0, height: 0.0 };
        layout.place(&layers);
        layout
    }

    fn high(&self, item: usize) -> f64 {
        if item < self.nodes { HIGH } else { PASSING }
    }

    fn place(&mut self, layers: &[Vec<usize>]) {
        let tall = |layer: &Vec<usize>| layer.iter().map(|item| self.high(*item) + DOWN).sum::<f64>() - DOWN;
        let talls: Vec<f64> = layers.iter().map(tall).collect();
        self.height = EDGE * 2.0 + talls.iter().copied().fold(0.0, f64::max);
        self.width = EDGE * 2.0 + layers.len() as f64 * (BOX + ACROSS) - ACROSS;
        for (column, (layer, tall)) in layers.iter().zip(talls).enumerate() {
            let mut y = (self.height - tall) / 2.0;
            for item in layer {
                self.places[*item] = (EDGE + column as f64 * (BOX + ACROSS), y);
                y += self.high(*item) + DOWN;
            }
        }
    }

    /// One step of an edge: a bend into the next layer, an arrow head at a node, a level line past one.
    fn draw_step(&self, canvas: &mut Canvas, from: usize, to: usize) {
        let (x0, y0) = (self.places[from].0 + BOX, self.places[from].1 + self.high(from) / 2.0);
        let (x1, y1) = (self.places[to].0, self.places[to].1 + self.high(to) / 2.0);
        let middle = (x0 + x1) / 2.0;
        let [a, b, c, d, e] = [x0, y0, middle, x1, y1].map(pixel);
        let bend = format!("M{a} {b}C{c} {b} {c} {e} {d} {e}");
        if to >= self.nodes {
            return canvas.path(&format!("{bend}L{} {e}", pixel(x1 + BOX)), AXIS, 1.5);
        }
        canvas.path(&bend, AXIS, 1.5);
        let [back, up, low] = [x1 - 6.0, y1 - 4.0, y1 + 4.0].map(pixel);
        canvas.path(&format!("M{back} {up}L{d} {e}L{back} {low}"), AXIS, 1.5);
    }
}

/// Every node one layer behind the last of those that lead to it. Nodes on a circle, which no lineage has, come last.
fn layer_of(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut layer_of = vec![0; count];
    let mut waiting: BTreeSet<usize> = (0..count).collect();
    for layer in 0..count {
        let leads = |edge: &&(usize, usize)| waiting.contains(&edge.0);
        let blocked: BTreeSet<usize> = edges.iter().filter(leads).map(|edge| edge.1).collect();
        let free: Vec<usize> = waiting.difference(&blocked).copied().collect();
        let free = if free.is_empty() { waiting.iter().copied().collect() } else { free };
        for node in free {
            layer_of[node] = layer;
            waiting.remove(&node);
        }
    }
    layer_of
}

/// Orders every layer by where its parents lie in the one before, on average: fewer lines cross.
fn sort_layers(layers: &mut [Vec<usize>], steps: &[(usize, usize)]) {
    for index in 1..layers.len() {
        let (before, rest) = layers.split_at_mut(index);
        let row: BTreeMap<usize, usize> =
            before[index - 1].iter().enumerate().map(|(row, item)| (*item, row)).collect();
        let parents = |item: usize| {
            let rows: Vec<usize> =
                steps.iter().filter(|step| step.1 == item).filter_map(|step| row.get(&step.0).copied()).collect();
            rows.iter().sum::<usize>() * 1000 / rows.len().max(1)
        };
        rest[0].sort_by_cached_key(|item| (parents(*item), *item));
    }
}

fn draw(canvas: &mut Canvas, node: &Node, (x, y): (f64, f64)) {
    let linked = node.link.as_deref().is_some_and(|link| canvas.open_link(link));
    canvas.frame(Area { x, y, width: BOX, height: HIGH });
    canvas.bold((x + 8.0, y + 18.0), TEXT, &fit(&node.label, (BOX - 16.0) / 1.12, TEXT));
    canvas.text((x + 8.0, y + 35.0), Anchor::Start, SMALL, MUTED, &fit(&node.detail, BOX - 16.0, SMALL));
    if linked {
        canvas.close_link();
    }
}
