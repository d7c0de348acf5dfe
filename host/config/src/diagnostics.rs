//! What is wrong with a file: a code, a sentence, the place, and what to do. Rendered like a compiler's errors for people,
//! serialised for tools.

use crate::mask;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// More than this many mistakes are counted, not kept: they come from few causes.
const MAX_KEPT: usize = 50;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Character in that line, from 1.
    pub column: usize,
}

/// A place with a remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
    /// Whether the mistake itself is here; otherwise the place only explains it.
    pub primary: bool,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable name, such as `pipeline.unknown-step`.
    pub code: &'static str,
    /// One sentence that reads alone.
    pub message: String,
    /// Where; none when it is about the file as a whole.
    pub span: Option<Span>,
    /// Remarks on places, the mistake's own first.
    pub labels: Vec<Label>,
    /// What to do or to know, one sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A value that is repeated in a sentence may be a secret that was put into the wrong key.
    fn mask(&mut self) {
        let labels = self.labels.iter_mut().map(|label| &mut label.text);
        for text in labels.chain(&mut self.help).chain([&mut self.message]) {
            *text = mask::words(text);
        }
    }
}

/// Every mistake of one file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    /// The file's name as people know it.
    pub origin: String,
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
    /// Mistakes that were only counted.
    pub not_shown: usize,
    #[serde(skip)]
    text: String,
}

impl Diagnostics {
    /// One mistake that has no place.
    pub(crate) fn about_file(origin: &str, code: &'static str, message: impl Into<String>) -> Self {
        let mistake = Diagnostic { code, message: message.into(), span: None, labels: vec![], help: vec![] };
        Self { origin: origin.into(), diagnostics: vec![mistake], not_shown: 0, text: String::new() }
    }

    /// The same with a help.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(last) = self.diagnostics.last_mut() {
            last.help.push(help.into());
        }
        self
    }

    /// For people, with the lines of the file; `color` for a terminal.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut blocks: Vec<String> =
            self.diagnostics.iter().map(|one| renderer.render(&[self.report(one)]).to_string()).collect();
        if self.not_shown > 0 {
            blocks.push(format!("and {} more mistakes, not shown", self.not_shown));
        }
        blocks.join("\n\n")
    }

    fn report<'a>(&'a self, mistake: &'a Diagnostic) -> Group<'a> {
        let mut group = Group::with_title(Level::ERROR.primary_title(mistake.message.as_str()).id(mistake.code));
        if mistake.labels.is_empty() {
            group = group.element(annotate_snippets::Origin::path(self.origin.as_str()));
        } else {
            let mut snippet = Snippet::source(self.text.as_str()).path(self.origin.as_str());
            for label in &mistake.labels {
                let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
                snippet = snippet.annotation(kind.span(label.span.start..label.span.end).label(text));
            }
            group = group.element(snippet);
        }
        mistake.help.iter().fold(group, |group, help| group.element(Level::HELP.message(help.as_str())))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// A mistake as it is reported, before its places are looked up.
#[derive(Debug)]
pub(crate) struct Mistake {
    code: &'static str,
    message: String,
    labels: Vec<(Range<usize>, String, bool)>,
    help: Vec<String>,
}

impl Mistake {
    /// A mistake at `place`.
    pub fn new(code: &'static str, place: &Range<usize>, message: impl Into<String>) -> Self {
        let own = (place.clone(), String::new(), true);
        Self { code, message: message.into(), labels: vec![own], help: vec![] }
    }

    /// A problem at `place`.
    pub fn of(place: &Range<usize>, problem: Problem) -> Self {
        let Problem { code, message, guess, help } = problem;
        Self::new(code, place, message).guess(guess.as_deref()).help(help)
    }

    /// A remark at the mistake's own place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.labels[0].1 = text.into();
        self
    }

    /// A remark at another place.
    pub fn also(mut self, place: &Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push((place.clone(), text.into(), false));
        self
    }

    /// What to do or to know.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// "did you mean" at the mistake's own place, when there is a guess.
    pub fn guess(self, guess: Option<&str>) -> Self {
        match guess {
            Some(guess) => self.label(format!("did you mean `{guess}`?")),
            None => self,
        }
    }
}

/// What is wrong with a value, wherever it was written.
#[derive(Debug)]
pub(crate) struct Problem {
    pub code: &'static str,
    pub message: String,
    /// What was most likely meant.
    pub guess: Option<String>,
    pub help: String,
}

impl Problem {
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), guess: None, help: help.into() }
    }

    pub fn guess(self, guess: Option<String>) -> Self {
        Self { guess, ..self }
    }
}

/// Collects the mistakes of one file.
#[derive(Debug)]
pub(crate) struct Sink<'t> {
    origin: String,
    text: &'t str,
    found: Vec<Diagnostic>,
    not_kept: usize,
    /// Set for a file that may hold secrets by mistake: values that are never shown.
    hidden: Option<Vec<Range<usize>>>,
}

impl<'t> Sink<'t> {
    pub fn new(origin: &str, text: &'t str) -> Self {
        Self { origin: origin.to_string(), text, found: Vec::new(), not_kept: 0, hidden: None }
    }

    /// For a file in which people may have written a secret: neither its text nor a message will show one.
    pub fn discreet(origin: &str, text: &'t str) -> Self {
        Self { hidden: Some(Vec::new()), ..Self::new(origin, text) }
    }

    /// Does not show that value, where the file may hold secrets.
    pub fn hide(&mut self, place: &Range<usize>) {
        if let Some(hidden) = &mut self.hidden {
            hidden.push(place.clone());
        }
    }

    pub fn push(&mut self, mistake: Mistake) {
        if self.found.len() == MAX_KEPT {
            self.not_kept += 1;
            return;
        }
        let labels: Vec<Label> = mistake
            .labels
            .into_iter()
            .map(|(place, text, primary)| Label { span: span(self.text, &place), text, primary })
            .collect();
        let span = labels.first().map(|label| label.span.clone());
        self.found.push(Diagnostic { code: mistake.code, message: mistake.message, span, labels, help: mistake.help });
    }

    /// How many mistakes were found so far.
    pub fn count(&self) -> usize {
        self.found.len() + self.not_kept
    }

    /// All of them, when there are any.
    pub fn finish(mut self) -> Result<(), Diagnostics> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|one| one.span.as_ref().map_or(0, |span| span.start));
        let Self { origin, text, found: mut diagnostics, not_kept, hidden } = self;
        let text = match hidden {
            None => text.to_string(),
            Some(hidden) => {
                diagnostics.iter_mut().for_each(Diagnostic::mask);
                mask::file(text, &hidden)
            }
        };
        Err(Diagnostics { origin, diagnostics, not_shown: not_kept, text })
    }
}

/// Line and column of a byte range, moved to whole characters inside the text.
fn span(text: &str, place: &Range<usize>) -> Span {
    let start = text.floor_char_boundary(place.start.min(text.len()));
    let end = text.ceil_char_boundary(place.end.clamp(start, text.len()));
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Span { start, end, line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}
