//! Deliveries in object stores: S3 and what speaks its language.
//!
//! The truth is a listing here too. An object appears whole, so its version (size, time, tag) is a look like a file's; its bytes are read
//! once to digest them. A server that is down, slow or unwilling is an error in words that stay the same from try to try, and never
//! holds anybody up for long.

use crate::error::{ArrivalError, ObjectError};
use crate::look::{Found, Listing, Look};
use crate::marker::Markers;
use countersign_model::digest::{Digest, Digesting};
use countersign_model::pipeline::Source;
use countersign_model::secret::Secret;
use countersign_model::source::SpanPattern;
use countersign_ports::Delivered;
use futures::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path as Key;
use object_store::{ClientOptions, GetOptions, GetResult, ObjectMeta, ObjectStore, RetryConfig};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A listing that takes longer has failed.
const LISTING: Duration = Duration::from_secs(30);
/// A connection, or the next bytes of an answer, that take longer have failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// A listing that never ends is a fault: there are other ways to store as many objects.
const MOST_PAGES: usize = 1_000;

/// Where objects lie, and the key to them.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The server; none for Amazon's of the region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// With the secret key: what signs requests. Without both, requests are not signed: buckets that anybody may read.
    pub access_key_id: Option<Secret>,
    /// With the key's identifier.
    pub secret_access_key: Option<Secret>,
}

impl Default for S3Options {
    fn default() -> Self {
        Self { endpoint: None, region: "us-east-1".to_string(), access_key_id: None, secret_access_key: None }
    }
}

/// Buckets, each opened when it is first asked for.
pub(crate) struct Objects {
    options: S3Options,
    open: Mutex<HashMap<String, Arc<AmazonS3>>>,
}

impl Objects {
    pub(crate) fn new(options: S3Options) -> Self {
        Self { options, open: Mutex::default() }
    }

    /// The deliveries of a source that are whole as far as a marker says it.
    pub(crate) async fn list(&self, source: &Source) -> Result<Listing, ArrivalError> {
        let pattern = SpanPattern::parse(&source.path)?;
        let failed =
            |problem| ArrivalError::Object { operation: "list objects", address: source.path.clone(), source: problem };
        let listing = tokio::time::timeout(LISTING, self.list_pattern(&pattern, Markers::of(&source.ready)));
        listing.await.unwrap_or(Err(ObjectError::Timeout)).map_err(failed)
    }

    async fn list_pattern(&self, pattern: &SpanPattern, markers: Markers<'_>) -> Result<Listing, ObjectError> {
        let directory = pattern.directory().to_string_lossy();
        let place = directory.strip_prefix("s3://").unwrap_or(&directory);
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let store = self.bucket(bucket)?;
        let mut names = Names { pattern, markers, found: Vec::new(), markers_there: HashSet::new() };
        // A marker need not start as deliveries do.
        let start = if markers.are_needed() && pattern.inner().is_none() { "" } else { pattern.start() };
        let prefix = Some(format!("{folder}{start}")).filter(|prefix| !prefix.is_empty());
        let mut page_token = None;
        for _ in 0..MOST_PAGES {
            let delimiter = pattern.inner().is_none().then(|| "/".into());
            let options = PaginatedListOptions { delimiter, page_token, ..PaginatedListOptions::default() };
            let page = store.list_paginated(prefix.as_deref(), options).await.map_err(ObjectError::of)?;
            for object in page.result.objects {
                names.take(&folder, object);
            }
            page_token = page.page_token;
            if page_token.is_none() {
                return Ok(names.listing(bucket, &folder));
            }
        }
        Err(ObjectError::TooMany)
    }

