//! Which deliveries lie in a source's directory, and what their bytes are.
//!
//! The truth is a listing: nothing here depends on being told of a change. A file is known by the digest of its content; size
//! and time of change are only a cheap first look. Temporary names are passed over; a link that leads out of the directory, a
//! name that is no UTF-8 and anything that is no plain file are reported, not followed and not dropped in silence.

use crate::error::ArrivalError;
use countersign_model::digest::Digest;
use countersign_model::pipeline::Source;
use countersign_model::source::{SpanPattern, is_temporary};
use sha2::{Digest as _, Sha256};
use std::fs::{DirEntry, File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// One file that a source's pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Where it lies.
    pub path: PathBuf,
    /// The span its name spells.
    pub span: Option<String>,
}

/// What lies in a source's directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Deliveries, from the oldest span to the newest.
    pub delivered: Vec<Delivered>,
    /// Files that can not be taken, each with its reason.
    pub problems: Vec<String>,
}

/// The deliveries of a source, from the oldest span to the newest. A directory that is not there yet holds none.
///
/// # Errors
/// When the path is no pattern or the directory can not be read.
pub fn matching(source: &Source) -> Result<Vec<Delivered>, ArrivalError> {
    Ok(list(source)?.delivered)
}

/// The delivery with the newest span.
///
/// # Errors
/// As [`matching`].
pub fn newest_delivery(source: &Source) -> Result<Option<Delivered>, ArrivalError> {
    Ok(matching(source)?.pop())
}

/// The deliveries of a source, and what can not be one.
///
/// # Errors
/// As [`matching`].
pub fn list(source: &Source) -> Result<Listing, ArrivalError> {
    let pattern = SpanPattern::parse(&source.path)?;
    let directory = pattern.directory();
    let error = |source| ArrivalError::Io { operation: "list deliveries", path: directory.to_path_buf(), source };
    let entries = match directory.read_dir() {
        Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(Listing::default()),
        entries => entries.map_err(error)?,
    };
    let root = directory.canonicalize().map_err(error)?;
    let mut names = Vec::new();
    let mut problems = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        match judge(&entry, &pattern, &root) {
            Ok(Some(name)) => names.push(name),
            Ok(None) => {}
            Err(problem) => problems.push(format!("{}: {problem}", entry.path().display())),
        }
    }
    names.sort_by(|a, b| pattern.order(a, b));
    problems.sort();
    let delivered = |name: String| Delivered { path: directory.join(&name), span: pattern.span_of(&name) };
    Ok(Listing { delivered: names.into_iter().map(delivered).collect(), problems })
}

/// The name of a delivery, nothing for a file that is none of ours, or why it can not be taken.
fn judge(entry: &DirEntry, pattern: &SpanPattern, root: &Path) -> Result<Option<String>, String> {
    let name = entry.file_name();
    let Some(name) = name.to_str() else {
        let temporary = is_temporary(&name.to_string_lossy());
        return if temporary { Ok(None) } else { Err("its name is no UTF-8".into()) };
    };
    if !pattern.matches(name) {
        return Ok(None);
    }
    let path = entry.path();
    let look = || -> std::io::Result<(bool, Metadata)> {
        Ok((!entry.file_type()?.is_symlink() || path.canonicalize()?.starts_with(root), path.metadata()?))
    };
    match look() {
        Ok((false, _)) => Err("it is a link that leads out of the directory".into()),
        Ok((true, metadata)) if !metadata.is_file() => Err("it is no plain file".into()),
        Ok((true, _)) => Ok(Some(name.to_string())),
        // Moved away since the directory was read, or a link to nothing.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// A cheap look at a file: a file that looks the same was not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) bytes: u64,
    /// When it last changed, microseconds.
    pub(crate) modified: i64,
}

impl Look {
    /// Looks at a path.
    pub(crate) fn at(path: &Path) -> Result<Self, ArrivalError> {
        path.metadata().map(|metadata| Self::of(&metadata)).map_err(|source| ArrivalError::Io {
            operation: "look at delivery",
            path: path.to_path_buf(),
            source,
        })
    }

    /// The time of change of the inode where there is one: tools that copy modification times can not turn it back.
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let modified = metadata.ctime().saturating_mul(1_000_000).saturating_add(metadata.ctime_nsec() / 1_000);
        Self { bytes: metadata.len(), modified }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let since_epoch = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since_epoch.and_then(|age| i64::try_from(age.as_micros()).ok()).unwrap_or(0);
        Self { bytes: metadata.len(), modified }
    }
}

