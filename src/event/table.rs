//! Tables: the files of `[sink.tables]`, in which a sink looks values up by key.
//!
//! A line is a key, or a key and its value with white space between them; blanks at both ends don't count, and a `#` at the
//! start of a line or behind a blank begins a comment. A key is a [`Glob`], as in lists: an exact one is found by its hash,
//! without regard to ASCII case and however many there are; where none is, the globs are tried in the order of the file.
//!
//! Reading is whole or not at all. An exact key that comes twice must say the same both times: one of the two would be
//! passed over in silence.

use super::glob::Glob;
use super::list::{self, ListError, lower};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// Keys with their values.
#[derive(Clone, Default)]
pub struct Table {
    /// By key in lower case.
    exact: HashMap<Box<str>, Box<str>>,
    globs: Vec<(Glob, Box<str>)>,
}

impl Table {
    /// Reads a table. The errors name their lines.
    pub fn parse(file: &[u8]) -> Result<Self, Vec<ListError>> {
        let mut table = Self::default();
        list::read(file, |entry| {
            let (key, value) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
            table.insert(key, value.trim_start())
        })?;
        Ok(table)
    }

    fn insert(&mut self, key: &str, value: &str) -> Result<(), String> {
        let glob = Glob::new(key);
        let Some(exact) = glob.literal() else {
            self.globs.push((glob, value.into()));
            return Ok(());
        };
        match self.exact.entry(lower(exact).into()) {
            Entry::Vacant(free) => drop(free.insert(value.into())),
            Entry::Occupied(taken) if **taken.get() == *value => {}
            Entry::Occupied(_) => {
                return Err(format!("the key `{key}` has another value further up: keep one of the two"));
            }
        }
        Ok(())
    }

    /// The value of a key, `""` if its line has none; nothing if no line matches.
    pub fn lookup(&self, key: &str) -> Option<&str> {
        let exact = self.exact.get(&*lower(key));
        let value = exact.or_else(|| self.globs.iter().find(|(glob, _)| glob.matches(key)).map(|(_, value)| value));
        value.map(|value| &**value)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.globs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Tables are large, and may hold what is nobody's business.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} keys)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_keys_before_globs_and_globs_in_the_order_of_the_file() {
        let file = b"# who gets what\r\n*@example.com  all of them # but\n  Alice@Example.com\tthe  boss\r\n*@*\nbob@example.com\n";
        let table = Table::parse(file).unwrap();
        assert_eq!(table.len(), 4);
        for (key, value) in [
            ("ALICE@example.com", Some("the  boss")),
            ("carol@EXAMPLE.com", Some("all of them")),
            ("bob@example.com", Some("")),
            ("x@y", Some("")),
            ("nobody", None),
            ("", None),
        ] {
            assert_eq!(table.lookup(key), value, "{key:?}");
        }
    }

    #[test]
    fn errors_name_their_lines() {
        let told =
            |file: &[u8]| -> Vec<String> { Table::parse(file).unwrap_err().iter().map(ToString::to_string).collect() };
        assert_eq!(
            told(b"a 1\nb 2\n  A 3\nb  2\n\xff\n"),
            [
                "line 3, column 3: the key `A` has another value further up: keep one of the two",
                "line 5, column 1: not UTF-8: save the file as UTF-8",
            ]
        );
    }

    #[test]
    fn a_million_lines_are_all_found() {
        let file: String = (0..1_000_000).map(|n| format!("user{n}@example.com v{n}\n")).collect();
        let table = Table::parse(file.as_bytes()).unwrap();
        assert_eq!(table.len(), 1_000_000);
        for n in [0, 1, 499_999, 999_999] {
            assert_eq!(table.lookup(&format!("USER{n}@example.com")), Some(&*format!("v{n}")));
        }
        assert_eq!(table.lookup("user1000000@example.com"), None);
    }

    proptest! {
        #[test]
        fn as_trying_every_line_finds(lines in prop::collection::vec("[aB*?]{1,3}", 0..12), key in "[aAbB]{0,3}") {
            let file: String = lines.iter().map(|line| format!("{line} {}\n", line.to_lowercase())).collect();
            let table = Table::parse(file.as_bytes()).unwrap();
            let matching = |line: &&String| Glob::new(line).matches(&key);
            let exact = lines.iter().filter(matching).find(|line| !line.contains(['*', '?']));
            let wanted = exact.or_else(|| lines.iter().find(matching)).map(|line| line.to_lowercase());
            prop_assert_eq!(table.lookup(&key), wanted.as_deref());
        }

        #[test]
        fn any_bytes_are_a_table_or_errors(file: Vec<u8>) {
            let _ = Table::parse(&file);
        }
    }
}
