//! Reads all files of aliases, then checks what only shows when all have been read.

use super::super::diagnostic::Diagnostics;
use super::super::domains::Domains;
use super::super::path;
use super::super::reader::one_or_list;
use super::super::recipients::{Local, User};
use super::super::tree::Node;
use super::check::{self, Place};
use super::draft::Draft;
use super::table::Aliases;
use super::{classic, written};
use std::path::{Path, PathBuf};

/// Who else there is.
pub(in super::super) struct Around<'a> {
    pub(in super::super) domains: &'a Domains,
    pub(in super::super) users: Option<&'a [User]>,
    pub(in super::super) plus_addressing: bool,
}

/// The value of `aliases`: a path, or a list of paths. Every file that is read is added to `files`.
pub(in super::super) fn read(
    node: &Node,
    found: &mut Diagnostics,
    base: &Path,
    around: &Around<'_>,
    files: &mut Vec<PathBuf>,
) -> Aliases {
    let paths = one_or_list(node, found, |node, found| Some((path::below(base, node, found)?, node.span)));
    let local: Local<'_> = around.domains.local.iter().map(String::as_str).collect();
    let mut draft = Draft::new(found, &local, files);
    for (path, named_at) in paths.unwrap_or_default() {
        let form = if path.extension().is_some_and(|e| e == "toml") { written::read } else { classic::read };
        draft.file(path, named_at, form);
    }
    check::all(&mut draft, &Place::new(around));
    draft.table.shrink();
    draft.table
}
