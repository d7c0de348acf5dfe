//! Places a file inside an output directory that a component fills, and nowhere else.
//!
//! The component may have left symbolic links there; it is waiting for the host while this runs, so nothing changes between
//! check and use.

use countersign_ports::query_engine::QueryError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Checks `relative` and makes its parent directories below `root`.
pub(crate) fn place(root: &Path, relative: &str) -> Result<PathBuf, QueryError> {
    let refused = |problem: &str| QueryError::Refused(format!("the path `{relative}` {problem}"));
    let mut names = Vec::new();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(refused("must stay inside the output"));
            }
        }
    }
    let Some(file) = names.pop().filter(|_| !relative.ends_with('/') && !relative.contains('\0')) else {
        return Err(refused("names no file"));
    };
    let making =
        |source: std::io::Error| QueryError::Engine { operation: "make output directory", source: source.into() };
    let mut path = root.to_owned();
    for name in names {
        path.push(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(refused("leads through something that is no directory")),
            Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir(&path).map_err(making)?,
            Err(error) => return Err(making(error)),
        }
    }
    path.push(file);
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => Err(refused("is there already and is no file")),
        _ => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_inside() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("file")).unwrap();
        for path in ["", ".", "/etc/x", "../x", "a/../../x", "a/", "link/x", "file", "a\0b"] {
            assert!(matches!(place(root.path(), path), Err(QueryError::Refused(_))), "{path:?}");
        }
        assert_eq!(place(root.path(), "train/./a b.parquet").unwrap(), root.path().join("train/a b.parquet"));
        assert!(root.path().join("train").is_dir());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
