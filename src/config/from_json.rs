//! JSON as a tree: what the parser found, with its places, and its complaint as a diagnostic.
//!
//! JSON as RFC 8259 has it: no comments, no trailing commas, no key twice in one object.

use super::diagnostic::Diagnostics;
use super::sources::{SourceId, Span};
use super::tree::{Field, Fields, Node, Value};
use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// As deep as TOML may nest, so that whoever walks a tree has one bound.
const DEPTH_MAX: usize = 80;

/// Parses a registered text. With a syntax error there is no tree: what lies behind one is guesswork.
pub(super) fn parse(id: SourceId, found: &mut Diagnostics) -> Option<Node> {
    let text = found.sources.text(id);
    let value = match parse_to_ast(&text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => parsed.value,
        Err(error) => {
            let message = lower_first(&error.kind().to_string());
            found.error(span(id, error.range()), format!("not valid JSON: {message}"));
            return None;
        }
    };
    let Some(value) = value else {
        found.error(Span::new(id, 0..0), "not valid JSON: the file is empty");
        return None;
    };
    // The parser that knows places lets a few things pass, such as control characters in strings.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        let at = offset(&text, error.line(), error.column());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        found.error(Span::new(id, at..at + 1), format!("not valid JSON: {message}"));
        return None;
    }
    node(id, &value, DEPTH_MAX, found)
}

/// `None` if a key came twice, a number does not fit or the nesting is too deep; all are noted.
fn node(id: SourceId, value: &ast::Value<'_>, depth: usize, found: &mut Diagnostics) -> Option<Node> {
    let span = span(id, value.range());
    let Some(depth) = depth.checked_sub(1) else {
        found.error(span, "the value is nested too deeply");
        return None;
    };
    let value = match value {
        ast::Value::StringLit(text) => Value::String(text.value.to_string()),
        ast::Value::NumberLit(number) => number_value(span, number.value, found)?,
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(list) => {
            let nodes: Vec<Option<Node>> = list.elements.iter().map(|v| node(id, v, depth, found)).collect();
            Value::Array(nodes.into_iter().collect::<Option<_>>()?)
        }
        ast::Value::Object(object) => Value::Table(fields(id, object, depth, found)?),
    };
    Some(Node { span, value })
}

fn fields(id: SourceId, object: &ast::Object<'_>, depth: usize, found: &mut Diagnostics) -> Option<Fields> {
    let mut seen = std::collections::HashSet::new();
    let mut fields = Some(Vec::new());
    for property in &object.properties {
        let key = property.name.as_str();
        let key_span = span(id, property.name.range());
        let node = node(id, &property.value, depth, found);
        let fresh = seen.insert(key.to_owned());
        if !fresh {
            found.error(key_span, format!("duplicate key `{key}`"));
        }
        match (fresh, node) {
            (true, Some(node)) => {
                fields = fields.map(|mut f| {
                    f.push(Field { key: key.to_owned(), key_span, node });
                    f
                });
            }
            _ => fields = None,
        }
    }
    fields.map(Fields::new)
}

fn number_value(span: Span, text: &str, found: &mut Diagnostics) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Integer(whole));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && text.contains(['.', 'e', 'E']) => Some(Value::Float(number)),
        _ => {
            found.error(span, "the number is too large").help("the largest whole number is 9223372036854775807");
            None
        }
    }
}

fn span(id: SourceId, range: Range) -> Span {
    Span::new(id, range.start..range.end)
}

/// The offset of a place that is told as line and column in octets, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, String) {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f.json", text);
        (parse(id, &mut found), found.to_string())
    }

    #[test]
    fn the_tree_is_that_of_the_same_toml() {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f.toml", "a = [1, 2.5, true]\n[t]\nx = 'é'\n");
        let toml = super::super::from_toml::parse(id, &mut found);
        assert_eq!(read("{\"t\": {\"x\": \"\\u00e9\"}, \"a\": [1, 2.5, true]}").0, toml);
    }

    #[test]
    fn what_is_not_json_is_refused_at_its_place() {
        for (text, place) in [
            ("", "f.json:1:1"),
            ("{\"a\": 1,}", "f.json:1:8"),
            ("{\n  // no\n}", "f.json:2:3"),
            ("{\"a\": 'x'}", "f.json:1:7"),
            ("{\"a\": 01}", "f.json:1:"),
            ("{\"a\": \"x\ty\"}", "f.json:1:"),
            ("{\"a\": 1 \"b\": 2}", "f.json:1:"),
            ("{\"a\": 1, \"a\": 2}", "f.json:1:10"),
            ("{\"a\": 99999999999999999999}", "f.json:1:7"),
            ("{\"a\": 1e999}", "f.json:1:"),
            ("{} {}", "f.json:1:4"),
            ("[1", "f.json:1:1"),
        ] {
            let (tree, told) = read(text);
            assert!(tree.is_none() && told.contains(place), "{text}: {told}");
        }
        assert!(read(&format!("{}1{}", "[".repeat(300), "]".repeat(300))).0.is_none());
    }
}
