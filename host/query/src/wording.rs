//! Turns the engine's errors into ones that help the person who wrote the SQL, and keeps the host's paths out of them.

use countersign_ports::query_engine::QueryError;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{DataFusionError, SchemaError};
use std::path::{Path, PathBuf};

/// The most names that an error lists.
const LISTED: usize = 30;

/// Words errors for one session.
#[derive(Debug)]
pub(crate) struct Wording {
    roots: Vec<String>,
    memory_bytes: u64,
}

impl Wording {
    /// `roots`: host directories that no message may show.
    pub(crate) fn new<'a>(roots: impl Iterator<Item = &'a PathBuf>, memory_bytes: u64) -> Self {
        let mut roots = roots.map(|root| root.to_string_lossy().trim_matches('/').to_owned()).collect::<Vec<_>>();
        roots.retain(|root| !root.is_empty());
        // Longer first: one may lie inside another.
        roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
        roots.dedup();
        Self { roots, memory_bytes }
    }

    /// The error as a component may see it.
    pub(crate) fn reword(&self, error: DataFusionError) -> QueryError {
        if let Some(own) = own_error(&error) {
            return own;
        }
        match error.find_root() {
            DataFusionError::SchemaError(problem, _) => QueryError::Invalid(schema_problem(problem)),
            DataFusionError::ResourcesExhausted(detail) if detail.contains("disk space") => {
                QueryError::Limit("the query spills more to disk than a step may".to_owned())
            }
            DataFusionError::ResourcesExhausted(_) => QueryError::Limit(format!(
                "memory: the query needs more than the {} MiB that the engine may use for this step",
                self.memory_bytes >> 20
            )),
            DataFusionError::SQL(problem, _) => {
                let problem = problem.to_string();
                QueryError::Invalid(format!("syntax error: {}", problem.trim_start_matches("sql parser error: ")))
            }
            root @ (DataFusionError::IoError(_)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::Internal(_)
            | DataFusionError::ExecutionJoin(_)
            | DataFusionError::External(_)) => {
                tracing::warn!(error = %error, "the query engine failed");
                QueryError::Engine { operation: "run query", source: self.clean(root).into() }
            }
            root => QueryError::Invalid(self.clean(root)),
        }
    }

    /// The message without backtrace, internal prefixes and paths.
    fn clean(&self, error: &DataFusionError) -> String {
        let message = error.strip_backtrace();
        let message = message.split("\nThis issue was likely caused by a bug").next().unwrap_or_default();
        let mut message = message.trim().trim_end_matches('.');
        while let Some(rest) = PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
            message = rest;
        }
        self.hide_paths(message)
    }

    /// Leaves only base names of paths below the session's directories.
    fn hide_paths(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for root in &self.roots {
            while let Some(at) = message.find(root.as_str()) {
                let begin = message[..at].trim_end_matches('/').len();
                let after = at + root.len();
                let ends = |character: char| character.is_whitespace() || "\"'`,:;)]}".contains(character);
                let end = message[after..].find(ends).map_or(message.len(), |length| after + length);
                let base = Path::new(&message[after..end]).file_name().map(|name| name.to_string_lossy().into_owned());
                message.replace_range(begin..end, base.as_deref().unwrap_or("the dataset"));
            }
        }
        message
    }
}

/// What the engine's error types put in front of their messages.
const PREFIXES: [&str; 10] = [
    "Error during planning: ",
    "This feature is not implemented: ",
    "Execution error: ",
    "Invalid or Unsupported Configuration: ",
    "Arrow error: ",
    "Parquet error: ",
    "External error: ",
    "Internal error: ",
    "Invalid argument error: ",
    "Cast error: ",
];

/// An error of this crate that travelled through the engine.
fn own_error(error: &DataFusionError) -> Option<QueryError> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<QueryError>() {
            return Some(match own {
                QueryError::Invalid(message) => QueryError::Invalid(message.clone()),
                QueryError::Refused(message) => QueryError::Refused(message.clone()),
                QueryError::Limit(message) => QueryError::Limit(message.clone()),
                // The cause may name host paths; it was logged where it arose.
                QueryError::Engine { operation, .. } => {
                    QueryError::Engine { operation, source: "see the daemon's log".into() }
                }
            });
        }
        cause = error.source();
    }
    None
}

fn schema_problem(problem: &SchemaError) -> String {
    match problem {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names = valid_fields.iter().map(|column| column.name().to_owned()).collect::<Vec<_>>();
            let quoting = match names.iter().find(|name| name.eq_ignore_ascii_case(field.name())) {
                Some(name) => format!(" (unquoted names are read in lower case: write \"{name}\" in double quotes)"),
                None => String::new(),
            };
            format!(
                "there is no column `{}`{}{quoting}; the columns are {}",
                field.name(),
                nearest(field.name(), &names),
                list(&names)
            )
        }
        SchemaError::AmbiguousReference { field } => {
            format!("column `{}` is in more than one table: write which one", field.name())
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            format!("two columns are called `{name}`: give one another name with AS")
        }
    }
}

/// `: did you mean …?`, when one of the names is near.
pub(crate) fn nearest(name: &str, names: &[String]) -> String {
    let wanted = name.to_lowercase();
    names
        .iter()
        .map(|known| (levenshtein(&wanted, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance * 2 <= known.chars().count().max(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| format!(": did you mean `{known}`?"))
        .unwrap_or_default()
}

/// The names, not too many of them.
pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_reduced_to_base_names() {
        let roots = [PathBuf::from("/data/art/ab"), PathBuf::from("/data/art")];
        let wording = Wording::new(roots.iter(), 1);
        assert_eq!(
            wording.hide_paths("open \"/data/art/ab/train/part-0.parquet\": no; data/art/x.csv, file:///data/art"),
            "open \"part-0.parquet\": no; x.csv, file:the dataset"
        );
    }

    #[test]
    fn near_names_are_suggested() {
        let names = ["fare".to_owned(), "tips".to_owned()];
        assert_eq!(nearest("fares", &names), ": did you mean `fare`?");
        assert_eq!(nearest("company", &names), "");
        assert_eq!(list(&names), "`fare`, `tips`");
    }
}
