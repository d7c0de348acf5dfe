//! What every test needs: a sandbox, mounts, and somebody who listens.

use crate::query_double::QueryDouble;
use countersign_model::component::{Capability, Limits};
use countersign_model::digest::Digest;
use countersign_model::execution::{LogLine, StepError};
use countersign_ports::component_runner::{
    Component, ComponentOutcome, ComponentRunner, InputMount, Invocation, OutputMount, Progress, StepObserver,
};
use countersign_sandbox::{Sandbox, SandboxOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use tempfile::TempDir;

/// One sandbox for all tests: what a guest breaks for others would show.
pub fn shared() -> &'static Sandbox {
    static SHARED: LazyLock<(TempDir, Sandbox)> = LazyLock::new(|| {
        let home = tempfile::tempdir().unwrap();
        let sandbox = fresh(&home.path().join("code"));
        (home, sandbox)
    });
    &SHARED.1
}

pub fn fresh(cache_dir: &Path) -> Sandbox {
    Sandbox::new(SandboxOptions { cache_dir: cache_dir.to_path_buf(), query: Arc::new(QueryDouble) }).unwrap()
}

pub fn component(wasm: &[u8]) -> Component {
    Component { digest: Digest::of(wasm), wasm: wasm.to_vec().into(), origin: "test".to_string() }
}

pub fn misbehave() -> Component {
    component(countersign_guests::MISBEHAVE)
}

#[derive(Default)]
pub struct Listener {
    pub lines: Mutex<Vec<LogLine>>,
    pub progress: Mutex<Vec<Progress>>,
    pub metrics: Mutex<Vec<(String, f64)>>,
}

impl Listener {
    pub fn bytes(&self) -> usize {
        self.lines.lock().unwrap().iter().map(|line| line.message.len()).sum()
    }

    pub fn last_line(&self) -> LogLine {
        self.lines.lock().unwrap().last().cloned().expect("a line")
    }
}

impl StepObserver for Listener {
    fn log(&self, line: LogLine) {
        self.lines.lock().unwrap().push(line);
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn metric(&self, name: String, value: f64) {
        self.metrics.lock().unwrap().push((name, value));
    }
}

/// One call of the misbehaving guest, to be adjusted and run.
pub struct Stage {
    pub home: TempDir,
    pub invocation: Invocation,
    pub listener: Arc<Listener>,
}

impl Stage {
    pub fn new(how: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (directory, note) in [("input", "one"), ("several/0", "two"), ("several/1", "three"), ("other", "secret")] {
            std::fs::create_dir_all(home.path().join(directory)).unwrap();
            std::fs::write(home.path().join(directory).join("note.txt"), note).unwrap();
        }
        for directory in ["output", "scratch"] {
            std::fs::create_dir_all(home.path().join(directory)).unwrap();
        }
        let at = |path: &str| home.path().join(path);
        let mount =
            |name: &str, many, paths| InputMount { name: name.to_string(), kind: "Note".to_string(), many, paths };
        let invocation = Invocation {
            component: misbehave(),
            parameters: serde_json::json!({ "how": how }),
            inputs: vec![
                mount("input", false, vec![at("input")]),
                mount("several", true, vec![at("several/0"), at("several/1")]),
            ],
            outputs: vec![OutputMount { name: "output".to_string(), kind: "Note".to_string(), path: at("output") }],
            grant: [Capability::Query].into(),
            limits: Limits { memory_mib: 64, time_seconds: 60, output_mib: 16, log_kib: 16, ..Limits::default() },
            seed: 7,
            scratch: at("scratch"),
        };
        Self { home, invocation, listener: Arc::default() }
    }

    pub fn output(&self) -> PathBuf {
        self.home.path().join("output")
    }

    pub async fn run(&self) -> Result<ComponentOutcome, StepError> {
        self.run_in(shared()).await
    }

    pub async fn run_in(&self, sandbox: &Sandbox) -> Result<ComponentOutcome, StepError> {
        let listener: Arc<dyn StepObserver> = self.listener.clone();
        sandbox.execute(self.invocation.clone(), listener).await
    }
}

/// Runs `how` and wants it to fail so; then a good call has to work.
pub async fn fails(how: &str, code: &str, says: &[&str]) -> (Stage, StepError) {
    let stage = Stage::new(how);
    let error = stage.run().await.expect_err(how);
    assert_eq!(error.code, code, "{how}: {error:?}");
    for words in says {
        assert!(error.message.contains(words), "{how}: {words}: {error:?}");
    }
    works().await;
    (stage, error)
}

pub async fn works() {
    let stage = Stage::new("behave");
    assert_eq!(stage.run().await.expect("a good call").summary, "read 3 notes");
}
