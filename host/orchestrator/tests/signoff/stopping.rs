//! Workers that are told to stop, that lose their run, or that slept while others went on.

use crate::world::{World, policy};
use countersign_model::actor::Actor;
use countersign_model::decision::DecisionKind;
use countersign_model::execution::{ExecutionState, StepError};
use countersign_model::id::RunId;
use countersign_model::pipeline::{Retry, Work};
use countersign_model::run::{RunEnd, RunState};
use countersign_orchestrator::{Engine, OrchestratorError, WorkEnd};
use countersign_ports::Desk;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

type Working = JoinHandle<Result<WorkEnd, OrchestratorError>>;

impl World {
    /// Works on a run until its step `train` computes.
    async fn training(&self, stopping: watch::Receiver<bool>) -> (RunId, Arc<Notify>, Working) {
        let go_on = Arc::new(Notify::new());
        *self.runner.hold.lock().unwrap() = Some(("train", Arc::clone(&go_on)));
        let run = self.engine.start(&self.version(1, policy()), &Actor::local("carl")).await.unwrap();
        let claim = self.engine.claim(Some(&run)).await.unwrap().unwrap();
        let engine = self.engine.clone();
        let working = tokio::spawn(async move { engine.work_until(&claim, stopping).await });
        while !self.ran("train") {
            tokio::task::yield_now().await;
        }
        (run, go_on, working)
    }

    fn ran(&self, name: &str) -> bool {
        self.runner.ran.lock().unwrap().iter().any(|ran| ran == name)
    }

