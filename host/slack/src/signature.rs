//! Slack's request signatures: HMAC-SHA256 over version, timestamp and the raw body. Proves where a request comes from, not that it
//! is the first of its kind.

use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use ring::hmac;

/// How far the timestamp may be from now, either way.
const SECONDS: i64 = 300;

/// Why a request is not taken. The answer is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forged {
    /// A header is missing or there twice.
    Header,
    /// The timestamp is no plain integer.
    Timestamp,
    /// Too old, or from the future.
    Stale,
    /// Not signed with our secret.
    Signature,
}

/// Checks the headers against the raw body.
pub(crate) fn check(secret: &Secret, headers: &[(String, Vec<u8>)], body: &[u8], now: Timestamp) -> Result<(), Forged> {
    let timestamp = only(headers, "x-slack-request-timestamp")?;
    let signature = only(headers, "x-slack-signature")?;
    // Digits and nothing else: `parse` alone would take a sign.
    let digits = !timestamp.is_empty() && timestamp.iter().all(u8::is_ascii_digit);
    let seconds = std::str::from_utf8(timestamp).ok().filter(|_| digits).and_then(|text| text.parse::<i64>().ok());
    let seconds = seconds.ok_or(Forged::Timestamp)?;
    if (now.as_micros().div_euclid(1_000_000)).abs_diff(seconds) > SECONDS.unsigned_abs() {
        return Err(Forged::Stale);
    }
    let tag = signature.strip_prefix(b"v0=").and_then(decode).ok_or(Forged::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let base = [b"v0:", timestamp, b":", body].concat();
    // Constant time.
    hmac::verify(&key, &base, &tag).map_err(|_| Forged::Signature)
}

/// The one header of that name.
fn only<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Result<&'a [u8], Forged> {
    let mut values = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Forged::Header),
    }
}

/// 32 bytes of 64 lower-case hexadecimal digits.
fn decode(hex: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub(crate) fn same(known: &str, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    hmac::verify(&key, known.as_bytes(), hmac::sign(&key, given.as_bytes()).as_ref()).is_ok()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
