//! Pokes: runs the component `predict` in the sandbox on an example that a reviewer typed, for the candidate and for the live model,
//! and logs what came out. A poke changes nothing but the log.

use crate::attestation::evidence_of;
use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::workplace::Scratch;
use countersign_formats::prediction::{ANSWER, EXAMPLE, Prediction};
use countersign_model::actor::Actor;
use countersign_model::component::Limits;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::execution::LogLine;
use countersign_model::id::{PokeId, RequestId};
use countersign_model::poke::{Answer, Poke};
use countersign_ports::component_runner::{Component, InputMount, Invocation, OutputMount, Progress, StepObserver};
use countersign_ports::{DeskError, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long another one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names and texts of an example together, bytes.
const EXAMPLE_BYTES: usize = 256 * 1024;
/// The largest answer that is read, bytes.
const ANSWER_BYTES: u64 = 1024 * 1024;

impl Engine {
    pub(crate) async fn try_example(
        &self,
        request: &RequestId,
        actor: &Actor,
        example: BTreeMap<String, String>,
    ) -> Result<Poke, DeskError> {
        let store = &self.parts.store;
        let request = store
            .request(request)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "sign-off request", id: request.to_string() })?;
        let predictor = self.askable(&request, actor, &example).await.map_err(DeskError::Impossible)?;
        let turn = tokio::time::timeout(PATIENCE, self.pokes.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(DeskError::Impossible(
                "others are trying the model right now: try again in a moment".to_string(),
            ));
        };
        let id = PokeId::from_ulid(self.parts.ids.ulid());
        let scratch = Arc::new(Scratch::new(self.options.scratch.join(id.to_string()))?);
        let shown = scratch.0.join("example");
        write_example(&shown, &example)?;
        let live = evidence_of(&request)?.baseline;
        let candidate = self.ask(&predictor, &request.model_digest, &shown, &scratch, "candidate");
        let live = async {
            match live {
                Some(live) => self.ask(&predictor, &live, &shown, &scratch, "live").await.map(Some),
                None => Ok(None),
            }
        };
        let (candidate, live) = tokio::try_join!(candidate, live)?;
        let at = self.parts.clock.now();
        let poke = Poke { id, request: request.id, actor: actor.clone(), at, example, candidate, live };
        store.record_poke(&poke).await?;
        Ok(poke)
    }

    /// The component to ask with, or why there is nothing to ask.
    async fn askable(
        &self,
        request: &SignoffRequest,
        actor: &Actor,
        example: &BTreeMap<String, String>,
    ) -> Result<Component, String> {
        self.may_act(actor).await?;
        if request.state != RequestState::Open {
            return Err(format!("the request is {}: only a candidate under review is tried", request.state.status()));
        }
        let bytes: usize = example.iter().map(|(name, text)| name.len() + text.len()).sum();
        if bytes > EXAMPLE_BYTES {
            return Err(format!("the example has {bytes} bytes; at most {EXAMPLE_BYTES} are taken"));
        }
        self.parts.predictor.clone().ok_or_else(|| "this installation has no component `predict`".to_string())
    }

    /// What one model answers. A model that can not be asked is an answer too: the other one's is still worth seeing.
    async fn ask(
        &self,
        predictor: &Component,
        model: &Digest,
        example: &Path,
        scratch: &Arc<Scratch>,
        name: &str,
    ) -> Result<Answer, OrchestratorError> {
        let place = scratch.0.join(name);
        let (answer, work) = (place.join("answer"), place.join("work"));
        for directory in [&answer, &work] {
            std::fs::create_dir_all(directory).map_err(|error| io("create directory", directory, error))?;
        }
        let model = self.parts.artifacts.open(model).await?;
        let input = |name: &str, kind: &str, path: &Path| InputMount {
            name: name.to_string(),
            kind: kind.to_string(),
            many: false,
            paths: vec![path.to_path_buf()],
        };
        let invocation = Invocation {
            component: predictor.clone(),
            parameters: serde_json::json!({}),
            inputs: vec![input("model", "Model", &model), input("example", "Example", example)],
            outputs: vec![OutputMount { name: "answer".to_string(), kind: "Answer".to_string(), path: answer.clone() }],
            grant: BTreeSet::new(),
            limits: Limits { memory_mib: 512, time_seconds: 30, output_mib: 1, log_kib: 16, ..Limits::default() },
            seed: 0,
            scratch: work,
        };
        Ok(match self.parts.runner.execute(invocation, Arc::new(Deaf { _scratch: Arc::clone(scratch) })).await {
            Ok(_) => read_answer(&answer).unwrap_or_else(|why| Answer::Refused { why }),
            Err(error) => Answer::Refused { why: error.message },
        })
    }
}

