//! The path of a mailbox: a pattern such as `mail/{domain}/{local}`, filled in.
//!
//! What is filled in comes from outside. It is percent-encoded but for `[a-z0-9._+-]`, so that it holds no separator
//! and no NUL, and never starts with a dot, so that it is no `..`. Two different names never share a path.

use std::fmt;
use std::path::{Path, PathBuf};

/// A checked pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Text(String),
    Domain,
    Local,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// There is nothing.
    Empty,
    /// A `{` without `}` or the reverse.
    Unbalanced,
    /// A name in braces that we don't fill in.
    Unknown(String),
    /// Without `{local}` all mailboxes would be one.
    NoLocal,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the path is empty"),
            Self::Unbalanced => f.write_str("the path has a `{` without `}`, or a `}` without `{`"),
            Self::Unknown(name) => write!(f, "`{{{name}}}` is unknown; a path may have `{{domain}}` and `{{local}}`"),
            Self::NoLocal => f.write_str("the path has no `{local}`, so that all users would share one mailbox"),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// One directory of this name, which is no path, for whomever.
    pub(in crate::transport) fn exactly(name: &str) -> Self {
        Self { parts: vec![Part::Text(name.to_owned())] }
    }

    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, tail) = rest.split_once('{').map_or((rest, None), |(plain, tail)| (plain, Some(tail)));
            if plain.contains('}') {
                return Err(PatternError::Unbalanced);
            }
            parts.push(Part::Text(plain.to_owned()));
            let Some(tail) = tail else { break };
            let (name, after) = tail.split_once('}').ok_or(PatternError::Unbalanced)?;
            parts.push(match name {
                "domain" => Part::Domain,
                "local" => Part::Local,
                other => return Err(PatternError::Unknown(other.to_owned())),
            });
            rest = after;
        }
        if parts.contains(&Part::Local) { Ok(Self { parts }) } else { Err(PatternError::NoLocal) }
    }

    /// The directory in which all of its paths lie.
    pub(super) fn base(&self, root: &Path) -> PathBuf {
        match self.parts.first() {
            Some(Part::Text(text)) => root.join(text.rsplit_once('/').map_or("", |(directory, _)| directory)),
            _ => root.to_owned(),
        }
    }

    /// The path for a mailbox. `domain` is in the form to compare by.
    pub fn expand(&self, root: &Path, domain: &str, local: &str) -> PathBuf {
        let filled: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Domain => encode(domain),
                Part::Local => encode(local),
            })
            .collect();
        root.join(filled)
    }
}

/// A name as one component, or a part of one. An empty name becomes `%`, which no other does.
fn encode(name: &str) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for (i, b) in name.bytes().enumerate() {
        match b {
            b'.' if i == 0 => out.push_str("%2E"),
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    fn expand(domain: &str, local: &str) -> String {
        let path = Pattern::parse("mail/{domain}/{local}").unwrap().expand(Path::new("/var"), domain, local);
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn names_stay_in_their_place() {
        for (local, name) in [
            ("alice", "alice"),
            ("alice+tag.x_y-1", "alice+tag.x_y-1"),
            ("Alice", "%41lice"),
            ("..", "%2E."),
            (".", "%2E"),
            (".ssh", "%2Essh"),
            ("a/../b", "a%2F..%2Fb"),
            ("/etc", "%2Fetc"),
            ("a\0b", "a%00b"),
            ("%2E", "%252%45"),
            ("", "%"),
            ("ü", "%C3%BC"),
            ("a b", "a%20b"),
            ("{local}", "%7Blocal%7D"),
            ("a\\b", "a%5Cb"),
        ] {
            assert_eq!(expand("example.com", local), format!("/var/mail/example.com/{name}"), "{local:?}");
        }
        assert_eq!(expand("[192.0.2.1]", "a"), "/var/mail/%5B192.0.2.1%5D/a");
    }

    proptest! {
        #[test]
        fn a_name_is_one_component_and_its_own(one in "\\PC{0,8}|[./%A-Ca-c\0]{0,5}", other in "\\PC{0,8}|[./%A-Ca-c\0]{0,5}") {
            let path = PathBuf::from(expand(&one, &other));
            let names: Vec<Component> = path.components().collect();
            prop_assert_eq!(names.len(), 5, "{:?}", path);
            prop_assert!(names[3..].iter().all(|c| matches!(c, Component::Normal(_))));
            prop_assert_eq!(encode(&one) == encode(&other), one == other);
        }
    }

    #[test]
    fn placeholders_stand_anywhere() {
        let pattern = Pattern::parse("/home/{local}/Maildir-{domain}").unwrap();
        assert_eq!(pattern.expand(Path::new("/var"), "x.example", "bob"), Path::new("/home/bob/Maildir-x.example"));
    }

    #[test]
    fn wrong_patterns_say_what_is_wrong() {
        use PatternError::*;
        for (text, error) in [
            ("", Empty),
            ("mail/{local", Unbalanced),
            ("mail/local}", Unbalanced),
            ("mail/{user}", Unknown("user".into())),
            ("mail/{domain}", NoLocal),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
    }
}
