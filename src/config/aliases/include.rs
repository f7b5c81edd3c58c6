//! `:include:`: a file of members, any number of them.
//!
//! One or several to a line, parted by commas; `#` comments and empty lines. Only people and lists stand there: a file that
//! includes another, or that writes to the disk, would give whoever keeps the list more than the list.

use super::super::diagnostic::{Diagnostics, Severity};
use super::super::sources::Span;
use super::classic::values;
use super::draft::Limit;
use super::member::Member;
use super::words;
use std::path::Path;
use std::sync::Arc;

/// Members, and the place of each.
pub(super) type Listed = (Arc<[Member]>, Arc<[Span]>);

/// The members of a file that is named at `named_at`, and their places.
pub(super) fn read(path: &Path, named_at: Span, found: &mut Diagnostics) -> Option<Listed> {
    let id = found.open(path, Some(named_at))?;
    let text = found.sources.text(id);
    let limit = Limit { before: found.count(Severity::Error), named_at, path };
    let (mut members, mut places) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for range in values(line) {
            let span = Span::new(id, start + range.start..start + range.end);
            let word = line.get(range).unwrap_or_default();
            if let Some(member) = member(word, span, found) {
                members.push(member);
                places.push(span);
            } else if limit.reached(found) {
                return Some((members.into(), places.into()));
            }
        }
        start += line.len();
    }
    if members.is_empty() && found.count(Severity::Error) == limit.before {
        found.warning(named_at, format!("`{}` lists nobody", path.display()));
    }
    Some((members.into(), places.into()))
}

fn member(word: &str, span: Span, found: &mut Diagnostics) -> Option<Member> {
    if word.trim_start_matches('"').starts_with(['|', '/', ':', '\\']) {
        let told = found.error(span, format!("`{word}` can't stand in an included file"));
        told.help("only local parts and addresses can; put it into the aliases file itself");
        return None;
    }
    words::whom(word, span, words::COMMAS, found).map(Member::Whom)
}
