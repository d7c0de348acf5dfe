//! The object store that sources with `s3://` paths are read from.

use super::address;
use super::layers::{Layers, Origin, variable_of};
use super::secrets::{InTable, Slot};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::shape::Text;
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::ops::Range;

/// An object store that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// Where it is, without a `/` at the end; none: Amazon's, of the region.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Who asks. There with `secret_access_key`, or neither: then requests are not signed.
    pub access_key_id: Option<Secret>,
    /// What requests are signed with.
    pub secret_access_key: Option<Secret>,
}

impl Default for S3 {
    fn default() -> Self {
        Self { endpoint: None, region: "us-east-1".to_string(), access_key_id: None, secret_access_key: None }
    }
}

/// The object store that sources with `s3://` paths are read from. Without keys requests are not signed.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "S3", deny_unknown_fields)]
pub(crate) struct S3Table {
    /// Where it is. Default: Amazon's, of the region. It must be `https`, but for this machine.
    #[schemars(regex(pattern = r"^https?://[^?#]*[^/?#]$"))]
    pub endpoint: Option<Text>,
    /// Its region.
    #[schemars(regex(pattern = r"^[a-z0-9-]+$"), extend("default" = "us-east-1"))]
    pub region: Option<Text>,
    /// File with the access key's identifier. Only its owner may read it.
    pub access_key_id_file: Option<Text>,
    /// Where somebody wrote the identifier itself.
    #[schemars(skip)]
    pub access_key_id: Option<Range<usize>>,
    /// File with the secret access key. Only its owner may read it.
    pub secret_access_key_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub secret_access_key: Option<Range<usize>>,
    /// Where the table stands.
    #[schemars(skip)]
    pub place: Range<usize>,
}

fn slot(key: &str, what: &'static str) -> Slot {
    Slot { key: format!("s3.{key}"), what, like: "one word, as the object store showed it", check: |_| true }
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> S3Table {
    let read = S3Table {
        endpoint: table.text("endpoint", sink),
        region: table.text("region", sink),
        access_key_id_file: table.text("access_key_id_file", sink),
        access_key_id: table.refuse("access_key_id", sink),
        secret_access_key_file: table.text("secret_access_key_file", sink),
        secret_access_key: table.refuse("secret_access_key", sink),
        place: table.place.clone(),
    };
    table.finish(sink);
    read
}

/// What both layers say.
pub(super) fn settings(table: Option<&S3Table>, layers: &mut Layers<'_>) -> S3 {
    let empty = S3Table::default();
    let written = table.unwrap_or(&empty);
    let endpoint = layers.checked("s3.endpoint", written.endpoint.as_ref(), endpoint).unwrap_or_default();
    let region = layers.checked("s3.region", written.region.as_ref(), region).unwrap_or_default();
    let [id, secret] =
        [slot("access_key_id", "the access key's identifier"), slot("secret_access_key", "the secret access key")];
    let given = InTable { file: written.access_key_id_file.as_ref(), literal: written.access_key_id.as_ref() };
    let access_key_id = layers.secret(&id, given);
    let given = InTable { file: written.secret_access_key_file.as_ref(), literal: written.secret_access_key.as_ref() };
    let secret_access_key = layers.secret(&secret, given);
    let missing = match (&access_key_id, &secret_access_key) {
        (Ok(Some(_)), Ok(None)) => Some((&secret, &id)),
        (Ok(None), Ok(Some(_))) => Some((&id, &secret)),
        (Ok(None), Ok(None)) | (Ok(Some(_)), Ok(Some(_))) | (Err(_), _) | (_, Err(_)) => None,
    };
    if let Some((missing, given)) = missing {
        let in_file = table.filter(|_| layers.variable(&given.key).is_none());
        let origin =
            in_file.map_or_else(|| Origin::Variable(variable_of(&missing.key)), |at| Origin::File(at.place.clone()));
        let message = format!("`s3` has {} and lacks {}", given.what, missing.what);
        layers.refuse(&origin, Problem::new("settings.missing-secret", message, missing.how()));
    }
    S3 {
        endpoint,
        region: region.unwrap_or_else(|| S3::default().region),
        access_key_id: access_key_id.unwrap_or_default(),
        secret_access_key: secret_access_key.unwrap_or_default(),
    }
}

/// Data must not travel in the clear, nor be changed on its way.
fn endpoint(text: &str) -> Result<String, Problem> {
    address::encrypted("endpoint", text, "what is delivered would travel in the clear")
}

fn region(text: &str) -> Result<String, Problem> {
    let sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let help = "a region has lower-case letters, digits and `-`, such as `eu-central-1`; many stores take `us-east-1`";
    sound
        .then(|| text.to_string())
        .ok_or_else(|| Problem::new("settings.bad-region", format!("`{text}` is no region"), help))
}
