//! Cookies: out of reach for scripts, not sent along from other sites, bound to the host where the page comes over https.

use axum::http::{HeaderMap, header};
use std::time::Duration;

/// The cookies that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// A session.
    Session,
    /// A sign-in with Slack that is under way in this browser.
    SignIn,
    /// Where somebody wanted to go when they were asked to sign in: a one-time link comes by another way and knows nothing of it.
    Next,
}

impl Cookie {
    /// `__Host-` makes the browser refuse it from anything but https and this very host; plain http has no such promise.
    fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Session, true) => "__Host-countersign",
            (Self::Session, false) => "countersign",
            (Self::SignIn, true) => "__Host-countersign-sign-in",
            (Self::SignIn, false) => "countersign-sign-in",
            (Self::Next, true) => "__Host-countersign-next",
            (Self::Next, false) => "countersign-next",
        }
    }
}

/// The cookie's value. None when it was sent twice: one of the two was put there by somebody else.
pub fn read(headers: &HeaderMap, cookie: Cookie, https: bool) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == cookie.name(https)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Some(value.to_string()),
        (Some(_) | None, _) => None,
    }
}

/// `Set-Cookie` with that value for so long; an empty value for no time takes it away.
pub fn set(cookie: Cookie, value: &str, lifetime: Duration, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    let (name, seconds) = (cookie.name(https), lifetime.as_secs());
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

#[cfg(test)]
mod tests {
    use super::{Cookie, read, set};
    use axum::http::{HeaderMap, header};
    use std::time::Duration;

    fn headers(texts: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(header::COOKIE, header::HeaderValue::from_static(text));
        }
        headers
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_never_from_two() {
        let plain = |texts: &[&'static str]| read(&headers(texts), Cookie::Session, false);
        assert_eq!(plain(&["a=b; countersign=x; countersign-sign-in=y"]).as_deref(), Some("x"));
        assert_eq!(plain(&["countersign=x; countersign=y"]), None);
        assert_eq!(plain(&["countersign=x", "countersign=y"]), None);
        assert_eq!(plain(&["countersign=", "__Host-countersign=x"]), None);
        assert_eq!(read(&headers(&["countersign=x"]), Cookie::Session, true), None);
    }

    #[test]
    fn over_https_a_cookie_is_secure_and_bound_to_the_host() {
        let text = set(Cookie::Session, "x", Duration::from_secs(60), true);
        assert_eq!(text, "__Host-countersign=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        assert!(!set(Cookie::SignIn, "x", Duration::ZERO, false).contains("Secure"));
    }
}
