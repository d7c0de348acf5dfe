//! Canonical JSON (RFC 8785): equal values have equal bytes, so that a digest can stand for a document.

use crate::digest::Digest;
use serde::Serialize;

/// The RFC 8785 bytes of `value`.
///
/// # Errors
/// When the value has a map key that is no string, or a number that JSON can not hold (NaN, infinity).
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

/// The digest of the RFC 8785 bytes of `value`.
///
/// # Errors
/// As [`to_bytes`].
pub fn digest<T: Serialize>(value: &T) -> Result<Digest, serde_json::Error> {
    Ok(Digest::of(&to_bytes(value)?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn follows_the_examples_of_rfc_8785() {
        let value: serde_json::Value = serde_json::from_str(
            r#"{
                "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        let text = String::from_utf8(super::to_bytes(&value).unwrap()).unwrap();
        assert_eq!(
            text,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }
}
