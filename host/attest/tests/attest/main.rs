//! The key, what it signs, and bundles of it: from the outside.

mod bundle;
mod judges;
mod keyring;
mod release;
