//! Which files are deliveries of a source, and which span each name spells. Pure text: whoever lists a directory asks here.

use chrono::NaiveDate;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

/// A source's path, taken apart: a directory and a file name in which placeholders stand for the span.
///
/// `{SPAN}` stands for any text; `{YYYY}`, `{MM}`, `{DD}` for digits that together spell a date. At most one of the two
/// ways, in the file name only. Without a placeholder there is one file, and its deliveries have no span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanPattern {
    directory: PathBuf,
    name: NamePattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NamePattern {
    /// One file.
    Fixed(String),
    /// Anything between the two.
    Span { before: String, after: String },
    /// Pieces of fixed width.
    Date(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Year,
    Month,
    Day,
}

/// A path that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse source path: `{path}` {problem}")]
pub struct PatternError {
    /// The path as given.
    pub path: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl SpanPattern {
    /// Takes a path apart.
    ///
    /// # Errors
    /// When it has no file name, a placeholder outside the file name or unknown, one twice, both ways mixed, or a date that
    /// would not tell one delivery from another.
    pub fn parse(path: &str) -> Result<Self, PatternError> {
        let error = |problem: String| PatternError { path: path.to_string(), problem };
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
        if name.is_empty() || name == "." || name == ".." {
            return Err(error("names no file".into()));
        }
        if directory.contains(['{', '}']) {
            return Err(error("has a placeholder in a directory: the span must be in the file name".into()));
        }
        let name = parse_name(name).map_err(error)?;
        // `/file` lies in the root directory, whose text before the last `/` is empty.
        let directory = if directory.is_empty() { "/" } else { directory };
        Ok(Self { directory: directory.into(), name })
    }

    /// The one directory in which deliveries lie.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether a file of that name is a delivery. Names of files that are still being written never are.
    pub fn matches(&self, file_name: &str) -> bool {
        !is_temporary(file_name) && self.read(file_name).is_some()
    }

    /// The span that a matching name spells: the text in place of `{SPAN}`, or the date as `2026`, `2026-11` or
    /// `2026-11-22`, whatever order the name has it in. None when the name does not match or the pattern has no placeholder.
    pub fn span_of(&self, file_name: &str) -> Option<String> {
        self.read(file_name).flatten()
    }

    /// The name of the newest delivery: the one with the last span in [`span_order`].
    pub fn newest<'a>(&self, file_names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        file_names.into_iter().filter(|name| self.matches(name)).max_by(|a, b| self.order(a, b))
    }

    /// Orders matching names from the oldest span to the newest; names of equal spans by their text.
    pub fn order(&self, a: &str, b: &str) -> Ordering {
        let span = |name| self.span_of(name).unwrap_or_default();
        span_order(&span(a), &span(b)).then_with(|| a.cmp(b))
    }

    fn read(&self, file_name: &str) -> Option<Option<String>> {
        match &self.name {
            NamePattern::Fixed(name) => (name == file_name).then_some(None),
            NamePattern::Span { before, after } => {
                let span = file_name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                (!span.is_empty()).then(|| Some(span.to_string()))
            }
            NamePattern::Date(pieces) => read_date(pieces, file_name).map(Some),
        }
    }
}

/// Whether a name says that its file is still being written, or is an editor's: `.name`, `name.tmp`, `name.part`, `name~`.
pub fn is_temporary(file_name: &str) -> bool {
    file_name.starts_with('.') || [".tmp", ".part", "~"].iter().any(|end| file_name.ends_with(end))
}

/// From the oldest span to the newest: runs of digits count as numbers, so that `9` comes before `10`; the rest as text.
pub fn span_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (chunk, other) = (leading_chunk(left), leading_chunk(right));
        let digits = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
        let order = if digits(chunk) && digits(other) {
            let (chunk, other) = (chunk.trim_start_matches('0'), other.trim_start_matches('0'));
            chunk.len().cmp(&other.len()).then_with(|| chunk.cmp(other))
        } else {
            chunk.cmp(other)
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (&left[chunk.len()..], &right[other.len()..]);
    }
    // `007` and `7` are one number but two spans.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the front, or the text up to the next digit.
fn leading_chunk(text: &str) -> &str {
    let digits = text.starts_with(|first: char| first.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    &text[..end]
}

fn parse_name(name: &str) -> Result<NamePattern, String> {
    let mut pieces = Vec::new();
    let mut span_at = None;
    let mut rest = name;
    while let Some(open) = rest.find(['{', '}']) {
        let inside = rest[open..].strip_prefix('{').and_then(|after| after.split_once('}'));
        let Some((placeholder, after)) = inside else {
            return Err("has a brace without its partner".into());
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_string()));
        }
        let date = match placeholder {
            "SPAN" if span_at.is_none() => {
                span_at = Some(name.len() - rest.len() + open);
                rest = after;
                continue;
            }
            "SPAN" => return Err("has `{SPAN}` twice".into()),
            "YYYY" => Piece::Year,
            "MM" => Piece::Month,
            "DD" => Piece::Day,
            other => {
                return Err(format!(
                    "has `{{{other}}}`: placeholders are `{{SPAN}}`, or `{{YYYY}}`, `{{MM}}`, `{{DD}}`"
                ));
            }
        };
        if pieces.contains(&date) {
            return Err(format!("has `{{{placeholder}}}` twice"));
        }
        pieces.push(date);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_string()));
    }
    let has = |piece| pieces.contains(&piece);
    match span_at {
        Some(_) if has(Piece::Year) || has(Piece::Month) || has(Piece::Day) => {
            Err("mixes `{SPAN}` with a date: use one of the two".into())
        }
        Some(at) => {
            Ok(NamePattern::Span { before: name[..at].to_string(), after: name[at + "{SPAN}".len()..].to_string() })
        }
        None if has(Piece::Month) && !has(Piece::Year) => {
            Err("has `{MM}` without `{YYYY}`: next year's files would have the same spans".into())
        }
        None if has(Piece::Day) && !has(Piece::Month) => {
            Err("has `{DD}` without `{MM}`: next month's files would have the same spans".into())
        }
        None if has(Piece::Year) => Ok(NamePattern::Date(pieces)),
        None => Ok(NamePattern::Fixed(name.to_string())),
    }
}

