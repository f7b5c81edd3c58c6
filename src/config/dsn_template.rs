//! The template of reports: what they say to people, in sections by what became of the recipients.
//!
//! ```text
//! # Lines before the first section are comments.
//! [failed]
//! Subject: Not delivered: {subject}
//!
//! Your message could not be delivered to:
//! {recipients}
//! ```
//!
//! A section that is not there is the built-in one. `{{` and `}}` are braces. `dsn_file` reads it.

use super::diagnostic::Diagnostics;
use super::dsn_file;

/// The texts that are used where none are given.
const BUILT_IN: &str = include_str!("dsn_template.txt");

/// What a report says, for each thing that can become of a recipient (RFC 3464 2.3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Not delivered, and not tried again.
    pub failed: Words,
    /// Not delivered yet.
    pub delayed: Words,
    /// Delivered.
    pub delivered: Words,
    /// Handed on to a server that may not report.
    pub relayed: Words,
    /// Delivered to a list of recipients, about whom nothing more is told.
    pub expanded: Words,
}

/// One section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// One line, for the Subject field.
    pub subject: Vec<Piece>,
    /// The text, its lines ended by LF.
    pub text: Vec<Piece>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Stands as it is.
    Text(String),
    /// Stands for something.
    Value(Value),
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// `{hostname}`.
    Hostname,
    /// `{id}`, the message's.
    Id,
    /// `{subject}` of the message.
    Subject,
    /// `{sender}` of the message.
    Sender,
    /// `{arrived}`: when the message came.
    Arrived,
    /// `{retry-until}`: when it will be given up.
    RetryUntil,
    /// `{postmaster}`: whom to ask.
    Postmaster,
    /// `{recipients}`, with what was said of each: several lines.
    Recipients,
    /// `{advice}`, in English: several lines.
    Advice,
}

/// Placeholders by their names.
pub(super) const VALUES: [(&str, Value); 9] = [
    ("hostname", Value::Hostname),
    ("id", Value::Id),
    ("subject", Value::Subject),
    ("sender", Value::Sender),
    ("arrived", Value::Arrived),
    ("retry-until", Value::RetryUntil),
    ("postmaster", Value::Postmaster),
    ("recipients", Value::Recipients),
    ("advice", Value::Advice),
];

/// Sections by their names.
pub(super) const SECTIONS: [&str; 5] = ["failed", "delayed", "delivered", "relayed", "expanded"];

impl Value {
    /// Whether it stands for several lines.
    pub(super) fn has_lines(self) -> bool {
        matches!(self, Self::Recipients | Self::Advice)
    }
}

impl Template {
    /// The built-in texts.
    pub fn built_in() -> Self {
        let mut found = Diagnostics::default();
        let id = found.sources.add("built-in", BUILT_IN);
        dsn_file::parse(id, Self::default(), &mut found)
    }

    /// The section of that name.
    pub(super) fn section(&mut self, name: &str) -> Option<&mut Words> {
        Some(match name {
            "failed" => &mut self.failed,
            "delayed" => &mut self.delayed,
            "delivered" => &mut self.delivered,
            "relayed" => &mut self.relayed,
            "expanded" => &mut self.expanded,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_texts_are_whole() {
        let mut found = Diagnostics::default();
        let id = found.sources.add("built-in", BUILT_IN);
        let mut template = dsn_file::parse(id, Template::default(), &mut found);
        assert_eq!(found.to_string(), "");
        for name in SECTIONS {
            let words = template.section(name).unwrap();
            assert!(!words.subject.is_empty(), "{name}");
            assert!(words.text.contains(&Piece::Value(Value::Recipients)), "{name}");
        }
        assert!(BUILT_IN.lines().all(|line| line.len() <= 76), "fit for every reader");
    }
}
