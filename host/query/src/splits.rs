//! Parquet artifacts as tables: each folder with Parquet files is a split, united over the artifacts' directories.

use countersign_ports::query_engine::{Dataset, QueryError};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SessionState;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Parquet files by split, in name order within each directory.
pub(crate) fn find(dataset: &Dataset) -> Result<BTreeMap<String, Vec<PathBuf>>, QueryError> {
    let mut splits = BTreeMap::<String, Vec<PathBuf>>::new();
    for directory in &dataset.paths {
        for (name, path, is_directory) in entries(directory)? {
            if !is_directory {
                continue;
            }
            let files = entries(&path)?
                .into_iter()
                .filter(|(_, file, is_directory)| !is_directory && file.extension() == Some(OsStr::new("parquet")))
                .map(|(_, file, _)| file)
                .collect::<Vec<_>>();
            if !files.is_empty() {
                splits.entry(name).or_default().extend(files);
            }
        }
    }
    Ok(splits)
}

/// Name, path and whether it is a directory, in name order; links and names that are no UTF-8 are left out.
fn entries(directory: &Path) -> Result<Vec<(String, PathBuf, bool)>, QueryError> {
    let listing = |source: std::io::Error| QueryError::Engine { operation: "list dataset", source: source.into() };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let kind = entry.file_type().map_err(listing)?;
        if let Ok(name) = entry.file_name().into_string()
            && (kind.is_dir() || kind.is_file())
        {
            entries.push((name, entry.path(), kind.is_dir()));
        }
    }
    entries.sort();
    Ok(entries)
}

/// Why files do not make a table.
pub(crate) enum TableError {
    Query(QueryError),
    Engine(DataFusionError),
}

/// One table over these files; columns are matched by name, those missing from a file are NULL there.
pub(crate) async fn table(
    state: &SessionState,
    name: &str,
    files: &[PathBuf],
) -> Result<Arc<dyn TableProvider>, TableError> {
    // View types are younger than many readers of Arrow.
    let options = ListingOptions::new(Arc::new(ParquetFormat::default().with_force_view_types(false)));
    let mut urls = Vec::new();
    let mut schemas = Vec::new();
    for file in files {
        let url = ListingTableUrl::parse(file_url(file)).map_err(TableError::Engine)?;
        schemas.push(options.infer_schema(state, &url).await.map_err(TableError::Engine)?);
        urls.push(url);
    }
    let schema = merge(name, &schemas).map_err(TableError::Query)?;
    let config =
        ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(Arc::new(schema));
    Ok(Arc::new(ListingTable::try_new(config).map_err(TableError::Engine)?))
}

/// Columns in the order in which they first appear.
fn merge(table: &str, schemas: &[SchemaRef]) -> Result<Schema, QueryError> {
    let mut fields: Vec<Field> = Vec::new();
    for field in schemas.iter().flat_map(|schema| schema.fields()) {
        match fields.iter().find(|known| known.name() == field.name()) {
            None => fields.push(Field::new(field.name(), field.data_type().clone(), true)),
            Some(known) if known.data_type() == field.data_type() => {}
            Some(known) => {
                return Err(QueryError::Invalid(format!(
                    "`{table}` unites data that does not fit together: column `{}` is {} in one span and {} in another",
                    field.name(),
                    known.data_type(),
                    field.data_type()
                )));
            }
        }
    }
    Ok(Schema::new(fields))
}

/// A `file` URL; given a plain path the engine would take `*`, `?` and `[` in it for a pattern.
fn file_url(path: &Path) -> String {
    let mut url = String::from("file://");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => url.push(char::from(*byte)),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}
