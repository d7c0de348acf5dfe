//! A run as large and as hostile as wanted, with real artifacts, waiting for people.

use super::Sources;
use countersign_formats::difficulty::{self as hard, Difficulty, HardExample, Record};
use countersign_formats::evaluation::{self, Evaluation, RuleResult, Slice};
use countersign_formats::model::{Label, MODEL_INDEX, ModelIndex, RawInput};
use countersign_formats::reference::{self, FeatureReference, ReferenceBins};
use countersign_formats::tfmd::anomalies::{self, Anomalies, DriftSkewInfo, Measurement, MeasurementType};
use countersign_formats::tfmd::{Message as _, Path};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::decision::{Channel, Decision, DecisionKind, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::execution::{Execution, ExecutionState, LogLine};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_model::id::PokeId;
use countersign_model::poke::{Answer, Poke};
use countersign_model::policy::{Expiry, ExpiryAction, RoleQuorum};
use countersign_model::run::Claim;
use countersign_ports::ArtifactStore as _;
use countersign_store::conformance::{Bench, ManualClock, Store};
use countersign_store::{LocalArtifacts, MemoryStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names that try to break out of markup, of a line, of a direction.
pub const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\u{202e}gnp.exe\u{2066}",
    "]]></svg><style>*{}</style>{{ 7*7 }}",
];

/// How large, and how hostile.
#[derive(Clone, Copy)]
pub struct Size {
    pub features: usize,
    pub slices: usize,
    pub hostile: bool,
}

impl Size {
    pub const USUAL: Self = Self { features: 18, slices: 40, hostile: false };

    /// A name: `word-7`, or something that tries to break out.
    fn name(self, word: &str, at: usize) -> String {
        if self.hostile { format!("{}{word}-{at}", HOSTILE[at % HOSTILE.len()]) } else { format!("{word}-{at}") }
    }
}

/// A run that waits, with everything behind it.
pub struct Waiting {
    pub sources: Sources,
    pub request: SignoffRequest,
    /// A run before, of the same pipeline.
    pub before: Claim,
    pub poke: Poke,
    pub model: Artifact,
    pub keep: tempfile::TempDir,
}

struct Maker<'a> {
    bench: &'a Bench,
    artifacts: &'a LocalArtifacts,
    size: Size,
}

impl Waiting {
    pub async fn new(size: Size) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let bench = Bench::new(store.clone(), clock.clone());
        let keep = tempfile::tempdir().unwrap();
        let artifacts = LocalArtifacts::open(keep.path()).unwrap();
        let maker = Maker { bench: &bench, artifacts: &artifacts, size };
        let before = bench.running("taxi").await;
        let earlier = maker.statistics(&before, 1.0, &[]).await;
        maker.difficulty(&before, 0.9).await;
        bench.succeed(&before).await;
        let claim = bench.running("taxi").await;
        let (request, model) = maker.candidate(&claim, &earlier).await;
        bench.store.open_request(&claim, &request, &[]).await.unwrap();
        let poke = maker.poke(&request).await;
        maker.said(&request).await;
        let sources = Sources::new(store, Arc::new(artifacts), clock);
        Self { sources, request, before, poke, model, keep }
    }
}

