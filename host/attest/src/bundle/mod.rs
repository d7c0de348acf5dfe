//! Bundles: a decision with everything it is about, as a directory that a stranger can verify without this installation.
//!
//! | file | what |
//! |---|---|
//! | `evidence.json` | the evidence document, exactly as it was shown and signed |
//! | `policy.json` | the rules it was decided under |
//! | `decisions/<decision>.dsse.json` | the signed statement |
//! | `decisions/<decision>.approver.json` | who decided |
//! | `artifacts/<step>.<output>/…` | the files of the artifacts that the bundle carries |
//! | `bundle.json` | which artifacts it carries, and which it only names by digest |
//! | `signing.pub` | the key it was signed with; a verifier has it from elsewhere |
//! | `README.txt` | how to verify |
//!
//! A bundle shows that these people signed exactly this; it can not show that nobody else said anything.

mod files;
mod listing;
mod verify;
mod write;

pub use verify::{Verified, verify};
pub use write::{Contents, write};

const EVIDENCE_FILE: &str = "evidence.json";
const POLICY_FILE: &str = "policy.json";
const LISTING_FILE: &str = "bundle.json";
const KEY_FILE: &str = "signing.pub";
const README_FILE: &str = "README.txt";
const DECISIONS: &str = "decisions";
const ARTIFACTS: &str = "artifacts";
const ENVELOPE_ENDING: &str = ".dsse.json";
const APPROVER_ENDING: &str = ".approver.json";
