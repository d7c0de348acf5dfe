//! Where a request came from, and where it may be sent on to. Both only ever mean this site.

use axum::http::{HeaderMap, header};

/// Whether a form was sent from a page of ours. Browsers say so in headers that pages can not set; a program that is no browser
/// sends neither, and has no cookies that somebody else could ride on.
pub fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        (values.next().map(|value| value.to_str().unwrap_or("?")), values.next().is_some())
    };
    let (site, doubled_site) = one("sec-fetch-site");
    let (origin, doubled_origin) = one(header::ORIGIN.as_str());
    let same_site = site.is_none_or(|site| site == "same-origin");
    // A page without a referrer policy sends the origin; `null` comes from privacy settings and, worse, from sandboxed frames.
    let same_origin = match origin {
        None => true,
        Some("null") => site == Some("same-origin"),
        Some(origin) => origin.eq_ignore_ascii_case(&origin_of(public_url)),
    };
    same_site && same_origin && !doubled_site && !doubled_origin
}

/// `https://host:port` of a URL.
pub fn origin_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// A path of this site to go to, or the inbox: never a place that somebody else chose.
pub fn local_path(wanted: &str) -> String {
    let plain = wanted.len() <= 512 && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let local = wanted.starts_with('/') && !wanted.starts_with("//");
    let loops = wanted.starts_with("/sign-in") || wanted.starts_with("/sign-out");
    if plain && local && !loops { wanted.to_string() } else { "/".to_string() }
}

#[cfg(test)]
mod tests {
    use super::{is_ours, local_path};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn only_pages_of_this_site_send_forms() {
        let judged = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_ours(&headers, "https://sign.example.org")
        };
        assert!(judged(&[]));
        assert!(judged(&[("origin", "https://sign.example.org"), ("sec-fetch-site", "same-origin")]));
        assert!(judged(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for refused in [
            &[("origin", "null")][..],
            &[("origin", "https://evil.example.org")],
            &[("origin", "http://sign.example.org")],
            &[("origin", "https://sign.example.org.evil.org")],
            &[("origin", "https://sign.example.org"), ("origin", "https://evil.org")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://sign.example.org"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!judged(refused), "{refused:?}");
        }
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(local_path("/requests/req_1?page=2#checks"), "/requests/req_1?page=2#checks");
        for elsewhere in [
            "//evil.org",
            "https://evil.org",
            "/\\evil.org",
            "/\t/evil.org",
            "evil.org",
            "",
            "/a\nb",
            "/sign-in",
            "/é",
            "javascript:alert(1)",
        ] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
