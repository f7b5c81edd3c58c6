//! A part of the tree as somebody's own type, by serde: how native sinks read their `[sink.config]`.
//!
//! An error points at its place: an unknown field at the key, a wrong value at the value, a missing field at the
//! table. Serde stops at the first error, so there is one. Fields behind `#[serde(flatten)]` and in untagged enums
//! are read from a copy that has no places; an error in them points at the table around.

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::sources::Span;
use super::spanned;
use super::suggest::suggest;
use super::tree::{Field, Fields, Node, Value};
use super::values::alternatives;
use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use std::fmt;

/// Reads a type from a node; what keeps it from being read is noted.
pub fn from_node<T: DeserializeOwned>(node: &Node, found: &mut Diagnostics) -> Option<T> {
    T::deserialize(node).map_err(|error| found.add(*error.at(node.span).0)).ok()
}

/// An error that finds its place on the way out.
#[derive(Debug)]
pub struct Error(Box<Diagnostic>);

impl Error {
    fn new(message: String) -> Self {
        let severity = Severity::Error;
        Self(Box::new(Diagnostic { severity, span: None, message, label: None, help: None }))
    }

    /// The innermost place counts.
    fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    fn of_names(message: String, name: &str, names: &'static [&'static str]) -> Self {
        let mut error = Self::new(message);
        let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        match suggest(name, names.iter().copied()) {
            Some(meant) => error.0.label(format!("did you mean `{meant}`?")),
            None if names.is_empty() => &mut error.0,
            None => error.0.help(format!("known here: {}", alternatives(&quoted).replace(" or ", " and "))),
        };
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::new(format!("expected {wanted}, found {found}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::of_names(format!("unknown key `{field}`"), field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::of_names(format!("`{variant}` is not one of the values known here"), variant, expected)
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::String(text) | Value::Datetime(text) => visitor.visit_borrowed_str(text),
            Value::Array(nodes) => {
                let mut elements = SeqDeserializer::new(nodes.iter());
                visitor.visit_seq(&mut elements).and_then(|value| elements.end().map(|()| value))
            }
            Value::Table(fields) => visitor.visit_map(Access::new(fields)),
        };
        value.map_err(|e| e.at(self.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self).map_err(|e| e.at(self.span))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == spanned::NAME {
            return visitor.visit_map(spanned::Access::new(self));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match &self.value {
            Value::String(text) => visitor.visit_enum(StrDeserializer::<Error>::new(text)),
            Value::Table(fields) if fields.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Access::new(fields)))
            }
            _ => Err(Error::new(format!("expected a string or a table with one key, found {}", self.kind()))),
        };
        value.map_err(|e| e.at(self.span))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Node {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// The fields of a table, one after the other.
struct Access<'de> {
    fields: std::slice::Iter<'de, Field>,
    current: Option<&'de Field>,
}

impl<'de> Access<'de> {
    fn new(fields: &'de Fields) -> Self {
        Self { fields: fields.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Access<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.fields.next();
        let Some(field) = self.current else { return Ok(None) };
        seed.deserialize(Key(field)).map(Some).map_err(|e| e.at(field.key_span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(field) = self.current else { return Err(Error::new("a value without its key".to_owned())) };
        seed.deserialize(&field.node).map_err(|e| e.at(field.node.span))
    }
}

/// A key, which may itself be read as a [`super::Spanned`].
struct Key<'de>(&'de Field);

impl<'de> de::Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(&self.0.key)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            spanned::NAME => visitor.visit_map(spanned::Access::of_key(self.0)),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
