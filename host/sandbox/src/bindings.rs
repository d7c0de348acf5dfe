//! Generated from `sdk/wit/component.wit`.

#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "../../sdk/wit",
    world: "component",
    imports: {
        "countersign:component/host": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    with: { "countersign:component/query.batches": crate::query_calls::Batches },
});
