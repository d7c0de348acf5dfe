//! TOML text to a tree with positions, and a walk over its tables that reports every key and type that does not fit.
//! Knows no key by name.

use crate::MAX_FILE_BYTES;
use crate::diagnostics::{Diagnostics, Mistake, Sink};
use crate::error::ConfigError;
use crate::nearest::{list, nearest};
use crate::place::{Named, Placed};
use std::io::Read as _;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A file's text, if it is one.
pub(crate) fn load(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(read)?;
    // One byte more than allowed is enough to know that it is too large.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(read)?;
    let origin = path.display().to_string();
    if bytes.len() > MAX_FILE_BYTES {
        return Err(too_large(&origin).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Diagnostics::about_file(&origin, "file.not-utf8", format!("line {line} holds bytes that are not UTF-8 text"))
            .help("save the file as UTF-8; a byte order mark is not needed")
            .into()
    })
}

fn too_large(origin: &str) -> Diagnostics {
    Diagnostics::about_file(origin, "file.too-large", format!("this file is larger than {} KiB", MAX_FILE_BYTES / 1024))
        .help("data does not belong into a configuration file: name a file that holds it")
}

/// The tree, unless the text is no TOML.
pub(crate) fn parse<'t>(text: &'t str, sink: &mut Sink<'_>) -> Option<Spanned<DeTable<'t>>> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("this file is larger than {} KiB", MAX_FILE_BYTES / 1024);
        sink.push(Mistake::new("file.too-large", &(0..0), message));
        return None;
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().unwrap_or(0..0);
        let mistake = Mistake::new("file.syntax", &place, format!("this is not TOML: {}", error.message()));
        let word = text.get(place).unwrap_or_default();
        let bare = word.starts_with(char::is_alphabetic) && error.message().contains("boolean");
        sink.push(if bare { mistake.help(format!("a text is written in quotes: `\"{word}\"`")) } else { mistake });
    }
    errors.is_empty().then_some(tree)
}

/// One table under the walk: asking for a key makes it known, and [`Table::finish`] reports what nobody asked for.
pub(crate) struct Table<'d, 't> {
    /// What it is, for messages: "step `model`".
    pub what: String,
    /// Where messages about the table as a whole point.
    pub place: Range<usize>,
    entries: &'d DeTable<'t>,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

type Entry<'d, 't> = (&'d Spanned<DeString<'t>>, &'d Spanned<DeValue<'t>>);

impl<'d, 't> Table<'d, 't> {
    pub fn new(what: impl Into<String>, place: Range<usize>, entries: &'d DeTable<'t>) -> Self {
        Self { what: what.into(), place, entries, known: Vec::new(), refused: Vec::new() }
    }

    /// The entry of that key, of any type.
    pub fn entry(&mut self, key: &'static str) -> Option<Entry<'d, 't>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|(name, _)| name.get_ref() == key)
    }

    /// The place of a key that may not be there and whose mistake the caller names; its value is not shown.
    pub fn refuse(&mut self, key: &'static str, sink: &mut Sink<'_>) -> Option<Range<usize>> {
        let (name, value) = self.entries.iter().find(|(name, _)| name.get_ref() == key)?;
        self.refused.push(key);
        sink.hide(&value.span());
        Some(name.span())
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        sink: &mut Sink<'_>,
        read: impl FnOnce(&'d DeValue<'t>) -> Option<T>,
    ) -> Option<Placed<T>> {
        let (_, value) = self.entry(key)?;
        let result = read(value.get_ref());
        if result.is_none() {
            sink.push(wrong_type(&format!("`{key}` of {}", self.what), wanted, value));
        }
        result.map(|found| Placed::new(found, value.span()))
    }

    pub fn text(&mut self, key: &'static str, sink: &mut Sink<'_>) -> Option<Placed<String>> {
        self.typed(key, "a text in quotes", sink, |value| value.as_str().map(str::to_string))
    }

    pub fn boolean(&mut self, key: &'static str, sink: &mut Sink<'_>) -> Option<Placed<bool>> {
        self.typed(key, "true or false", sink, DeValue::as_bool)
    }

    /// A whole number within `range`.
    pub fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        sink: &mut Sink<'_>,
    ) -> Option<Placed<u64>> {
        let (low, high) = range.into_inner();
        let number = self.number(key, i128::from(low)..=i128::from(high), sink)?;
        Some(Placed::new(number.value.try_into().ok()?, number.place))
    }

