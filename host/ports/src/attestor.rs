//! Signs statements, and checks what was signed.

use countersign_model::statement::Statement;

/// Why a statement can not be signed or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// It can not be signed.
    #[error("sign statement: {0}")]
    Sign(String),
    /// It is no envelope of ours, or was changed since.
    #[error("check signature: {0}")]
    Broken(String),
}

/// Holds the installation's key. Signing takes microseconds and blocks nothing.
pub trait Attestor: Send + Sync {
    /// The statement in a signed DSSE envelope, as JSON text.
    ///
    /// # Errors
    /// When it can not be signed.
    fn sign(&self, statement: &Statement) -> Result<String, AttestError>;

    /// The statement in an envelope whose signature by this installation's key holds.
    ///
    /// # Errors
    /// When it does not hold.
    fn open(&self, envelope: &str) -> Result<Statement, AttestError>;
}
