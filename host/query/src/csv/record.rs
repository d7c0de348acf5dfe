//! Judges a record: the text of a good one, or the reason why it is set aside.

use super::frames::{Frame, MAX_RECORD_BYTES, Shape};

/// The most characters of a rejected record that are kept.
const SHOWN_CHARACTERS: usize = 1_000;

/// The record's text when it fits the columns, or a reason that says what was expected and what was found.
pub(super) fn judge<'a>(frame: &Frame<'a>, columns: &[String]) -> Result<&'a str, String> {
    let fields = match frame.shape {
        Shape::Whole { fields } => fields,
        Shape::OpenQuote => {
            return Err("expected a closing quote, found none: a quote is opened in this line and left open".to_owned());
        }
        Shape::TextAfterQuote => {
            return Err("expected a comma or the end of the line after a closing quote, found other text: \
                        a quote is left open, or one inside the text is not doubled"
                .to_owned());
        }
        Shape::TooLong => {
            return Err(format!(
                "expected at most {} MiB in a record, found more: is a quote left open?",
                MAX_RECORD_BYTES >> 20
            ));
        }
    };
    if fields != columns.len() {
        let span = match frame.last_line {
            last if last == frame.line => String::new(),
            last => format!(" in lines {} to {last}: is a quote left open?", frame.line),
        };
        return Err(format!("expected {} fields, found {fields}{span}", columns.len()));
    }
    if let Some(at) = frame.bytes.iter().position(|byte| *byte == 0) {
        return Err(format!("expected text, found a NUL byte in column {}", column_at(frame.bytes, at, columns)));
    }
    std::str::from_utf8(frame.bytes).map_err(|error| {
        let column = column_at(frame.bytes, error.valid_up_to(), columns);
        format!("expected UTF-8, found the byte 0x{:02X} in column {column}", frame.bytes[error.valid_up_to()])
    })
}

/// A rejected record as shown to people.
pub(super) fn shown(bytes: &[u8]) -> String {
    // A character takes at most four bytes; converting more would be thrown away.
    let bytes = &bytes[..bytes.len().min(SHOWN_CHARACTERS * 4)];
    String::from_utf8_lossy(bytes)
        .chars()
        .take(SHOWN_CHARACTERS)
        .map(|character| if character == '\0' { char::REPLACEMENT_CHARACTER } else { character })
        .collect()
}

fn column_at(record: &[u8], at: usize, columns: &[String]) -> String {
    let mut quoted = false;
    let mut column = 0;
    for byte in &record[..at] {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => column += 1,
            _ => {}
        }
    }
    match columns.get(column) {
        Some(name) => format!("{} (`{name}`)", column + 1),
        None => (column + 1).to_string(),
    }
}
