//! Signs decisions and checks them without this installation: the signing key, DSSE envelopes, and bundles that an auditor
//! verifies offline with the public key alone. Must not know how decisions are made or where they are stored.

pub mod bundle;
mod dsse;
mod failure;
mod key;
mod keyring;

pub use failure::AttestFailure;
pub use key::PublicKey;
pub use keyring::Keyring;
