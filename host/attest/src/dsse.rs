//! DSSE v1 envelopes. There is exactly one text for what was signed: anything else is refused, so that what is checked is
//! what is read.

use crate::failure::AttestFailure;
use crate::key::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::statement::{PREDICATE_TYPE, STATEMENT_TYPE, Statement};
use serde::{Deserialize, Serialize};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// What is signed: type and payload with their lengths, so that neither can be taken for a part of the other.
pub(crate) fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The one text of an envelope.
pub(crate) fn seal(payload: &[u8], key: &PublicKey, signature: &[u8]) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Envelope {
        payload: STANDARD.encode(payload),
        payload_type: PAYLOAD_TYPE.to_string(),
        signatures: [Signature { keyid: key.id(), sig: STANDARD.encode(signature) }],
    })
}

/// The statement in an envelope that this key signed.
pub(crate) fn open(text: &str, key: &PublicKey) -> Result<Statement, AttestFailure> {
    let broken = |why: &str| AttestFailure::Broken(why.to_string());
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| AttestFailure::Broken(format!("no DSSE envelope: {error}")))?;
    let [signature] = &envelope.signatures;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(broken("the payload is no in-toto statement"));
    }
    if signature.keyid != key.id() {
        return Err(broken("signed with another key"));
    }
    let payload = STANDARD.decode(&envelope.payload).map_err(|_| broken("the payload is not base64"))?;
    let signed = STANDARD.decode(&signature.sig).map_err(|_| broken("the signature is not base64"))?;
    if !key.holds(&pre_authentication_encoding(&payload), &signed) {
        return Err(broken("the signature does not hold"));
    }
    if seal(&payload, key, &signed).ok().as_deref() != Some(text) {
        return Err(broken("the envelope is not written as it was signed"));
    }
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| AttestFailure::Broken(format!("the payload is no statement of ours: {error}")))?;
    if statement.statement_type != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        return Err(broken("the statement is of another type"));
    }
    Ok(statement)
}
