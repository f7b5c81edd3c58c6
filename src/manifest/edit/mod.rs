//! Changes to the text of a manifest that leave everything else as it stands: comments, order, spelling.
//!
//! Only TOML. Nothing here knows what a manifest means: whoever edits checks the whole before [`replace`] puts it in place.

mod file;
mod inline;
mod path;

pub use file::replace;
pub use inline::inline;

use path::Place;
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

/// A sink to add.
#[derive(Clone, Debug, Default)]
pub struct NewSink {
    /// Its name.
    pub name: String,
    /// `native`, `module` or `script`.
    pub kind: &'static str,
    /// What that key says.
    pub source: String,
    /// Its bindings; none: to everything that it hears.
    pub on: Vec<NewBinding>,
    /// Further keys, as [`set`] takes them.
    pub set: Vec<String>,
}

/// A binding to add.
#[derive(Clone, Debug, Default)]
pub struct NewBinding {
    /// The event.
    pub event: String,
    /// The priority, if not the default.
    pub priority: Option<u16>,
    /// The rule: an inline table, with or without its braces.
    pub when: Option<String>,
}

/// Adds a sink behind the others.
pub fn add(text: &str, new: &NewSink) -> Result<String, String> {
    let mut document = parse(text)?;
    if sinks(&mut document)?.iter().any(|sink| is_named(sink, &new.name)) {
        return Err(format!("there is a sink `{}` already", new.name));
    }
    let mut table = Table::new();
    table.insert("name", new.name.as_str().into());
    table.insert(new.kind, new.source.as_str().into());
    if !text.trim().is_empty() {
        table.decor_mut().set_prefix(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    for assignment in &new.set {
        assign(&mut table, assignment)?;
    }
    if !new.on.is_empty() {
        let mut bindings = ArrayOfTables::new();
        for binding in &new.on {
            bindings.push(binding_table(binding)?);
        }
        table.insert("on", Item::ArrayOfTables(bindings));
    }
    sinks(&mut document)?.push(table);
    Ok(document.to_string())
}

/// Removes a sink with its bindings and the comment right above it. What stands above that comment, behind a blank line,
/// stays.
pub fn remove(text: &str, name: &str) -> Result<String, String> {
    let mut document = parse(text)?;
    let sinks = sinks(&mut document)?;
    let at = position(sinks, name)?;
    let prefix = |sinks: &ArrayOfTables, at: usize| {
        let decor = sinks.get(at).and_then(|table| table.decor().prefix());
        decor.and_then(|raw| raw.as_str()).unwrap_or_default().to_owned()
    };
    let own = prefix(sinks, at);
    let kept = own.rfind("\n\n").map_or("", |end| own.get(..end + 1).unwrap_or_default()).to_owned();
    sinks.remove(at);
    if !kept.trim().is_empty() {
        let next = prefix(sinks, at);
        match sinks.get_mut(at) {
            Some(table) => table.decor_mut().set_prefix(format!("{kept}{next}")),
            None => {
                let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
                document.set_trailing(format!("{kept}{trailing}"));
            }
        }
    }
    Ok(document.to_string())
}

/// Switches a sink on or off. Nothing if it is so already.
pub fn enable(text: &str, name: &str, on: bool) -> Result<Option<String>, String> {
    let mut document = parse(text)?;
    let sink = sink(&mut document, name)?;
    if sink.get("enabled").and_then(Item::as_bool).unwrap_or(true) == on {
        return Ok(None);
    }
    path::put(sink, "enabled", on.into());
    Ok(Some(document.to_string()))
}

/// Sets `KEY=VALUE` of a sink. The key is dotted and begins with one of the sink's own (`config.text`); a binding is named by
/// its event or its number from 0 (`on.in.rcpt.priority`, `on.0.when`). What is no TOML value is a string.
pub fn set(text: &str, name: &str, assignment: &str) -> Result<String, String> {
    let mut document = parse(text)?;
    assign(sink(&mut document, name)?, assignment)?;
    Ok(document.to_string())
}

/// Removes a key of a sink itself, if it is there.
pub fn unset(text: &str, name: &str, key: &str) -> Result<String, String> {
    let mut document = parse(text)?;
    sink(&mut document, name)?.remove(key);
    Ok(document.to_string())
}

fn assign(sink: &mut Table, assignment: &str) -> Result<(), String> {
    let (key, value) = assignment.split_once('=').ok_or_else(|| format!("`{assignment}` is not KEY=VALUE"))?;
    let value = value.trim();
    Place::parse(key)?.set(sink, value.parse::<Value>().unwrap_or_else(|_| value.into()))
}

fn binding_table(new: &NewBinding) -> Result<Table, String> {
    let mut table = Table::new();
    table.insert("event", new.event.as_str().into());
    if let Some(priority) = new.priority {
        table.insert("priority", i64::from(priority).into());
    }
    if let Some(when) = &new.when {
        table.insert("when", Item::Value(inline_table(when)?.into()));
    }
    Ok(table)
}

fn inline_table(text: &str) -> Result<InlineTable, String> {
    let whole = || text.parse::<Value>().ok();
    let braced = || format!("{{ {text} }}").parse::<Value>();
    match whole().map_or_else(braced, Ok) {
        Ok(Value::InlineTable(table)) => Ok(table),
        Ok(_) => Err(format!("`{text}` is not a rule; write one such as 'sender = \"*@example.com\"'")),
        Err(error) => Err(format!("the rule `{text}` is not TOML: {}", error.to_string().trim())),
    }
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| error.to_string())
}

/// The list of sinks, made if there is none.
fn sinks(document: &mut DocumentMut) -> Result<&mut ArrayOfTables, String> {
    let item = document.entry("sink").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut()
        .ok_or_else(|| "the sinks are not written as `[[sink]]` tables: edit the file by hand".to_owned())
}

fn sink<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut Table, String> {
    let sinks = sinks(document)?;
    let at = position(sinks, name)?;
    sinks.get_mut(at).ok_or_else(|| no_sink(name))
}

fn position(sinks: &ArrayOfTables, name: &str) -> Result<usize, String> {
    sinks.iter().position(|sink| is_named(sink, name)).ok_or_else(|| no_sink(name))
}

fn is_named(sink: &Table, name: &str) -> bool {
    sink.get("name").and_then(Item::as_str) == Some(name)
}

fn no_sink(name: &str) -> String {
    format!("there is no sink `{name}`")
}

#[cfg(test)]
mod tests;
