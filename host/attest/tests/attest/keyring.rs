//! One key an installation, and one text for what it signed.

use crate::release::Release;
use countersign_attest::{AttestFailure, Keyring};
use countersign_model::decision::DecisionKind;
use countersign_ports::Attestor;
use proptest::prelude::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Barrier, LazyLock};

static SIGNED: LazyLock<Release> = LazyLock::new(Release::signed);

fn envelope() -> &'static str {
    SIGNED.decisions[0].envelope.as_deref().unwrap()
}

#[test]
fn many_that_start_at_once_agree_on_one_key() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let start = Barrier::new(8);
        let open = || {
            start.wait();
            Keyring::open_or_create(&state).unwrap().public_key().to_pem()
        };
        let keys: Vec<String> = std::thread::scope(|scope| {
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            opened.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_to_string(state.join("signing.pub")).unwrap(), keys[0]);
        assert_eq!(fs::metadata(state.join("signing.key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 2, "nothing else is left");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    Keyring::open_or_create(folder.path()).unwrap();
    let key = folder.path().join("signing.key");
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let refused = Keyring::open_or_create(folder.path()).unwrap_err();
        assert!(matches!(refused, AttestFailure::Exposed(_)), "{refused}");
        assert!(refused.to_string().contains(&format!("chmod 600 {}", key.display())), "{refused}");
    }
}

#[test]
fn a_lost_or_foreign_key_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    Keyring::open_or_create(folder.path()).unwrap();
    let key = folder.path().join("signing.key");
    let pem = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(Keyring::open_or_create(folder.path()), Err(AttestFailure::KeyLost { .. })));
    assert!(!key.exists());
    for broken in ["", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", &pem[..pem.len() / 2]] {
        fs::write(&key, broken).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let refused = Keyring::open_or_create(folder.path()).unwrap_err();
        assert!(matches!(refused, AttestFailure::BadKey { .. }), "{refused}");
        assert_eq!(fs::read_to_string(&key).unwrap(), broken);
    }
    let other = tempfile::tempdir().unwrap();
    Keyring::open_or_create(other.path()).unwrap();
    fs::copy(other.path().join("signing.key"), &key).unwrap();
    let refused = Keyring::open_or_create(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("belongs to another key"), "{refused}");
}

/// The key pair of RFC 8410, section 10.
#[test]
fn a_key_made_by_another_tool_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("signing.key");
    let body = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    fs::write(&key, format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let public = Keyring::open_or_create(folder.path()).unwrap().public_key().to_pem();
    let body = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    assert_eq!(public, format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"));
}

#[test]
fn a_keyring_shows_its_name_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::open_or_create(folder.path()).unwrap();
    assert_eq!(format!("{keyring:?}"), format!("Keyring({})", keyring.public_key().id()));
}

#[test]
fn what_is_opened_is_what_was_signed() {
    let release = &*SIGNED;
    for decision in &release.decisions {
        let opened = release.keyring.open(decision.envelope.as_deref().unwrap()).unwrap();
        assert_eq!(opened, release.statement(decision));
        assert!(opened.is_of(decision, &release.request));
    }
    let other = Release::signed();
    assert!(other.keyring.open(envelope()).unwrap_err().to_string().contains("another key"));
}

#[test]
fn another_text_for_the_same_signature_is_refused() {
    let parsed: serde_json::Value = serde_json::from_str(envelope()).unwrap();
    let signature = &parsed["signatures"][0];
    let mut two = parsed.clone();
    two["signatures"] = serde_json::json!([signature, signature]);
    let mut none = parsed.clone();
    none["signatures"] = serde_json::json!([]);
    let mut unpadded = parsed.clone();
    unpadded["signatures"][0]["sig"] = signature["sig"].as_str().unwrap().trim_end_matches('=').into();
    let mut kind = parsed.clone();
    kind["payloadType"] = "application/json".into();
    let mut extra = parsed.clone();
    extra["note"] = "x".into();
    for changed in [two, none, unpadded, kind, extra] {
        assert!(SIGNED.keyring.open(&changed.to_string()).is_err(), "{changed}");
    }
    assert!(SIGNED.keyring.open(&format!("{} ", envelope())).is_err());
    assert!(SIGNED.keyring.open(&serde_json::to_string_pretty(&parsed).unwrap()).is_err());
}

proptest! {
    #[test]
    fn no_bit_of_an_envelope_can_flip(place in 0..envelope().len(), bit in 0_u8..8) {
        let mut bytes = envelope().as_bytes().to_vec();
        bytes[place] ^= 1_u8 << bit;
        let changed = String::from_utf8_lossy(&bytes);
        prop_assert!(SIGNED.keyring.open(&changed).is_err());
    }

    #[test]
    fn whatever_is_signed_comes_back(reason in any::<String>(), person in any::<String>(), roles in any::<Vec<String>>()) {
        let mut decision = SIGNED.decide("01ARZ3NDEKTSV4RRFFQ69G5FA3", "ada", DecisionKind::Override);
        (decision.reason, decision.person, decision.roles) = (reason, person, roles);
        let statement = SIGNED.statement(&decision);
        let opened = SIGNED.keyring.open(&SIGNED.keyring.sign(&statement).unwrap()).unwrap();
        prop_assert_eq!(opened, statement);
    }

    #[test]
    fn no_text_at_all_makes_it_panic(text in any::<String>()) {
        prop_assert!(SIGNED.keyring.open(&text).is_err());
    }
}
