//! TOML as a tree: what the parser found, with its places, and its complaints as diagnostics.

use super::diagnostic::{Diagnostics, Severity};
use super::sources::{SourceId, Span};
use super::tree::{Field, Fields, Node, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

/// Parses a registered text. With a syntax error there is no tree: what lies behind one is guesswork.
pub(super) fn parse(id: SourceId, found: &mut Diagnostics) -> Option<Node> {
    let text = found.sources.text(id);
    let (table, mut errors) = DeTable::parse_recoverable(&text);
    errors.sort_by_key(|e| e.span().map(|s| s.start));
    // A list that does not close swallows the rest of the file, and every line of it is then an error.
    let in_list = |m: &str| m.contains("array elements") || m.contains("in array") || m.starts_with("unclosed array,");
    let swallowed = errors.iter().any(|e| in_list(e.message()));
    let mut last_line = None;
    for error in errors.iter().take(if swallowed { 1 } else { usize::MAX }) {
        let span = Span::new(id, error.span().unwrap_or_default());
        let line = found.sources.line(span).map(|l| l.number);
        if last_line.is_none_or(|last| Some(last) != line) {
            found.error(span, format!("not valid TOML: {}", error.message()));
        }
        last_line = line.or(last_line);
    }
    if !errors.is_empty() {
        return None;
    }
    let before = found.count(Severity::Error);
    let root = Node { span: Span::new(id, 0..0), value: Value::Table(fields(id, table.get_ref(), found)) };
    (found.count(Severity::Error) == before).then_some(root)
}

/// The parser bounds the depth, so the recursion is bounded too.
fn fields(id: SourceId, table: &DeTable<'_>, found: &mut Diagnostics) -> Fields {
    let field = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key_text: &std::borrow::Cow<'_, str> = key.get_ref();
        let key_span = Span::new(id, key.span());
        Field { key: key_text.to_string(), key_span, node: node(id, value, found) }
    };
    Fields::new(table.iter().map(field).collect())
}

fn node(id: SourceId, value: &Spanned<DeValue<'_>>, found: &mut Diagnostics) -> Node {
    let span = Span::new(id, value.span());
    let value = match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => integer(span, number, found),
        DeValue::Float(number) => float(span, number, found),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(time) => Value::Datetime(time.to_string()),
        DeValue::Array(list) => Value::Array(list.iter().map(|v| node(id, v, found)).collect()),
        DeValue::Table(table) => Value::Table(fields(id, table, found)),
    };
    Node { span, value }
}

fn integer(span: Span, number: &DeInteger<'_>, found: &mut Diagnostics) -> Value {
    Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
        found.error(span, "the number is too large").help("the largest whole number is 9223372036854775807");
        0
    }))
}

fn float(span: Span, number: &DeFloat<'_>, found: &mut Diagnostics) -> Value {
    let value = number.as_str().parse::<f64>().unwrap_or(f64::NAN);
    if !value.is_finite() {
        found.error(span, "the number is not finite").help("infinity and `nan` have no use here");
    }
    Value::Float(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Diagnostics) {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f.toml", text);
        (parse(id, &mut found), found)
    }

    #[test]
    fn keys_come_in_the_order_of_the_file() {
        let (root, found) = read("z = 0x10\na = [1.5, 'x']\n[m.n]\nb.c = 1979-05-27\n");
        assert!(found.is_empty());
        let root = root.unwrap();
        let keys: Vec<&str> = root.as_table().unwrap().iter().map(|f| f.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
        assert_eq!(root.as_table().unwrap().get("z").unwrap().node.value, Value::Integer(16));
    }

    #[test]
    fn trees_that_say_the_same_are_equal() {
        let (a, b) = (read("a = 1\n[t]\nx = 'y'\n").0, read("# moved\nt = { x = \"y\" }\na = 1\n").0);
        assert_eq!(a, b);
        assert_ne!(a, read("a = 2\n[t]\nx = 'y'\n").0);
    }

    #[test]
    fn every_broken_line_is_told_but_an_open_list_only_once() {
        assert_eq!(read("a = \nb = 2\n[x\n").1.count(Severity::Error), 2);
        assert_eq!(read("a=[1,2\nb=2\n[c]\nd=1\n").1.count(Severity::Error), 1);
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert!(read("a = 99999999999999999999\n").0.is_none());
        assert!(read("a = [inf]\n").0.is_none());
        assert!(read("a = 1e999\n").0.is_none());
    }
}