    /// Waits until no component and no publication has a directory of its own any more.
    async fn tidy(&self) {
        let empty = |path: &Path| std::fs::read_dir(path).is_ok_and(|listed| listed.count() == 0);
        let (staging, scratch) = (self.folder.path().join("artifacts/staging"), self.folder.path().join("scratch"));
        while !empty(&staging) || !empty(&scratch) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn carry_with(&self, engine: &Engine, run: &RunId) -> RunState {
        let claim = engine.claim(Some(run)).await.unwrap().expect("the run wants work");
        match engine.work(&claim).await.unwrap() {
            WorkEnd::Settled(state) => state,
            other => panic!("{other:?}"),
        }
    }
}

fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

#[tokio::test]
async fn cancelling_stops_the_component_and_leaves_nothing_behind() {
    let world = World::new();
    let (run, _go_on, working) = world.training(never()).await;
    let by = Actor::local("ada");
    world.engine.cancel(&run, &by).await.unwrap();
    assert_eq!(working.await.unwrap().unwrap(), WorkEnd::Lost);
    world.tidy().await;
    assert_eq!(world.state(&run).await, RunState::Ended { end: RunEnd::Cancelled { by } });
    assert_eq!(world.runner.went_on.load(Ordering::SeqCst), 0);
    assert!(!world.ran("evaluate"));
}

#[tokio::test]
async fn a_process_that_stops_ends_its_step_and_hands_the_run_over() {
    let world = World::new();
    let (stop, stopping) = watch::channel(false);
    let (run, go_on, working) = world.training(stopping).await;
    stop.send(true).unwrap();
    assert!(!working.is_finished());
    go_on.notify_one();
    assert_eq!(working.await.unwrap().unwrap(), WorkEnd::HandedOver);
    assert_eq!(world.state(&run).await, RunState::Queued, "at once, without waiting for the lease");
    let state = world.carry_with(&world.second_engine(), &run).await;
    assert!(matches!(state, RunState::Waiting { .. }), "{state:?}");
    assert_eq!(*world.runner.ran.lock().unwrap(), ["ingest", "train", "evaluate"], "nothing is done twice");
    // Told so before it begins, a worker begins nothing.
    let other = world.engine.start(&world.version(2, policy()), &Actor::local("carl")).await.unwrap();
    let claim = world.engine.claim(Some(&other)).await.unwrap().unwrap();
    let worked = world.engine.work_until(&claim, stop.subscribe()).await.unwrap();
    assert_eq!((worked, world.state(&other).await), (WorkEnd::HandedOver, RunState::Queued));
}

#[tokio::test]
async fn a_pause_between_two_attempts_ends_when_the_process_stops() {
    let world = World::new();
    let mut version = world.version(1, policy());
    let Work::Component(train) = &mut version.pipeline.steps[1].work else { panic!("train") };
    train.retry = Retry { attempts: 3, pause_seconds: 3600, longest_pause_seconds: 3600 };
    let transient = |code: &str| StepError {
        code: code.to_string(),
        message: "try again".to_string(),
        detail: String::new(),
        transient: true,
    };
    world.runner.failures.lock().unwrap().push_back(transient("transient"));
    let (stop, stopping) = watch::channel(false);
    let run = world.engine.start(&version, &Actor::local("carl")).await.unwrap();
    let claim = world.engine.claim(Some(&run)).await.unwrap().unwrap();
    let engine = world.engine.clone();
    let working = tokio::spawn(async move { engine.work_until(&claim, stopping).await });
    let failed = async || {
        let executions = world.store.executions(&run).await.unwrap();
        executions.iter().any(|execution| matches!(execution.state, ExecutionState::Failed { .. }))
    };
    while !failed().await {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    assert_eq!(working.await.unwrap().unwrap(), WorkEnd::HandedOver);
    assert!(matches!(world.carry_with(&world.second_engine(), &run).await, RunState::Waiting { .. }));
}

#[tokio::test]
async fn a_step_is_tried_as_often_as_it_says() {
    for (attempts, ends_well) in [(2, false), (3, true)] {
        let world = World::new();
        let mut version = world.version(1, policy());
        let Work::Component(train) = &mut version.pipeline.steps[1].work else { panic!("train") };
        train.retry = Retry { attempts, pause_seconds: 0, longest_pause_seconds: 0 };
        for code in ["first", "second"] {
            let (code, message, detail) = (code.to_string(), "try again".to_string(), String::new());
            world.runner.failures.lock().unwrap().push_back(StepError { code, message, detail, transient: true });
        }
        let run = world.run(&version).await;
        let state = world.state(&run).await;
        assert_eq!(matches!(state, RunState::Waiting { .. }), ends_well, "{attempts}: {state:?}");
        let executions = world.store.executions(&run).await.unwrap();
        let numbers = executions.iter().filter(|one| one.step == "train").map(|one| one.attempt);
        assert!(numbers.eq(1..=attempts), "{attempts}");
    }
}

/// A process that slept for longer than its lease, while another one carried the run to the end.
#[tokio::test]
async fn who_wakes_after_the_lease_asks_first_and_commits_nothing() {
    let world = World::new();
    let (run, go_on, working) = world.training(never()).await;
    world.clock.advance(Duration::from_secs(601));
    let successor = world.second_engine();
    assert!(matches!(world.carry_with(&successor, &run).await, RunState::Waiting { .. }));
    let request = world.waiting(&run).await;
    world.decide(&request, "ada", DecisionKind::Approve).await.unwrap();
    let RunState::Ended { end: RunEnd::Succeeded } = world.carry_with(&successor, &run).await else { panic!("pushed") };
    let recorded = (world.store.executions(&run).await.unwrap(), world.store.audit_head().await.unwrap());
    let shown = std::fs::read_link(world.target().join("current")).unwrap();

    go_on.notify_one();
    assert_eq!(working.await.unwrap().unwrap(), WorkEnd::Lost);
    assert_eq!(world.runner.went_on.load(Ordering::SeqCst), 0, "the store is asked before anything goes on");
    world.tidy().await;
    assert_eq!((world.store.executions(&run).await.unwrap(), world.store.audit_head().await.unwrap()), recorded);
    assert_eq!(std::fs::read_link(world.target().join("current")).unwrap(), shown);
    let trained = recorded.0.iter().filter(|one| one.step == "train" && one.state.result().is_some());
    assert_eq!(trained.count(), 1);
}

/// The twin: it slept as long, but nobody took the run.
#[tokio::test]
async fn who_wakes_after_the_lease_and_still_has_the_run_goes_on() {
    let world = World::new();
    let (run, go_on, working) = world.training(never()).await;
    world.clock.advance(Duration::from_secs(601));
    go_on.notify_one();
    assert!(matches!(working.await.unwrap().unwrap(), WorkEnd::Settled(RunState::Waiting { .. })));
    assert_eq!(world.second_engine().claim(Some(&run)).await.unwrap(), None);
}
