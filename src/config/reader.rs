//! Typed reading of tables: each key is asked for once, and what nobody asked for is an unknown key.
//!
//! Nothing stops at the first error. A value that can't be used is noted and missing from the answer, so a reader
//! asks for every key, fills in defaults, and its caller looks at the end whether anything was noted.

use super::diagnostic::Diagnostics;
use super::sources::Span;
use super::suggest::suggest;
use super::tree::{Field, Fields, Node};
use super::values::{alternatives, wrong_kind};

/// A table while it is being read.
pub struct Table<'a> {
    fields: Option<&'a Fields>,
    span: Option<Span>,
    /// The keys that have a meaning here.
    asked: Vec<&'static str>,
    /// The keys that will have one.
    refused: Vec<&'static str>,
    /// The keys that must be there and are not.
    missing: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// Reads a node that must be a table, then notes every key that `read` did not ask for.
    pub fn read<T>(
        node: &'a Node,
        found: &mut Diagnostics,
        read: impl FnOnce(&mut Self, &mut Diagnostics) -> T,
    ) -> Option<T> {
        let Some(fields) = node.as_table() else {
            wrong_kind(node, "a table", found);
            return None;
        };
        let mut table = Self {
            fields: Some(fields),
            span: Some(node.span),
            asked: Vec::new(),
            refused: Vec::new(),
            missing: Vec::new(),
        };
        let value = read(&mut table, found);
        table.finish(found);
        Some(value)
    }

    /// Reads a table that is not there: every key is missing.
    pub fn absent<T>(found: &mut Diagnostics, read: impl FnOnce(&mut Self, &mut Diagnostics) -> T) -> T {
        read(&mut Self { fields: None, span: None, asked: Vec::new(), refused: Vec::new(), missing: Vec::new() }, found)
    }

    /// The place of the table; nothing if it is not there.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The raw field of a key, which counts as asked for.
    pub fn field(&mut self, key: &'static str) -> Option<&'a Field> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.fields.and_then(|f| f.get(key))
    }

    /// The raw value of a key, which counts as asked for.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.field(key).map(|f| &f.node)
    }

    /// The place of a value, or of the table if the key is not there. A dot leads into a table within this one.
    pub fn place(&self, path: &str) -> Option<Span> {
        let mut fields = self.fields;
        let mut place = self.span;
        for key in path.split('.') {
            let Some(field) = fields.and_then(|f| f.get(key)) else { break };
            (fields, place) = (field.node.as_table(), Some(field.node.span));
        }
        place
    }

    /// A value; nothing if the key is not there or its value was refused.
    pub fn get<T>(
        &mut self,
        key: &'static str,
        found: &mut Diagnostics,
        convert: impl FnOnce(&'a Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<T> {
        self.node(key).and_then(|node| convert(node, found))
    }

    /// A value that must be there; its absence is noted.
    pub fn require<T>(
        &mut self,
        key: &'static str,
        found: &mut Diagnostics,
        convert: impl FnOnce(&'a Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<T> {
        if self.fields.is_none_or(|f| f.get(key).is_none()) {
            self.missing.push(key);
        }
        self.get(key, found, convert)
    }

    /// The elements of a list that pass; those that don't are noted. Nothing if the key is not there.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        found: &mut Diagnostics,
        convert: impl FnMut(&'a Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.node(key).and_then(|node| list(node, found, convert))
    }

    /// A table within this one, read by `read` even if it is not there, so that it gives its defaults.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        found: &mut Diagnostics,
        mut read: impl FnMut(&mut Table<'a>, &mut Diagnostics) -> T,
    ) -> T {
        let value = self.node(key).and_then(|node| Table::read(node, found, &mut read));
        value.unwrap_or_else(|| Table::absent(found, read))
    }

    /// The elements of an array of tables, each read by `read`.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        found: &mut Diagnostics,
        mut read: impl FnMut(&mut Table<'a>, &mut Diagnostics) -> T,
    ) -> Vec<T> {
        let Some(node) = self.node(key) else { return Vec::new() };
        if node.as_table().is_some() {
            // In TOML the place of a table is its header, unless it is an inline one.
            let text = found.sources.text(node.span.source);
            let header = text.get(node.span.start as usize..node.span.end as usize).filter(|t| t.starts_with('['));
            let told = found.error(node.span, format!("`{key}` is a list of tables"));
            told.help(header.map_or("put it in square brackets".to_owned(), |h| format!("write `[{h}]`")));
            return Vec::new();
        }
        list(node, found, |node, found| Table::read(node, found, &mut read)).unwrap_or_default()
    }

    /// Notes a key that has no use yet. A setting that silently does nothing would be a lie.
    pub fn unsupported(&mut self, key: &'static str, help: &str, found: &mut Diagnostics) {
        let field = self.field(key);
        self.asked.retain(|asked| *asked != key);
        self.refused.push(key);
        if let Some(field) = field {
            found.error(field.key_span, format!("`{key}` is not supported by this version")).help(help);
        }
    }

    fn finish(self, found: &mut Diagnostics) {
        let known = |key: &str| self.asked.contains(&key) || self.refused.contains(&key);
        let mut missing = self.missing;
        for field in self.fields.into_iter().flat_map(Fields::iter).filter(|f| !known(&f.key)) {
            let told = found.error(field.key_span, format!("unknown key `{}`", field.key));
            match suggest(&field.key, self.asked.iter().copied()) {
                Some(meant) => {
                    told.label(format!("did you mean `{meant}`?"));
                    // One slip is one error.
                    missing.retain(|key| *key != meant);
                }
                None => {
                    let known: Vec<String> = self.asked.iter().map(|k| format!("`{k}`")).collect();
                    told.help(format!("known here: {}", alternatives(&known).replace(" or ", " and ")));
                }
            }
        }
        for key in missing {
            found.error(self.span, format!("the key `{key}` is missing"));
        }
    }
}

/// The elements of a list that pass; those that don't are noted. Nothing if it is no list.
pub fn list<'a, T>(
    node: &'a Node,
    found: &mut Diagnostics,
    mut convert: impl FnMut(&'a Node, &mut Diagnostics) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(nodes) = node.as_array() else {
        found.error(node.span, format!("expected a list, found {}", node.kind())).help("put it in square brackets");
        return None;
    };
    Some(nodes.iter().filter_map(|n| convert(n, found)).collect())
}

/// The elements of a list, or the one value that stands in place of a list.
pub fn one_or_list<'a, T>(
    node: &'a Node,
    found: &mut Diagnostics,
    mut convert: impl FnMut(&'a Node, &mut Diagnostics) -> Option<T>,
) -> Option<Vec<T>> {
    match node.as_array() {
        Some(_) => list(node, found, convert),
        None => convert(node, found).map(|one| vec![one]),
    }
}
