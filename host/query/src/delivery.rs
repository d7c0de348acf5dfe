//! A delivery's raw CSV files as the tables `<input>.rows` and `<input>.rejected`.

use crate::csv::{DeliveryFile, DeliveryScan, Header, Part, read_header};
use countersign_ports::query_engine::{Dataset, QueryError};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::physical_plan::streaming::PartitionStream;
use std::path::Path;
use std::sync::Arc;

/// A table and the name it is registered under.
pub(crate) type NamedTable = (String, Arc<dyn TableProvider>);

/// The delivery's tables by name. Reads the headers, so call it where blocking is fine.
pub(crate) fn tables(dataset: &Dataset) -> Result<Vec<NamedTable>, QueryError> {
    let mut files = Vec::new();
    for directory in &dataset.paths {
        files.extend(csv_files(directory)?);
    }
    if files.is_empty() {
        return Err(QueryError::Invalid(format!("`{}` holds no .csv file", dataset.input)));
    }
    let columns: Arc<[String]> = common_header(&files)?.columns.into();
    let files: Arc<[DeliveryFile]> = files.into();
    [("rows", Part::Rows), ("rejected", Part::Rejected)]
        .into_iter()
        .map(|(name, part)| {
            let scan = DeliveryScan::new(files.clone(), columns.clone(), part);
            let table = StreamingTable::try_new(scan.schema().clone(), vec![Arc::new(scan)])
                .map_err(|error| QueryError::Engine { operation: "register delivery", source: error.into() })?;
            Ok((name.to_owned(), Arc::new(table) as Arc<dyn TableProvider>))
        })
        .collect()
}

/// The directory's CSV files in name order.
fn csv_files(directory: &Path) -> Result<Vec<DeliveryFile>, QueryError> {
    let listing = |source: std::io::Error| QueryError::Engine { operation: "list delivery", source: source.into() };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let path = entry.path();
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv && entry.file_type().map_err(listing)?.is_file() {
            files.push(DeliveryFile { path, name: entry.file_name().to_string_lossy().into_owned() });
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}

/// The header that all files share.
fn common_header(files: &[DeliveryFile]) -> Result<Header, QueryError> {
    let mut common: Option<(Header, &str)> = None;
    for file in files {
        let header = read_header(&file.path, &file.name)?;
        match &common {
            None => common = Some((header, &file.name)),
            Some((first, _)) if *first == header => {}
            Some((first, name)) => return Err(QueryError::Invalid(difference(first, name, &header, &file.name))),
        }
    }
    common.map(|(header, _)| header).ok_or_else(|| QueryError::Invalid("the delivery holds no .csv file".to_owned()))
}

fn difference(first: &Header, first_name: &str, other: &Header, other_name: &str) -> String {
    let (left, right) = (&first.columns, &other.columns);
    let place = left.iter().zip(right).position(|(left, right)| left != right).unwrap_or(left.len().min(right.len()));
    let named = |columns: &[String]| columns.get(place).map_or("nothing".to_owned(), |name| format!("`{name}`"));
    format!(
        "{other_name}, line 1: other columns than {first_name}: column {} is {} there and {} here",
        place + 1,
        named(left),
        named(right)
    )
}