/// Deliveries with a look at each, and what can not be one. A file that is gone by now is left out.
pub(crate) type Looks = (Vec<(Delivered, Look)>, Vec<String>);

/// The deliveries of a source as they look now.
pub(crate) fn list_with_looks(source: &Source) -> Result<Looks, ArrivalError> {
    let Listing { delivered, problems } = list(source)?;
    let look = |delivered: Delivered| Look::at(&delivered.path).ok().map(|look| (delivered, look));
    Ok((delivered.into_iter().filter_map(look).collect(), problems))
}

/// The SHA-256 of a file that looked like `expected` before and still did afterwards; none when it changed meanwhile.
pub(crate) fn digest(path: &Path, expected: Look) -> Result<Option<Digest>, ArrivalError> {
    let error = |source| ArrivalError::Io { operation: "read delivery", path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(error)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(interrupted) if interrupted.kind() == ErrorKind::Interrupted => {}
            Err(other) => return Err(error(other)),
        }
    }
    let read = Look::of(&file.metadata().map_err(error)?);
    // The path is looked at again too: it may lead to another file by now.
    let same = read == expected && Look::at(path)? == expected;
    Ok(same.then(|| Digest::from_bytes(hasher.finalize().into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::write;

    fn source(directory: &Path, pattern: &str) -> Source {
        Source { path: format!("{}/{pattern}", directory.display()), settle_seconds: 10 }
    }

    #[test]
    fn deliveries_come_from_the_oldest_span_to_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b10.csv", "b9.csv", "b2.csv.part", ".b3.csv", "b4.csv.tmp", "b5.csv~", "other.csv"] {
            write(directory.path().join(name), "x").unwrap();
        }
        let source = source(directory.path(), "b{SPAN}.csv");
        let spans: Vec<_> = matching(&source).unwrap().into_iter().filter_map(|delivered| delivered.span).collect();
        assert_eq!(spans, ["9", "10"]);
        assert_eq!(newest_delivery(&source).unwrap().unwrap().path, directory.path().join("b10.csv"));
    }

    #[test]
    fn a_directory_that_is_not_there_yet_holds_none() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(newest_delivery(&source(&directory.path().join("later"), "{SPAN}.csv")).unwrap(), None);
        assert!(list(&source(directory.path(), "{WHAT}.csv")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_can_not_be_taken_is_reported() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        let path = |name: &str| inside.path().join(name);
        write(outside.path().join("secret.csv"), "x").unwrap();
        write(path("real.csv"), "x").unwrap();
        symlink(outside.path().join("secret.csv"), path("out.csv")).unwrap();
        symlink(path("real.csv"), path("in.csv")).unwrap();
        symlink(path("nothing"), path("broken.csv")).unwrap();
        std::fs::create_dir(path("folder.csv")).unwrap();
        write(inside.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.csv")), "x").unwrap();
        let listing = list(&source(inside.path(), "{SPAN}.csv")).unwrap();
        let spans: Vec<_> = listing.delivered.iter().filter_map(|delivered| delivered.span.as_deref()).collect();
        assert_eq!(spans, ["in", "real"]);
        assert_eq!(listing.problems.len(), 4, "{:?}", listing.problems);
        for problem in ["out of the directory", "no UTF-8", "no plain file", "broken.csv"] {
            assert!(listing.problems.iter().any(|found| found.contains(problem)), "{problem}: {:?}", listing.problems);
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_has_no_digest_yet() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        write(&path, "one").unwrap();
        let look = Look::at(&path).unwrap();
        assert_eq!(digest(&path, look).unwrap(), Some(Digest::of(b"one")));
        assert_eq!(digest(&path, Look { bytes: 2, ..look }).unwrap(), None);
    }
}
