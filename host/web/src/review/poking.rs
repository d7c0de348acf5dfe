//! Poking: what a reviewer can fill in, and what was tried so far.

use super::difficulty::{Columns, Difficulty, Tile};
use super::documents;
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use countersign_formats::model::{MODEL_INDEX, ModelIndex};
use countersign_model::artifact::ArtifactKind;
use countersign_model::decision::SignoffRequest;
use countersign_model::poke::{Answer, Poke};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a reviewer can try.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PokeDesk {
    /// The columns that the candidate reads.
    pub fields: Vec<PokeField>,
    /// What it predicts: the label's column.
    pub label: String,
    /// Its classes.
    pub classes: Vec<String>,
    /// Examples to begin with, hardest first.
    pub examples: Vec<Tile>,
    /// The example that the form begins with; none: with nothing.
    pub begin: Option<Beginning>,
    /// What was tried, newest first.
    pub earlier: Vec<PokeLine>,
    /// Why nothing can be tried.
    pub unavailable: Option<String>,
    #[serde(skip)]
    columns: Arc<Columns>,
}

/// The example that the form begins with.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Beginning {
    /// Its row.
    pub row: u64,
    /// Its raw columns; one that is left out is missing.
    pub columns: BTreeMap<String, String>,
}

/// One column.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PokeField {
    /// Its name.
    pub name: String,
    /// Text, or else a number.
    pub text: bool,
}

/// One try.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PokeLine {
    /// Its identifier.
    pub id: String,
    /// Who tried.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
    /// The example as it was tried.
    pub example: BTreeMap<String, String>,
    /// What the candidate answered.
    pub candidate: AnswerView,
    /// What the live model answered; none while nothing was live.
    pub live: Option<AnswerView>,
    /// Whether both gave the same label; none when there is nothing to compare.
    pub same: Option<bool>,
}

/// What one model answered.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AnswerView {
    /// The most probable label; none when the model could not read the example.
    pub label: Option<String>,
    /// Probability of each label.
    pub probabilities: Vec<ProbabilityLine>,
    /// Why there is no answer.
    pub refused: Option<String>,
}

/// Probability of one label.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProbabilityLine {
    /// The label.
    pub label: String,
    /// Its probability, 0 to 1.
    pub probability: f64,
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Predicted { label, probabilities } => Self {
                label: Some(label.clone()),
                probabilities: probabilities
                    .iter()
                    .map(|(label, probability)| ProbabilityLine { label: label.clone(), probability: *probability })
                    .collect(),
                refused: None,
            },
            Answer::Refused { why } => Self { label: None, probabilities: Vec::new(), refused: Some(why.clone()) },
        }
    }
}

/// A form with more columns than these begins empty: it would be most of the page.
const NARROW: usize = 60;

impl PokeDesk {
    /// Lets the form begin with the hard example of that row, if there is one.
    pub fn begin_with(&mut self, row: u64) {
        if let Some(columns) = self.columns.get(&row) {
            self.begin = Some(Beginning { row, columns: columns.clone() });
        }
    }

    /// Whether the form begins with the example of that row.
    pub fn begins_at(&self, row: &u64) -> bool {
        self.begin.as_ref().is_some_and(|begin| begin.row == *row)
    }

    /// Whether the fields are shown before an example was chosen.
    pub fn is_narrow(&self) -> bool {
        self.fields.len() <= NARROW
    }
}

impl PokeLine {
    /// Of a recorded poke.
    pub fn of(poke: &Poke) -> Self {
        let candidate = AnswerView::from(&poke.candidate);
        let live = poke.live.as_ref().map(AnswerView::from);
        let same = live.as_ref().and_then(|live| Some(live.label.as_ref()? == candidate.label.as_ref()?));
        Self {
            id: poke.id.to_string(),
            actor: poke.actor.to_string(),
            at: poke.at.to_string(),
            example: poke.example.clone(),
            candidate,
            live,
            same,
        }
    }
}

/// What can be tried at a request.
pub(super) async fn desk(
    sources: &Sources,
    request: &SignoffRequest,
    trail: &Trail,
    difficulty: Option<&Difficulty>,
) -> Result<PokeDesk, ReviewError> {
    let earlier = sources.store.pokes(&request.id).await?.iter().map(PokeLine::of).collect();
    let columns = difficulty.map(|difficulty| Arc::clone(&difficulty.columns)).unwrap_or_default();
    let desk =
        PokeDesk { examples: difficulty.map(examples).unwrap_or_default(), columns, earlier, ..PokeDesk::default() };
    if trail.of_kind(ArtifactKind::MODEL, Some(&[request.model_digest])).is_none() {
        return Ok(PokeDesk { unavailable: Some("the candidate is no model that can be asked".to_string()), ..desk });
    }
    let index: Result<Arc<ModelIndex>, ReviewError> =
        documents::json(sources, &request.model_digest, MODEL_INDEX).await;
    let index = match index {
        Err(error) => return Ok(PokeDesk { unavailable: Some(error.to_string()), ..desk }),
        Ok(index) => index,
    };
    let mut desk = PokeDesk {
        fields: index.inputs.iter().map(|raw| PokeField { name: raw.name.clone(), text: raw.text }).collect(),
        label: index.label.name.clone(),
        classes: index.label.classes.clone(),
        ..desk
    };
    if let Some(hardest) = desk.examples.first().map(|tile| tile.row).filter(|_| desk.is_narrow()) {
        desk.begin_with(hardest);
    }
    Ok(desk)
}

/// The hardest examples, then the suspects that are not among them.
fn examples(difficulty: &Difficulty) -> Vec<Tile> {
    let mut examples = difficulty.hardest.clone();
    let hardest: BTreeSet<u64> = examples.iter().map(|tile| tile.row).collect();
    examples.extend(difficulty.suspects.iter().filter(|tile| !hardest.contains(&tile.row)).cloned());
    examples
}
