//! A parsed file as a tree of values that know where they stand.
//!
//! TOML and JSON come to the same tree, so that nothing behind this file cares which it was. Two trees are
//! equal if they say the same, wherever it stands and in whatever order the keys come: a reload compares them.

use super::sources::Span;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The place; of a TOML table, its header.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A string, escapes resolved.
    String(String),
    /// A TOML date or time, as written.
    Datetime(String),
    /// A list.
    Array(Vec<Node>),
    /// Keys with values.
    Table(Fields),
}

/// The keys of a table, in the order of the file; no key twice.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<Field>);

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key, unquoted.
    pub key: String,
    /// The place of the key.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Fields {
    /// Puts fields into the order of the file. The parsers see to it that no key comes twice.
    pub fn new(mut fields: Vec<Field>) -> Self {
        fields.sort_by_key(|f| f.key_span);
        Self(fields)
    }

    /// The field of a key.
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|f| f.key == key)
    }

    /// All fields, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.0.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Node {
    /// What the value is, with its article, for `expected a string, found an integer`.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Datetime(_) => "a date or time",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The keys, if it is a table.
    pub fn as_table(&self) -> Option<&Fields> {
        match &self.value {
            Value::Table(fields) => Some(fields),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(nodes) => Some(nodes),
            _ => None,
        }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|f| other.get(&f.key).is_some_and(|o| o.node == f.node))
    }
}
