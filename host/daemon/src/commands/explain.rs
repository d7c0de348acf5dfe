//! `explain`: which data made a model, how it was distributed and validated, how much better it is, who signed off.

use crate::args::ExplainArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::{decision, evidence, run as run_text, text};
use crate::{lookup, wiring};
use anyhow::Context as _;
use countersign_formats::reference::{self, FeatureReference, ReferenceBins};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::finding::Finding;
use countersign_model::lineage::{Direction, Lineage};
use countersign_model::push::Push;
use countersign_ports::{ArtifactStore, MetadataStore};
use serde::Serialize;
use std::collections::BTreeMap;

/// Ancestors looked at.
const LINEAGE: u32 = 1000;

#[derive(Serialize)]
struct Explained {
    model: Artifact,
    data: Vec<Artifact>,
    features: BTreeMap<String, Feature>,
    signoffs: Vec<Signed>,
    pushes: Vec<Push>,
    lineage: Lineage,
}

/// One feature of the training data: its distribution, and what validation said of it.
#[derive(Default, Serialize)]
struct Feature {
    distribution: String,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Signed {
    request: SignoffRequest,
    evidence: Evidence,
    decisions: Vec<Decision>,
}

/// Explains a model.
///
/// # Errors
/// When there is no such model, or the stores fail.
pub async fn run(context: &Context, arguments: &ExplainArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let artifacts = wiring::artifacts(context)?;
    let model = find(store.as_ref(), &arguments.model).await?;
    let explained = explain(store.as_ref(), artifacts.as_ref(), model).await?;
    if context.json() {
        context.print_json("explanation", &explained)?;
    } else {
        print(&explained);
    }
    Ok(Exit::Done)
}

/// The model that `text` names; a pipeline's name stands for its live model.
///
/// # Errors
/// When it names none, or more than one.
pub async fn find(store: &dyn MetadataStore, text: &str) -> anyhow::Result<Artifact> {
    if let Some(push) = store.pushes(Some(text), 1).await?.into_iter().next() {
        return lookup::artifact(store, &push.model.to_string(), Some(ArtifactKind::MODEL)).await;
    }
    if store.pipelines().await?.iter().any(|version| version.name == text) {
        return Err(WrongInput::new(format!(
            "error: pipeline `{text}` has no live model yet; `countersign runs` shows what waits"
        ))
        .into());
    }
    lookup::artifact(store, text, Some(ArtifactKind::MODEL)).await
}

async fn explain(
    store: &dyn MetadataStore,
    artifacts: &dyn ArtifactStore,
    model: Artifact,
) -> anyhow::Result<Explained> {
    let lineage = store.lineage(&model.id, Direction::Upstream, LINEAGE).await?;
    let of_kind = |kind: &'static str| lineage.artifacts.iter().filter(move |artifact| artifact.kind.as_str() == kind);
    let mut features = BTreeMap::new();
    if let Some(statistics) = of_kind(ArtifactKind::STATISTICS).next() {
        features = distributions(artifacts, &statistics.digest).await?;
    }
    let mut signoffs = Vec::new();
    for request in store.requests(None, Some(&model.digest)).await? {
        let evidence: Evidence = serde_json::from_str(&request.evidence).context("read the evidence")?;
        let decisions = store.decisions(&request.id).await?;
        signoffs.push(Signed { request, evidence, decisions });
    }
    if let Some(signed) = signoffs.first() {
        for finding in signed.evidence.findings.values().flatten() {
            features.entry(finding.subject.clone()).or_default().findings.push(finding.clone());
        }
    }
    let pushes = store.pushes(Some(&model.pipeline), 1000).await?;
    let pushes = pushes.into_iter().filter(|push| push.model == model.digest).collect();
    let data = of_kind(ArtifactKind::DELIVERY).cloned().collect();
    Ok(Explained { model, data, features, signoffs, pushes, lineage })
}

async fn distributions(
    artifacts: &dyn ArtifactStore,
    statistics: &Digest,
) -> anyhow::Result<BTreeMap<String, Feature>> {
    let path = artifacts.open(statistics).await?.join("train").join(reference::FILE);
    // Statistics by a plugin of somebody's own need not have our reference counts.
    let Ok(bytes) = std::fs::read(&path) else { return Ok(BTreeMap::new()) };
    let bins: ReferenceBins = serde_json::from_slice(&bytes).context("read the reference counts")?;
    let describe = |(name, reference): (String, FeatureReference)| {
        let feature = Feature { distribution: distribution(bins.rows, &reference), findings: Vec::new() };
        (name, feature)
    };
    Ok(bins.features.into_iter().map(describe).collect())
}

fn distribution(rows: u64, feature: &FeatureReference) -> String {
    match feature {
        FeatureReference::Numeric { missing, p10, p50, p90, .. } => {
            format!("10 % {p10} · median {p50} · 90 % {p90}{}", absent(*missing, rows))
        }
        FeatureReference::Categorical { missing, values, .. } => {
            let mut frequent: Vec<(&String, &u64)> = values.iter().collect();
            frequent.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            let top: Vec<String> =
                frequent.iter().take(3).map(|(value, rows)| format!("{value} {}", text::count(**rows))).collect();
            format!("{} values: {}{}", values.len(), top.join(", "), absent(*missing, rows))
        }
    }
}

fn absent(missing: u64, rows: u64) -> String {
    match missing {
        0 => String::new(),
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
        missing => format!(" · {:.1} % missing", missing as f64 * 100.0 / rows.max(1) as f64),
    }
}

fn print(explained: &Explained) {
    let model = &explained.model;
    println!(
        "model {} {} of {}, made in {} by step `{}`",
        model.id,
        model.digest.short(),
        model.pipeline,
        model.run,
        model.step
    );
    for data in &explained.data {
        let span = data.span.as_deref().unwrap_or("no span");
        println!(
            "data  {} {} from `{}` ({span}, {})",
            data.id,
            data.digest.short(),
            data.step,
            text::bytes(data.bytes)
        );
    }
    println!("\ndistribution and validation, by feature of the training data");
    for (name, feature) in &explained.features {
        println!("  {:<24} {}", text::safe(name), text::safe(&feature.distribution));
        for finding in &feature.findings {
            println!("  {:<24} {}", "", run_text::finding_line(finding));
        }
    }
    for signed in &explained.signoffs {
        println!("{}", evidence::render(&signed.evidence, &signed.request.evidence_digest, false));
        println!("  sign-off `{}` in {}: {}", signed.request.gate, signed.request.run, signed.request.state.status());
        for said in &signed.decisions {
            println!("    {}", decision::line(said));
        }
    }
    for push in &explained.pushes {
        let at = push.completed_at.unwrap_or(push.begun_at).to_utc().format("%Y-%m-%d %H:%M:%S UTC");
        println!("  live at {} since {at}", push.target);
    }
    if explained.signoffs.is_empty() {
        println!("\n  nobody was asked to sign this model off");
    }
}
