//! The twin in memory does what every metadata store must do.

use countersign_store::MemoryStore;
use countersign_store::conformance::{ManualClock, Store};
use std::sync::Arc;

async fn make(clock: Arc<ManualClock>) -> (Arc<dyn Store>, ()) {
    (Arc::new(MemoryStore::new(clock)), ())
}

countersign_store::metadata_store_conformance!(make);
