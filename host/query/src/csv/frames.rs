//! Finds where records begin and end. A parser of our own rather than the `csv` crate's, because that one accepts a quote that
//! is never closed, swallows the rest of the file with it and grows without a bound.

use std::io::{self, Read};

/// A longer record is set aside, so that an unclosed quote can not eat the memory.
pub(super) const MAX_RECORD_BYTES: usize = 16 << 20;
const CHUNK_BYTES: usize = 256 << 10;
/// After so many quotes left open, line breaks inside quotes are no longer looked for: each costs a long look ahead.
const DISTRUST_AFTER: u32 = 16;
/// How much of a line that is too long is kept to show.
const SHOWN_BYTES: usize = 8 << 10;

/// What a record looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Well-formed, with that many fields.
    Whole { fields: usize },
    /// A quote is opened and not closed.
    OpenQuote,
    /// A closing quote is followed by something other than a comma or the line's end.
    TextAfterQuote,
    /// Longer than [`MAX_RECORD_BYTES`].
    TooLong,
}

/// One record, without its line break. Of one that is not whole it holds the first line only, and reading goes on with the
/// line after: what an open quote seemed to swallow is read as the rows it probably is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) line: u64,
    pub(super) last_line: u64,
    pub(super) bytes: &'a [u8],
    pub(super) shape: Shape,
}

/// Cuts a byte stream into records.
pub(super) struct Frames<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    line: u64,
    open_quotes: u32,
    /// The rest of a line that was too long is still to be skipped.
    skipping: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteSeen,
}

