//! Blocks, and Slack's limits on them: every text is cut where it is made, and a message that is still too long loses its least
//! important block and says so.

use super::mrkdwn::length;
use serde_json::{Value, json};

/// All blocks of a message together. Slack documents no such limit and refuses from about 13,200 characters on (bolt-js issue
/// 2509); what it counts is unknown, so we count all of the JSON.
pub const MESSAGE: usize = 12_000;
/// Blocks in a message.
const BLOCKS: usize = 50;
/// A section's text.
pub const SECTION: usize = 3_000;
/// A header's text.
const HEADER: usize = 150;

/// What is dropped when a message is too long; the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Never dropped.
    Needed,
    /// Findings.
    Findings,
    /// Metrics.
    Metrics,
    /// Data.
    Data,
    /// Everything else.
    Detail,
}

/// The blocks of a message.
#[derive(Debug, Default)]
pub struct Blocks(Vec<(Weight, Value)>);

impl Blocks {
    /// Adds one.
    pub fn push(&mut self, weight: Weight, block: Value) {
        self.0.push((weight, block));
    }

    /// Adds a section if there is a text.
    pub fn section(&mut self, weight: Weight, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.push(weight, section(&text));
        }
    }

    /// The array, within the limits. `more` says where the rest is.
    pub fn finish(mut self, more: &str) -> Value {
        let note = context(&format!("Shortened: the rest is {more}."));
        let fits = |blocks: &Self, extra: &Value| {
            blocks.0.len() < BLOCKS
                && blocks.0.iter().map(|(_, block)| size(block)).sum::<usize>() + size(extra) <= MESSAGE
        };
        let mut shortened = false;
        while !fits(&self, &note) {
            let least = self.0.iter().enumerate().max_by_key(|(_, (weight, _))| *weight);
            let Some((place, _)) = least.filter(|(_, (weight, _))| *weight != Weight::Needed) else { break };
            self.0.remove(place);
            shortened = true;
        }
        let mut blocks: Vec<Value> = self.0.into_iter().map(|(_, block)| block).collect();
        if shortened {
            blocks.push(note);
        }
        Value::Array(blocks)
    }
}

/// How much a block counts, with the comma after it.
fn size(block: &Value) -> usize {
    block.to_string().encode_utf16().count() + 1
}

/// A header. Its text is no mrkdwn.
pub fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": super::mrkdwn::plain(text, HEADER), "emoji": true}})
}

/// A section. `verbatim` keeps Slack from making links and mentions of what looks like one.
pub fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

/// Small print.
pub fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(text)]})
}

/// A text object that Slack does not format.
pub fn plain_text(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": true})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// Lines of a text with a cap: whole lines only, and a count of those that did not fit.
#[derive(Debug)]
pub struct Lines {
    text: String,
    room: usize,
    left_out: usize,
    more: String,
}

impl Lines {
    /// An empty text of at most `cap`, of which the sign that something was left out is a part.
    pub fn new(cap: usize, more: &str) -> Self {
        let sign = length(&tail(usize::MAX, more));
        Self { text: String::new(), room: cap.min(SECTION).saturating_sub(sign), left_out: 0, more: more.to_string() }
    }

    /// Adds a line if it fits and nothing was left out before it.
    pub fn push(&mut self, line: &str) {
        let needed = length(line) + length("\n");
        if self.left_out > 0 || needed > self.room {
            self.left_out += 1;
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.room -= needed;
    }

    /// Adds the first `most` of these and counts the others as left out. Lines are made only when they are shown.
    pub fn extend<T>(&mut self, items: &[T], most: usize, line: impl Fn(&T) -> String) {
        for item in items.iter().take(most) {
            self.push(&line(item));
        }
        self.left_out += items.len().saturating_sub(most);
    }

    /// The text; none when nothing was added.
    pub fn finish(self) -> Option<String> {
        match (self.text.is_empty(), self.left_out) {
            (true, 0) => None,
            (_, 0) => Some(self.text),
            (_, left_out) => Some(format!("{}{}", self.text, tail(left_out, &self.more)).trim_start().to_string()),
        }
    }
}

fn tail(left_out: usize, more: &str) -> String {
    format!("\n… and {left_out} more {more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_whole_and_the_rest_is_counted() {
        let mut lines = Lines::new(70, "on the page");
        for number in 0..20 {
            lines.push(&format!("line {number:02}"));
        }
        let text = lines.finish().unwrap();
        assert!(length(&text) <= 70, "{text}");
        assert!(text.starts_with("line 00\nline 01\n"), "{text}");
        assert!(text.ends_with("more on the page"), "{text}");
        let shown = text.matches("line ").count();
        assert!(text.contains(&format!("and {} more", 20 - shown)), "{text}");
    }

    #[test]
    fn a_message_loses_its_least_important_block_first_and_says_so() {
        let mut blocks = Blocks::default();
        for weight in [Weight::Needed, Weight::Detail, Weight::Findings, Weight::Metrics, Weight::Data] {
            blocks.section(weight, Some(format!("{weight:?} {}", "x".repeat(2_600))));
        }
        let text = blocks.finish("on the page").to_string();
        assert!(length(&text) <= MESSAGE);
        assert!(!text.contains("Detail") && text.contains("Data"), "{text}");
        assert!(text.contains("Shortened: the rest is on the page."));
    }
}