impl Maker<'_> {
    /// A step that made one artifact of these files.
    async fn made(&self, claim: &Claim, kind: &str, files: &[(&str, Vec<u8>)], inputs: &[&Artifact]) -> Artifact {
        let staged = self.artifacts.stage().await.unwrap();
        for (path, bytes) in files {
            let path = staged.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let (digest, manifest) = self.artifacts.publish(&staged).await.unwrap();
        let step = kind.to_lowercase();
        let key = format!("{step}{}", claim.run);
        let mut execution: Execution = self.bench.execution(claim, "taxi", &step, &step, &key);
        for (at, input) in inputs.iter().enumerate() {
            execution.inputs.insert(format!("in{at}"), vec![input.id]);
        }
        // The same examples in every run.
        execution.fingerprint.inputs.insert("examples".to_string(), vec![Digest::of(b"examples")]);
        self.bench.store.begin_execution(claim, &execution).await.unwrap();
        let mut output = self.bench.output(&execution, "out", kind, "");
        (output.digest, output.bytes) = (digest, manifest.bytes());
        let mut result = self.bench.result(Verdict::Pass, std::slice::from_ref(&output));
        result.findings = if kind == ArtifactKind::ANOMALIES { self.findings() } else { Vec::new() };
        result.summary = self.size.name("summary", 3);
        execution.state = ExecutionState::Succeeded { result };
        let fields = BTreeMap::from([(self.size.name("field", 2), self.size.name("value", 1))]);
        let log = [LogLine { level: "info".to_string(), message: self.size.name("line", 0), fields }];
        self.bench.store.publish_execution(claim, &execution, &log).await.unwrap();
        output
    }

    async fn statistics(&self, claim: &Claim, scale: f64, inputs: &[&Artifact]) -> Artifact {
        let split = |rows: u64, scale: f64| {
            let feature = |at: usize| {
                let reference = if at.is_multiple_of(3) {
                    let values = (0..30).map(|value| (self.size.name("value", value), rows / 40)).collect();
                    FeatureReference::Categorical { missing: rows / 4, values, other: 0 }
                } else {
                    let edges = (1..20).map(|edge| f64::from(edge) * scale * 1.37).collect();
                    let counts = vec![rows / 20; 20];
                    FeatureReference::Numeric { missing: 0, nan: 0, edges, counts, p10: 1.0, p50: 2.0, p90: 3.0 }
                };
                (self.size.name("feature", at), reference)
            };
            let bins = ReferenceBins { rows, features: (0..self.size.features).map(feature).collect() };
            serde_json::to_vec(&bins).unwrap()
        };
        let files = [
            (format!("train/{}", reference::FILE), split(11_000, scale)),
            (format!("eval/{}", reference::FILE), split(4_000, scale * 1.01)),
        ];
        let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
        self.made(claim, ArtifactKind::STATISTICS, &files, inputs).await
    }

    fn findings(&self) -> Vec<Finding> {
        let finding = |at: usize| Finding {
            kind: "drift".to_string(),
            severity: if at == 0 { Severity::Ask } else { Severity::Warn },
            subject: self.size.name("feature", at),
            message: self.size.name("it drifted", at),
            expected: Some(self.size.name("median 7.85", at)),
            seen: Some("median 16.9".to_string()),
            previous: Some(self.size.name("median 7.84", at + 1)),
            rows: vec![38, 112, 907],
        };
        (0..self.size.features.div_ceil(6)).map(finding).collect()
    }

    async fn anomalies(&self, claim: &Claim, inputs: &[&Artifact]) -> Artifact {
        let measured = |value: f64| Measurement {
            r#type: Some(MeasurementType::JensenShannonDivergence as i32),
            value: Some(value),
            threshold: Some(0.1),
        };
        let info = |at: usize| DriftSkewInfo {
            path: Some(Path::column(self.size.name("feature", at))),
            drift_measurements: vec![measured(0.6 / (1.0 + f64::from(u32::try_from(at).unwrap())))],
            skew_measurements: Vec::new(),
        };
        let drift_skew_info = (0..self.size.features).map(info).collect();
        let document = Anomalies { drift_skew_info, ..Anomalies::default() };
        let path = format!("eval/{}", anomalies::FILE);
        self.made(claim, ArtifactKind::ANOMALIES, &[(&path, document.encode_to_vec())], inputs).await
    }

    async fn model(&self, claim: &Claim, inputs: &[&Artifact]) -> Artifact {
        let raw = |at: usize| RawInput { name: self.size.name("feature", at), text: at.is_multiple_of(3) };
        let index = ModelIndex {
            inputs: (0..self.size.features).map(raw).collect(),
            label: Label { name: "big_tipper".to_string(), classes: vec!["0".to_string(), "1".to_string()] },
            features: Vec::new(),
            architecture: "mlp".to_string(),
            hidden: vec![64, 32],
            parameters: 1,
            trained_on_rows: 11_000,
            epochs: 12,
            final_loss: 0.4,
            warm_started: None,
        };
        self.made(claim, ArtifactKind::MODEL, &[(MODEL_INDEX, serde_json::to_vec(&index).unwrap())], inputs).await
    }

    async fn evaluation(&self, claim: &Claim, inputs: &[&Artifact]) -> Artifact {
        let values = |auc: f64| BTreeMap::from([("auc".to_string(), Some(auc)), ("log_loss".to_string(), None)]);
        let slice = |at: usize| {
            let auc = 0.7 + f64::from(u32::try_from(at).unwrap()) / 5000.0;
            Slice {
                column: Some("company".to_string()),
                value: Some(self.size.name("Blue Ribbon", at)),
                examples: 112,
                small: false,
                candidate: values(auc),
                baseline: values(auc + if at.is_multiple_of(2) { 0.02 } else { -0.01 }),
                headline_margin: Some(0.04),
                change_margin: Some(0.02),
            }
        };
        let overall = Slice { column: None, value: None, examples: 4000, ..slice(800) };
        let evaluation = Evaluation {
            split: "eval".to_string(),
            classes: vec!["0".to_string(), "1".to_string()],
            headline: "auc".to_string(),
            margin_method: Some("DeLong".to_string()),
            overall,
            slices: (0..self.size.slices).map(slice).collect(),
            min_slice_examples: 30,
            has_baseline: true,
            baseline_unusable: None,
            examples_without_label: 0,
            rules: vec![RuleResult {
                rule: self.size.name("auc increases by at least 0.002", 0),
                holds: Some(true),
                seen: "0.871 → 0.878".to_string(),
            }],
        };
        let bytes = serde_json::to_vec(&evaluation).unwrap();
        self.made(claim, ArtifactKind::EVALUATION, &[(evaluation::FILE, bytes)], inputs).await
    }

    async fn difficulty(&self, claim: &Claim, scale: f64) -> Artifact {
        let text = |part: &str| part.to_string();
        let record = Record {
            target: text("softmax"),
            label: text("predicted"),
            stage: text("late"),
            checkpoints: vec![text("a"), text("b"), text("c")],
            checkpoint_sha256: vec![claim.run.to_string()],
            early_checkpoints: Vec::new(),
            all_checkpoints: 3,
            reduction: text("std"),
            normalisation: text("none"),
            inputs: 31,
            dtype: text("f32"),
            channels: text("none"),
            model_sha256: claim.run.to_string(),
            examples_sha256: text("e"),
            seed: 0,
            engine: text("difficulty 0.1.0"),
        };
        let columns =
            |_| (0..self.size.features).map(|at| (self.size.name("feature", at), self.size.name("12", at))).collect();
        let example = |at: usize| HardExample {
            row: at as u64 + 2,
            label: self.size.name("1", at),
            predicted: self.size.name("0", at),
            vog: 0.5 * scale,
            aum: -1.5,
            el2n: 1.2,
            mean_loss: 2.5,
            columns: columns(at),
        };
        let difficulty = Difficulty {
            record,
            split: text("eval"),
            examples: 300,
            base_error: 0.115,
            error_by_decile: vec![0.01, 0.01, 0.02, 0.02, 0.04, 0.06, 0.09, 0.14, 0.21, 0.41],
            direction: text(hard::HIGH_IS_HARD),
            direction_reason: text("errors rise with the score"),
            hardest_tenth_error_share: 0.46,
            overlap_with_aum: 0.71,
            hardest_tenth_by_class: BTreeMap::from([(self.size.name("1", 1), 0.8), (text("0"), 0.2)]),
            suspected_mislabelled: 14,
            suspects: (0..14).map(example).collect(),
            hardest: (0..50).map(example).collect(),
        };
        let mut scores = csv::Writer::from_writer(Vec::new());
        scores.write_record(["_line", "label", "predicted", "wrong", "vog", "mean_loss", "aum"]).unwrap();
        for row in 2..302_usize {
            let vog = (((row * 37) % 301) as f64 * 0.003 * scale).to_string();
            let line = [
                row.to_string(),
                self.size.name("class", row % 2),
                self.size.name("class", row % 3),
                text("0"),
                vog,
                text("1.0"),
                text("2.0"),
            ];
            scores.write_record(line).unwrap();
        }
        let files =
            [(hard::FILE, serde_json::to_vec(&difficulty).unwrap()), (hard::SCORES, scores.into_inner().unwrap())];
        self.made(claim, ArtifactKind::EXAMPLE_DIFFICULTY, &files, &[]).await
    }

    async fn candidate(&self, claim: &Claim, earlier: &Artifact) -> (SignoffRequest, Artifact) {
        let delivery = self.bench.delivery(claim, "taxi", "rows").await;
        let statistics = self.statistics(claim, 1.2, &[&delivery]).await;
        let anomalies = self.anomalies(claim, &[&statistics, earlier]).await;
        let model = self.model(claim, &[&anomalies, &statistics]).await;
        let evaluation = self.evaluation(claim, &[&model]).await;
        let difficulty = self.difficulty(claim, 1.0).await;
        let made = [&statistics, &anomalies, &model, &evaluation, &difficulty];
        let mut request = self.bench.request(claim.run, "taxi", "model", 1);
        request.policy.approvers.push(RoleQuorum { role: self.size.name("data-scientist", 0), count: 2 });
        request.policy.approve_on = BTreeSet::from([Channel::Page]);
        request.policy.second_factor = true;
        request.policy.expire = Some(Expiry { after_seconds: 7 * 86_400, then: ExpiryAction::Hold });
        let evidence = Evidence {
            form: 2,
            pipeline: "taxi".to_string(),
            gate: "release".to_string(),
            model: model.digest,
            baseline: Some(Digest::of(b"live")),
            policy: request.policy.digest().unwrap(),
            artifacts: made.iter().map(|made| (format!("{}.out", made.step), made.digest)).collect(),
            components: made.iter().map(|made| (made.step.clone(), format!("{} 0.1.0", made.step))).collect(),
            verdicts: made.iter().map(|made| (made.step.clone(), Verdict::Pass)).collect(),
            findings: BTreeMap::from([(anomalies.step.clone(), self.findings())]),
            changes: vec![self.size.name("statistics changed", 1)],
            shown: Shown {
                rows: BTreeMap::from([("train".to_string(), 11_000), ("eval".to_string(), 4_000)]),
                rows_before: BTreeMap::from([("train".to_string(), 10_800)]),
                schema_changes: vec![self.size.name("new column", 2)],
                model_bytes: Some(1_900_000),
                live_bytes: Some(1_800_000),
                ..Shown::default()
            },
        };
        (request.evidence, request.evidence_digest) = evidence.seal().unwrap();
        request.model_digest = model.digest;
        (request, model)
    }

    async fn poke(&self, request: &SignoffRequest) -> Poke {
        let predicted = |label: String| Answer::Predicted {
            probabilities: vec![(label.clone(), 0.8), ("0".to_string(), 0.2)],
            label,
        };
        let poke = Poke {
            id: PokeId::from_ulid(ulid::Ulid::from_parts(1, 1)),
            request: request.id,
            actor: Bench::person(&self.size.name("ada", 1)),
            at: self.bench.now(),
            example: BTreeMap::from([(self.size.name("feature", 0), self.size.name("tried", 1))]),
            candidate: predicted(self.size.name("1", 0)),
            live: Some(Answer::Refused { why: self.size.name("no such column", 1) }),
        };
        self.bench.store.record_poke(&poke).await.unwrap();
        poke
    }

    async fn said(&self, request: &SignoffRequest) {
        let mut hold: Decision = self.bench.decision(request, DecisionKind::Hold, &self.size.name("ben", 1));
        hold.reason = self.size.name("look at the fares first", 0);
        hold.envelope = Some(self.size.name("{\"payloadType\": 1}", 1));
        self.bench.store.record_decision(&hold, &[]).await.unwrap();
    }
}
