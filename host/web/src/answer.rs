//! Answers, and the headers that every one of them carries.

use crate::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

/// The policy of every page: nothing from elsewhere, no script at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Some bytes of a type.
pub fn of(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// A page.
pub fn page(html: String) -> Response {
    of(StatusCode::OK, "text/html; charset=utf-8", html)
}

/// A page with a status of its own.
pub fn page_with(status: StatusCode, html: String) -> Response {
    of(status, "text/html; charset=utf-8", html)
}

/// Plain text.
pub fn text(body: String) -> Response {
    of(StatusCode::OK, "text/plain; charset=utf-8", body)
}

/// A document in its envelope: `{"schema": "countersign.<name>/1", "data": …}`.
///
/// # Errors
/// When it can not be written as JSON.
pub fn data(name: &str, document: &impl Serialize) -> Result<Response, Problem> {
    data_with(StatusCode::OK, name, document)
}

/// As [`data`], with a status of its own.
///
/// # Errors
/// As [`data`].
pub fn data_with(status: StatusCode, name: &str, document: &impl Serialize) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Envelope<'a, T> {
        schema: String,
        data: &'a T,
    }
    let text = serde_json::to_string(&Envelope { schema: format!("countersign.{name}/1"), data: document })
        .map_err(|error| Problem::failed("write a document", error))?;
    Ok(of(status, "application/json", text))
}

/// Elsewhere on this site, with GET.
pub fn see_other(path: &str) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    // A path that is no header value leads nowhere; the inbox does.
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    answer.headers_mut().insert(header::LOCATION, place);
    answer
}

/// Adds a cookie.
pub fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}

/// Lets the forms of this one page lead on to these origins, too: browsers apply the policy to where a form is redirected.
pub fn with_forms_to(mut answer: Response, origins: &str) -> Response {
    let policy = POLICY.replace("form-action 'self'", &format!("form-action 'self' {origins}"));
    if let Ok(value) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    }
    answer
}

/// Gives an answer the headers that every one carries, where it does not carry its own.
pub fn seal(mut answer: Response, https: bool) -> Response {
    let headers: &mut HeaderMap = answer.headers_mut();
    let mut always = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    always(header::CONTENT_SECURITY_POLICY, POLICY);
    always(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not `no-referrer`: with it browsers say `Origin: null` on our own forms, and the check of the origin would be worth nothing.
    always(header::REFERRER_POLICY, "same-origin");
    always(header::CACHE_CONTROL, "no-store");
    always(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    always(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if https {
        always(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    answer
}
