//! Puts a lineage graph together from its links, the same way for both stores: nearest artifacts first.

use countersign_model::artifact::Artifact;
use countersign_model::id::{ArtifactId, ExecutionId};
use countersign_model::lineage::{Direction, Lineage, LineageEdge, LineageExecution};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// One execution between two artifacts. `input` is absent where an execution took nothing.
pub(crate) struct Link {
    pub(crate) execution: LineageExecution,
    pub(crate) input: Option<(ArtifactId, String)>,
    pub(crate) output: (ArtifactId, String),
}

/// Orders the artifacts by distance from `start`, then by age, keeps the nearest `limit`, and draws what lies between them.
pub(crate) fn assemble(
    start: ArtifactId,
    artifacts: Vec<Artifact>,
    links: Vec<Link>,
    direction: Direction,
    limit: usize,
) -> Lineage {
    let distances = distances(start, &links, direction);
    let mut artifacts = artifacts;
    artifacts.retain(|artifact| distances.contains_key(&artifact.id));
    artifacts.sort_by_key(|artifact| (distances.get(&artifact.id).copied(), artifact.id));
    artifacts.truncate(limit);
    let kept: BTreeSet<ArtifactId> = artifacts.iter().map(|artifact| artifact.id).collect();

    let mut executions = BTreeMap::new();
    let mut edges = BTreeSet::new();
    for link in links {
        let input = link.input.filter(|(artifact, _)| kept.contains(artifact));
        // Upstream an execution without kept inputs still says where its output came from; downstream it would hang loose.
        if !kept.contains(&link.output.0) || (input.is_none() && direction == Direction::Downstream) {
            continue;
        }
        let execution: ExecutionId = link.execution.id;
        edges.insert((execution, true, link.output.1, link.output.0));
        if let Some((artifact, port)) = input {
            edges.insert((execution, false, port, artifact));
        }
        executions.entry(execution).or_insert(link.execution);
    }
    let edge = |(execution, output, port, artifact)| LineageEdge { artifact, execution, port, output };
    Lineage { artifacts, executions: executions.into_values().collect(), edges: edges.into_iter().map(edge).collect() }
}

fn distances(start: ArtifactId, links: &[Link], direction: Direction) -> HashMap<ArtifactId, u32> {
    let mut next: HashMap<ArtifactId, Vec<ArtifactId>> = HashMap::new();
    for link in links {
        if let Some((input, _)) = &link.input {
            let (from, to) = match direction {
                Direction::Upstream => (link.output.0, *input),
                Direction::Downstream => (*input, link.output.0),
            };
            next.entry(from).or_default().push(to);
        }
    }
    let mut distances = HashMap::from([(start, 0)]);
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((artifact, distance)) = queue.pop_front() {
        for to in next.get(&artifact).into_iter().flatten() {
            if !distances.contains_key(to) {
                distances.insert(*to, distance + 1);
                queue.push_back((*to, distance + 1));
            }
        }
    }
    distances
}
