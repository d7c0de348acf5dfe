//! One-time links, sessions, tokens, signing out.

use super::stage::{Carried, HOME, Stage, person};
use crate::{issue_link, issue_token};
use countersign_model::actor::Actor;
use countersign_ports::AccessStore;
use countersign_ports::access_store::CredentialKind;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

async fn link_for(stage: &Stage, actor: &str) -> String {
    let access: &dyn AccessStore = stage.bench.store.as_ref();
    let (by, clock) = (Actor::local("operator"), stage.bench.clock.as_ref());
    let link = issue_link(access, &person(actor), &by, &format!("{HOME}/"), clock, HOUR).await.unwrap();
    link.strip_prefix(HOME).unwrap().to_string()
}

async fn redeem(stage: &Stage, link: &str) -> super::stage::Answer {
    let secret = link.strip_prefix("/sign-in/link/").unwrap();
    stage.post(&Carried::default(), "/sign-in/link", &[("secret", secret)]).await
}

#[tokio::test]
async fn a_link_signs_in_once_and_only_by_the_button() {
    let stage = Stage::new().await;
    let link = link_for(&stage, "local:cleo").await;
    for _preview in 0..3 {
        let page = stage.get(&Carried::default(), &link).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("action=\"/sign-in/link\"") && page.cookie("__Host-countersign").is_none());
    }
    let length = stage.audit_length().await;
    let first = redeem(&stage, &link).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (303, "/"));
    assert!(stage.audited_after(length).await.contains(&"signed.in".to_string()));
    let set = first.header("set-cookie");
    for wanted in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(set.contains(wanted), "{set}");
    }
    let secret = first.cookie("__Host-countersign").unwrap();
    let carried = Carried { headers: vec![("cookie", format!("__Host-countersign={secret}"))], ..Carried::default() };
    assert_eq!(stage.get(&carried, "/api/v1/session").await.json()["data"]["person"], "cleo");
    assert_eq!(redeem(&stage, &link).await.status, 403);
    assert!(!stage.snapshot().await.contains(&secret), "a secret is in the store");
}

#[tokio::test]
async fn a_link_that_is_old_or_for_a_barred_account_opens_nothing() {
    let stage = Stage::new().await;
    let old = link_for(&stage, "local:cleo").await;
    let barred = link_for(&stage, "slack:T01/U08").await;
    let answer = redeem(&stage, &barred).await;
    assert_eq!((answer.status.as_u16(), answer.cookie("__Host-countersign")), (403, None));
    stage.bench.clock.advance(HOUR * 2);
    assert_eq!(redeem(&stage, &old).await.status, 403);
    let sessions = stage.bench.store.credentials(CredentialKind::Session, stage.bench.now()).await.unwrap();
    assert!(sessions.is_empty());
}

#[tokio::test]
async fn a_session_ends_by_signing_out_by_expiry_and_by_signing_in_anew() {
    let stage = Stage::new().await;
    let carried = stage.session("local:cleo").await;
    let answer = stage.post(&carried, "/sign-out", &[]).await;
    assert_eq!((answer.header("location"), answer.cookie("__Host-countersign").as_deref()), ("/sign-in", Some("")));
    assert_eq!(stage.get(&carried, "/api/v1/session").await.status, 401);

    let carried = stage.session("local:cleo").await;
    let link = link_for(&stage, "local:cleo").await;
    let secret = link.strip_prefix("/sign-in/link/").unwrap();
    let cookie_only = Carried { csrf: String::new(), ..carried.clone() };
    assert_eq!(stage.post(&cookie_only, "/sign-in/link", &[("secret", secret)]).await.status, 303);
    assert_eq!(stage.get(&carried, "/api/v1/session").await.status, 401);

    let carried = stage.session("local:cleo").await;
    stage.bench.clock.advance(HOUR * 25);
    assert_eq!(stage.get(&carried, "/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn a_token_reads_and_a_doubled_credential_is_none() {
    let stage = Stage::new().await;
    let access: &dyn AccessStore = stage.bench.store.as_ref();
    let by = Actor::local("operator");
    let token = issue_token(access, "ci", &by, stage.bench.clock.as_ref(), HOUR).await.unwrap();
    let bearer = |text: String| ("authorization", text);
    let carried = |headers| Carried { headers, ..Carried::default() };
    let reader = carried(vec![bearer(format!("Bearer {token}"))]);
    assert_eq!(stage.get(&reader, "/api/v1/session").await.json()["data"]["actor"], "system:token/ci");
    for headers in [
        vec![bearer(format!("Bearer {token}")), bearer(format!("Bearer {token}"))],
        vec![bearer(format!("Basic {token}"))],
        vec![bearer(token.clone())],
        vec![("cookie", format!("__Host-countersign={token}"))],
    ] {
        let refused = stage.get(&carried(headers), "/api/v1/session").await;
        assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer"));
    }
}

#[tokio::test]
async fn a_link_leads_back_to_where_somebody_was_asked_to_sign_in() {
    let stage = Stage::new().await;
    let back = async |next: &str| {
        let page = stage.get(&Carried::default(), &format!("/sign-in?next={next}")).await;
        let kept = page.cookie("__Host-countersign-next").unwrap();
        let carried =
            Carried { headers: vec![("cookie", format!("__Host-countersign-next={kept}"))], ..Carried::default() };
        let link = link_for(&stage, "local:cleo").await;
        let secret = link.strip_prefix("/sign-in/link/").unwrap();
        stage.post(&carried, "/sign-in/link", &[("secret", secret)]).await
    };
    let answer = back("%2Frequests%2Freq_1%3Fa%3D%3B%22").await;
    assert_eq!(answer.header("location"), "/requests/req_1?a=;\"");
    assert_eq!(answer.cookie("__Host-countersign-next").as_deref(), Some(""));
    assert_eq!(back("%2F%2Fevil.example.org").await.header("location"), "/");
}

#[tokio::test]
async fn after_signing_in_nobody_is_sent_elsewhere() {
    let stage = Stage::new().await;
    let page = stage.get(&Carried::default(), "/sign-in?next=https%3A%2F%2Fevil.example.org%2F").await;
    assert!(page.status == 200 && !page.text.contains("evil.example.org"), "{}", page.text);
}