/// The span of a name that fits the pieces and spells a date that exists.
fn read_date(pieces: &[Piece], file_name: &str) -> Option<String> {
    let (mut year, mut month, mut day) = ("", None, None);
    let mut rest = file_name;
    for piece in pieces {
        let width = match piece {
            Piece::Text(text) => text.len(),
            Piece::Year => 4,
            Piece::Month | Piece::Day => 2,
        };
        let (found, after) = rest.split_at_checked(width)?;
        let digits = found.bytes().all(|byte| byte.is_ascii_digit());
        match piece {
            Piece::Text(text) if text == found => {}
            Piece::Year if digits => year = found,
            Piece::Month if digits => month = Some(found),
            Piece::Day if digits => day = Some(found),
            Piece::Text(_) | Piece::Year | Piece::Month | Piece::Day => return None,
        }
        rest = after;
    }
    let number = |text: Option<&str>| text.map_or(Some(1), |text| text.parse().ok());
    NaiveDate::from_ymd_opt(year.parse().ok()?, number(month)?, number(day)?).filter(|_| rest.is_empty())?;
    Some([Some(year), month, day].into_iter().flatten().collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(path: &str) -> SpanPattern {
        SpanPattern::parse(path).unwrap()
    }

    #[test]
    fn a_date_is_read_in_any_order_and_must_exist() {
        let trips = pattern("/data/in/trips-{YYYY}-{MM}-{DD}.csv");
        assert_eq!(trips.directory(), Path::new("/data/in"));
        assert_eq!(trips.span_of("trips-2026-11-22.csv").as_deref(), Some("2026-11-22"));
        assert_eq!(pattern("/in/{DD}{MM}{YYYY}.csv").span_of("22112026.csv").as_deref(), Some("2026-11-22"));
        assert_eq!(pattern("/in/{YYYY}{MM}").span_of("202611").as_deref(), Some("2026-11"));
        for name in [
            "trips-2026-02-30.csv",
            "trips-2026-1-22.csv",
            "trips-2026-11-22.csv.gz",
            "trips-2026-11-2é.csv",
            "trips-+026-11-22.csv",
            "Trips-2026-11-22.csv",
            "",
        ] {
            assert!(!trips.matches(name), "{name}");
        }
    }

    #[test]
    fn a_span_is_any_text_and_a_plain_path_is_one_file() {
        let batches = pattern("/in/batch-{SPAN}.csv");
        assert_eq!(batches.span_of("batch-7.csv").as_deref(), Some("7"));
        assert!(!batches.matches("batch-.csv"));
        assert!(!pattern("/in/aa{SPAN}aa").matches("aaa"), "before and after must not overlap");
        let one = pattern("/in/trips.csv");
        assert!(one.matches("trips.csv") && !one.matches("trips2.csv"));
        assert_eq!(one.span_of("trips.csv"), None);
        assert_eq!(pattern("/trips.csv").directory(), Path::new("/"));
        assert_eq!(pattern("trips.csv").directory(), Path::new("."));
    }

    #[test]
    fn files_that_are_still_written_do_not_match() {
        let all = pattern("/in/{SPAN}");
        assert!(all.matches("a.csv"));
        for name in [".a.csv", "a.csv.tmp", "a.csv.part", "a.csv~"] {
            assert!(!all.matches(name), "{name}");
        }
    }

    #[test]
    fn numbers_in_spans_count_as_numbers() {
        let batches = pattern("/in/b{SPAN}.csv");
        assert_eq!(batches.newest(["b9.csv", "b10.csv", "b2.csv", "c99.csv"]), Some("b10.csv"));
        assert_eq!(batches.newest(["c1.csv"]), None);
        assert_eq!(span_order("2026-9", "2026-10"), Ordering::Less);
        assert_eq!(span_order("007", "7").reverse(), span_order("7", "007"));
        assert_ne!(span_order("007", "7"), Ordering::Equal);
        assert_eq!(span_order("a", "a1"), Ordering::Less);
    }

    #[test]
    fn a_wrong_pattern_says_what_to_write() {
        for (path, problem) in [
            ("/in/", "names no file"),
            ("/in/{YYYY}/a.csv", "in a directory"),
            ("/in/{DATE}.csv", "`{DATE}`"),
            ("/in/{SPAN}-{SPAN}.csv", "twice"),
            ("/in/{YYYY}-{YYYY}.csv", "twice"),
            ("/in/{SPAN}-{YYYY}.csv", "mixes"),
            ("/in/{MM}-{DD}.csv", "without `{YYYY}`"),
            ("/in/{YYYY}-{DD}.csv", "without `{MM}`"),
            ("/in/{DD}.csv", "without `{MM}`"),
            ("/in/{SPAN.csv", "partner"),
            ("/in/SPAN}.csv", "partner"),
        ] {
            let error = SpanPattern::parse(path).unwrap_err().to_string();
            assert!(error.contains(problem), "{path}: {error}");
        }
    }
}
