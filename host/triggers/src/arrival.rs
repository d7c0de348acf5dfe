//! Which deliveries lie in a source's directory, and what their bytes are.
//!
//! The truth is a listing: nothing here depends on being told of a change. A file is known by the digest of its content; size
//! and time of change are only a cheap first look. Temporary names are passed over; a link that leads out of the directory, a
//! name that is no UTF-8 and anything that is no plain file are reported, not followed and not dropped in silence. All of it waits
//! for disks: not for a thread that has to answer.

use crate::error::ArrivalError;
use crate::look::{Found, Listing, Look};
use crate::marker::Markers;
use countersign_model::digest::Digest;
use countersign_model::pipeline::Source;
use countersign_model::source::{SpanPattern, is_temporary};
use countersign_ports::Delivered;
use std::fs::{DirEntry, File, Metadata};
use std::io::ErrorKind;
use std::path::Path;

/// The deliveries of a source that are whole as far as a marker says it. A directory that is not there yet holds none.
///
/// # Errors
/// When the path is no pattern or the directory can not be read.
pub(crate) fn list(source: &Source) -> Result<Listing, ArrivalError> {
    let pattern = SpanPattern::parse(&source.path)?;
    let directory = pattern.directory();
    let error = |source| ArrivalError::Io { operation: "list deliveries", path: directory.to_path_buf(), source };
    let entries = match directory.read_dir() {
        Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(Listing::default()),
        entries => entries.map_err(error)?,
    };
    let root = directory.canonicalize().map_err(error)?;
    let place = Place { pattern: &pattern, markers: Markers::of(&source.ready), root: &root };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(error)?;
        match place.judge(&entry) {
            Ok(Some(one)) => found.push(one),
            Ok(None) => {}
            Err(problem) => problems.push(format!("{}: {problem}", entry.path().display())),
        }
    }
    problems.sort();
    Ok(Listing::new(found, problems))
}

/// A directory of deliveries.
struct Place<'a> {
    pattern: &'a SpanPattern,
    markers: Markers<'a>,
    /// Where it really is.
    root: &'a Path,
}

impl Place<'_> {
    /// A delivery, nothing for a file that is none of ours, or why it can not be taken.
    fn judge(&self, entry: &DirEntry) -> Result<Option<Found>, String> {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let temporary = is_temporary(&name.to_string_lossy());
            return if temporary { Ok(None) } else { Err("its name is no UTF-8".into()) };
        };
        if !self.pattern.matches(name) || self.markers.has(name) {
            return Ok(None);
        }
        let path = self.pattern.inner().map_or_else(|| entry.path(), |inner| entry.path().join(inner));
        let linked = || -> std::io::Result<bool> {
            Ok(entry.file_type()?.is_symlink() || (self.pattern.inner().is_some() && path.is_symlink()))
        };
        let look = || -> std::io::Result<(bool, Metadata)> {
            Ok((!linked()? || path.canonicalize()?.starts_with(self.root), path.metadata()?))
        };
        match look() {
            Ok((false, _)) => Err("it is a link that leads out of the directory".into()),
            Ok((true, metadata)) if !metadata.is_file() => Err("it is no plain file".into()),
            Ok((true, _)) if !self.is_marked(&path) => Ok(None),
            Ok((true, metadata)) => {
                // The directory's text comes from the pattern and the names were checked: nothing is lost here.
                let path = path.to_string_lossy().into_owned();
                let delivered = Delivered { path, span: self.pattern.span_of(name) };
                Ok(Some(Found { delivered, look: Look::of(&metadata), tag: None }))
            }
            // Moved away since the directory was read, not there yet, or a link to nothing.
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn is_marked(&self, path: &Path) -> bool {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.markers.name_for(file).is_none_or(|marker| path.with_file_name(marker).is_file())
    }
}

