//! Who may say that something happened: judged by the raw request, before anything of it is read.

use countersign_model::digest::Digest;
use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use ring::hmac;

/// How far a signed time may be from now, either way.
const SECONDS: u64 = 300;
/// Carries a shared secret, for senders that can not set `Authorization`.
const TOKEN: &str = "x-countersign-token";
/// `t=<unix seconds>,v1=<hex of HMAC-SHA256 over "<unix seconds>.<body>">`.
const SIGNATURE: &str = "x-countersign-signature";

/// How a hook knows its senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAuth {
    /// By a shared secret in `Authorization: Bearer …` or `X-Countersign-Token`.
    Token(Secret),
    /// By an HMAC-SHA256 with a shared secret over time and body, in `X-Countersign-Signature`.
    Hmac(Secret),
}

/// Why a request is not taken. Whoever sent it is told the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No hook has that name.
    Unknown,
    /// What should prove the sender is missing, there twice, or not in its form.
    Header,
    /// The signed time is too old, or in the future.
    Stale,
    /// Another secret.
    Secret,
}

impl Refused {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "no such hook",
            Self::Header => "no proof, or not in its form",
            Self::Stale => "signed too long ago, or in the future",
            Self::Secret => "another secret",
        }
    }
}

impl HookAuth {
    pub(super) fn check(&self, headers: &[(String, Vec<u8>)], body: &[u8], now: Timestamp) -> Result<(), Refused> {
        match self {
            Self::Token(secret) => check_token(secret, headers),
            Self::Hmac(secret) => check_signature(secret, headers, body, now),
        }
    }
}

/// The secret comes once, in one of the two headers.
fn check_token(secret: &Secret, headers: &[(String, Vec<u8>)]) -> Result<(), Refused> {
    let given = match (all(headers, "authorization").as_slice(), all(headers, TOKEN).as_slice()) {
        ([], [token]) => token,
        ([value], []) => {
            let (scheme, token) = value.split_at_checked(7).ok_or(Refused::Header)?;
            if scheme.eq_ignore_ascii_case(b"bearer ") { token } else { return Err(Refused::Header) }
        }
        _ => return Err(Refused::Header),
    };
    // Tags of the two are compared in constant time, so the time tells nothing of where the texts differ.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    let tag = hmac::sign(&key, given);
    hmac::verify(&key, secret.expose().as_bytes(), tag.as_ref()).map_err(|_| Refused::Secret)
}

fn check_signature(secret: &Secret, headers: &[(String, Vec<u8>)], body: &[u8], now: Timestamp) -> Result<(), Refused> {
    let header = match all(headers, SIGNATURE).as_slice() {
        [value] => std::str::from_utf8(value).map_err(|_| Refused::Header)?,
        _ => return Err(Refused::Header),
    };
    let parts = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
    let (time, tag) = parts.ok_or(Refused::Header)?;
    // Digits and nothing else: `parse` alone would take a sign.
    let digits = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = Some(time).filter(|_| digits).and_then(|time| time.parse().ok()).ok_or(Refused::Header)?;
    let tag: Digest = tag.parse().map_err(|_| Refused::Header)?;
    if now.as_micros().div_euclid(1_000_000).abs_diff(seconds) > SECONDS {
        return Err(Refused::Stale);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    hmac::verify(&key, &signed, tag.as_bytes()).map_err(|_| Refused::Secret)
}

/// Every value of a header.
pub(super) fn all<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Vec<&'a [u8]> {
    let named = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_slice()).collect()
}
