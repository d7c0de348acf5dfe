//! The living message of a request: posted once, edited through every state.

use super::blocks::{Blocks, Weight, context, header, plain_text};
use super::figures::time;
use super::mrkdwn::{is_address, is_id, link, quoted};
use super::stage::Stage;
use super::{Rendered, Situation, buttons, findings, people, summary};
use serde_json::{Value, json};

impl Situation<'_> {
    /// Where what is not shown can be read.
    pub(super) fn more(&self) -> String {
        match self.address() {
            Some(_) => "on the page".to_string(),
            None => format!("in `countersign show {}`", self.run.id),
        }
    }

    /// The review page's address, if it can be opened.
    pub(super) fn address(&self) -> Option<&str> {
        self.page.as_deref().filter(|page| is_address(page))
    }

    /// The pipeline's name; with a page, a link to it.
    pub(super) fn name(&self) -> String {
        let name = quoted(&self.request.pipeline, 80);
        self.address().map_or(name.clone(), |page| link(page, &name.replace('|', "¦")))
    }
}

/// The message of a request as it stands now.
pub fn request_message(situation: &Situation<'_>) -> Rendered {
    let stage = Stage::of(situation);
    let mut blocks = Blocks::default();
    blocks.push(Weight::Needed, header(&stage.headline(situation)));
    let explanation = stage.explanation(situation);
    let verdict = summary::verdict(situation);
    let status = if explanation.is_empty() { verdict } else { format!("{explanation}\n{verdict}") };
    blocks.section(Weight::Needed, Some(status));
    blocks.section(Weight::Findings, findings::section(situation));
    blocks.section(Weight::Metrics, summary::quality(situation));
    blocks.section(Weight::Data, summary::data(situation));
    blocks.section(Weight::Detail, summary::difficulty(situation));
    let description = crate::picture::description(situation.evidence);
    if let Some(picture) = situation.picture.filter(|picture| is_id(picture) && !description.is_empty()) {
        blocks.push(Weight::Detail, image(picture, &description));
    }
    blocks.section(Weight::Needed, people::section(situation, &stage));
    if let Some(buttons) = buttons::of(situation, &stage) {
        blocks.push(Weight::Needed, buttons);
    }
    blocks.push(Weight::Needed, context(&small_print(situation)));
    Rendered { text: fallback(situation, &stage), blocks: blocks.finish(&situation.more()) }
}

/// What an auditor looks for: gate, run, request, and the head of the audit log, so that a cut tail is found.
fn small_print(situation: &Situation<'_>) -> String {
    let (number, hash) = situation.audit_head;
    format!(
        "audit log #{number} `{}` · gate {} · run `{}` · `{}` · posted {}",
        hash.short(),
        quoted(&situation.request.gate, 60),
        situation.run.id,
        situation.request.id,
        time(situation.request.posted_at),
    )
}

/// What a notification shows.
fn fallback(situation: &Situation<'_>, stage: &Stage<'_>) -> String {
    let headline = quoted(&stage.headline(situation), 200);
    let metric = situation
        .evidence
        .shown
        .metrics
        .first()
        .map(|metric| format!(" · {}", summary::metric(metric).replace('*', "")));
    format!("{headline}{} · evidence {}", metric.unwrap_or_default(), situation.request.evidence_digest.short())
}

fn image(file: &str, description: &str) -> Value {
    json!({
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": description,
        "title": plain_text("Drift, slices, error by difficulty, hardest rows"),
    })
}
