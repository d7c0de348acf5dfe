//! Doubles of what is too heavy here: the sandbox, the directory, the installation's key, and whoever delivers notices.

use async_trait::async_trait;
use countersign_model::actor::{Actor, Identity};
use countersign_model::component::Description;
use countersign_model::digest::Digest;
use countersign_model::execution::StepError;
use countersign_model::finding::Finding;
use countersign_model::pipeline::Source;
use countersign_model::statement::Statement;
use countersign_ports::component_runner::{Component, ComponentOutcome, Invocation, RunnerError, StepObserver};
use countersign_ports::notifier::Notice;
use countersign_ports::{
    AttestError, Attestor, ComponentRunner, Delivered, DeliveryFinder, Directory, IdSource, Notifier, NotifyError,
};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use ulid::Ulid;

/// Numbers that sort, with random bits that are spread.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl IdSource for Counting {
    fn ulid(&self) -> Ulid {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Ulid::from_parts(number, u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }
}

/// Components by what they are called; the bytes of a component are its name.
#[derive(Default)]
pub struct Runner {
    /// What the step `evaluate` finds.
    pub findings: Mutex<Vec<Finding>>,
    /// What `predict` leaves.
    pub answer: Mutex<String>,
    /// Components that ran, in order.
    pub ran: Mutex<Vec<String>>,
    /// The component of that name waits once, until it is notified.
    pub hold: Mutex<Option<(&'static str, Arc<tokio::sync::Notify>)>>,
    /// Components that went on after they had waited.
    pub went_on: AtomicU64,
    /// Errors that `train` ends with, in order.
    pub failures: Mutex<VecDeque<StepError>>,
    /// Blocks `predict` until it is notified.
    pub hold_predictions: Mutex<Option<Arc<tokio::sync::Notify>>>,
}

pub fn component(name: &str) -> Component {
    Component { digest: Digest::of(name.as_bytes()), wasm: name.as_bytes().to_vec().into(), origin: "test".to_string() }
}

#[async_trait]
impl ComponentRunner for Runner {
    async fn describe(&self, component: &Component) -> Result<Description, RunnerError> {
        Err(RunnerError::Unfit { origin: component.origin.clone(), problem: "not asked here".to_string() })
    }

