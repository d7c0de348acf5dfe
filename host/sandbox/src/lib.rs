//! Runs components in WebAssembly: loads, checks, grants, limits, calls.
//!
//! A component can touch its mounts, the `host` interface and what was granted, and nothing else; whatever it does ends in a
//! [`StepError`] and never harms the process. It knows components, and nothing of pipelines, runs or stores.
//!
//! **Threads.** A component computes for minutes, so it never runs on the runtime's workers: each call has a blocking thread, on
//! which the async call is driven. A ticker raises the engine's epoch every few milliseconds while anything runs; the component
//! yields at each tick, and there its time is checked, its output measured, and a dropped future noticed.

mod answer;
mod bindings;
mod cache;
mod call;
mod catalogue;
mod description;
mod engine;
mod failure;
mod host_calls;
mod interface;
mod log;
mod meter;
mod query_calls;
mod state;
mod text;
mod ticker;
mod world;

use async_trait::async_trait;
use catalogue::Catalogue;
use countersign_model::component::{Capability, Description};
use countersign_model::execution::StepError;
use countersign_ports::component_runner::{
    Component, ComponentOutcome, ComponentRunner, Invocation, RunnerError, StepObserver,
};
use countersign_ports::query_engine::QueryEngine;
use std::path::PathBuf;
use std::sync::Arc;

pub use interface::INTERFACE;

/// What a sandbox needs.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Where precompiled code is kept; made, with mode 0700, when it is not there.
    pub cache_dir: PathBuf,
    /// Serves the `query` capability.
    pub query: Arc<dyn QueryEngine>,
}

/// The component runner.
pub struct Sandbox {
    catalogue: Catalogue,
    query: Arc<dyn QueryEngine>,
}

impl Sandbox {
    /// A sandbox. When the cache directory can not be trusted it works without one, and says so in the log.
    ///
    /// # Errors
    /// When the engine can not be set up on this machine.
    pub fn new(options: SandboxOptions) -> Result<Self, RunnerError> {
        let catalogue = Catalogue::new(&options.cache_dir).map_err(|error| RunnerError::Sandbox {
            operation: "set up the WebAssembly engine",
            source: error.into(),
        })?;
        Ok(Self { catalogue, query: options.query })
    }

    /// How many components were compiled since the start: a warm start compiles none.
    pub fn compilations(&self) -> u64 {
        self.catalogue.compilations()
    }
}

#[async_trait]
impl ComponentRunner for Sandbox {
    async fn describe(&self, component: &Component) -> Result<Description, RunnerError> {
        self.catalogue.description(component).await
    }

    async fn execute(
        &self,
        invocation: Invocation,
        observer: Arc<dyn StepObserver>,
    ) -> Result<ComponentOutcome, StepError> {
        let description = self.catalogue.description(&invocation.component).await.map_err(|e| failure::unfit(&e))?;
        grant(&description, &invocation)?;
        let code = self.catalogue.code(&invocation.component).await.map_err(|e| failure::unfit(&e))?;
        call::execute(&self.catalogue, code, invocation, &description, Arc::clone(&self.query), observer).await
    }
}

/// Both keys must turn: what a component asks for and can not work without has to be granted before it starts. Without `clock`
/// and `random` a component still works, on the virtual ones.
fn grant(description: &Description, invocation: &Invocation) -> Result<(), StepError> {
    for capability in &description.capabilities {
        let message = match capability {
            Capability::Clock | Capability::Random => continue,
            Capability::Tensor | Capability::Http => format!(
                "component `{}` asks for the capability `{capability}`, which this version of Countersign does not offer",
                description.name
            ),
            Capability::Query if invocation.grant.contains(capability) => continue,
            Capability::Query => format!(
                "component `{}` asks for the capability `{capability}`, which this step does not grant: add `grant = [\"{capability}\"]` \
                 to the step",
                description.name
            ),
        };
        return Err(failure::step_error("capability", message));
    }
    Ok(())
}
