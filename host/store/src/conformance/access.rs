//! Credentials, used keys, and what was posted where.

use super::bench::{Bench, LEASE};
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::Post;
use countersign_ports::access_store::{Credential, CredentialKind};

fn credential(bench: &Bench, kind: CredentialKind, secret: &str) -> Credential {
    Credential {
        digest: Digest::of(secret.as_bytes()),
        kind,
        actor: Bench::person("ada"),
        label: format!("label of {secret}"),
        companion: "a second secret".to_string(),
        created_at: bench.tick(),
        expires_at: bench.now().plus(LEASE),
    }
}

async fn create(bench: &Bench, kind: CredentialKind, secret: &str) -> Credential {
    let credential = credential(bench, kind, secret);
    bench.store.create_credential(&credential, &Bench::person("root")).await.unwrap();
    credential
}

async fn find(bench: &Bench, kind: CredentialKind, of: &Credential) -> Option<Credential> {
    bench.store.credential(kind, &of.digest, bench.now()).await.unwrap()
}

pub async fn a_credential_opens_until_it_expires(bench: &Bench) {
    use CredentialKind::{Link, Session, SignIn, Token};
    for kind in [Session, Link, Token, SignIn] {
        let credential = create(bench, kind, kind.as_str()).await;
        assert_eq!(find(bench, kind, &credential).await, Some(credential.clone()));
        let other = if kind == Session { Token } else { Session };
        assert_eq!(find(bench, other, &credential).await, None, "a {} is no {}", kind.as_str(), other.as_str());
        let redeemed = bench.store.redeem_credential(other, &credential.digest, bench.now()).await.unwrap();
        assert_eq!(redeemed, None);
    }
    let (first, second) = (create(bench, Token, "first").await, create(bench, Token, "second").await);
    let tokens = bench.store.credentials(Token, bench.now()).await.unwrap();
    assert_eq!(tokens[..2], [second.clone(), first.clone()]);
    assert_eq!(tokens.len(), 3);
    let again = Credential { actor: Bench::person("eve"), ..first.clone() };
    assert!(bench.store.create_credential(&again, &Bench::person("eve")).await.is_err(), "nobody takes it over");
    assert_eq!(find(bench, Token, &first).await, Some(first.clone()));

    bench.clock.advance(LEASE);
    assert_eq!(bench.now(), second.expires_at);
    assert_eq!(find(bench, Token, &second).await, None);
    assert_eq!(bench.store.credentials(Token, bench.now()).await.unwrap(), []);
    assert_eq!(bench.store.redeem_credential(Token, &second.digest, bench.now()).await.unwrap(), None);
    let revoked = bench.store.revoke_credential(&second.digest, &Bench::person("ada"), bench.now()).await.unwrap();
    assert!(!revoked);
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    assert!(entries.iter().all(|entry| entry.fact.action == "credential.created"));
    assert_eq!(entries.len(), 6);
    let fact = &entries[0].fact;
    assert_eq!((&fact.actor, &fact.subject), (&Bench::person("root"), &Digest::of(b"session").short()));
    assert_eq!((&fact.detail["kind"], &fact.detail["for"]), (&"session".into(), &"local:ada".into()));
    assert!(!serde_json::to_string(&entries).unwrap().contains("a second secret"));
}

pub async fn of_many_who_redeem_one_gets_it(bench: &Bench) {
    for round in 0..4 {
        let link = create(bench, CredentialKind::Link, &format!("link {round}")).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, digest, now) = (bench.store.clone(), link.digest, bench.now());
            tasks.spawn(async move { store.redeem_credential(CredentialKind::Link, &digest, now).await.unwrap() });
        }
        let redeemed: Vec<Credential> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(redeemed, [link.clone()]);
        assert_eq!(find(bench, CredentialKind::Link, &link).await, None);
    }
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    let redeemed: Vec<_> = entries.iter().filter(|entry| entry.fact.action == "credential.redeemed").collect();
    assert_eq!(redeemed.len(), 4);
    assert_eq!(redeemed[0].fact.actor, Bench::person("ada"));
}

pub async fn a_revoked_credential_opens_nothing(bench: &Bench) {
    let session = create(bench, CredentialKind::Session, "session").await;
    let root = Actor::local("root");
    assert!(bench.store.revoke_credential(&session.digest, &root, bench.now()).await.unwrap());
    assert_eq!(find(bench, CredentialKind::Session, &session).await, None);
    assert_eq!(bench.store.credentials(CredentialKind::Session, bench.now()).await.unwrap(), []);
    assert!(!bench.store.revoke_credential(&session.digest, &root, bench.now()).await.unwrap());
    assert_eq!(bench.actions().await, ["credential.created", "credential.revoked"]);
    let revoked = bench.store.audit_entries(1, 1).await.unwrap().pop().expect("it was revoked").fact;
    assert_eq!((revoked.actor, revoked.detail["label"].as_str()), (root, Some("label of session")));
}

pub async fn a_key_is_used_once_until_it_expires(bench: &Bench) {
    let (now, until) = (bench.now(), bench.now().plus(LEASE));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = bench.store.clone();
        tasks.spawn(async move { store.first_use("totp:ada:17", now, until).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|first| *first).count(), 1);
    assert!(bench.store.first_use("totp:grace:17", now, until).await.unwrap());
    // A replay does not make it last longer.
    let (last, longer) = (Timestamp::from_micros(until.as_micros() - 1), until.plus(LEASE));
    assert!(!bench.store.first_use("totp:ada:17", last, longer).await.unwrap());
    assert!(bench.store.first_use("totp:ada:17", until, longer).await.unwrap());
    assert!(!bench.store.first_use("totp:ada:17", until, longer).await.unwrap());
    assert_eq!(bench.actions().await, [""; 0], "keys are no state of the record");
}

pub async fn a_post_is_replaced_where_it_is(bench: &Bench) {
    let post = |subject: &str, channel: &str, message_id: &str| Post {
        subject: subject.to_string(),
        channel: channel.to_string(),
        channel_id: "C0123".to_string(),
        message_id: message_id.to_string(),
        posted_at: bench.tick(),
        memo: serde_json::json!({ "shows": Digest::of(b"blocks"), "count": 2 }),
    };
    let find = async |subject, channel| bench.store.post(subject, channel).await.unwrap();
    assert_eq!(find("req_1", "slack:#a").await, None);
    let (first, elsewhere) = (post("req_1", "slack:#a", "1.0"), post("req_1", "slack:#b", "2.0"));
    let mut last = post("req_1", "slack:#a", "3.0");
    last.memo = serde_json::Value::Null;
    for post in [&first, &elsewhere] {
        bench.store.record_post(post).await.unwrap();
    }
    assert_eq!(find("req_1", "slack:#a").await, Some(first));
    bench.store.record_post(&last).await.unwrap();
    assert_eq!(find("req_1", "slack:#a").await, Some(last));
    assert_eq!(find("req_1", "slack:#b").await, Some(elsewhere));
    assert_eq!(find("req_2", "slack:#a").await, None);
    assert_eq!(bench.actions().await, [""; 0], "messages are no state of the record");
}
