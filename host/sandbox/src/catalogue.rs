//! The components that were loaded: each compiled once, described once, however many ask at the same time.

use crate::bindings::ComponentPre;
use crate::cache::Cache;
use crate::interface::{self, Wanted};
use crate::state::State;
use crate::ticker::Ticker;
use crate::{bindings, call, description, engine};
use countersign_model::component::Description;
use countersign_model::digest::Digest;
use countersign_ports::component_runner::{Component, RunnerError};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

/// Larger than the largest honest one seen (a Python component has 18 MB), small enough to compile.
const LARGEST: usize = 100 << 20;

/// Everything that executions share.
#[derive(Clone)]
pub struct Catalogue {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    linker: Linker<State>,
    ticker: Arc<Ticker>,
    cache: Option<Cache>,
    entries: Mutex<HashMap<Digest, Arc<Entry>>>,
    compilations: AtomicU64,
}

#[derive(Default)]
struct Entry {
    code: OnceCell<Arc<Code>>,
    description: OnceCell<Description>,
}

/// A component that passed the load check.
pub struct Code {
    /// Ready to be instantiated.
    pub pre: ComponentPre<State>,
    wanted: Wanted,
}

impl Catalogue {
    /// An empty catalogue.
    pub fn new(cache_dir: &Path) -> wasmtime::Result<Self> {
        let engine = engine::engine()?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        bindings::Component::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Cache::new(cache_dir, hasher.finish())
            .inspect_err(|error| {
                tracing::warn!(
                    directory = %cache_dir.display(),
                    %error,
                    "precompiled components are not kept: the cache directory can not be trusted"
                );
            })
            .ok();
        let ticker = Ticker::new(&engine);
        let (entries, compilations) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { shared: Arc::new(Shared { engine, linker, ticker, cache, entries, compilations }) })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Ticks for everything that runs.
    pub fn ticker(&self) -> &Arc<Ticker> {
        &self.shared.ticker
    }

    /// How many components were compiled.
    pub fn compilations(&self) -> u64 {
        self.shared.compilations.load(Ordering::Relaxed)
    }

    /// The component's code, loaded or compiled at the first call.
    pub async fn code(&self, component: &Component) -> Result<Arc<Code>, RunnerError> {
        let entry = self.entry(component);
        let load = || async {
            let (shared, component) = (Arc::clone(&self.shared), component.clone());
            let loaded = tokio::task::spawn_blocking(move || shared.load(&component)).await;
            loaded.map_err(|error| sandbox("load component", error))?.map(Arc::new)
        };
        entry.code.get_or_try_init(load).await.map(Arc::clone)
    }

    /// The component's description, from the cache or the component itself at the first call.
    pub async fn description(&self, component: &Component) -> Result<Description, RunnerError> {
        let entry = self.entry(component);
        let cache = self.shared.cache.as_ref();
        let describe = || async {
            let kept = cache.and_then(|cache| cache.record(&component.digest)?.description);
            if let Some(description) = kept {
                return Ok(description);
            }
            let code = self.code(component).await?;
            let unfit = |problem: String| RunnerError::Describe { origin: component.origin.clone(), problem };
            let told = call::describe(self, Arc::clone(&code)).await.map_err(unfit)?;
            let description = description::checked(told, &code.wanted).map_err(unfit)?;
            if let Some(cache) = cache {
                warn_unkept(cache.keep_description(&component.digest, &description));
            }
            Ok(description)
        };
        entry.description.get_or_try_init(describe).await.cloned()
    }

    fn entry(&self, component: &Component) -> Arc<Entry> {
        let mut entries = self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(component.digest).or_default())
    }
}

impl Shared {
    fn load(&self, component: &Component) -> Result<Code, RunnerError> {
        let unfit = |problem: String| RunnerError::Unfit { origin: component.origin.clone(), problem };
        let compiled = match self.precompiled(&component.digest) {
            Some(compiled) => compiled,
            None => self.compile(component).map_err(unfit)?,
        };
        let wanted = interface::check(&self.engine, &compiled).map_err(unfit)?;
        let pre = self.linker.instantiate_pre(&compiled).and_then(ComponentPre::new).map_err(|error| {
            unfit(format!(
                "it does not fit countersign:component@{}: {error:#}; build it again with an SDK of that version",
                interface::INTERFACE
            ))
        })?;
        Ok(Code { pre, wanted })
    }

    fn precompiled(&self, wasm: &Digest) -> Option<wasmtime::component::Component> {
        let code = self.cache.as_ref()?.code(wasm)?;
        // SAFETY: these very bytes were written by us after compiling (their digest was just compared with the record's), in a
        // directory that no other user can write to (checked by the cache before it read them).
        unsafe { wasmtime::component::Component::deserialize(&self.engine, code) }.ok()
    }

    fn compile(&self, component: &Component) -> Result<wasmtime::component::Component, String> {
        check_form(&component.wasm)?;
        // The code is kept under this digest.
        if Digest::of(&component.wasm) != component.digest {
            return Err(format!("its bytes are not those of digest {}", component.digest));
        }
        let compiled = wasmtime::component::Component::from_binary(&self.engine, &component.wasm)
            .map_err(|error| format!("it is no valid WebAssembly component: {error:#}"))?;
        self.compilations.fetch_add(1, Ordering::Relaxed);
        if let Some(cache) = &self.cache
            && interface::check(&self.engine, &compiled).is_ok()
        {
            match compiled.serialize() {
                Ok(code) => warn_unkept(cache.keep(&component.digest, &code)),
                Err(error) => tracing::warn!(%error, "precompiled component is not kept"),
            }
        }
        Ok(compiled)
    }
}

/// What the preamble tells, in words that say what to do.
fn check_form(wasm: &[u8]) -> Result<(), String> {
    const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
    if wasm.len() > LARGEST {
        return Err(format!("it has {} MiB; {} MiB are allowed", wasm.len() >> 20, LARGEST >> 20));
    }
    if wasm.starts_with(CORE_MODULE) {
        return Err("it is a core module, not a component: build it for wasm32-wasip2".to_string());
    }
    if !wasm.starts_with(b"\0asm") {
        return Err("it is no WebAssembly file: build a component for wasm32-wasip2".to_string());
    }
    Ok(())
}

fn warn_unkept(kept: std::io::Result<()>) {
    if let Err(error) = kept {
        tracing::warn!(%error, "precompiled component is not kept");
    }
}

fn sandbox(operation: &'static str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RunnerError {
    RunnerError::Sandbox { operation, source: error.into() }
}
