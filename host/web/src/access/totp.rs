//! One-time codes by RFC 6238: SHA-1, steps of 30 s, six digits; the step before and the one after are taken too. Each step counts once.

use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use ring::hmac;

const STEP_SECONDS: i64 = 30;

/// The step that a code belongs to, among now and its neighbours; none when it is none of theirs or the secret is no base32.
pub fn matching_step(secret: &Secret, code: &str, now: Timestamp) -> Option<i64> {
    let key = decode_base32(secret.expose())?;
    let current = now.as_micros().div_euclid(1_000_000).div_euclid(STEP_SECONDS);
    // Every candidate is computed and compared, so that time tells nothing about which one it was.
    let matches = [current - 1, current, current + 1].map(|step| {
        let right = format!("{:06}", code_at(&key, step, 1_000_000));
        crate::access::random::same(&right, code).then_some(step)
    });
    matches.into_iter().flatten().next()
}

/// RFC 4226's HOTP of a step.
fn code_at(key: &[u8], step: i64, modulus: u32) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
    let word = bytes[offset..offset + 4].iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    (word & 0x7fff_ffff) % modulus
}

/// RFC 4648 base32 as people type it: any case, with spaces, hyphens and padding.
fn decode_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut buffer, mut bits) = (0u32, 0);
    for letter in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'=')) {
        let value = match letter.to_ascii_uppercase() {
            upper @ b'A'..=b'Z' => upper - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{code_at, decode_base32, matching_step};
    use countersign_model::secret::Secret;
    use countersign_model::time::Timestamp;

    const KEY: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(code_at(KEY, seconds / 30, 100_000_000), code);
        }
    }

    #[test]
    fn base32_reads_as_people_type_it() {
        assert_eq!(decode_base32("gezd gnbv-GY3TQOJQGEZDGNBVGY3TQOJQ==").as_deref(), Some(KEY));
        assert_eq!(decode_base32("GEZD1"), None);
        assert_eq!(decode_base32(""), None);
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_more() {
        let secret = Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let step = |seconds| matching_step(&secret, "287082", at(seconds));
        assert_eq!((step(59), step(30), step(29), step(0), step(89)), (Some(1), Some(1), Some(1), Some(1), Some(1)));
        assert_eq!((step(90), step(-1)), (None, None));
        for wrong in ["287083", "94287082", "28708", " 287082", ""] {
            assert_eq!(matching_step(&secret, wrong, at(59)), None, "{wrong:?}");
        }
    }
}