    /// A whole number within `range`, which may be below 0.
    pub fn signed(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i32>,
        sink: &mut Sink<'_>,
    ) -> Option<Placed<i32>> {
        let (low, high) = range.into_inner();
        let number = self.number(key, i128::from(low)..=i128::from(high), sink)?;
        Some(Placed::new(number.value.try_into().ok()?, number.place))
    }

    fn number(&mut self, key: &'static str, range: RangeInclusive<i128>, sink: &mut Sink<'_>) -> Option<Placed<i128>> {
        let number = self.typed(key, "a whole number", sink, |value| value.as_integer())?;
        let place = number.place;
        let value = i128::from_str_radix(number.value.as_str(), number.value.radix()).ok();
        match value.filter(|value| range.contains(value)) {
            Some(value) => Some(Placed::new(value, place)),
            None => {
                let (low, high) = (range.start(), range.end());
                let message = format!("`{key}` of {} must be from {low} to {high}, not {}", self.what, number.value);
                sink.push(Mistake::new("file.out-of-range", &place, message));
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str, sink: &mut Sink<'_>) -> Option<Vec<Placed<String>>> {
        let wanted = "a list of texts, such as `[\"one\", \"two\"]`";
        let items = self.typed(key, wanted, sink, |value| value.as_array())?.value;
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Placed::new(text.to_string(), item.span())),
                None => {
                    sink.push(wrong_type(&format!("an entry of `{key}` of {}", self.what), "a text in quotes", item))
                }
            }
        }
        Some(texts)
    }

    /// A table with keys of its own.
    pub fn table(&mut self, key: &'static str, what: &str, sink: &mut Sink<'_>) -> Option<Table<'d, 't>> {
        let (name, value) = self.entry(key)?;
        table(what, name.span(), value, sink)
    }

    /// Tables in a list.
    pub fn tables(&mut self, key: &'static str, what: &str, sink: &mut Sink<'_>) -> Option<Vec<Table<'d, 't>>> {
        let items = self.typed(key, "a list of tables, such as `[{ … }]`", sink, |value| value.as_array())?.value;
        Some(items.iter().filter_map(|item| table(what, item.span(), item, sink)).collect())
    }

    /// Tables under names that people choose.
    pub fn named<T>(
        &mut self,
        key: &'static str,
        what: &str,
        sink: &mut Sink<'_>,
        mut read: impl FnMut(Table<'d, 't>, &mut Sink<'_>) -> T,
    ) -> Option<Named<T>> {
        let (key_name, value) = self.entry(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            let wanted = format!("a table of tables, such as `[{key}.NAME]`");
            sink.push(wrong_type(&format!("`{}`", key_name.get_ref()), &wanted, value));
            return None;
        };
        let mut named = Named::default();
        for (name, value) in entries {
            let what = format!("{what} `{}`", name.get_ref());
            if let Some(table) = table(&what, name.span(), value, sink) {
                named.0.push((Placed::new(name.get_ref().to_string(), name.span()), read(table, sink)));
            }
        }
        Some(named)
    }

    /// Every entry, where any key will do.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'d, 't>> {
        self.entries.iter()
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, sink: &mut Sink<'_>) {
        let answered = |name: &str| self.known.contains(&name) || self.refused.contains(&name);
        for (name, value) in self.entries.iter().filter(|(name, _)| !answered(name.get_ref())) {
            // `signing_secrt = "…"` is such a key.
            sink.hide(&value.span());
            let guess = nearest(name.get_ref(), self.known.iter().copied());
            let mistake = Mistake::new(
                "file.unknown-key",
                &name.span(),
                format!("{} has no key `{}`", self.what, name.get_ref()),
            );
            sink.push(mistake.guess(guess).help(format!("its keys are {}", list(&self.known))));
        }
    }
}

fn table<'d, 't>(
    what: &str,
    place: Range<usize>,
    value: &'d Spanned<DeValue<'t>>,
    sink: &mut Sink<'_>,
) -> Option<Table<'d, 't>> {
    let entries = value.get_ref().as_table();
    if entries.is_none() {
        sink.push(wrong_type(what, "a table", value));
    }
    Some(Table::new(what, place, entries?))
}

/// `subject` should be `wanted`.
pub(crate) fn wrong_type(subject: &str, wanted: &str, value: &Spanned<DeValue<'_>>) -> Mistake {
    let found = match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Mistake::new("file.wrong-type", &value.span(), format!("{subject} must be {wanted}, not {found}"))
}
