//! Example difficulty: the examples worth a person's time, and whether the score orders errors at all.

use super::agreement::{self, Agreement};
use super::documents;
use super::sources::{ReviewError, Sources};
use super::trail::Trail;
use countersign_formats::difficulty::{self as format, HardExample};
use countersign_model::artifact::ArtifactKind;
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tiles of one strip.
const STRIP: usize = 5;
/// Classes shown: those of which most examples are there.
const CLASSES: usize = 12;
/// Suspects shown.
const SUSPECTS: usize = 12;

/// Example difficulty.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difficulty {
    /// Which score: `softmax, predicted label, late 3`.
    pub variant: String,
    /// The split.
    pub split: String,
    /// Its examples.
    pub examples: u64,
    /// Error rate of all of them, 0 to 1.
    pub base_error: Option<f64>,
    /// Error rate by decile of the score, lowest first, 0 to 1.
    pub error_by_decile: Vec<f64>,
    /// `high = hard`, `flipped` or `no order`.
    pub direction: String,
    /// Why, in words.
    pub direction_reason: String,
    /// Share of all errors that the highest decile holds.
    pub hardest_tenth_error_share: f64,
    /// Share of the highest tenth that is also in the hardest tenth by AUM.
    pub overlap_with_aum: Option<f64>,
    /// Share of the highest tenth by given label, largest first.
    pub hardest_by_class: Vec<(String, f64)>,
    /// Lowest and highest examples of each given label.
    pub classes: Vec<ClassStrips>,
    /// Given labels that are not shown.
    pub more_classes: usize,
    /// Examples that margin and loss call suspicious.
    pub suspected_mislabelled: u64,
    /// The first of them, highest loss first.
    pub suspects: Vec<Tile>,
    /// The hardest, to try the models on.
    pub hardest: Vec<Tile>,
    /// Agreement with the run before.
    pub agreement: Agreement,
    /// Raw columns of the examples of which the artifact keeps them, by row. A model may read thousands: they are shown of one at a time.
    #[serde(skip)]
    pub(super) columns: Arc<Columns>,
}

/// Raw columns that the model reads, by row of the delivery.
pub(super) type Columns = BTreeMap<u64, BTreeMap<String, String>>;

/// The strips of one given label.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClassStrips {
    /// The given label.
    pub label: String,
    /// Its examples.
    pub examples: usize,
    /// The lowest scores, lowest first.
    pub lowest: Vec<Tile>,
    /// The highest scores, highest first.
    pub highest: Vec<Tile>,
}

/// One example.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Tile {
    /// Its line in the delivery.
    pub row: u64,
    /// Given label.
    pub label: String,
    /// Predicted label.
    pub predicted: String,
    /// They differ.
    pub wrong: bool,
    /// The score.
    pub score: f64,
    /// Rank of the score among all examples, 1 for the highest.
    pub rank: Option<usize>,
    /// Mean margin (AUM), where it is known.
    pub aum: Option<f64>,
    /// Mean loss, where it is known.
    pub mean_loss: Option<f64>,
    /// Its raw columns are kept: the models can be tried on it.
    pub kept: bool,
}

/// Every example's score, read from `scores.csv`.
pub(super) struct Scores {
    /// By line of the delivery.
    pub(super) by_row: BTreeMap<u64, f64>,
    classes: Vec<ClassStrips>,
    ranks: BTreeMap<u64, usize>,
}

#[derive(serde::Deserialize)]
struct ScoreLine {
    #[serde(rename = "_line")]
    row: u64,
    label: String,
    predicted: String,
    vog: f64,
    mean_loss: Option<f64>,
    aum: Option<f64>,
}

impl Scores {
    /// Reads the file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, csv::Error> {
        let mut lines: Vec<ScoreLine> = csv::Reader::from_reader(bytes).into_deserialize().collect::<Result<_, _>>()?;
        // Highest first; equal ones in the order of the delivery, so that the same file always shows the same.
        lines.sort_by(|a, b| b.vog.total_cmp(&a.vog).then_with(|| a.row.cmp(&b.row)));
        let ranks = lines.iter().enumerate().map(|(at, line)| (line.row, at + 1)).collect();
        let by_row = lines.iter().map(|line| (line.row, line.vog)).collect();
        let mut by_label: BTreeMap<&str, Vec<(usize, &ScoreLine)>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            by_label.entry(&line.label).or_default().push((at + 1, line));
        }
        let strips = |(label, lines): (&str, Vec<(usize, &ScoreLine)>)| ClassStrips {
            label: label.to_string(),
            examples: lines.len(),
            lowest: lines.iter().rev().take(STRIP).map(|(rank, line)| tile(line, *rank)).collect(),
            highest: lines.iter().take(STRIP).map(|(rank, line)| tile(line, *rank)).collect(),
        };
        let mut classes: Vec<ClassStrips> = by_label.into_iter().map(strips).collect();
        classes.sort_by(|a, b| b.examples.cmp(&a.examples).then_with(|| a.label.cmp(&b.label)));
        Ok(Self { by_row, classes, ranks })
    }
}

fn tile(line: &ScoreLine, rank: usize) -> Tile {
    Tile {
        row: line.row,
        label: line.label.clone(),
        predicted: line.predicted.clone(),
        wrong: line.label != line.predicted,
        score: line.vog,
        rank: Some(rank),
        aum: line.aum,
        mean_loss: line.mean_loss,
        kept: false,
    }
}

