//! Where a value of a sink stands: `config.text`, `on.in.rcpt.priority`, `on.0.when.sender`.

use crate::config::suggest::suggest;
use toml_edit::{Item, Key, Table, TableLike, Value};

/// The keys of a sink.
const OWN: [&str; 11] =
    ["allow", "config", "digest", "enabled", "limits", "module", "native", "on", "reuse", "script", "tables"];

/// A dotted key.
pub(super) struct Place {
    keys: Vec<String>,
}

impl Place {
    /// Reads it as TOML does, quotes included.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let keys =
            Key::parse(text.trim()).map_err(|error| format!("`{text}` is not a key: {}", error.to_string().trim()))?;
        let keys: Vec<String> = keys.iter().map(|key| key.get().to_owned()).collect();
        let first = keys.first().map_or("", String::as_str);
        if !OWN.contains(&first) {
            let meant = suggest(first, OWN).map_or_else(
                || format!("a sink's own settings are `config.{text}`"),
                |meant| format!("did you mean `{meant}`?"),
            );
            return Err(format!("a sink has no key `{first}`; {meant}"));
        }
        Ok(Self { keys })
    }

    /// Puts a value there; tables on the way are made if they are not there.
    pub(super) fn set(&self, sink: &mut Table, value: Value) -> Result<(), String> {
        match self.keys.as_slice() {
            [on, rest @ ..] if on == "on" => {
                let (table, rest) = binding(sink, rest)?;
                descend(table, rest, value)
            }
            keys => descend(sink, keys, value),
        }
    }
}

/// Puts a value at a key. The comment and the spaces around the old one stay.
pub(super) fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(Item::Value(old)) = table.get(key) {
        *value.decor_mut() = old.decor().clone();
    }
    match table.get_mut(key) {
        Some(item) => *item = Item::Value(value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

fn descend(table: &mut dyn TableLike, keys: &[String], value: Value) -> Result<(), String> {
    match keys {
        [] => Err("which key of the binding? Write `on.EVENT.KEY=VALUE`".to_owned()),
        [last] => {
            put(table, last, value);
            Ok(())
        }
        [first, rest @ ..] => {
            let item = table.entry(first).or_insert_with(|| Item::Table(Table::new()));
            match item.as_table_like_mut() {
                Some(inner) => descend(inner, rest, value),
                None => Err(format!("`{first}` is not a table: set it as a whole")),
            }
        }
    }
}

/// The binding that the keys begin with, by number or event, and the keys within it.
fn binding<'a, 'b>(sink: &'a mut Table, keys: &'b [String]) -> Result<(&'a mut dyn TableLike, &'b [String]), String> {
    let events: Vec<String> = match sink.get("on") {
        Some(Item::ArrayOfTables(list)) => list.iter().map(|on| event(on)).collect(),
        Some(Item::Value(Value::Array(list))) => {
            list.iter().map(|on| on.as_inline_table().map_or_else(String::new, |on| event(on))).collect()
        }
        _ => return Err("the sink names no bindings; add a `[[sink.on]]` table to the manifest by hand".to_owned()),
    };
    let by_number = keys.first().and_then(|key| key.parse().ok()).map(|at: usize| (at, 1));
    let by_event = || {
        // An event's name has dots of its own.
        (1..=keys.len()).rev().find_map(|len| {
            let name = keys.get(..len)?.join(".");
            events.iter().position(|event| *event == name).map(|at| (at, len))
        })
    };
    let none = || {
        let shown = keys.join(".");
        format!("`on.{shown}` names no binding; there are: {}", events.join(", "))
    };
    let (at, len) = by_number.or_else(by_event).ok_or_else(none)?;
    let table: Option<&mut dyn TableLike> = match sink.get_mut("on") {
        Some(Item::ArrayOfTables(list)) => list.get_mut(at).map(|table| table as &mut dyn TableLike),
        Some(Item::Value(Value::Array(list))) => {
            list.get_mut(at).and_then(Value::as_inline_table_mut).map(|table| table as &mut dyn TableLike)
        }
        _ => None,
    };
    Ok((table.ok_or_else(none)?, keys.get(len..).unwrap_or_default()))
}

fn event(binding: &dyn TableLike) -> String {
    binding.get("event").and_then(Item::as_str).unwrap_or_default().to_owned()
}
