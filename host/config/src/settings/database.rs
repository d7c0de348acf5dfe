//! Where the record is kept: SQLite in the state directory, or Postgres, whose URL holds a password and is a secret.

use super::layers::Layers;
use super::secrets::{InTable, Slot};
use crate::diagnostics::Sink;
use crate::document::Table;
use crate::shape::Text;
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the record is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In one file, for one daemon.
    Sqlite(PathBuf),
    /// In Postgres, which several daemons may share: the whole URL.
    Postgres(Secret),
}

impl Database {
    /// The file of an installation that names no database.
    pub(super) fn within(state_dir: &Path) -> Self {
        Self::Sqlite(state_dir.join("metadata.db"))
    }
}

/// Where the record is kept. Without this table: in SQLite, in `state_dir`.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Database", deny_unknown_fields)]
pub(crate) struct DatabaseTable {
    /// File with the URL of a Postgres database, `postgres://user:password@host/name`. Only its owner may read it.
    pub url_file: Option<Text>,
    /// Where somebody wrote the URL itself.
    #[schemars(skip)]
    pub url: Option<Range<usize>>,
}

fn url() -> Slot {
    Slot {
        key: "database.url".to_string(),
        what: "the database's URL",
        like: "a URL of Postgres: `postgres://`, user, `:`, password, `@`, host, `/` and the database's name, with `%40` for an `@` in the password",
        check: is_url,
    }
}

/// A scheme, a host or the folder of a socket, and a database; what else Postgres wants it says itself.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let Some((authority, path)) = rest.and_then(|rest| rest.split_once('/')) else { return false };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    !name.is_empty() && (!host.is_empty() || query.split('&').any(|pair| pair.starts_with("host=")))
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> DatabaseTable {
    let read = DatabaseTable { url_file: table.text("url_file", sink), url: table.refuse("url", sink) };
    table.finish(sink);
    read
}

/// What both layers say.
pub(super) fn settings(table: Option<&DatabaseTable>, state_dir: &Path, layers: &mut Layers<'_>) -> Database {
    let in_table = InTable {
        file: table.and_then(|table| table.url_file.as_ref()),
        literal: table.and_then(|table| table.url.as_ref()),
    };
    // What is wrong with it has been reported.
    let given = layers.secret(&url(), in_table).unwrap_or_default();
    given.map_or_else(|| Database::within(state_dir), Database::Postgres)
}

#[cfg(test)]
mod tests {
    use super::is_url;

    #[test]
    fn a_url_names_a_scheme_a_place_and_a_database() {
        for text in [
            "postgres://ada:pw@db.example.org:5432/countersign",
            "postgresql://db/countersign?sslmode=verify-full",
            "postgres:///countersign?host=/run/postgresql&user=ada",
            "postgres://ada:p%40w@[::1]/c",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "mysql://db/c",
            "db/c",
            "postgres://",
            "postgres://db",
            "postgres://db/",
            "postgres:///c",
            "postgres://ada@/c",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
