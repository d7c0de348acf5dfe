//! One request, taken apart: what its address says, and its body, read at most so far and for so long. Knows nothing of who sent it.

use crate::forms::Fields;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// One request.
pub struct Call {
    /// Its headers.
    pub headers: HeaderMap,
    parameters: BTreeMap<String, String>,
    query: Fields,
    body: Body,
}

impl Call {
    /// Takes a request apart. The body stays unread.
    ///
    /// # Errors
    /// When its path is not readable.
    pub async fn take(request: Request) -> Result<Self, Problem> {
        let (mut head, body) = request.into_parts();
        let parameters = RawPathParams::from_request_parts(&mut head, &())
            .await
            .map_err(|_| Problem::bad_request("the address is not readable"))?;
        let parameters = parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let query = Fields::parse(head.uri.query().unwrap_or_default().as_bytes());
        Ok(Self { headers: head.headers, parameters, query, body })
    }

    /// A part of the path.
    ///
    /// # Errors
    /// When the route has no such part, which its table rules out.
    pub fn parameter(&self, name: &str) -> Result<&str, Problem> {
        self.parameters.get(name).map(String::as_str).ok_or_else(|| Problem::not_found("there is nothing here"))
    }

    /// The first part of the path that varies: what the request is about; nothing for a fixed path.
    pub fn subject(&self) -> &str {
        self.parameters.values().next().map_or("", String::as_str)
    }

    /// A part of the path, read: something that does not read is not there.
    ///
    /// # Errors
    /// When it does not read.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.parameter(name)?;
        text.parse().map_err(|_| Problem::not_found(format!("there is nothing called `{}`", shortened(text))))
    }

    /// Something that the query says, if it is not empty.
    ///
    /// # Errors
    /// When it is there twice.
    pub fn query(&mut self, name: &str) -> Result<Option<String>, Problem> {
        Ok(self.query.take(name)?.filter(|text| !text.is_empty()))
    }

    /// Something that the query says, read.
    ///
    /// # Errors
    /// When it is there twice or does not read.
    pub fn query_as<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        match self.query(name)? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(read) => Ok(Some(read)),
                Err(_) => Err(Problem::bad_request(format!("`{name}` can not be `{}`", shortened(&text)))),
            },
        }
    }

    /// Reads the body: at most so many bytes, within so long.
    ///
    /// # Errors
    /// When it is larger, slower, or breaks off.
    pub async fn body(&mut self, most: usize, within: Duration) -> Result<Bytes, Problem> {
        let said = self.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|bytes| bytes > most as u64) {
            return Err(Problem::too_large());
        }
        let body = Limited::new(std::mem::take(&mut self.body), most);
        match tokio::time::timeout(within, body.collect()).await {
            Err(_) => Err(Problem::too_slow()),
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Problem::too_large()),
            Ok(Err(_)) => Err(Problem::bad_request("the request broke off")),
        }
    }

    /// Refuses a body of another type.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn must_be(&self, wanted: &str) -> Result<(), Problem> {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case(wanted) { Ok(()) } else { Err(Problem::wrong_type(wanted)) }
    }
}

/// What came with a request that acts.
pub enum Sent {
    /// A form, without its CSRF token.
    Form(Fields),
    /// A JSON document.
    Json(Bytes),
}

impl Sent {
    /// The form.
    ///
    /// # Errors
    /// When a JSON document came.
    pub fn form(self) -> Result<Fields, Problem> {
        match self {
            Self::Form(fields) => Ok(fields),
            Self::Json(_) => Err(Problem::wrong_type("application/x-www-form-urlencoded")),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// When a form came, or the document is not what is wanted here.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Problem> {
        match self {
            Self::Form(_) => Err(Problem::wrong_type("application/json")),
            Self::Json(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(error.to_string()))
            }
        }
    }
}

/// A text of somebody else's making, short enough for a message.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