struct Scan {
    length: usize,
    line_breaks: u64,
    shape: Shape,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let mut frames =
            Self { source, buffer: Vec::new(), start: 0, ended: false, line: 1, open_quotes: 0, skipping: false };
        if frames.ahead(3)?.starts_with(b"\xEF\xBB\xBF") {
            frames.start = 3;
        }
        Ok(frames)
    }

    /// The next record; blank lines are no records.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        if self.skipping {
            self.skip_line()?;
        }
        self.skip_line_breaks()?;
        if self.ahead(1)?.is_empty() {
            return Ok(None);
        }
        let mut scan = self.scan()?;
        if !matches!(scan.shape, Shape::Whole { .. }) {
            if scan.shape == Shape::OpenQuote {
                self.open_quotes += 1;
            }
            scan.line_breaks = 0;
            scan.length = self.line_length()?;
            if scan.length > MAX_RECORD_BYTES {
                scan.shape = Shape::TooLong;
                scan.length = SHOWN_BYTES;
                self.skipping = true;
            }
        }
        let (line, last_line) = (self.line, self.line + scan.line_breaks);
        let begin = self.start;
        self.start += scan.length;
        self.line = last_line;
        Ok(Some(Frame { line, last_line, bytes: &self.buffer[begin..self.start], shape: scan.shape }))
    }

    fn scan(&mut self) -> io::Result<Scan> {
        let (mut state, mut fields, mut line_breaks, mut at, mut previous) = (State::FieldStart, 1, 0, 0, 0);
        loop {
            for &byte in &self.buffer[self.start + at..] {
                let end = |shape| Ok(Scan { length: at, line_breaks, shape });
                state = match (state, byte) {
                    (State::Quoted, b'"') => State::QuoteSeen,
                    (State::Quoted, b'\n' | b'\r') => {
                        if self.open_quotes >= DISTRUST_AFTER {
                            return end(Shape::OpenQuote);
                        }
                        // CR LF is one line break.
                        line_breaks += u64::from(!(byte == b'\n' && previous == b'\r'));
                        State::Quoted
                    }
                    (State::Quoted, _) | (State::QuoteSeen, b'"') => State::Quoted,
                    (_, b',') => {
                        fields += 1;
                        State::FieldStart
                    }
                    (_, b'\n' | b'\r') => return end(Shape::Whole { fields }),
                    (State::QuoteSeen, _) => return end(Shape::TextAfterQuote),
                    (State::FieldStart, b'"') => State::Quoted,
                    (State::FieldStart | State::Plain, _) => State::Plain,
                };
                previous = byte;
                at += 1;
            }
            if at > MAX_RECORD_BYTES {
                let shape = if state == State::Quoted { Shape::OpenQuote } else { Shape::TooLong };
                return Ok(Scan { length: at, line_breaks, shape });
            }
            if !self.fill()? {
                let shape = if state == State::Quoted { Shape::OpenQuote } else { Shape::Whole { fields } };
                return Ok(Scan { length: at, line_breaks, shape });
            }
        }
    }

    /// Bytes up to the next line break, or more than [`MAX_RECORD_BYTES`] when there is none so near.
    fn line_length(&mut self) -> io::Result<usize> {
        let mut seen = 0;
        loop {
            let unread = &self.buffer[self.start..];
            if let Some(at) = unread[seen..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                return Ok(seen + at);
            }
            seen = unread.len();
            if seen > MAX_RECORD_BYTES || !self.fill()? {
                return Ok(seen);
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = self.buffer[self.start..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                self.start += at;
                break;
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                break;
            }
        }
        self.skipping = false;
        Ok(())
    }

    fn skip_line_breaks(&mut self) -> io::Result<()> {
        loop {
            self.start += match self.ahead(2)? {
                [b'\r', b'\n'] => 2,
                [b'\n' | b'\r', ..] => 1,
                _ => return Ok(()),
            };
            self.line += 1;
        }
    }

    /// The next `count` bytes, fewer at the end.
    fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < count && self.fill()? {}
        let unread = &self.buffer[self.start..];
        Ok(&unread[..count.min(unread.len())])
    }

    /// Reads on, dropping what was handed out; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK_BYTES, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(old + *read.as_ref().unwrap_or(&0));
        let read = read?;
        self.ended = read == 0;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &[u8]) -> Vec<(u64, u64, String, Shape)> {
        let mut frames = Frames::new(text).unwrap();
        let mut all = Vec::new();
        while let Some(frame) = frames.next().unwrap() {
            all.push((frame.line, frame.last_line, String::from_utf8_lossy(frame.bytes).into_owned(), frame.shape));
        }
        all
    }

    fn whole(line: u64, last_line: u64, text: &str, fields: usize) -> (u64, u64, String, Shape) {
        (line, last_line, text.to_owned(), Shape::Whole { fields })
    }

    #[test]
    fn any_line_break_ends_a_record_and_blank_lines_are_none() {
        assert_eq!(
            frames(b"\xEF\xBB\xBFa,b\r\n1,2\n\n\r\n3,4\r5,6"),
            [whole(1, 1, "a,b", 2), whole(2, 2, "1,2", 2), whole(5, 5, "3,4", 2), whole(6, 6, "5,6", 2)]
        );
    }

    #[test]
    fn quoted_line_breaks_belong_to_the_record() {
        assert_eq!(
            frames(b"\"a\r\nb\",\"c\"\"\n,\"\n1,2\n"),
            [whole(1, 3, "\"a\r\nb\",\"c\"\"\n,\"", 2), whole(4, 4, "1,2", 2)]
        );
    }

    #[test]
    fn an_open_quote_costs_its_own_line_only() {
        assert_eq!(
            frames(b"1,\"x\n2,y\n3,z"),
            [(1, 1, "1,\"x".to_owned(), Shape::OpenQuote), whole(2, 2, "2,y", 2), whole(3, 3, "3,z", 2)]
        );
        // Closed by the next record's opening quote: the text after it gives it away.
        assert_eq!(
            frames(b"1,\"x\n2,\"y\"\n"),
            [(1, 1, "1,\"x".to_owned(), Shape::TextAfterQuote), whole(2, 2, "2,\"y\"", 2)]
        );
    }

    #[test]
    fn too_long_a_record_is_cut_and_reading_goes_on() {
        let mut text = vec![b'x'; MAX_RECORD_BYTES * 2];
        text.extend_from_slice(b"\n1,2\n\"");
        text.resize(text.len() + MAX_RECORD_BYTES * 2, b'y');
        text.extend_from_slice(b"\n3,4");
        let found = frames(&text);
        assert_eq!(found.len(), 4);
        assert_eq!((found[0].0, found[0].3, found[0].2.len()), (1, Shape::TooLong, SHOWN_BYTES));
        assert_eq!(found[1], whole(2, 2, "1,2", 2));
        assert_eq!((found[2].0, found[2].3), (3, Shape::TooLong));
        assert_eq!(found[3], whole(4, 4, "3,4", 2));
    }

    #[test]
    fn many_open_quotes_stay_linear() {
        // `x","` opens a quote that every following line closes and opens again.
        let text = "x\",\"\n".repeat(200_000);
        let found = frames(text.as_bytes());
        assert_eq!(found.len(), 200_000);
        assert!(found.iter().all(|frame| frame.3 == Shape::OpenQuote));
    }
}
