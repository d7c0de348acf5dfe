//! One call into a component: a fresh store on a thread of its own, stopped by its limits or when nobody waits any more.

use crate::answer;
use crate::bindings::countersign::component::types;
use crate::catalogue::{Catalogue, Code};
use crate::failure::{self, Stop};
use crate::log::Log;
use crate::meter::{Meter, OutputMeter};
use crate::query_calls::QueryAccess;
use crate::state::State;
use crate::world::{self, Mounts};
use countersign_model::component::{Capability, Description, Limits};
use countersign_model::execution::StepError;
use countersign_ports::component_runner::{ComponentOutcome, InputMount, Invocation, OutputMount, StepObserver};
use countersign_ports::query_engine::{Dataset, QueryEngine, SessionOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use wasmtime::{Store, UpdateDeadline};

/// The most that a component may move to the host in one call.
const CALL_BYTES: usize = 64 << 20;

/// Runs `describe`: no mounts, virtual clock and randomness, nobody hears what it prints.
pub async fn describe(catalogue: &Catalogue, code: Arc<Code>) -> Result<types::Description, String> {
    let catalogue = catalogue.clone();
    let (_waiting, gone) = oneshot::channel();
    on_own_thread(move || async move {
        let limits = Limits { time_seconds: 30, ..Limits::default() };
        let log = Log::new(None, 0);
        let told = async {
            let wasi = world::wasi(&Mounts::default(), &BTreeSet::new(), 0, &log)?;
            let state = State::new(wasi, Meter::new(limits.clone()), Arc::clone(&log));
            let call = async |store: &mut Store<State>| {
                code.pre.instantiate_async(&mut *store).await?.call_describe(store).await
            };
            drive(&catalogue, state, &limits, gone, call).await.1
        };
        told.await.map_err(|error: wasmtime::Error| failure::stopped(&error, &limits, &log).message)
    })
    .await
    .map_err(|error| error.message)?
}

/// Runs `execute`.
pub async fn execute(
    catalogue: &Catalogue,
    code: Arc<Code>,
    invocation: Invocation,
    description: &Description,
    query: Arc<dyn QueryEngine>,
    observer: Arc<dyn StepObserver>,
) -> Result<ComponentOutcome, StepError> {
    let granted = description.capabilities.intersection(&invocation.grant).copied().collect();
    let catalogue = catalogue.clone();
    // Dropped with this future, which tells the component's thread to stop.
    let (_waiting, gone) = oneshot::channel();
    on_own_thread(move || async move {
        let log = Log::new(Some(Arc::clone(&observer)), kibibytes(invocation.limits.log_kib));
        let answer = run(&catalogue, &code, &invocation, &granted, query, observer, gone, &log).await;
        log.finish();
        answer
    })
    .await?
}

#[allow(clippy::too_many_arguments)] // everything that one call is made of
async fn run(
    catalogue: &Catalogue,
    code: &Code,
    invocation: &Invocation,
    granted: &BTreeSet<Capability>,
    query: Arc<dyn QueryEngine>,
    observer: Arc<dyn StepObserver>,
    gone: oneshot::Receiver<()>,
    log: &Arc<Log>,
) -> Result<ComponentOutcome, StepError> {
    let limits = &invocation.limits;
    let mounts = Mounts { inputs: &invocation.inputs, outputs: &invocation.outputs };
    let wasi = world::wasi(&mounts, granted, invocation.seed, log)?;
    let mut state = State::new(wasi, Meter::new(limits.clone()), Arc::clone(log));
    state.observer = Some(observer);
    state.output = OutputMeter::new(invocation.outputs.iter().map(|o| o.path.clone()).collect(), limits.output_mib);
    if granted.contains(&Capability::Query) {
        state.query = Some(QueryAccess::new(query, session(invocation)));
    }
    let task = task(invocation);
    let call = async |store: &mut Store<State>| {
        code.pre.instantiate_async(&mut *store).await?.call_execute(store, &task).await
    };
    let (store, answer) = drive(catalogue, state, limits, gone, call).await;
    let outcome = answer.map_err(|error| failure::stopped(&error, limits, log))?;
    // What it wrote since the last tick.
    store.data().output.measure()?;
    let outcome = outcome.map_err(|error| failure::told(error, log))?;
    Ok(answer::checked(outcome)?)
}

/// Calls into a fresh store until the answer, the end of time, or nobody waits.
async fn drive<R>(
    catalogue: &Catalogue,
    state: State,
    limits: &Limits,
    gone: oneshot::Receiver<()>,
    call: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<R>,
) -> (Store<State>, wasmtime::Result<R>) {
    let mut store = Store::new(catalogue.engine(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(CALL_BYTES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().output.tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
    let _ticking = catalogue.ticker().tick();
    // Whatever wins, the others are dropped: a component that waits in a host call is stopped there.
    let answer = tokio::select! {
        biased;
        _ = gone => Err(Stop::cancelled().into()),
        () = tokio::time::sleep(Duration::from_secs(limits.time_seconds)) => Err(Stop::time(limits).into()),
        answer = call(&mut store) => answer,
    };
    (store, answer)
}

/// Components compute without pause: not on the runtime's workers.
async fn on_own_thread<R, F>(call: impl FnOnce() -> F + Send + 'static) -> Result<R, StepError>
where
    R: Send + 'static,
    F: Future<Output = R>,
{
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(call())).await.map_err(|error| {
        failure::step_error("sandbox", format!("run component: the host's own thread failed: {error}"))
    })
}

fn task(invocation: &Invocation) -> types::Task {
    let input = |input: &InputMount| types::Input {
        name: input.name.clone(),
        kind: input.kind.clone(),
        paths: world::seen_paths(input),
    };
    let output = |output: &OutputMount| types::Output {
        name: output.name.clone(),
        kind: output.kind.clone(),
        path: world::seen_output(output),
    };
    types::Task {
        parameters: invocation.parameters.to_string(),
        inputs: invocation.inputs.iter().map(input).collect(),
        outputs: invocation.outputs.iter().map(output).collect(),
        seed: invocation.seed,
    }
}

fn session(invocation: &Invocation) -> SessionOptions {
    let dataset = |input: &InputMount| Dataset {
        input: input.name.clone(),
        kind: input.kind.clone(),
        paths: input.paths.clone(),
    };
    SessionOptions {
        datasets: invocation.inputs.iter().map(dataset).collect(),
        outputs: invocation.outputs.iter().map(|output| (output.name.clone(), output.path.clone())).collect(),
        scratch: invocation.scratch.clone(),
        memory_bytes: invocation.limits.memory_mib << 20,
        output_bytes: invocation.limits.output_mib << 20,
    }
}

fn kibibytes(kib: u64) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX >> 10).saturating_mul(1 << 10)
}
