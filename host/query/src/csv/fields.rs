//! Splits a well-formed record into its fields.

use std::borrow::Cow;

/// The fields of a record that [`super::frames`] found whole.
pub(super) fn split(record: &str, expected: usize) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::with_capacity(expected);
    let mut rest = record;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return fields,
        }
    }
}

/// The field that begins after an opening quote, and what follows its closing quote.
fn unquote(quoted: &str) -> (Cow<'_, str>, &str) {
    let mut doubled = false;
    let mut from = 0;
    while let Some(at) = quoted[from..].find('"') {
        let end = from + at;
        if !quoted[end + 1..].starts_with('"') {
            let text = &quoted[..end];
            let field = if doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
            return (field, &quoted[end + 1..]);
        }
        doubled = true;
        from = end + 2;
    }
    (Cow::Borrowed(quoted), "")
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn plain_quoted_and_empty_fields() {
        assert_eq!(split("a,,\"b,\"\"c\"\"\n\",\"\",d\"e,", 6), ["a", "", "b,\"c\"\n", "", "d\"e", ""]);
        assert_eq!(split("", 1), [""]);
    }
}
