//! What a report is made of, before it is Markdown or HTML.

use super::chart::Chart;

/// A piece of the report; texts are plain.
pub(crate) enum Block {
    Title(String),
    Heading(String),
    Text(String),
    Table(Table),
    /// Markdown leaves them out: the tables hold the same figures.
    Charts(Vec<Chart>),
}

/// Lines of as many cells as the head has.
pub(crate) struct Table {
    /// Empty texts: no head.
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// The first so many columns are texts, the others numbers.
    pub(crate) texts: usize,
}
