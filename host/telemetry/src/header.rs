//! Headers as OpenTelemetry's own tools write them: `name=value,name=value`, values percent-encoded.

use crate::error::TelemetryError;
use countersign_model::secret::Secret;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// The headers in `text`; every value is taken for a secret.
pub fn read(text: Option<&Secret>) -> Result<HeaderMap, TelemetryError> {
    let mut headers = HeaderMap::new();
    let parts = text.map_or("", Secret::expose).split(',').map(str::trim).enumerate();
    for (index, part) in parts.filter(|(_, part)| !part.is_empty()) {
        let wrong = || TelemetryError::Header(index + 1);
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_bytes(&decoded(value.trim()).ok_or_else(wrong)?).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The text with `%20` and the like replaced; none when one is cut off or no number.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?].map(|digit| char::from(digit).to_digit(16));
                u8::try_from(digits[0]? * 16 + digits[1]?).ok()?
            }
            byte => byte,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::read;
    use countersign_model::secret::Secret;

    #[test]
    fn headers_are_read_and_never_shown() {
        let text = Secret::new("authorization=Basic%20a2V5, x-team=ml=1,").unwrap();
        let headers = read(Some(&text)).unwrap();
        assert_eq!(headers["authorization"], "Basic a2V5");
        assert_eq!(headers["x-team"], "ml=1");
        assert!(!format!("{headers:?}").contains("a2V5"));
        assert!(read(None).unwrap().is_empty());
    }

    #[test]
    fn a_wrong_header_is_named_by_its_place() {
        for (text, place) in [("key", 1), ("a=1,b\u{e9}=2", 2), ("a=%2", 1), ("a=%zz", 1), ("a=1,b=%0a", 2), ("=1", 1)]
        {
            let error = read(Secret::new(text).as_ref()).unwrap_err().to_string();
            assert_eq!(error, format!("read the traces headers: part {place} is not `name=value`"), "{text}");
        }
    }
}
