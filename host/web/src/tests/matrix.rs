//! The authorisation matrix: every route of the table against every kind of actor. What is refused leaves nothing behind but, where we
//! know who tried, an entry in the audit log.

use super::stage::{Answer, Carried, Setting, Stage, request};
use crate::routes::{Route, Takes, Way, table};
use axum::http::Method;
use countersign_ports::access_store::CredentialKind;
use std::time::Duration;

/// Who comes to the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Expired,
    Forged,
    Link,
    Barred,
    Unlisted,
    WithoutRole,
    WithRole,
    Starter,
    Token,
    WrongCsrf,
    NoCsrf,
    OtherSite,
}

const EVERYBODY: [Who; 13] = [
    Who::Nobody,
    Who::Expired,
    Who::Forged,
    Who::Link,
    Who::Barred,
    Who::Unlisted,
    Who::WithoutRole,
    Who::WithRole,
    Who::Starter,
    Who::Token,
    Who::WrongCsrf,
    Who::NoCsrf,
    Who::OtherSite,
];

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// They are asked to sign in; nothing is written.
    SignIn,
    /// Refused; nothing is written.
    Refused,
    /// Refused, with an entry in the audit log and nothing else.
    Audited,
    /// The handler answers; who it was makes no difference.
    Open,
    /// Done.
    Done,
}

impl Who {
    async fn carried(self, stage: &Stage) -> Carried {
        let minute = Duration::from_secs(60);
        match self {
            Self::Nobody => Carried::default(),
            Self::Expired => {
                let carried = stage.credential(CredentialKind::Session, "local:cleo", minute).await;
                stage.bench.clock.advance(minute * 2);
                carried
            }
            Self::Forged => Carried {
                headers: vec![("cookie", format!("__Host-countersign={}", "A".repeat(43)))],
                csrf: "A".repeat(43),
            },
            // The secret of a link is no session, however it is sent.
            Self::Link => {
                let link = stage.credential(CredentialKind::Link, "local:cleo", minute).await;
                let cookie = format!("__Host-countersign={}", link.headers[0].1);
                Carried { headers: vec![("cookie", cookie)], csrf: link.csrf }
            }
            Self::Barred => stage.session("slack:T01/U08").await,
            Self::Unlisted => stage.session("slack:T01/U09").await,
            Self::WithoutRole => stage.session("local:ben").await,
            Self::WithRole | Self::OtherSite => stage.session("local:cleo").await,
            Self::Starter => stage.session("local:ada").await,
            Self::Token => stage.credential(CredentialKind::Token, "system:token/ci", minute).await,
            Self::WrongCsrf => {
                Carried { csrf: stage.session("local:ada").await.csrf, ..stage.session("local:cleo").await }
            }
            Self::NoCsrf => Carried { csrf: String::new(), ..stage.session("local:cleo").await },
        }
    }

    fn expected(self, route: &Route) -> Outcome {
        match (route.way.rule(), self) {
            ("entering", Self::OtherSite) => Outcome::Refused,
            ("public" | "entering" | "signed", _) => Outcome::Open,
            (_, Self::Nobody | Self::Expired | Self::Forged | Self::Link) => Outcome::SignIn,
            ("viewers", Self::Barred) => Outcome::Refused,
            ("viewers", _) => Outcome::Done,
            ("people", Self::WrongCsrf | Self::NoCsrf | Self::OtherSite) => Outcome::Refused,
            ("people", Self::Barred | Self::Token) => Outcome::Audited,
            ("people", _) => self.judged_behind_the_door(route.path),
            (rule, _) => panic!("a rule without an expectation: {rule}"),
        }
    }

    fn judged_behind_the_door(self, path: &str) -> Outcome {
        let deed = path.rsplit('/').next().unwrap();
        match (deed, self) {
            ("decision", Self::Unlisted | Self::WithoutRole | Self::Starter) => Outcome::Audited,
            ("poke" | "cancel" | "runs" | "pause" | "resume", Self::Unlisted) => Outcome::Audited,
            ("decision" | "poke" | "cancel" | "runs" | "pause" | "resume" | "sign-out", _) => Outcome::Done,
            (deed, _) => panic!("a deed without an expectation: {deed}"),
        }
    }
}

/// The path with something that exists in each place.
pub(super) fn filled(stage: &Stage, path: &str) -> String {
    let id = match path.trim_start_matches("/api/v1").split('/').nth(1) {
        Some("requests") => stage.request.id.to_string(),
        Some("artifacts") => stage.artifact.id.to_string(),
        Some(_) | None => stage.request.run.to_string(),
    };
    let path = path.replace("{id}", &id).replace("{step}", "train").replace("{name}", "taxi").replace("{secret}", "x");
    match path.ends_with("/compare") {
        true => format!("{path}?a={id}&b={id}"),
        false => path,
    }
}

