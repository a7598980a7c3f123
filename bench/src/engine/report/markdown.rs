//! The report as Markdown.

use super::document::{Block, Table};

/// The blocks as GitHub's Markdown.
pub(crate) fn markdown(blocks: &[Block]) -> String {
    let block = |block: &Block| match block {
        Block::Title(text) => format!("# {text}\n"),
        Block::Heading(text) => format!("## {text}\n"),
        Block::Text(text) => format!("{text}\n"),
        Block::Table(t) => table(t),
        Block::Charts(_) => String::new(),
    };
    let texts: Vec<String> = blocks.iter().map(block).filter(|text| !text.is_empty()).collect();
    texts.join("\n")
}

fn table(table: &Table) -> String {
    let line = |cells: &[String]| {
        format!("| {} |\n", cells.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<_> = (0..table.head.len()).map(|i| if i < table.texts { "---" } else { "---:" }.to_owned()).collect();
    let rows: String = table.rows.iter().map(|row| line(row)).collect();
    line(&table.head) + &line(&rule) + &rows
}
