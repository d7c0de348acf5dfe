//! The order of the steps: each after what it needs, and otherwise as in the file.

use super::scope::Scope;
use crate::diagnostics::{Mistake, Sink};
use std::collections::BTreeSet;
use std::ops::Range;

/// `to` needs `from`, and says so at `place`.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub from: usize,
    pub to: usize,
    pub place: Range<usize>,
}

/// Who needs whom, in the order in which the file says so.
#[derive(Debug)]
pub(super) struct Edges {
    list: Vec<Edge>,
    needs: Vec<BTreeSet<usize>>,
}

impl Edges {
    pub fn new(nodes: usize) -> Self {
        Self { list: Vec::new(), needs: vec![BTreeSet::new(); nodes] }
    }

    pub fn push(&mut self, edge: Edge) {
        self.needs[edge.to].insert(edge.from);
        self.list.push(edge);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Edge> {
        self.list.iter()
    }

    /// What `index` needs directly.
    pub fn of(&self, index: usize) -> &BTreeSet<usize> {
        &self.needs[index]
    }

    /// Whether `later` is `earlier`, or needs it directly or through others.
    pub fn reach(&self, later: usize, earlier: usize) -> bool {
        let mut seen = BTreeSet::from([later]);
        let mut open = vec![later];
        while let Some(index) = open.pop() {
            if index == earlier {
                return true;
            }
            open.extend(self.needs[index].iter().filter(|from| seen.insert(**from)));
        }
        false
    }
}

/// Indices in an order in which each comes after what it needs; nothing when there is a circle, which is reported.
pub(super) fn sort(scope: &Scope<'_>, edges: &Edges, sink: &mut Sink<'_>) -> Option<Vec<usize>> {
    let count = scope.nodes.len();
    let mut waiting: Vec<usize> = (0..count).map(|index| edges.of(index).len()).collect();
    let mut dependents = vec![Vec::new(); count];
    for to in 0..count {
        edges.of(to).iter().for_each(|from| dependents[*from].push(to));
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|index| waiting[*index] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for dependent in &dependents[next] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.insert(*dependent);
            }
        }
    }
    if order.len() == count {
        return Some(order);
    }
    let placed: BTreeSet<usize> = order.into_iter().collect();
    sink.push(circle(scope, edges, &placed)?);
    None
}

/// One circle among the steps that could not be placed: each of them needs another of them, so walking back along what
/// they need must come round.
fn circle(scope: &Scope<'_>, edges: &Edges, placed: &BTreeSet<usize>) -> Option<Mistake> {
    let mut at = (0..scope.nodes.len()).find(|index| !placed.contains(index))?;
    let mut path: Vec<&Edge> = Vec::new();
    let circle = loop {
        let edge = edges.iter().find(|edge| edge.to == at && !placed.contains(&edge.from))?;
        if let Some(start) = path.iter().position(|earlier| earlier.to == at) {
            break path.split_off(start);
        }
        path.push(edge);
        at = edge.from;
    };
    let name = |index: usize| scope.nodes[index].name.text();
    let (first, rest) = circle.split_first()?;
    if rest.is_empty() {
        let message = format!("`{}` needs itself", name(first.to));
        return Some(Mistake::new("pipeline.cycle", &first.place, message));
    }
    let around: Vec<String> = circle.iter().map(|edge| format!("`{}`", name(edge.to))).collect();
    let message = format!("these need one another in a circle: {} → `{}`", around.join(" → "), name(first.to));
    let says = |edge: &Edge| format!("`{}` needs `{}`", name(edge.to), name(edge.from));
    let mistake = Mistake::new("pipeline.cycle", &first.place, message).label(says(first));
    // A long circle is known by its names; a remark at each of a hundred places would hide them.
    let mistake = rest.iter().take(7).fold(mistake, |mistake, edge| mistake.also(&edge.place, says(edge)));
    Some(mistake.help("take one of these references away; `{ resolve = \"previous …\" }` reads an earlier run instead"))
}
