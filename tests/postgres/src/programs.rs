//! PostgreSQL's programs, and the user that they run as: they refuse to run as root.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian and its relatives keep each version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The folder of the programs.
#[derive(Clone)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// On the path, or the newest of those that are installed beside it.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(VERSIONS)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
            })
            .collect();
        versions.sort();
        let installed = versions.into_iter().rev().map(|(_, folder)| folder);
        let complete = |folder: &PathBuf| {
            ["initdb", "postgres", "pg_basebackup", "createdb", "psql"]
                .iter()
                .all(|program| folder.join(program).is_file())
        };
        std::env::split_paths(&path).chain(installed).find(complete).map(Self)
    }

    /// One of them, in a folder that its user may enter, and without what the environment says about another server.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.0.join(program));
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command
    }
}

/// Somebody without rights.
#[derive(Clone, Copy)]
pub(crate) struct Unprivileged {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

impl Unprivileged {
    /// Somebody else, who gets the folder, when whoever made it is root.
    pub(crate) fn instead_of_root(folder: &Path) -> Option<Self> {
        if std::fs::metadata(folder).expect("look at the server's directory").uid() != 0 {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("read the list of users");
        let found = ["postgres", "nobody"].into_iter().find_map(|name| Self::named(&users, name));
        let found = found.expect("a user `postgres` or `nobody` for a server that refuses to run as root");
        std::os::unix::fs::chown(folder, Some(found.user), Some(found.group)).expect("hand the directory over");
        Some(found)
    }

    fn named(users: &str, name: &str) -> Option<Self> {
        let mut fields = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.split(':').skip(1);
        Some(Self { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }

    pub(crate) fn runs(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}
