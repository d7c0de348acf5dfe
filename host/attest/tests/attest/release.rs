//! A small release with two signatures on it.

use countersign_attest::Keyring;
use countersign_attest::bundle::{self, Contents};
use countersign_model::actor::Actor;
use countersign_model::artifact::{FileEntry, Manifest};
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Channel, Decision, DecisionKind, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::finding::Verdict;
use countersign_model::policy::{RoleQuorum, SignoffPolicy};
use countersign_model::statement::Statement;
use countersign_model::time::Timestamp;
use countersign_ports::Attestor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILES: [(&str, &str, &str); 4] = [
    ("train.model", "model.onnx", "onnx bytes"),
    ("train.model", "parts/index.json", "{}"),
    ("evaluate.evaluation", "metrics.json", "[0.93]"),
    ("ingest.examples", "train/part-0.parquet", "not carried"),
];

pub struct Release {
    pub folder: tempfile::TempDir,
    pub keyring: Keyring,
    pub evidence: Evidence,
    pub request: SignoffRequest,
    pub manifests: BTreeMap<String, Manifest>,
    pub decisions: Vec<Decision>,
}

impl Release {
    /// Signed by ada and bob.
    pub fn signed() -> Self {
        let mut release = Self::unsigned();
        let decisions = [("01ARZ3NDEKTSV4RRFFQ69G5FA1", "ada"), ("01ARZ3NDEKTSV4RRFFQ69G5FA2", "bob")];
        for (id, person) in decisions {
            let decision = release.decide(id, person, DecisionKind::Approve);
            release.decisions.push(decision);
        }
        release
    }

    pub fn unsigned() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::open_or_create(&folder.path().join("state")).unwrap();
        let manifests = artifacts(folder.path());
        let policy = policy();
        let digest = |name: &str| manifests[name].digest();
        let evidence = Evidence {
            form: 1,
            pipeline: "taxi".into(),
            gate: "release".into(),
            model: digest("train.model"),
            baseline: Some(Digest::of(b"live")),
            policy: policy.digest().unwrap(),
            artifacts: manifests.iter().map(|(name, manifest)| (name.clone(), manifest.digest())).collect(),
            components: [("train".to_string(), "builtin:train".to_string())].into(),
            verdicts: [("evaluate".to_string(), Verdict::NeedsPerson)].into(),
            findings: BTreeMap::new(),
            changes: vec!["more rows".into()],
            shown: Shown::default(),
        };
        let (text, evidence_digest) = evidence.seal().unwrap();
        let request = SignoffRequest {
            id: "req_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            run: "run_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            pipeline: evidence.pipeline.clone(),
            gate: evidence.gate.clone(),
            policy,
            evidence: text,
            evidence_digest,
            model_digest: evidence.model,
            verdict: evidence.verdict(),
            nonce: "0".repeat(32),
            state: RequestState::Open,
            posted_at: Timestamp::from_micros(0),
            progress: Progress::default(),
        };
        Self { folder, keyring, evidence, request, manifests, decisions: Vec::new() }
    }

    /// A signed decision; the request is left as it is.
    pub fn decide(&self, id: &str, person: &str, kind: DecisionKind) -> Decision {
        let mut decision = Decision {
            id: format!("dec_{id}").parse().unwrap(),
            request: self.request.id,
            kind,
            actor: Actor::slack("T01", &person.to_uppercase()),
            person: person.into(),
            roles: vec!["owner".into()],
            channel: Channel::Page,
            second_factor: true,
            reason: "looks right".into(),
            conditions: Conditions { canary_percent: Some(10), ..Conditions::default() },
            evidence_digest: self.request.evidence_digest,
            envelope: None,
            late: false,
            at: Timestamp::from_micros(1_700_000_000_000_000),
        };
        decision.envelope = Some(self.keyring.sign(&self.statement(&decision)).unwrap());
        decision
    }

    pub fn statement(&self, decision: &Decision) -> Statement {
        Statement::of_decision(decision, &self.request, &self.evidence, &self.manifests).unwrap()
    }

    /// Signs a decision's statement after a change to it.
    pub fn resign(&self, decision: &mut Decision, change: impl FnOnce(&mut Statement)) {
        let mut statement = self.statement(decision);
        change(&mut statement);
        decision.envelope = Some(self.keyring.sign(&statement).unwrap());
    }

    /// Writes it with all artifacts but the examples.
    pub fn bundle(&self, directory: &Path) -> Result<(), countersign_attest::AttestFailure> {
        let carried = |name: &&String| *name != "ingest.examples";
        let carried = self.manifests.keys().filter(carried).map(|name| {
            let folder: PathBuf = self.folder.path().join("store").join(name);
            (name.clone(), (folder, self.manifests[name].clone()))
        });
        let contents = Contents {
            evidence: &self.request.evidence,
            policy: &self.request.policy,
            decisions: &self.decisions,
            artifacts: &carried.collect(),
            public_key: self.keyring.public_key(),
        };
        bundle::write(directory, &contents)
    }

    pub fn pem(&self) -> String {
        self.keyring.public_key().to_pem()
    }
}

fn policy() -> SignoffPolicy {
    SignoffPolicy {
        approvers: vec![RoleQuorum { role: "owner".into(), count: 2 }],
        approve_on: [Channel::Page].into(),
        forbid_self_approval: true,
        overriding: None,
        second_factor: true,
        channel: None,
        remind_seconds: None,
        escalate: None,
        expire: None,
        conditions: Conditions::default(),
    }
}

fn artifacts(folder: &Path) -> BTreeMap<String, Manifest> {
    let mut entries: BTreeMap<String, Vec<FileEntry>> = BTreeMap::new();
    for (artifact, path, text) in FILES {
        let file = folder.join("store").join(artifact).join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        let entry = FileEntry { path: path.into(), bytes: text.len() as u64, digest: Digest::of(text.as_bytes()) };
        entries.entry(artifact.into()).or_default().push(entry);
    }
    entries.into_iter().map(|(artifact, files)| (artifact, Manifest::new(files))).collect()
}