/// The SHA-256 of a file that looked like `expected` before and still did afterwards; none when it changed meanwhile or is gone.
pub(crate) fn digest(path: &Path, expected: Look) -> Result<Option<Digest>, ArrivalError> {
    let read = || -> std::io::Result<Option<Digest>> {
        let mut file = File::open(path)?;
        let digest = Digest::of_reader(&mut file)?;
        // The path is looked at again too: it may lead to another file by now.
        let same = Look::of(&file.metadata()?) == expected && Look::of(&path.metadata()?) == expected;
        Ok(same.then_some(digest))
    };
    match read() {
        Err(gone) if gone.kind() == ErrorKind::NotFound => Ok(None),
        read => {
            read.map_err(|source| ArrivalError::Io { operation: "read delivery", path: path.to_path_buf(), source })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::pipeline::Ready;
    use std::fs::{create_dir, write};

    fn source(directory: &Path, pattern: &str) -> Source {
        Source { path: format!("{}/{pattern}", directory.display()), settle_seconds: 10, ready: Ready::Settled }
    }

    fn spans(listing: &Listing) -> Vec<&str> {
        listing.found.iter().filter_map(|found| found.delivered.span.as_deref()).collect()
    }

    #[test]
    fn a_delivery_that_needs_a_marker_is_none_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["b1", "b2", "b2.done", "b3.done"] {
            write(path(name), "x").unwrap();
        }
        let ready =
            |marker: &str| Source { ready: Ready::Marker(marker.into()), ..source(directory.path(), "b{SPAN}") };
        assert_eq!(spans(&list(&ready("{NAME}.done")).unwrap()), ["2"]);
        assert_eq!(list(&ready("_SUCCESS")).unwrap(), Listing::default());
        write(path("_SUCCESS"), "").unwrap();
        assert_eq!(spans(&list(&ready("_SUCCESS")).unwrap()), ["1", "2", "2.done", "3.done"]);
    }

    #[test]
    fn the_span_may_be_in_the_name_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for day in ["2026-11-21", "2026-11-22", "2026-11-23", "archive"] {
            create_dir(path(day)).unwrap();
        }
        write(path("2026-11-21/rows.csv"), "x").unwrap();
        write(path("2026-11-23/rows.csv"), "x").unwrap();
        write(path("2026-11-23/_SUCCESS"), "").unwrap();
        write(path("2026-11-24"), "a file").unwrap();
        let mut source = source(directory.path(), "{YYYY}-{MM}-{DD}/rows.csv");
        let listing = list(&source).unwrap();
        assert_eq!(spans(&listing), ["2026-11-21", "2026-11-23"]);
        assert!(listing.found[0].delivered.path.ends_with("/2026-11-21/rows.csv"));
        assert_eq!(listing.problems.len(), 1, "{:?}", listing.problems);
        source.ready = Ready::Marker("_SUCCESS".into());
        assert_eq!(spans(&list(&source).unwrap()), ["2026-11-23"]);
    }

    #[test]
    fn deliveries_come_from_the_oldest_span_to_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b10.csv", "b9.csv", "b2.csv.part", ".b3.csv", "b4.csv.tmp", "b5.csv~", "other.csv"] {
            write(directory.path().join(name), "x").unwrap();
        }
        let source = source(directory.path(), "b{SPAN}.csv");
        assert_eq!(spans(&list(&source).unwrap()), ["9", "10"]);
    }

    #[test]
    fn a_directory_that_is_not_there_yet_holds_none() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(list(&source(&directory.path().join("later"), "{SPAN}.csv")).unwrap(), Listing::default());
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
        create_dir(path("folder.csv")).unwrap();
        write(inside.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.csv")), "x").unwrap();
        let listing = list(&source(inside.path(), "{SPAN}.csv")).unwrap();
        assert_eq!(spans(&listing), ["in", "real"]);
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
        let look = Look::of(&path.metadata().unwrap());
        assert_eq!(digest(&path, look).unwrap(), Some(Digest::of(b"one")));
        assert_eq!(digest(&path, Look { bytes: 2, ..look }).unwrap(), None);
        assert_eq!(digest(&directory.path().join("gone"), look).unwrap(), None);
    }
}
