//! Values that keep their place when a type is read by serde, so that what is found out later can point at it.
//!
//! ```
//! use mailsluice::config::{Node, Spanned};
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     pattern: Spanned<String>,
//!     when: Node,              // raw, with all places
//! }
//! ```
//!
//! This works with [`super::from_node`] alone: other formats don't tell their places.

use super::de::Error;
use super::sources::{SourceId, Span};
use super::tree::{Field, Fields, Node, Value};
use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A value and its place. Two are equal if their values are.
#[derive(Clone, Copy, Debug)]
pub struct Spanned<T> {
    /// The place.
    pub span: Span,
    /// The value.
    pub value: T,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The name by which a [`Spanned`] asks for itself, and its fields.
pub(super) const NAME: &str = "$mailsluice::Spanned";
const FIELDS: &[&str] = &["source", "start", "end", "value"];

/// What stands at the place.
enum Content<'de> {
    Node(&'de Node),
    Key(&'de str),
}

/// The four fields of a [`Spanned`], one after the other.
pub(super) struct Access<'de> {
    span: Span,
    content: Content<'de>,
    next: usize,
}

impl<'de> Access<'de> {
    pub(super) fn new(node: &'de Node) -> Self {
        Self { span: node.span, content: Content::Node(node), next: 0 }
    }

    pub(super) fn of_key(field: &'de Field) -> Self {
        Self { span: field.key_span, content: Content::Key(&field.key), next: 0 }
    }
}

impl<'de> MapAccess<'de> for Access<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let key = FIELDS.get(self.next);
        self.next += 1;
        key.map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let number = |n: u32| -> U32Deserializer<Error> { n.into_deserializer() };
        match (self.next, &self.content) {
            (1, _) => seed.deserialize(number(self.span.source.0)),
            (2, _) => seed.deserialize(number(self.span.start)),
            (3, _) => seed.deserialize(number(self.span.end)),
            (_, Content::Node(node)) => seed.deserialize(*node),
            (_, Content::Key(key)) => seed.deserialize(StrDeserializer::new(key)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(NAME, FIELDS, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spanned<T>, A::Error> {
        let mut number = |field: &'static str| match map.next_entry::<String, u32>()? {
            Some((name, number)) if name == field => Ok(number),
            _ => Err(de::Error::missing_field(field)),
        };
        let source = SourceId(number("source")?);
        let (start, end) = (number("start")?, number("end")?);
        let value = map.next_entry::<String, T>()?.ok_or_else(|| de::Error::missing_field("value"))?.1;
        Ok(Spanned { span: Span { source, start, end }, value })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::<Value>::deserialize(deserializer).map(|s| Self { span: s.span, value: s.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<String>, Node>()? {
            fields.push(Field { key: key.value, key_span: key.span, node });
        }
        Ok(Value::Table(Fields::new(fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnostics, from_node, parse};
    use super::*;
    use std::collections::BTreeMap;

    #[derive(serde::Deserialize, Debug)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Config {
        text: Spanned<String>,
        #[serde(default)]
        count: u8,
        mode: Option<Mode>,
        when: Option<Node>,
        #[serde(default)]
        table: BTreeMap<String, Vec<i64>>,
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow { by: u32 },
    }

    /// The answer, or the place of the error and its message.
    fn read(text: &str) -> Result<(Node, Config), String> {
        let mut found = Diagnostics::default();
        let id = found.sources.add("f.toml", text);
        let root = parse(id, &mut found).expect("valid TOML");
        if let Some(config) = from_node(&root, &mut found) {
            return Ok((root, config));
        }
        let error = found.iter().next().expect("an error");
        let place = found.sources.line_column(error.span.expect("a place"));
        Err(format!("{place:?} {} {}", error.message, error.label.as_deref().unwrap_or_default()))
    }

    #[test]
    fn values_keep_their_places_at_any_depth() {
        let text = "text = 'x'\nmode = { slow = { by = 3 } }\ntable.a = [1]\n[when]\nany = [{ helo = '*' }]\n";
        let (root, config) = read(text).unwrap();
        assert_eq!((config.text.value.as_str(), config.text.span.start), ("x", 7));
        assert_eq!((config.mode, config.count), (Some(Mode::Slow { by: 3 }), 0));
        assert_eq!(config.table["a"], [1]);
        let (when, want) = (config.when.unwrap(), &root.as_table().unwrap().get("when").unwrap().node);
        assert_eq!(format!("{when:?}"), format!("{want:?}"));
    }

    #[test]
    fn errors_point_at_the_spot() {
        for (text, want) in [
            ("text = 5\n", "Some((1, 8)) expected a string, found integer `5` "),
            ("\ncount = 1\n", "Some((1, 1)) the key `text` is missing "),
            ("text = 'x'\nconut = 1\n", "Some((2, 1)) unknown key `conut` did you mean `count`?"),
            ("text = 'x'\ncount = 256\n", "Some((2, 9)) invalid value: integer `256`, expected u8 "),
            (
                "text = 'x'\nmode = 'fsat'\n",
                "Some((2, 8)) `fsat` is not one of the values known here did you mean `fast`?",
            ),
            ("text = 'x'\nmode = 4\n", "Some((2, 8)) expected a string or a table with one key, found an integer "),
            ("text = 'x'\nmode = { slow = {} }\n", "Some((2, 17)) the key `by` is missing "),
            ("text = 'x'\n[table]\na = [1, 'y']\n", "Some((3, 9)) expected i64, found string \"y\" "),
        ] {
            assert_eq!(read(text).unwrap_err(), want, "{text}");
        }
    }
}
