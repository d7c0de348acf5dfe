//! What a person who decides has to see, as view models: loaded from the record and the artifacts, plain texts and numbers, so that the
//! pages and the JSON API show exactly the same. Knows nothing of HTTP or HTML.

mod agreement;
mod artifacts;
mod bins;
mod checks;
mod compare;
mod data;
mod difficulty;
mod documents;
mod history;
mod inbox;
mod lineage;
mod metrics;
mod paging;
mod pipelines;
mod poking;
mod request;
mod run;
mod runs;
mod shelf;
mod sources;
mod trail;
mod whole;
mod words;

pub use artifacts::{ArtifactLine, ArtifactList, ArtifactPage, LineageView, load_artifact, load_artifacts};
pub use bins::Cell;
pub use compare::{Comparison, load_compare};
pub use data::FeatureLine;
pub use difficulty::Difficulty;
pub use inbox::{Inbox, load_inbox};
pub use lineage::GraphNode;
pub use metrics::SliceLine;
pub use paging::{FeaturesPage, SlicesPage, load_features, load_slices};
pub use pipelines::{PipelinePage, PipelinesPage, load_pipeline, load_pipelines};
pub use poking::{PokeField, PokeLine};
pub use run::{LogPage, RunPage, load_log, load_run};
pub use runs::{RunList, load_runs};
pub use sources::{ReviewError, Sources};
pub use whole::{Review, load_review};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
