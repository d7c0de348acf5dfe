//! Whatever people send: nothing panics, and nobody is led away or let in.

use super::stage::HOME;
use crate::access::{cookies, origin, totp};
use crate::forms::{Draft, Fields};
use crate::openid::OpenId;
use crate::server::SignIn;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

proptest! {
    #[test]
    fn a_path_to_return_to_stays_on_this_site(text in "[/\\\\a-z:@.?#%\\t\\n é]{0,20}") {
        let home = reqwest::Url::parse(HOME).unwrap();
        let place = home.join(&origin::local_path(&text)).unwrap();
        prop_assert_eq!(place.origin(), home.origin());
        prop_assert!(HeaderValue::from_str(&origin::local_path(&text)).is_ok());
    }

    #[test]
    fn only_this_very_origin_is_ours(text in "(https?://)?[a-z.:/@]{0,30}") {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_str(&text).unwrap());
        prop_assert_eq!(origin::is_ours(&headers, HOME), text == HOME);
    }

    #[test]
    fn any_form_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(draft) = Draft::read(Fields::parse(&bytes)) {
            let _ = draft.understand();
        }
        let _ = Fields::parse(&bytes).take_prefixed("column.");
    }

    #[test]
    fn any_cookie_is_read_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            headers.insert(header::COOKIE, value);
        }
        prop_assert_eq!(cookies::read(&headers, cookies::Cookie::Session, true), None);
    }

    #[test]
    fn any_secret_and_code_and_time_are_judged(secret in ".{1,40}", code in ".{0,10}", micros in any::<i64>()) {
        if let Some(secret) = Secret::new(&secret) {
            let _ = totp::matching_step(&secret, &code, Timestamp::from_micros(micros));
        }
    }

    #[test]
    fn an_id_token_of_somebody_elses_making_opens_nothing(
        name in "iss|aud|sub|exp|nonce|https://slack.com/team_id", value in ".{0,20}", raw in ".{0,60}",
    ) {
        let sign_in = SignIn {
            client_id: "11.22".to_string(),
            client_secret: Secret::new("s").unwrap(),
            team: "T01".to_string(),
            api_url: "https://slack.com".to_string(),
        };
        let open_id = OpenId::new(&sign_in, HOME);
        let mut claims = serde_json::json!({
            "iss": "https://slack.com", "aud": "11.22", "sub": "U1", "exp": 10, "nonce": "guess", "https://slack.com/team_id": "T01",
        });
        claims[name] = value.into();
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        for token in [token, raw] {
            prop_assert!(open_id.claims(&token, "a nonce of 43 characters", Timestamp::from_micros(0)).is_err());
        }
    }
}