    /// The SHA-256 of an object that still is as it was found; none when it is another by now, or gone.
    pub(crate) async fn digest(&self, found: &Found) -> Result<Option<Digest>, ArrivalError> {
        let path = &found.delivered.path;
        let failed = |source| ArrivalError::Object { operation: "read object", address: path.clone(), source };
        let options = GetOptions { if_match: found.tag.clone(), ..GetOptions::default() };
        let answer = match self.get(path, options).await {
            Err(ObjectError::Missing | ObjectError::Changed) => return Ok(None),
            answer => answer.map_err(failed)?,
        };
        let mut digesting = Digesting::default();
        let mut bytes = 0_u64;
        let mut body = answer.into_stream();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| failed(ObjectError::of(error)))?;
            bytes += chunk.len() as u64;
            digesting.update(&chunk);
        }
        Ok((bytes == found.look.bytes).then(|| digesting.finish()))
    }

    /// Copies an object to a new file.
    pub(crate) async fn fetch(&self, address: &str, to: &Path) -> Result<(), ArrivalError> {
        let failed = |source| ArrivalError::Object { operation: "read object", address: address.to_string(), source };
        let written = |source| ArrivalError::Io { operation: "write copy of object", path: to.to_path_buf(), source };
        let mut body = self.get(address, GetOptions::default()).await.map_err(failed)?.into_stream();
        let mut file = tokio::fs::File::create_new(to).await.map_err(written)?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| failed(ObjectError::of(error)))?;
            file.write_all(&chunk).await.map_err(written)?;
        }
        file.flush().await.map_err(written)
    }

    async fn get(&self, address: &str, options: GetOptions) -> Result<GetResult, ObjectError> {
        let (bucket, key) =
            address.strip_prefix("s3://").and_then(|place| place.split_once('/')).ok_or(ObjectError::Missing)?;
        let key = Key::parse(key).map_err(|error| ObjectError::Other(error.to_string()))?;
        self.bucket(bucket)?.get_opts(&key, options).await.map_err(ObjectError::of)
    }

    fn bucket(&self, name: &str) -> Result<Arc<AmazonS3>, ObjectError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.get(name) {
            return Ok(Arc::clone(store));
        }
        let options = &self.options;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&options.region)
            .with_http_connector(Connector {
                loopback: options.endpoint.as_deref().is_some_and(|url| url.starts_with("http://")),
            })
            .with_retry(RetryConfig { max_retries: 2, retry_timeout: PATIENCE, ..RetryConfig::default() });
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder = match (&options.access_key_id, &options.secret_access_key) {
            (Some(id), Some(key)) => builder.with_access_key_id(id.expose()).with_secret_access_key(key.expose()),
            // Nothing is looked for in the environment or at an address of the cloud's: what is used is what the settings say.
            (None, None) => builder.with_skip_signature(true),
            (Some(_), None) | (None, Some(_)) => return Err(ObjectError::HalfAKey),
        };
        let store = Arc::new(builder.build().map_err(ObjectError::of)?);
        open.insert(name.to_string(), Arc::clone(&store));
        Ok(store)
    }
}

/// Names below one prefix, sorted out as they come in.
struct Names<'a> {
    pattern: &'a SpanPattern,
    markers: Markers<'a>,
    /// The name that spells the span, and the object.
    found: Vec<(String, ObjectMeta)>,
    /// Keys of markers, seen from the folder.
    markers_there: HashSet<String>,
}

impl Names<'_> {
    fn take(&mut self, folder: &str, object: ObjectMeta) {
        let Some(rest) = object.location.as_ref().strip_prefix(folder) else { return };
        let (name, file) = match (self.pattern.inner(), rest.split_once('/')) {
            (None, None) => (rest, rest),
            (Some(_), Some((name, file))) if !file.contains('/') => (name, file),
            (None, Some(_)) | (Some(_), _) => return,
        };
        if self.markers.has(file) {
            self.markers_there.insert(rest.to_string());
        } else if self.pattern.inner().is_none_or(|inner| inner == file) && self.pattern.matches(name) {
            self.found.push((name.to_string(), object));
        }
    }

    fn listing(self, bucket: &str, folder: &str) -> Listing {
        let Self { pattern, markers, mut found, markers_there } = self;
        let is_marked = |object: &ObjectMeta| {
            let rest = object.location.as_ref().strip_prefix(folder).unwrap_or_default();
            let (above, file) =
                rest.rsplit_once('/').map_or((String::new(), rest), |(above, file)| (format!("{above}/"), file));
            markers.name_for(file).is_none_or(|marker| markers_there.contains(&format!("{above}{marker}")))
        };
        found.retain(|(_, object)| is_marked(object));
        let found = found.into_iter().map(|(name, object)| Found {
            delivered: Delivered { path: format!("s3://{bucket}/{}", object.location), span: pattern.span_of(&name) },
            look: Look::of_object(object.size, object.last_modified.timestamp_micros(), object.e_tag.as_deref()),
            tag: object.e_tag,
        });
        Listing::new(found.collect(), Vec::new())
    }
}

/// Builds HTTP clients with our cryptography, whatever a library would choose.
#[derive(Debug)]
struct Connector {
    /// A server on this machine: no proxy, no certificate is needed or trusted.
    loopback: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        // Fails when somebody in this process installed one before: then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        builder = if self.loopback { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
        let client = builder.build();
        client
            .map(HttpClient::new)
            .map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })
    }
}
