//! The report as one HTML page that needs nothing else.

use super::chart;
use super::document::{Block, Table};

const STYLE: &str = include_str!("style.css");

/// The blocks as a page; nothing in it is loaded from elsewhere.
pub(crate) fn html(blocks: &[Block]) -> String {
    let title = blocks.iter().find_map(|b| if let Block::Title(text) = b { Some(escape(text)) } else { None });
    let body: String = blocks.iter().map(block).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        title.unwrap_or_default()
    )
}

fn block(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>\n", escape(text)),
        Block::Heading(text) => format!("<h2>{}</h2>\n", escape(text)),
        Block::Text(text) => format!("<p>{}</p>\n", escape(text)),
        Block::Table(t) => table(t),
        Block::Charts(charts) => {
            let figures: String = charts.iter().map(chart::figure).collect();
            format!("<div class=\"charts\">\n{figures}</div>\n")
        }
    }
}

fn table(table: &Table) -> String {
    let cells = |tag: &str, cells: &[String]| -> String {
        let cell = |(i, text): (usize, &String)| {
            let class = if i < table.texts { "text" } else { "number" };
            format!("<{tag} class=\"{class}\">{}</{tag}>", escape(text))
        };
        cells.iter().enumerate().map(cell).collect()
    };
    let head = match table.head.iter().all(String::is_empty) {
        true => String::new(),
        false => format!("<thead><tr>{}</tr></thead>\n", cells("th", &table.head)),
    };
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect();
    format!("<div class=\"wide\"><table>\n{head}<tbody>\n{rows}</tbody></table></div>\n")
}

/// Text as it may stand in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
