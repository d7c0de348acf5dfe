//! What goes wrong while setting up traces. That a collector does not answer is no error: it is logged where it happens.

/// Why traces can not be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The endpoint is no address.
    #[error(
        "read the traces endpoint: `{0}` is no http:// or https:// address such as http://127.0.0.1:4318/v1/traces"
    )]
    Endpoint(String),
    /// The headers can not be sent. What they hold is not repeated: it may be a key.
    #[error("read the traces headers: part {0} is not `name=value`")]
    Header(usize),
    /// There is no HTTP client.
    #[error("set up the HTTP client for traces")]
    Client(#[source] reqwest::Error),
}
