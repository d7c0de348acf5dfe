//! The documented vector, and everything that must not pass for it.

use super::*;
use proptest::prelude::*;

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const AT: i64 = 1_531_420_618;
const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

type Headers = Vec<(String, Vec<u8>)>;

fn headers(timestamp: &str, signature: &str) -> Headers {
    let pair = |name: &str, value: &str| (name.to_string(), value.as_bytes().to_vec());
    vec![
        pair("content-type", "application/x-www-form-urlencoded"),
        pair("x-slack-request-timestamp", timestamp),
        pair("x-slack-signature", signature),
    ]
}

fn judge(headers: &[(String, Vec<u8>)], body: &[u8], seconds: i64) -> Result<(), Forged> {
    check(&Secret::new(SECRET).unwrap(), headers, body, Timestamp::from_micros(seconds * 1_000_000))
}

fn sign(secret: &str, base: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), base);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

#[test]
fn the_documented_vector_holds_within_five_minutes_of_its_time() {
    let good = headers(&AT.to_string(), SIGNATURE);
    assert_eq!(judge(&good, BODY.as_bytes(), AT), Ok(()));
    assert_eq!(judge(&good, BODY.as_bytes(), AT + 300), Ok(()));
    assert_eq!(judge(&good, BODY.as_bytes(), AT - 300), Ok(()));
    assert_eq!(judge(&good, BODY.as_bytes(), AT + 301), Err(Forged::Stale));
    assert_eq!(judge(&good, BODY.as_bytes(), AT - 301), Err(Forged::Stale));
    assert_eq!(judge(&good, BODY.as_bytes(), 1_795_400_000), Err(Forged::Stale), "the request is from 2018");
}

#[test]
fn forged_in_many_ways_and_refused_in_all() {
    let at = AT.to_string();
    let body = BODY.as_bytes();
    let tail = &SIGNATURE[3..];
    let base = format!("v0:{AT}:{BODY}");
    let twice = |name: &str, value: &str| {
        let mut all = headers(&at, SIGNATURE);
        all.push((name.to_string(), value.as_bytes().to_vec()));
        all
    };
    let without = |name: &str| {
        let mut all = headers(&at, SIGNATURE);
        all.retain(|(other, _)| other != name);
        all
    };
    let forged: Vec<(&str, Headers)> = vec![
        ("no timestamp", without("x-slack-request-timestamp")),
        ("no signature", without("x-slack-signature")),
        ("timestamp twice", twice("x-slack-request-timestamp", &at)),
        ("signature twice", twice("x-slack-signature", SIGNATURE)),
        ("signature twice, other spelling", twice("X-Slack-Signature", SIGNATURE)),
        ("another version", headers(&at, &format!("v1={tail}"))),
        ("no version", headers(&at, tail)),
        ("upper case", headers(&at, &format!("v0={}", tail.to_uppercase()))),
        ("truncated", headers(&at, &SIGNATURE[..SIGNATURE.len() - 1])),
        ("too long", headers(&at, &format!("{SIGNATURE}0"))),
        ("empty", headers(&at, "")),
        ("another secret", headers(&at, &sign("another app's secret", base.as_bytes()))),
        ("base without version", headers(&at, &sign(SECRET, format!("{AT}:{BODY}").as_bytes()))),
        ("fraction", headers(&format!("{AT}.0"), SIGNATURE)),
        ("sign", headers(&format!("+{AT}"), &sign(SECRET, format!("v0:+{AT}:{BODY}").as_bytes()))),
        ("space", headers(&format!(" {AT}"), &sign(SECRET, format!("v0: {AT}:{BODY}").as_bytes()))),
        ("word", headers("now", &sign(SECRET, format!("v0:now:{BODY}").as_bytes()))),
        ("huge", headers(&"9".repeat(40), SIGNATURE)),
        ("no timestamp text", headers("", SIGNATURE)),
    ];
    for (how, headers) in forged {
        assert!(judge(&headers, body, AT).is_err(), "{how}");
    }
    assert!(judge(&headers(&at, SIGNATURE), &body[..body.len() - 1], AT).is_err(), "edited body");
    let later = (AT + 200).to_string();
    assert!(judge(&headers(&later, SIGNATURE), body, AT + 200).is_err(), "an old signature with a new time");
    assert!(
        check(&Secret::new("other").unwrap(), &headers(&at, SIGNATURE), body, Timestamp::from_micros(AT * 1_000_000))
            .is_err()
    );
}

#[test]
fn bytes_are_judged_not_text() {
    let body = b"payload=\xff\xfe";
    let base = [format!("v0:{AT}:").as_bytes(), body].concat();
    assert_eq!(judge(&headers(&AT.to_string(), &sign(SECRET, &base)), body, AT), Ok(()));
}

#[test]
fn equal_texts_are_the_same_and_no_others() {
    assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && !same("", "a") && same("", ""));
}

proptest! {
    #[test]
    fn one_bit_changed_anywhere_is_refused(place in 0..3_usize, at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut parts = [AT.to_string().into_bytes(), SIGNATURE.as_bytes().to_vec(), BODY.as_bytes().to_vec()];
        let index = at.index(parts[place].len());
        parts[place][index] ^= 1 << bit;
        let headers = vec![
            ("x-slack-request-timestamp".to_string(), parts[0].clone()),
            ("x-slack-signature".to_string(), parts[1].clone()),
        ];
        prop_assert!(judge(&headers, &parts[2], AT).is_err());
    }

    #[test]
    fn whatever_arrives_is_refused_without_panic(
        timestamp in prop::collection::vec(any::<u8>(), 0..20),
        signature in prop::collection::vec(any::<u8>(), 0..80),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let headers = vec![
            ("x-slack-request-timestamp".to_string(), timestamp),
            ("x-slack-signature".to_string(), signature),
        ];
        prop_assert!(judge(&headers, &body, AT).is_err());
    }
}
