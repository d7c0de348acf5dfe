//! The one engine configuration; precompiled code is bound to it.

use wasmtime::{Config, Engine};

/// Makes the engine.
pub fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(1 << 20)
        .async_stack_size(2 << 20)
        // The same inputs give the same bytes on every machine. NaN bits are left as the processor makes them: making them
        // canonical costs every float operation, and no format of ours stores them.
        .relaxed_simd_deterministic(true);
    Engine::new(&config)
}