fn hard(example: &HardExample, scores: &Scores) -> Tile {
    Tile {
        row: example.row,
        label: example.label.clone(),
        predicted: example.predicted.clone(),
        wrong: example.label != example.predicted,
        score: example.vog,
        rank: scores.ranks.get(&example.row).copied(),
        aum: Some(example.aum),
        mean_loss: Some(example.mean_loss),
        kept: true,
    }
}

/// What the evidence itself shows.
pub(super) fn shown(evidence: &Evidence) -> Option<Difficulty> {
    let shown = evidence.shown.difficulty.as_ref()?;
    let tile = |example: &countersign_model::evidence::ShownExample| Tile {
        row: example.row,
        label: example.label.clone(),
        predicted: example.predicted.clone(),
        wrong: example.label != example.predicted,
        score: example.score,
        rank: None,
        aum: None,
        mean_loss: None,
        kept: true,
    };
    let columns = shown.hardest.iter().map(|example| (example.row, example.columns.clone()));
    Some(Difficulty {
        variant: shown.variant.clone(),
        split: String::new(),
        examples: 0,
        base_error: shown.base_error,
        error_by_decile: shown.error_by_decile.clone(),
        direction: shown.direction.clone(),
        direction_reason: String::new(),
        hardest_tenth_error_share: shown.hardest_tenth_error_share,
        overlap_with_aum: shown.overlap_with_aum,
        hardest_by_class: shown.hardest_class.clone().into_iter().collect(),
        classes: Vec::new(),
        more_classes: 0,
        suspected_mislabelled: shown.suspected_mislabelled,
        suspects: Vec::new(),
        hardest: shown.hardest.iter().map(tile).collect(),
        agreement: Agreement::none("the scores can not be read"),
        columns: Arc::new(columns.collect()),
    })
}

/// The difficulty that the run measured; none when it measures none.
pub(super) async fn difficulty(
    sources: &Sources,
    evidence: &Evidence,
    trail: &Trail,
) -> Result<Option<Difficulty>, ReviewError> {
    let among: Vec<Digest> = evidence.artifacts.values().copied().collect();
    let Some((execution, artifact)) = trail.of_kind(ArtifactKind::EXAMPLE_DIFFICULTY, Some(&among)) else {
        return Ok(None);
    };
    let digest = artifact.digest;
    let read: Arc<format::Difficulty> = documents::json(sources, &digest, format::FILE).await?;
    let scores = documents::document(sources, &digest, format::SCORES, Scores::read).await?;
    let agreement = agreement::agreement(sources, execution, &digest, &read, &scores).await?;
    let record = &read.record;
    let mut by_class: Vec<(String, f64)> = read.hardest_tenth_by_class.clone().into_iter().collect();
    by_class.sort_by(|a, b| b.1.total_cmp(&a.1));
    by_class.truncate(CLASSES);
    let mut classes: Vec<ClassStrips> = scores.classes.iter().take(CLASSES).cloned().collect();
    let columns = columns(sources, &digest, &read);
    for tile in classes.iter_mut().flat_map(|class| class.lowest.iter_mut().chain(&mut class.highest)) {
        tile.kept = columns.contains_key(&tile.row);
    }
    Ok(Some(Difficulty {
        variant: format!("{}, {} label, {} {}", record.target, record.label, record.stage, record.checkpoints.len()),
        split: read.split.clone(),
        examples: read.examples,
        base_error: Some(read.base_error),
        error_by_decile: read.error_by_decile.clone(),
        direction: read.direction.clone(),
        direction_reason: read.direction_reason.clone(),
        hardest_tenth_error_share: read.hardest_tenth_error_share,
        overlap_with_aum: Some(read.overlap_with_aum),
        hardest_by_class: by_class,
        more_classes: scores.classes.len() - classes.len(),
        classes,
        suspected_mislabelled: read.suspected_mislabelled,
        suspects: read.suspects.iter().take(SUSPECTS).map(|example| hard(example, &scores)).collect(),
        hardest: read.hardest.iter().map(|example| hard(example, &scores)).collect(),
        agreement,
        columns,
    }))
}

/// The columns of the hardest examples and of the suspects.
fn columns(sources: &Sources, digest: &Digest, read: &format::Difficulty) -> Arc<Columns> {
    let key = format!("{digest}//columns");
    if let Some(kept) = sources.shelf.get(&key) {
        return kept;
    }
    let examples = read.hardest.iter().chain(read.suspects.iter().take(SUSPECTS));
    let columns: Arc<Columns> = Arc::new(examples.map(|example| (example.row, example.columns.clone())).collect());
    sources.shelf.put(key, Arc::clone(&columns));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_hold_the_lowest_and_the_highest_of_each_given_label() {
        let mut text =
            "_line,label,predicted,wrong,vog,mean_loss,aum,el2n,confidence,variability,forgetting\n".to_string();
        for row in 2..32 {
            text.push_str(&format!("{row},{},0,{},0.{row:02},1,2,3,4,5,6\n", row % 2, row % 2));
        }
        let scores = Scores::read(text.as_bytes()).unwrap();
        let odd = scores.classes.iter().find(|class| class.label == "1").unwrap();
        let rows = |tiles: &[Tile]| tiles.iter().map(|tile| tile.row).collect::<Vec<_>>();
        assert_eq!((rows(&odd.lowest), rows(&odd.highest)), (vec![3, 5, 7, 9, 11], vec![31, 29, 27, 25, 23]));
        assert_eq!((odd.highest[0].rank, odd.highest[0].wrong), (Some(1), true));
        assert_eq!(scores.by_row.len(), 30);
        assert!(Scores::read(b"_line,label\nx,y\n").is_err());
    }
}
