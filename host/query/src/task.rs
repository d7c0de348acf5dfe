//! Work on the engine's own threads that stops when nobody waits for it any more.

use countersign_ports::query_engine::QueryError;
use std::future::Future;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A spawned task, aborted when dropped.
pub(crate) struct Task<T>(JoinHandle<Result<T, QueryError>>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(threads: &Handle, work: impl Future<Output = Result<T, QueryError>> + Send + 'static) -> Self {
        Self(threads.spawn(work))
    }

    /// Its result; a panic inside the engine is an error like any other.
    pub(crate) async fn finish(mut self) -> Result<T, QueryError> {
        match (&mut self.0).await {
            Ok(result) => result,
            Err(error) => Err(QueryError::Engine { operation: "run query", source: error.into() }),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