fn write_example(folder: &Path, example: &BTreeMap<String, String>) -> Result<(), OrchestratorError> {
    let text = serde_json::to_vec(example)
        .map_err(|source| OrchestratorError::Document { document: "write example", source })?;
    std::fs::create_dir_all(folder).map_err(|error| io("create directory", folder, error))?;
    std::fs::write(folder.join(EXAMPLE), text).map_err(|error| io("write example", folder, error))
}

fn io(operation: &'static str, path: &Path, source: std::io::Error) -> OrchestratorError {
    OrchestratorError::Io { operation, path: path.display().to_string(), source }
}

/// Reads what the component left. It may lie: what is no answer is said to be none.
fn read_answer(folder: &Path) -> Result<Answer, String> {
    let file = folder.join(ANSWER);
    let wrong = |what: String| format!("the model's answer can not be used: {what}");
    let found = std::fs::symlink_metadata(&file).map_err(|_| wrong(format!("there is no {ANSWER}")))?;
    if !found.is_file() || found.len() > ANSWER_BYTES {
        return Err(wrong(format!("{ANSWER} is no file of at most {ANSWER_BYTES} bytes")));
    }
    let bytes = std::fs::read(&file).map_err(|error| wrong(error.to_string()))?;
    match serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))? {
        Prediction::Refused { refused } => Ok(Answer::Refused { why: refused.chars().take(500).collect() }),
        Prediction::Predicted { label, probabilities } => {
            let shares = probabilities.iter().all(|(_, share)| (0.0..=1.0).contains(share));
            if !shares || !probabilities.iter().any(|(known, _)| *known == label) {
                return Err(wrong("it is no probability for each label".to_string()));
            }
            Ok(Answer::Predicted { label, probabilities })
        }
    }
}

/// Nobody follows a poke: its answer is what counts.
struct Deaf {
    /// Goes when the component's thread lets go of this.
    _scratch: Arc<Scratch>,
}

impl StepObserver for Deaf {
    fn log(&self, _line: LogLine) {}
    fn progress(&self, _progress: Progress) {}
    fn metric(&self, _name: String, _value: f64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Answer, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(ANSWER), text).unwrap();
        read_answer(folder.path())
    }

    #[test]
    fn an_answer_that_lies_is_no_answer() {
        assert!(matches!(read(r#"{"label":"1","probabilities":[["0",0.2],["1",0.8]]}"#), Ok(Answer::Predicted { .. })));
        assert_eq!(read(r#"{"refused":"no"}"#), Ok(Answer::Refused { why: "no".to_string() }));
        for lie in [
            "",
            "{}",
            r#"{"label":"2","probabilities":[["0",0.2],["1",0.8]]}"#,
            r#"{"label":"1","probabilities":[["1",1.2]]}"#,
            r#"{"label":"1","probabilities":[["1",-0.2]]}"#,
            r#"{"label":"1","probabilities":[["1",null]]}"#,
            r#"{"label":"1","probabilities":[]}"#,
        ] {
            assert!(read(lie).unwrap_err().contains("can not be used"), "{lie}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(read_answer(folder.path()).is_err());
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join(ANSWER)).unwrap();
        assert!(read_answer(folder.path()).is_err(), "a link is no answer");
    }
}
