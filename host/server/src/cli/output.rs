//! Tables for people, JSON for programs.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

/// Narrowest table: below this, columns are a letter wide.
const COLUMNS_MIN: u16 = 40;

/// Print a line. A reader that has seen enough (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Say something besides what was asked for, where it is in no program's way.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Print rows, each a list of (heading, value).
pub(crate) fn rows(json: bool, rows: &[Vec<(&str, Value)>]) {
    if json {
        let objects: Vec<Value> = rows
            .iter()
            .map(|row| Value::Object(row.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()))
            .collect();
        line(&format!("{:#}", Value::Array(objects)));
        return;
    }
    match rows.first() {
        Some(first) => line(&table(first, rows, columns()).to_string()),
        None => line("(none)"),
    }
}

fn table(first: &[(&str, Value)], rows: &[Vec<(&str, Value)>], columns: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(first.iter().map(|(heading, _)| heading.replace('_', " ")));
    if let Some(columns) = columns {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns.max(COLUMNS_MIN));
    }
    for row in rows {
        table.add_row(row.iter().map(|(_, value)| shown(value)));
    }
    table
}

/// Width of the terminal; none where the output goes elsewhere, where nothing is broken into lines.
fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        Value::Array(items) => items
            .iter()
            .map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_fits_its_terminal_and_is_whole_elsewhere() {
        let long = "a text that is longer than a narrow terminal has columns, and then some";
        let rows = vec![vec![("check", json!("disk")), ("what_to_do", json!(long))]];
        let narrow = table(&rows[0], &rows, Some(50)).to_string();
        assert!(narrow.lines().all(|l| l.chars().count() <= 50), "{narrow}");
        let whole = table(&rows[0], &rows, None).to_string();
        assert!(whole.contains(long) && whole.contains("what to do"), "{whole}");
    }
}