    async fn execute(
        &self,
        invocation: Invocation,
        observer: Arc<dyn StepObserver>,
    ) -> Result<ComponentOutcome, StepError> {
        let name = String::from_utf8_lossy(&invocation.component.wasm).into_owned();
        self.ran.lock().unwrap().push(name.clone());
        self.wait_if_held(&name, &invocation, observer).await;
        if name == "train"
            && let Some(failure) = self.failures.lock().unwrap().pop_front()
        {
            return Err(failure);
        }
        let out = |port: &str| invocation.outputs.iter().find(|output| output.name == port).unwrap().path.clone();
        let input = |port: &str| invocation.inputs.iter().find(|input| input.name == port).unwrap().paths[0].clone();
        let mut findings = Vec::new();
        match name.as_str() {
            "ingest" => {
                std::fs::create_dir(out("examples").join("train")).unwrap();
                write(&out("examples").join("train/part-0.parquet"), "PAR1");
                write(&out("examples").join("examples.json"), r#"{"columns":[],"rows":{"train":3},"rejected":0}"#);
            }
            "train" => {
                write(&out("model").join("model.onnx"), &format!("model {}", invocation.parameters["seed"]));
                write(&out("model").join("model.json"), MODEL_INDEX);
            }
            "evaluate" => {
                findings.clone_from(&self.findings.lock().unwrap());
                write(&out("evaluation").join("evaluation.json"), EVALUATION);
            }
            "after evaluate" => write(&out("note").join("note.txt"), "seen"),
            "push" => {
                std::fs::copy(input("model").join("model.onnx"), out("pushed").join("model.onnx")).unwrap();
                write(
                    &out("pushed").join("pushed.json"),
                    r#"{"model_sha256":"","inputs":[],"label":{"name":"y","classes":[]}}"#,
                );
            }
            "lying push" => {
                write(&out("pushed").join("model.onnx"), "another model");
                write(
                    &out("pushed").join("pushed.json"),
                    r#"{"model_sha256":"","inputs":[],"label":{"name":"y","classes":[]}}"#,
                );
            }
            "predict" => {
                let held = self.hold_predictions.lock().unwrap().clone();
                if let Some(held) = held {
                    held.notified().await;
                }
                assert!(input("example").join("example.json").is_file() && input("model").join("model.onnx").is_file());
                assert_eq!((invocation.limits.memory_mib, invocation.limits.time_seconds), (512, 30));
                assert!(invocation.grant.is_empty());
                write(&out("answer").join("answer.json"), &self.answer.lock().unwrap());
            }
            other => panic!("unknown component {other}"),
        }
        Ok(ComponentOutcome { summary: name, findings })
    }
}

impl Runner {
    /// Waits as a component does that computes: on a thread of its own, which writes for a moment longer than anybody waits for it.
    async fn wait_if_held(&self, name: &str, invocation: &Invocation, observer: Arc<dyn StepObserver>) {
        let held = self.hold.lock().unwrap().take_if(|(component, _)| *component == name);
        let Some((_, go_on)) = held else { return };
        let (waiting, mut gone) = tokio::sync::oneshot::channel::<()>();
        let (output, scratch) = (invocation.outputs[0].path.clone(), invocation.scratch.clone());
        let computing = std::thread::spawn(move || {
            let mut number = 0_u64;
            while gone.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                number += 1;
                std::fs::create_dir_all(scratch.join("spilled")).unwrap();
                std::fs::write(output.join(format!("{}.tmp", number % 100)), "x").unwrap();
            }
            for number in 0..100 {
                let _ = std::fs::remove_file(output.join(format!("{number}.tmp")));
            }
            drop(observer);
        });
        go_on.notified().await;
        drop(waiting);
        computing.join().unwrap();
        self.went_on.fetch_add(1, Ordering::SeqCst);
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

const MODEL_INDEX: &str = r#"{"inputs":[],"label":{"name":"y","classes":["0","1"]},"features":[],"architecture":"mlp","hidden":[],
    "parameters":1,"trained_on_rows":3,"epochs":1,"final_loss":0.5,"warm_started":null}"#;

const EVALUATION: &str = r#"{"split":"eval","classes":["0","1"],"headline":"auc","margin_method":null,
    "overall":{"column":null,"value":null,"examples":3,"small":false,"candidate":{"auc":0.9},"baseline":{},"headline_margin":null,"change_margin":null},
    "slices":[],"min_slice_examples":1,"has_baseline":false,"baseline_unusable":null,"examples_without_label":0,"rules":[]}"#;

/// People by account.
#[derive(Default)]
pub struct People(pub Mutex<BTreeMap<Actor, Identity>>);

impl People {
    /// Says who is behind an account and what they may sign as.
    pub fn put(&self, actor: &Actor, person: &str, roles: &[&str]) {
        let roles = roles.iter().map(ToString::to_string).collect();
        let identity = Identity { actor: actor.clone(), person: person.to_string(), roles, barred: None };
        self.0.lock().unwrap().insert(actor.clone(), identity);
    }
}

#[async_trait]
impl Directory for People {
    async fn identify(&self, actor: &Actor) -> Identity {
        self.0.lock().unwrap().get(actor).cloned().unwrap_or_else(|| Identity::unknown(actor))
    }
}

/// Signs with a digest over a secret and the statement.
pub struct Key;

fn mac(text: &str) -> String {
    Digest::of(format!("a secret of the test\n{text}").as_bytes()).to_string()
}

impl Attestor for Key {
    fn sign(&self, statement: &Statement) -> Result<String, AttestError> {
        let text = serde_json::to_string(statement).map_err(|error| AttestError::Sign(error.to_string()))?;
        Ok(format!("{}\n{text}", mac(&text)))
    }

    fn open(&self, envelope: &str) -> Result<Statement, AttestError> {
        let broken = || AttestError::Broken("not ours".to_string());
        let (signature, text) = envelope.split_once('\n').ok_or_else(broken)?;
        if signature != mac(text) {
            return Err(broken());
        }
        serde_json::from_str(text).map_err(|_| broken())
    }
}

/// No pipeline here has a source.
pub struct Nowhere;

#[async_trait]
impl DeliveryFinder for Nowhere {
    async fn newest(&self, source: &Source) -> Result<Delivered, String> {
        Err(format!("nothing at {}", source.path))
    }

    async fn all(&self, _: &Source) -> Result<Vec<Delivered>, String> {
        Ok(Vec::new())
    }

    async fn fetch(&self, path: &str, _: &Path) -> Result<(), String> {
        Err(format!("nothing at {path}"))
    }
}

/// Delivers to channels that start so, and fails as scripted.
pub struct Mailbox {
    pub prefix: &'static str,
    pub delivered: Mutex<Vec<Notice>>,
    pub failures: Mutex<VecDeque<NotifyError>>,
    pub tried: AtomicU64,
}

impl Mailbox {
    pub fn new(prefix: &'static str) -> Arc<Self> {
        Arc::new(Self { prefix, delivered: Mutex::default(), failures: Mutex::default(), tried: AtomicU64::new(0) })
    }

    pub fn fail(&self, retry_after_seconds: u64) {
        let reason = "no answer".to_string();
        self.failures.lock().unwrap().push_back(NotifyError::Later { reason, retry_after_seconds });
    }
}

#[async_trait]
impl Notifier for Mailbox {
    fn serves(&self, channel: &str) -> bool {
        channel.starts_with(self.prefix)
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotifyError> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        self.delivered.lock().unwrap().push(notice.clone());
        Ok(())
    }
}
