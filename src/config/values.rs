//! Single values: from a node of the tree to a checked Rust value, or a diagnostic and nothing.

use super::diagnostic::Diagnostics;
use super::suggest::suggest;
use super::tree::{Node, Value};
use super::units::{self, UnitError};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Notes that a value is of the wrong kind. `wanted` comes with its article.
pub fn wrong_kind(node: &Node, wanted: &str, found: &mut Diagnostics) {
    found.error(node.span, format!("expected {wanted}, found {}", node.kind()));
}

/// A string.
pub fn string(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = node.as_str();
    if text.is_none() {
        wrong_kind(node, "a string", found);
    }
    text.map(str::to_owned)
}

/// `true` or `false`.
pub fn boolean(node: &Node, found: &mut Diagnostics) -> Option<bool> {
    match &node.value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) if text == "true" || text == "false" => {
            found.error(node.span, "expected a boolean, found a string").help(format!("write {text} without quotes"));
            None
        }
        _ => {
            wrong_kind(node, "a boolean", found);
            None
        }
    }
}

/// A whole number within a range, both ends included.
pub fn integer<T: TryFrom<i64>>(range: RangeInclusive<i64>) -> impl Fn(&Node, &mut Diagnostics) -> Option<T> {
    move |node, found| {
        let Value::Integer(number) = node.value else {
            wrong_kind(node, "an integer", found);
            return None;
        };
        let value = Some(number).filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        if value.is_none() {
            let (from, to) = (range.start(), range.end());
            let expected = if *to == i64::MAX { format!("at least {from}") } else { format!("{from} to {to}") };
            found.error(node.span, format!("{number} is out of range")).label(format!("must be {expected}"));
        }
        value
    }
}

/// A size in octets, such as `"10 MiB"`.
pub fn size(node: &Node, found: &mut Diagnostics) -> Option<u64> {
    with_unit(node, "a size such as \"10 MiB\"", "B", units::size, found)
}

/// A size of at least `least` octets.
pub fn size_from(least: u64) -> impl Fn(&Node, &mut Diagnostics) -> Option<u64> {
    size_between(least, u64::MAX)
}

/// A size of `least` to `most` octets.
pub fn size_between(least: u64, most: u64) -> impl Fn(&Node, &mut Diagnostics) -> Option<u64> {
    move |node, found| {
        let octets = size(node, found)?;
        let (message, bound) = if octets < least {
            ("the size is too small", format!("must be at least {}", units::write_size(least)))
        } else if octets > most {
            ("the size is too large", format!("must be at most {}", units::write_size(most)))
        } else {
            return Some(octets);
        };
        found.error(node.span, message).label(bound);
        None
    }
}

/// A duration, such as `"5m"`.
pub fn duration(node: &Node, found: &mut Diagnostics) -> Option<Duration> {
    with_unit(node, "a duration such as \"5m\"", "s", units::duration, found)
}

/// A duration longer than nothing.
pub fn duration_above_zero(node: &Node, found: &mut Diagnostics) -> Option<Duration> {
    let duration = duration(node, found)?;
    if duration.is_zero() {
        found.error(node.span, "the duration must be longer than nothing");
        return None;
    }
    Some(duration)
}

fn with_unit<T>(
    node: &Node,
    wanted: &str,
    smallest: &str,
    parse: fn(&str) -> Result<T, UnitError>,
    found: &mut Diagnostics,
) -> Option<T> {
    match &node.value {
        Value::String(text) => match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let told = found.error(node.span, format!("`{text}` is not {wanted}: {error}"));
                told.help = error.help();
                None
            }
        },
        Value::Integer(number) => {
            let told = found.error(node.span, format!("expected {wanted}, found a number without a unit"));
            told.help(format!("write the unit, in quotes: \"{number} {smallest}\" if that is what was meant"));
            None
        }
        _ => {
            wrong_kind(node, wanted, found);
            None
        }
    }
}

/// One of a few words.
pub fn choice<T: Copy + 'static>(words: &'static [(&'static str, T)]) -> impl Fn(&Node, &mut Diagnostics) -> Option<T> {
    move |node, found| {
        let text = string(node, found)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let told = found.error(node.span, format!("`{text}` is not one of the values known here"));
        if let Some(meant) = suggest(&text, words.iter().map(|(word, _)| *word)) {
            told.label(format!("did you mean \"{meant}\"?"));
        }
        told.help(format!("use {}", alternatives(&quoted)));
        None
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
