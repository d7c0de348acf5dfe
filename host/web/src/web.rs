//! The server as the daemon holds it.

use crate::access::patience::Patience;
use crate::pages;
use crate::review::{self, ReviewError, Sources};
use crate::routes;
use crate::server::{Server, WebOptions};
use countersign_model::id::RunId;
use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long answers under way are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The web server.
pub struct Web {
    server: Server,
}

impl Web {
    /// A server of these parts.
    pub fn new(options: WebOptions) -> Self {
        let sources = Sources::new(
            options.store.clone(),
            options.triggers.clone(),
            options.artifacts.clone(),
            options.clock.clone(),
            options.timetable.clone(),
        );
        let server = Server {
            options,
            sources,
            patience: Patience::default(),
            body_timeout: BODY_TIMEOUT,
            webhook_refused: AtomicU64::new(0),
        };
        Self { server }
    }

    /// The same, giving bodies less or more time to come than ten seconds.
    pub fn with_body_timeout(mut self, within: Duration) -> Self {
        self.server.body_timeout = within;
        self
    }

    /// The routes.
    pub fn router(self) -> axum::Router {
        routes::router(Arc::new(self.server))
    }

    /// Serves until `stop` says true or its sender is gone; answers under way get five seconds.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: watch::Receiver<bool>) -> std::io::Result<()> {
        let stopped = |mut stop: watch::Receiver<bool>| async move {
            // An error means that nobody is left who could say stop.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let served = axum::serve(listener, self.router()).with_graceful_shutdown(stopped(stop.clone()));
        let patience = async {
            stopped(stop).await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            served = served.into_future() => served,
            () = patience => Ok(()),
        }
    }

    /// The page of a run's newest request, or the run itself when it asked nobody, as one file that needs nothing else.
    ///
    /// # Errors
    /// When there is no such run, or what it made can not be read.
    pub async fn report(&self, run: &RunId) -> Result<String, ReviewError> {
        let sources = &self.server.sources;
        let rendered = match sources.store.requests(Some(run), None).await?.first() {
            Some(request) => pages::report(&review::load_review(sources, &request.id).await?),
            None => pages::run_report(&review::load_run(sources, run).await?),
        };
        rendered.map_err(|error| ReviewError::Unreadable { what: "the report".to_string(), problem: error.to_string() })
    }

    /// The OpenAPI 3.1 document of the JSON API and the pages.
    pub fn open_api() -> serde_json::Value {
        crate::openapi::document()
    }
}
