//! The seams between the parts of the host, as traits. Siblings never import one another; they meet here.

pub mod artifact_store;
pub mod clock;
pub mod component_runner;
pub mod delivery_finder;
pub mod metadata_store;
pub mod notifier;
pub mod query_engine;

pub use artifact_store::{ArtifactStore, ArtifactStoreError};
pub use clock::{Clock, IdSource};
pub use component_runner::{ComponentRunner, RunnerError};
pub use delivery_finder::{Delivered, DeliveryFinder};
pub use metadata_store::{MetadataStore, StoreError};
pub use notifier::{Notifier, NotifyError};
pub use query_engine::{QueryEngine, QueryError, QuerySession};
