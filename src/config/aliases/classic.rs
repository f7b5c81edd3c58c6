//! The classic form, as in aliases(5) of Sendmail and Postfix.
//!
//! ```text
//! # a comment
//! postmaster: alice, bob@example.net
//! team:       :include:team.list,
//!             "last member"
//! owner-team: alice
//! ```
//!
//! A line that begins with a blank continues the one before, also over comments and empty lines. A `#` begins a comment at
//! the start of a line or after a blank. A member ends at its comma or with its line.

use super::super::sources::Span;
use super::draft::{Draft, Members, Name, Source};
use std::ops::Range;

/// One alias, line after line.
struct Open {
    /// None if it can't be used.
    name: Option<Name>,
    members: Members,
    /// Whether each member could be used.
    whole: bool,
}

/// Adds the aliases of a file.
pub(super) fn read(draft: &mut Draft<'_>, source: Source<'_>) {
    let text = draft.found.sources.text(source.id);
    let mut open: Option<Open> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = |range: Range<usize>| Span::new(source.id, start + range.start..start + range.end);
        if !is_empty(line) {
            let mut from = 0;
            if !line.starts_with(char::is_whitespace) {
                close(draft, open.take());
                from = name_end(line).map_or(line.len(), |end| end + 1);
                open = Some(begin(draft, line, span));
            }
            match &mut open {
                Some(open) => values(line.get(from..).unwrap_or_default()).for_each(|range| {
                    let range = from + range.start..from + range.end;
                    let text = line.get(range.clone()).unwrap_or_default();
                    let member = draft.member(text, span(range), open.name.as_ref(), source.base);
                    open.whole &= member.is_some();
                    open.members.extend(member);
                }),
                None => {
                    let told = draft.found.error(span(trimmed(line)), "there is no alias that this line continues");
                    told.help("a line that begins with a blank continues the one before; begin with the name");
                }
            }
            if source.limit.reached(draft.found) {
                return;
            }
        }
        start += line.len();
    }
    close(draft, open);
}

/// The name of a line that begins an alias.
fn begin(draft: &mut Draft<'_>, line: &str, span: impl Fn(Range<usize>) -> Span) -> Open {
    let Some(end) = name_end(line) else {
        let told = draft.found.error(span(trimmed(line)), "the colon after the name is missing");
        told.help("an alias is `name: member, member`");
        return Open { name: None, members: Vec::new(), whole: false };
    };
    let text = line.get(..end).unwrap_or_default().trim_end();
    Open { name: draft.name(text, span(0..text.len())), members: Vec::new(), whole: true }
}

fn close(draft: &mut Draft<'_>, open: Option<Open>) {
    let Some(Open { name: Some(name), members, whole }) = open else { return };
    if members.is_empty() && whole {
        let told = draft.found.error(name.span, format!("the alias `{}` has no member", draft.text(name.span)));
        told.help("write its members behind the colon; `/dev/null` takes mail and drops it");
    }
    draft.add(name, members, None);
}

fn is_empty(line: &str) -> bool {
    let text = line.trim();
    text.is_empty() || text.starts_with('#')
}

fn trimmed(line: &str) -> Range<usize> {
    let start = line.len() - line.trim_start().len();
    start..start + line.trim().len()
}

/// Where the colon after the name stands: not within quotes, nor within an address literal.
fn name_end(line: &str) -> Option<usize> {
    let mut marks = Marks::default();
    line.char_indices().find(|&(_, c)| marks.outside(c) && c == ':').map(|(at, _)| at)
}

/// The places of the values in the rest of a line, without the blanks around them.
pub(super) fn values(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut rest = Some(0);
    std::iter::from_fn(move || {
        loop {
            let from = rest?;
            let tail = text.get(from..)?;
            let (length, more) = first_value(tail);
            rest = more.then_some(from + length + 1);
            let value = trimmed(tail.get(..length)?);
            if !value.is_empty() {
                return Some(from + value.start..from + value.end);
            }
        }
    })
}

/// How long the first value is, and whether a comma follows it.
fn first_value(text: &str) -> (usize, bool) {
    let mut marks = Marks::default();
    let mut after_blank = true;
    for (at, c) in text.char_indices() {
        if marks.outside(c) {
            match c {
                ',' => return (at, true),
                '#' if after_blank => return (at, false),
                _ => {}
            }
        }
        after_blank = c.is_whitespace();
    }
    (text.len(), false)
}

/// What keeps a separator from being one.
#[derive(Default)]
struct Marks {
    quoted: bool,
    escaped: bool,
    bracketed: bool,
}

impl Marks {
    /// Whether the next character stands outside of quotes and brackets.
    fn outside(&mut self, c: char) -> bool {
        let was_quoted = self.quoted;
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' if self.quoted => self.escaped = true,
            '"' => self.quoted = !self.quoted,
            '[' | '<' if !self.quoted => self.bracketed = true,
            ']' | '>' if !self.quoted => self.bracketed = false,
            _ => {}
        }
        !was_quoted && !self.bracketed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_name_ends() {
        for (line, want) in [
            ("team: a", Some("team")),
            ("team : a", Some("team ")),
            ("\"a: b\": c", Some("\"a: b\"")),
            ("\"a\\\": b\": c", Some("\"a\\\": b\"")),
            ("a@[IPv6:::1]: c", Some("a@[IPv6:::1]")),
            ("team a", None),
            ("\"team: a", None),
        ] {
            assert_eq!(name_end(line).map(|end| &line[..end]), want, "{line}");
        }
    }

    #[test]
    fn where_values_end() {
        for (text, want) in [
            (" a, b ,c\r\n", vec!["a", "b", "c"]),
            ("a,, b,\n", vec!["a", "b"]),
            ("a # b, c", vec!["a"]),
            ("a#b, #c", vec!["a#b"]),
            ("\"a, # b\"@x, c", vec!["\"a, # b\"@x", "c"]),
            ("\"Liddell, A.\" <a@x>, b", vec!["\"Liddell, A.\" <a@x>", "b"]),
            ("\"|run a, b\"", vec!["\"|run a, b\""]),
            ("|\"run a, b\", é", vec!["|\"run a, b\"", "é"]),
            ("\"open, b", vec!["\"open, b"]),
            (" \t", vec![]),
        ] {
            let got: Vec<&str> = values(text).map(|range| &text[range]).collect();
            assert_eq!(got, want, "{text}");
        }
    }
}