async fn send(stage: &Stage, route: &Route, who: Who, carried: &Carried) -> Answer {
    let path = filled(stage, route.path);
    match route.way {
        Way::Get(_) => return stage.get(carried, &path).await,
        Way::Options(_) => return stage.send(request(Method::OPTIONS, &path, carried, None)).await,
        Way::Post(_) => {}
    }
    let evidence = stage.request.evidence_digest.to_string();
    let deed = route.path.rsplit('/').next().unwrap();
    if who == Who::OtherSite {
        let carried = carried.from("https://evil.example.org");
        let csrf = carried.csrf.clone();
        return match route.takes {
            Takes::Json(_) => {
                let carried =
                    Carried { headers: [carried.headers, vec![("x-csrf-token", csrf)]].concat(), ..Carried::default() };
                stage.send(request(Method::POST, &path, &carried, Some(("application/json", "{}".to_string())))).await
            }
            Takes::Form(_) | Takes::Raw(_) | Takes::Nothing => {
                let body = Some(("application/x-www-form-urlencoded", format!("csrf={csrf}")));
                stage.send(request(Method::POST, &path, &carried, body)).await
            }
        };
    }
    if let Takes::Json(_) = route.takes {
        let document = match deed {
            "decision" => serde_json::json!({ "kind": "approve", "evidence": evidence }),
            "poke" => serde_json::json!({ "example": { "fare": "7" } }),
            _ => serde_json::json!({}),
        };
        return stage.post_json(carried, &path, &document).await;
    }
    let fields: &[(&str, &str)] = match deed {
        "decision" => &[("kind", "approve"), ("evidence", &evidence)],
        "poke" => &[("column.fare", "7"), ("column.company", "")],
        _ => &[],
    };
    stage.post(carried, &path, fields).await
}

async fn check(route: &Route, who: Who) {
    let stage =
        Stage::set(Setting { webhook: true, slack: Some("http://127.0.0.1:9".to_string()), ..Setting::default() })
            .await;
    let carried = who.carried(&stage).await;
    let (before, length) = (stage.snapshot().await, stage.audit_length().await);
    let answer = send(&stage, route, who, &carried).await;
    let (after, audited) = (stage.snapshot().await, stage.audited_after(length).await);
    let outcome = who.expected(route);
    let what =
        format!("{} {} by {who:?}: {outcome:?}, but {} {}", route.way.rule(), route.path, answer.status, answer.text);
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let status = answer.status.as_u16();
    match outcome {
        Outcome::SignIn => {
            let page = matches!(route.way, Way::Get(_)) && !route.is_json();
            assert_eq!(status, if page { 303 } else { 401 }, "{what}");
            assert!(!page || answer.header("location").starts_with("/sign-in?next="), "{what}");
            assert_eq!(before, after, "{what}");
        }
        Outcome::Refused => {
            assert_eq!(status, 403, "{what}");
            assert_eq!(before, after, "{what}");
        }
        Outcome::Audited => {
            assert_eq!(status, 403, "{what}");
            assert_eq!(audited, ["decision.refused"], "{what}");
            assert!(stage.bench.store.decisions(&stage.request.id).await.unwrap().is_empty(), "{what}");
            assert!(stage.bench.store.pokes(&stage.request.id).await.unwrap().is_empty(), "{what}");
            assert_eq!(stage.bench.status(&stage.request.run).await, "waiting", "{what}");
            assert_eq!(stage.bench.store.counts().await.unwrap().queued, 0, "{what}");
            assert!(stage.bench.store.paused().await.unwrap().is_empty(), "{what}");
        }
        Outcome::Open => {
            let unsigned = route.way.rule() == "signed";
            assert_eq!(status == 401, unsigned, "{what}");
            assert!(!answer.header("location").starts_with("/sign-in?"), "{what}");
        }
        // Nothing was evaluated on this stage, so that there are no slices to show to those who may see them.
        Outcome::Done if route.path.ends_with("/slices") => assert_eq!(status, 404, "{what}"),
        Outcome::Done => assert_eq!(status, if deed_on_a_page(route) { 303 } else { 200 }, "{what}"),
    }
}

fn deed_on_a_page(route: &Route) -> bool {
    matches!(route.way, Way::Post(_)) && !route.is_json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_through_whom_it_should_and_nobody_else() {
    for route in table() {
        for who in EVERYBODY {
            check(&route, who).await;
        }
    }
}

#[test]
fn each_method_and_path_is_in_the_table_once_and_deeds_are_never_done_by_get() {
    let mut seen = std::collections::BTreeSet::new();
    for route in table() {
        let reads = !matches!(route.way, Way::Post(_));
        assert!(seen.insert((route.way.method(), route.path)), "{} is there twice", route.path);
        assert_eq!(reads, ["public", "viewers"].contains(&route.way.rule()), "{}", route.path);
    }
}
