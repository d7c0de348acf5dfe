//! What the author of a Countersign component depends on.
//!
//! A component is one Rust type that says what it reads, makes and asks for, and then does it:
//!
//! ```
//! use countersign_sdk::{Component, Description, Error, Outcome, Port, Task};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema, Default)]
//! #[serde(default, deny_unknown_fields)]
//! struct Parameters { greeting: String }
//! struct Greet;
//! impl Component for Greet {
//!     type Parameters = Parameters;
//!     fn describe() -> Description {
//!         Description::new("greet", "0.1.0", "Writes a greeting.").output(Port::output("text", "Text"))
//!     }
//!     fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
//!         std::fs::write(task.output("text")?.join("greeting.txt"), &parameters.greeting)?;
//!         Ok(Outcome::new("greeted"))
//!     }
//! }
//! countersign_sdk::export!(Greet);
//! # fn main() {}
//! ```
//!
//! With `crate-type = ["cdylib", "rlib"]`, `cargo build --release --target wasm32-wasip2` makes the `.wasm` file. Inputs and outputs are
//! ordinary directories: use `std::fs`. The same crate compiles natively, so its logic can be tested without a sandbox.
//!
//! This crate knows the interface in `sdk/wit` and nothing of the host that serves it.

mod description;
mod error;
pub mod figures;
pub mod files;
pub mod host;
mod ipc;
mod outcome;
pub mod query;
pub mod rows;
pub mod sql;
mod task;
#[doc(hidden)]
pub mod wall;

pub use description::{Capability, Description, Port};
pub use error::Error;
pub use outcome::{Finding, Outcome, Severity};
pub use task::Task;

/// Generated from `sdk/wit/component.wit`; [`export!`](crate::export) needs it public.
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "component",
        export_macro_name: "export_to_host",
        pub_export_macro: true,
        default_bindings_module: "countersign_sdk::bindings",
    });
}

/// A step of a pipeline.
pub trait Component {
    /// What a pipeline can set. Give it `#[serde(default, deny_unknown_fields)]` and doc comments: they become the schema that the
    /// pipeline is checked against.
    type Parameters: serde::de::DeserializeOwned + schemars::JsonSchema;

    /// What it is, reads, makes and asks for. Runs with no capability: no files, no host functions.
    fn describe() -> Description;

    /// Reads the inputs and fills the outputs. A panic fails the step; the person who reads the run sees its text and line.
    ///
    /// # Errors
    /// Whatever the component can not do; the variant says who can mend it.
    fn execute(task: &Task, parameters: Self::Parameters) -> Result<Outcome, Error>;
}

/// Makes a [`Component`] the one that this crate's `.wasm` file holds.
#[macro_export]
macro_rules! export {
    ($component:ty) => {
        const _: () = {
            // Outside a component there is no host to export to; only the type is checked.
            #[cfg(not(target_family = "wasm"))]
            const _: fn() -> $crate::Description = <$component as $crate::Component>::describe;

            #[cfg(target_family = "wasm")]
            struct Exported;

            #[cfg(target_family = "wasm")]
            impl $crate::bindings::Guest for Exported {
                fn describe() -> $crate::bindings::Description {
                    $crate::wall::describe::<$component>()
                }

                fn execute(task: $crate::bindings::Task) -> Result<$crate::bindings::Outcome, $crate::bindings::Error> {
                    $crate::wall::execute::<$component>(task)
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::export_to_host!(Exported with_types_in $crate::bindings);
        };
    };
}
