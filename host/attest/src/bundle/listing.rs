//! What a bundle says about itself. Both texts can be made from what is verified, so that they are checked byte for byte.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Version of the layout.
    pub(super) form: u32,
    /// Artifacts whose files are in the bundle.
    pub(super) carried: BTreeSet<String>,
    /// Artifacts of which the bundle only knows the digests.
    pub(super) named: BTreeSet<String>,
}

/// The layout that this version writes and reads.
pub(super) const FORM: u32 = 1;

/// `README.txt`.
pub(super) const README: &str = r#"A sign-off by Countersign: who decided what about which files.

Get the public key from those who run the installation, not from this folder: whoever can change this folder can change
signing.pub with it.

Everything at once, offline:

    countersign verify . --key team.pub

The signatures alone, with Python and securesystemslib[crypto]:

    import json, pathlib
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey
    key = SSlibKey.from_crypto(load_pem_public_key(pathlib.Path("team.pub").read_bytes()))
    for path in sorted(pathlib.Path("decisions").glob("*.dsse.json")):
        envelope = Envelope.from_dict(json.loads(path.read_text()))
        envelope.verify([key], 1)
        print(json.loads(envelope.payload)["predicate"])

Each payload is an in-toto Statement v1. Its subjects name evidence.json, policy.json, approver.json (the file beside the
envelope) and every file under artifacts/ by SHA-256. Artifacts that bundle.json lists under "named" are not in this
folder; their files are subjects all the same.
"#;
