//! The reviewer's pages and the JSON API, on one server: pages rendered here, no script, nothing from elsewhere.
//!
//! One table of routes makes the router, says who gets through, and makes the OpenAPI document. A route answers GET and then
//! changes nothing, or POST and then asks for who one is and where one comes from. What people decide goes to the
//! [`Desk`](countersign_ports::Desk), which judges and records it; this house knows neither the engine nor a database.
//!
//! ```no_run
//! # async fn serve(options: countersign_web::WebOptions, stop: tokio::sync::watch::Receiver<bool>) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8484").await?;
//! countersign_web::Web::new(options).serve(listener, stop).await
//! # }
//! ```

mod access;
mod answer;
mod call;
mod forms;
mod health;
pub mod numbers;
mod openapi;
mod openid;
mod pages;
mod problem;
mod review;
mod routes;
mod rule;
mod server;
mod web;

#[cfg(test)]
mod tests;

pub use access::issue::{AccessError, issue_link, issue_token};
pub use health::{Health, SlackHealth};
pub use review::ReviewError;
pub use server::{HealthProbe, SecondFactors, SignIn, WebOptions};
pub use web::Web;
