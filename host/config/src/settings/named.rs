//! Tables under names that people choose, such as people and hooks: those in the variable if there is one, whose value is a
//! TOML table, otherwise those in the file.

use super::layers::Layers;
use crate::diagnostics::Sink;
use crate::document::{self, Table};
use crate::place::Named;

/// What `make` makes of the tables of `key`, each of which `read` reads and messages call `what`.
pub(super) fn settings<T, R: Default>(
    (key, what): (&'static str, &str),
    file: Option<&Named<T>>,
    layers: &mut Layers<'_>,
    read: fn(Table<'_, '_>, &mut Sink<'_>) -> T,
    make: fn(&Named<T>, &mut Layers<'_>) -> R,
) -> R {
    let Some((variable, value)) = layers.variable(key) else {
        return file.map(|named| make(named, layers)).unwrap_or_default();
    };
    // As after `people =` in the file.
    let text = format!("{key} = {value}");
    let mut inner = layers.within(Sink::discreet(&variable, &text));
    let mut found = R::default();
    if let Some(document) = document::parse(&text, &mut inner.sink) {
        let mut top = Table::new(variable.as_str(), 0..0, document.get_ref());
        let named = top.named(key, what, &mut inner.sink, read);
        top.finish(&mut inner.sink);
        found = named.map(|named| make(&named, &mut inner)).unwrap_or_default();
    }
    let wrong = inner.finish();
    layers.absorb(wrong);
    found
}
