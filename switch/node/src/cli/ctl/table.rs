//! JSON answers as text for people: lists of objects become tables, objects become `key  value` lines.

use serde_json::{Map, Value};

/// The answer as text.
pub(super) fn render(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) => object(map, &mut text),
        Value::Array(rows) => table(rows, &mut text),
        other => {
            text.push_str(&cell(other));
            text.push('\n');
        }
    }
    text
}

fn object(map: &Map<String, Value>, text: &mut String) {
    let width = map.keys().map(|key| key.chars().count()).max().unwrap_or(0);
    for (key, value) in map.iter().filter(|(_, value)| !is_table(value)) {
        text.push_str(&format!("{key:width$}  {}\n", cell(value)));
    }
    for (key, value) in map {
        if let Value::Array(rows) = value
            && is_table(value)
        {
            text.push_str(&format!("\n{key}\n"));
            table(rows, text);
        }
    }
}

fn is_table(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|rows| rows.first().is_some_and(Value::is_object))
}

fn table(rows: &[Value], text: &mut String) {
    let Some(Value::Object(first)) = rows.first() else {
        for row in rows {
            text.push_str(&cell(row));
            text.push('\n');
        }
        return;
    };
    let columns: Vec<&String> = first.keys().collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            columns
                .iter()
                .map(|column| cell(row.get(column.as_str()).unwrap_or(&Value::Null)))
                .collect()
        })
        .collect();
    let width = |number: usize, column: &String| {
        cells
            .iter()
            .filter_map(|row| row.get(number))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .max(column.chars().count())
    };
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(number, column)| width(number, column))
        .collect();
    let mut push = |row: &[String]| {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    };
    push(
        &columns
            .iter()
            .map(|column| (*column).clone())
            .collect::<Vec<_>>(),
    );
    for row in &cells {
        push(row);
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            items.iter().map(cell).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
