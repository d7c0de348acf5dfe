//! The public key, as it is handed to others.

use crate::failure::AttestFailure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::digest::Digest;
use ring::signature::{ED25519, UnparsedPublicKey};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a PEM file's text (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// When it is no Ed25519 public key.
    pub fn from_pem(pem: &str) -> Result<Self, AttestFailure> {
        let bad = AttestFailure::BadPublicKey;
        let body = pem.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or(bad("no `BEGIN PUBLIC KEY` block"))?;
        let body: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(body).map_err(|_| bad("the block is not base64"))?;
        let key = der.strip_prefix(&SPKI).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or(bad("not an Ed25519 key"))
    }

    /// The text that [`Self::from_pem`] reads.
    pub fn to_pem(&self) -> String {
        let der = [SPKI.as_slice(), &self.0].concat();
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    /// The key's name in envelopes: what securesystemslib calls this key when it reads the PEM file.
    pub fn id(&self) -> String {
        let public = hex::encode(self.0);
        let spelt = format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#);
        Digest::of(spelt.as_bytes()).to_string()
    }

    pub(crate) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::PublicKey;

    #[test]
    fn a_key_survives_its_file_and_other_keys_are_refused() {
        let key = PublicKey::from_bytes([7; 32]);
        let pem = key.to_pem();
        assert_eq!(PublicKey::from_pem(&pem).unwrap(), key);
        assert_eq!(PublicKey::from_pem(&pem.replace('\n', "\r\n")).unwrap(), key);
        for bad in
            ["", "x", &pem.replace("PUBLIC", "PRIVATE"), &pem.replace("MCow", "MCox"), &pem.replace("BwcH", "Bw")]
        {
            assert!(PublicKey::from_pem(bad).is_err(), "{bad}");
        }
    }
}
