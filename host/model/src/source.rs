//! Which files are deliveries of a source, and which span each name spells. Pure text: whoever lists a directory asks here.

mod name;

use name::NamePattern;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

/// A source's path, taken apart: a directory and, in it, a name in which placeholders stand for the span.
///
/// `{SPAN}` stands for any text; `{YYYY}`, `{MM}`, `{DD}` for digits that together spell a date. At most one of the two
/// ways, either in the file name or in the name of the directory that the file lies in. Without a placeholder there is one file, and
/// its deliveries have no span. Addresses of objects (`s3://bucket/prefix/name`) are taken apart in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanPattern {
    directory: PathBuf,
    name: NamePattern,
    /// The file's own name, when the span is in the name of its directory.
    inner: Option<String>,
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
    /// When it has no file name, a placeholder too high up, in two places or unknown, one twice, both ways mixed, or a date that would not
    /// tell one delivery from another.
    pub fn parse(path: &str) -> Result<Self, PatternError> {
        let error = |problem: String| PatternError { path: path.to_string(), problem };
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
        if name.is_empty() || name == "." || name == ".." {
            return Err(error("names no file".into()));
        }
        let (directory, name, inner) = match directory.rsplit_once('/').unwrap_or((".", directory)) {
            (above, last) if last.contains(BRACES) => (above, last, Some(name)),
            _ => (directory, name, None),
        };
        if inner.is_some_and(|inner| inner.contains(BRACES)) {
            return Err(error(
                "has placeholders in a directory and in the file name: put the span into one of the two".into(),
            ));
        }
        if directory.contains(BRACES) {
            return Err(error(
                "has a placeholder in a higher directory: only the file name, or its directory's, may spell the span"
                    .into(),
            ));
        }
        if path.starts_with("s3://") && directory.len() <= "s3://".len() {
            return Err(error("has no bucket: write `s3://bucket/prefix/name`".into()));
        }
        let name = NamePattern::parse(name).map_err(error)?;
        // `/file` lies in the root directory, whose text before the last `/` is empty.
        let directory = if directory.is_empty() { "/" } else { directory };
        Ok(Self { directory: directory.into(), name, inner: inner.map(str::to_string) })
    }

    /// The one directory in which deliveries lie, or the directories of deliveries.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file's name in each matching directory; none when it is the files themselves that match.
    pub fn inner(&self) -> Option<&str> {
        self.inner.as_deref()
    }

    /// The text with which every matching name starts.
    pub fn start(&self) -> &str {
        self.name.start()
    }

    /// Whether names spell spans at all.
    pub fn has_span(&self) -> bool {
        !matches!(self.name, NamePattern::Fixed(_))
    }

    /// A span as the pattern spells them, where they are dates.
    pub fn example_date(&self) -> Option<&'static str> {
        self.name.example_date()
    }

    /// Every span from one to another, both included, where spans are dates; none where they are not, or one of the two is no span
    /// as the pattern spells them.
    pub fn spans_between(&self, from: &str, to: &str) -> Option<Vec<String>> {
        self.name.dates(from, to)
    }

    /// Whether a file, or a directory, of that name is a delivery's. Names of files that are still being written never are.
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

    fn read(&self, name: &str) -> Option<Option<String>> {
        self.name.read(name)
    }
}

const BRACES: [char; 2] = ['{', '}'];

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
    fn a_span_may_be_in_the_directory_of_the_file() {
        let days = pattern("/in/day={YYYY}-{MM}-{DD}/rows.csv");
        assert_eq!((days.directory(), days.inner(), days.start()), (Path::new("/in"), Some("rows.csv"), "day="));
        assert_eq!(days.span_of("day=2026-11-22").as_deref(), Some("2026-11-22"));
        assert!(!days.matches("rows.csv"));
        let days = pattern("s3://bucket/in/{SPAN}/rows.csv");
        assert_eq!((days.directory(), days.start()), (Path::new("s3://bucket/in"), ""));
    }

    #[test]
    fn dates_between_two_are_counted_as_the_pattern_spells_them() {
        let spans = |path: &str, from: &str, to: &str| pattern(path).spans_between(from, to);
        let days = spans("/in/{YYYY}-{MM}-{DD}", "2028-02-28", "2028-03-01").unwrap();
        assert_eq!(days, ["2028-02-28", "2028-02-29", "2028-03-01"]);
        assert_eq!(spans("/in/{YYYY}{MM}", "2026-11", "2027-01").unwrap(), ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(spans("/in/{YYYY}", "2026", "2025").unwrap(), Vec::<String>::new());
        assert_eq!(spans("/in/{YYYY}-{MM}-{DD}", "2026-2-28", "2026-03-01"), None);
        assert_eq!(spans("/in/{YYYY}-{MM}-{DD}", "2026-02", "2026-03"), None);
        assert_eq!(spans("/in/{SPAN}", "1", "2"), None);
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
            ("/in/{YYYY}/x/a.csv", "in a higher directory"),
            ("/in/{YYYY}/{MM}.csv", "in a directory and in the file name"),
            ("s3://{SPAN}/a.csv", "no bucket"),
            ("s3://a.csv", "no bucket"),
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
