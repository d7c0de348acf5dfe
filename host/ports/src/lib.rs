//! The seams between the parts of the host, as traits. Siblings never import one another; they meet here.

pub mod access_store;
pub mod artifact_store;
pub mod attestor;
pub mod clock;
pub mod component_runner;
pub mod delivery_finder;
pub mod desk;
pub mod directory;
pub mod metadata_store;
pub mod notifier;
pub mod post_store;
pub mod query_engine;
pub mod webhook;

pub use access_store::AccessStore;
pub use artifact_store::{ArtifactStore, ArtifactStoreError};
pub use attestor::{AttestError, Attestor};
pub use clock::{Clock, IdSource};
pub use component_runner::{ComponentRunner, RunnerError};
pub use delivery_finder::{Delivered, DeliveryFinder};
pub use desk::{DecideError, DecisionInput, Desk, DeskError};
pub use directory::{Directory, Groups};
pub use metadata_store::{MetadataStore, StoreError};
pub use notifier::{Notifier, NotifyError};
pub use post_store::{Post, PostStore};
pub use query_engine::{QueryEngine, QueryError, QuerySession};
pub use webhook::{Webhook, WebhookAnswer, WebhookRequest};
