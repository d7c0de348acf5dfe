//! What every plot gives: a picture and its twin in text.

/// A drawn plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// One `<svg>` element, fit for a page as well as for a rasteriser.
    pub svg: String,
    /// Its natural width, pixels.
    pub width: u32,
    /// Its natural height, pixels.
    pub height: u32,
    /// The twin that says the same in text, uncut and unescaped.
    pub table: Table,
}

/// Rows of text under a head of the same length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// One name a column.
    pub head: Vec<String>,
    /// The rows, in the order in which they are drawn.
    pub rows: Vec<Vec<String>>,
}

/// What a plot is called.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// Unique on its page: the identifiers inside the picture derive from it.
    pub id: &'a str,
    /// What it shows, in a few words.
    pub title: &'a str,
    /// What is to be seen in it, in a sentence.
    pub description: &'a str,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_string).to_vec(), rows: Vec::new() }
    }
}
