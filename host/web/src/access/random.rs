//! Secrets: made here, kept by their digest only, compared in constant time.

use crate::access::issue::AccessError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::digest::Digest;
use ring::rand::{SecureRandom as _, SystemRandom};

/// 256 random bits as 43 characters that are safe in a URL and a cookie.
///
/// # Errors
/// When the operating system has no randomness.
pub fn secret() -> Result<String, AccessError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AccessError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the store keeps of a secret.
pub fn digest(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let difference = left.iter().zip(right).fold(0, |so_far, (a, b)| std::hint::black_box(so_far | (a ^ b)));
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::{same, secret};

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!(one.len(), 43);
        assert!(one != other && same(&one, &one) && !same(&one, &other));
        assert!(!same("", "a") && !same("a", "ab") && same("", ""));
    }
}
