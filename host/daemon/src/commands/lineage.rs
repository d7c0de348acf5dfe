//! `lineage`: what went into an artifact, or what came of it.

use crate::args::LineageArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::lookup;
use crate::terminal::text;
use crate::wiring;
use countersign_model::artifact::Artifact;
use countersign_model::id::ArtifactId;
use countersign_model::lineage::{Direction, Lineage};
use std::collections::BTreeSet;

/// Shows lineage as an indented list, nearest first.
///
/// # Errors
/// When there is no such artifact or the store fails.
pub async fn run(context: &Context, arguments: &LineageArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let artifact = lookup::artifact(store.as_ref(), &arguments.artifact, None).await?;
    let direction = if arguments.downstream { Direction::Downstream } else { Direction::Upstream };
    let lineage = store.lineage(&artifact.id, direction, arguments.limit).await?;
    if context.json() {
        context.print_json("lineage", &lineage)?;
        return Ok(Exit::Done);
    }
    println!("{}", line(&artifact));
    let mut shown = BTreeSet::from([artifact.id]);
    branch(&lineage, direction, &artifact.id, 1, &mut shown);
    Ok(Exit::Done)
}

/// Prints what is next to `from`, then what is next to that. An artifact met again is named, not followed.
fn branch(lineage: &Lineage, direction: Direction, from: &ArtifactId, depth: usize, shown: &mut BTreeSet<ArtifactId>) {
    let indent = "   ".repeat(depth);
    let towards = direction == Direction::Downstream;
    for near in lineage.edges.iter().filter(|edge| edge.artifact == *from && edge.output != towards) {
        let Some(execution) = lineage.executions.iter().find(|execution| execution.id == near.execution) else {
            continue;
        };
        println!("{indent}{} {} ({})", if towards { "→" } else { "←" }, execution.step, execution.component);
        for far in lineage.edges.iter().filter(|edge| edge.execution == near.execution && edge.output == towards) {
            let Some(artifact) = lineage.artifacts.iter().find(|artifact| artifact.id == far.artifact) else {
                continue;
            };
            if shown.insert(artifact.id) {
                println!("{indent}   {}: {}", far.port, line(artifact));
                branch(lineage, direction, &artifact.id, depth + 2, shown);
            } else {
                println!("{indent}   {}: {} (above)", far.port, artifact.id);
            }
        }
    }
}

fn line(artifact: &Artifact) -> String {
    let span = artifact.span.as_ref().map_or(String::new(), |span| format!(" · {}", text::safe(span)));
    let size = text::bytes(artifact.bytes);
    format!("{} {} {} ({size}{span})", artifact.kind, artifact.id, artifact.digest.short())
}
