//! Reading and writing JSON files, with errors that name the file.

use crate::Error;
use std::path::Path;

/// Reads a JSON file.
///
/// # Errors
/// `InvalidInput`, naming the file, when it can not be read or is not what `T` expects.
pub fn read_json<T: serde::de::DeserializeOwned>(path: impl AsRef<Path>) -> Result<T, Error> {
    let path = path.as_ref();
    let bytes =
        std::fs::read(path).map_err(|error| Error::InvalidInput(format!("read {}: {error}", path.display())))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::InvalidInput(format!("read {}: {error}", path.display())))
}

/// Writes a JSON file, indented: a person may open it.
///
/// # Errors
/// `Bug`, naming the file, when it can not be written.
pub fn write_json<T: serde::Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<(), Error> {
    let path = path.as_ref();
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Error::Bug(format!("write {}: {error}", path.display())))?;
    bytes.push(b'\n');
    std::fs::write(path, bytes).map_err(|error| Error::Bug(format!("write {}: {error}", path.display())))
}
