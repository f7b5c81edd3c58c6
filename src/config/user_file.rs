//! A file of users: one local part or address per line, `#` comments, empty lines.
//!
//! A `#` begins a comment at the start of a line or after white space, for it may also be part of a name.

use super::diagnostic::{Diagnostics, Severity};
use super::recipients::{Local, User, user};
use super::sources::Span;
use std::path::Path;

/// A file of something else entirely should not be told line by line.
const ERRORS_MAX: usize = 10;

/// Reads a file that is named at `named_at`. Lines that can't be used are noted, up to ten of them.
pub(super) fn read(path: &Path, named_at: Span, local: &Local<'_>, found: &mut Diagnostics) -> Vec<User> {
    let Some(id) = found.open(path, Some(named_at)) else { return Vec::new() };
    let text = found.sources.text(id);
    let before = found.count(Severity::Error);
    let mut users = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let entry = entry(line);
        if !entry.is_empty() {
            let from = start + (line.len() - line.trim_start().len());
            let span = Span::new(id, from..from + entry.len());
            match user(entry, span, local, found) {
                Some(user) => users.push(user),
                None if found.count(Severity::Error) - before >= ERRORS_MAX => {
                    let told = found.error(named_at, format!("`{}` has too many errors", path.display()));
                    told.label("the rest of this file was not checked");
                    break;
                }
                None => {}
            }
        }
        start += line.len();
    }
    users
}

fn entry(line: &str) -> &str {
    let mut after_space = true;
    for (at, c) in line.char_indices() {
        if c == '#' && after_space {
            return line[..at].trim();
        }
        after_space = c.is_whitespace();
    }
    line.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_begin_at_the_start_or_after_white_space() {
        for (line, want) in
            [("alice\r\n", "alice"), ("  a#b  # note\n", "a#b"), ("# all\n", ""), ("\t\n", ""), ("a\t#b", "a")]
        {
            assert_eq!(entry(line), want, "{line:?}");
        }
    }

    #[test]
    fn a_wrong_file_is_given_up_after_ten_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.txt");
        std::fs::write(&path, "ok\n".to_owned() + &"not a user\n".repeat(1000)).unwrap();
        let mut found = Diagnostics::default();
        let id = found.sources.add("f", "x");
        let users = read(&path, Span::new(id, 0..1), &Local::default(), &mut found);
        assert_eq!((users.len(), found.count(Severity::Error)), (1, ERRORS_MAX + 1));
    }
}
