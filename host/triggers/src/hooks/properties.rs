//! Whatever is sent: nothing panics, and two happenings never share a key.

use super::auth::HookAuth;
use super::message::{self, Message};
use super::world::request;
use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

const TYPES: [&str; 4] =
    ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"];

/// As Python's SDK writes a header.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| (0x21..0x7f).contains(&byte) && !b"\"%".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn key_of(source: &str, id: &str) -> Option<String> {
    let (source, id) = (encoded(source), encoded(id));
    let headers = [("ce-specversion", "1.0"), ("ce-type", "t"), ("ce-source", source.as_str()), ("ce-id", id.as_str())];
    match message::read("orders", &request(&headers, "")).ok()? {
        Message::Events(mut events) => Some(events.remove(0).key),
        Message::Objects(_) | Message::Trial => None,
    }
}

proptest! {
    #[test]
    fn any_request_is_understood_or_not(
        kind in prop::sample::select(&TYPES[..]), name in "[a-z-]{0,12}", value in "\\PC{0,30}", body in "\\PC{0,80}",
    ) {
        let name = format!("ce-{name}");
        let _ = message::read("orders", &request(&[("content-type", kind), (&name, &value)], &body));
        let _ = message::read("orders", &request(&[("content-type", kind), ("idempotency-key", &value)], "{}"));
    }

    #[test]
    fn any_json_is_understood_or_not(
        kind in prop::sample::select(&TYPES[..3]), id in "\\PC{0,8}", value in prop::sample::select(&["null", "1", "[]", "{}", "\"x\""][..]),
        name in "id|source|type|time|Records|Event|data|x",
    ) {
        let id = serde_json::to_string(&id).unwrap();
        let event = format!("{{\"specversion\":\"1.0\",\"id\":{id},\"source\":\"/\",\"type\":\"t\",\"{name}\":{value}}}");
        for body in [event.clone(), format!("[{event}]")] {
            let _ = message::read("orders", &request(&[("content-type", kind)], &body));
        }
    }

    #[test]
    fn a_key_tells_every_source_and_identifier_apart(
        one in ("[a:/0-9]{1,6}", "[a:/0-9 %é]{1,6}"), other in ("[a:/0-9]{1,6}", "[a:/0-9 %é]{1,6}"),
    ) {
        let keys = (key_of(&one.0, &one.1), key_of(&other.0, &other.1));
        prop_assert!(keys.0.is_some() && keys.1.is_some());
        prop_assert_eq!(one == other, keys.0 == keys.1);
    }

    #[test]
    fn any_proof_is_judged(value in prop::collection::vec(any::<u8>(), 0..80), text in "t=[0-9]{0,20},v1=[0-9a-f]{0,70}", hmac in any::<bool>()) {
        let secret = Secret::new("a secret").unwrap();
        let auth = if hmac { HookAuth::Hmac(secret) } else { HookAuth::Token(secret) };
        for value in [value, text.into_bytes()] {
            for name in ["authorization", "x-countersign-token", "x-countersign-signature"] {
                let checked = auth.check(&[(name.to_string(), value.clone())], b"{}", Timestamp::from_micros(0));
                prop_assert!(checked.is_err());
            }
        }
    }
}
