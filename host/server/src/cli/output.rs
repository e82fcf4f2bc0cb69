//! Tables for people, JSON for programs.

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

/// Print rows, each a list of (heading, value).
pub(crate) fn rows(json: bool, rows: &[Vec<(&str, Value)>]) {
    if json {
        let objects: Vec<Value> = rows
            .iter()
            .map(|row| Value::Object(row.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()))
            .collect();
        println!("{:#}", Value::Array(objects));
        return;
    }
    let Some(first) = rows.first() else {
        println!("(none)");
        return;
    };
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(first.iter().map(|(heading, _)| heading.replace('_', " ")));
    for row in rows {
        table.add_row(row.iter().map(|(_, value)| {
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
        }));
    }
    println!("{table}");
}
