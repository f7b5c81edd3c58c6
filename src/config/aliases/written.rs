//! The TOML form.
//!
//! ```toml
//! [alias]
//! postmaster = ["alice", "bob@example.net"]
//! "@example.com" = "alice"
//!
//! [list.team]
//! members = ["alice", { file = "team.list" }]
//! owner = "alice"                  # hears of what can't be delivered
//! description = "For people"
//! ```
//!
//! The strings are those of the classic form.

use super::super::diagnostic::Diagnostics;
use super::super::reader::Table;
use super::super::tree::{Field, Node, Value};
use super::super::{parse, path, values};
use super::draft::{Draft, Members, Name, Place, Source};
use super::member::{Member, Whom};
use super::words;

/// Adds the aliases of a file.
pub(super) fn read(draft: &mut Draft<'_>, source: Source<'_>) {
    let Some(root) = parse(source.id, draft.found) else { return };
    let sections =
        |table: &mut Table<'_>, _: &mut Diagnostics| [table.node("alias").cloned(), table.node("list").cloned()];
    let Some([aliases, lists]) = Table::read(&root, draft.found, sections) else { return };
    for (node, add) in [(aliases, alias as fn(&mut _, &_, &_)), (lists, list)] {
        let Some(node) = node else { continue };
        let Some(fields) = node.as_table() else {
            values::wrong_kind(&node, "a table", draft.found);
            continue;
        };
        for field in fields.iter() {
            add(draft, field, &source);
            if source.limit.reached(draft.found) {
                return;
            }
        }
    }
}

/// `name = "member"` or a list of members.
fn alias(draft: &mut Draft<'_>, field: &Field, source: &Source<'_>) {
    let name = draft.name(&field.key, field.key_span);
    let members = members(draft, &field.node, name.as_ref(), source);
    if let Some(name) = name {
        draft.add(name, members, None);
    }
}

/// `[list.name]`.
fn list(draft: &mut Draft<'_>, field: &Field, source: &Source<'_>) {
    let keys = |table: &mut Table<'_>, found: &mut Diagnostics| {
        table.get("description", found, values::string);
        let members = table.require("members", found, |node, _| Some(node.clone()));
        (members, table.get("owner", found, owner))
    };
    let name = draft.name(&field.key, field.key_span);
    let Some((given, owner)) = Table::read(&field.node, draft.found, keys) else { return };
    let Some(given) = given else { return };
    let members = members(draft, &given, name.as_ref(), source);
    if let Some(name) = name {
        draft.add(name, members, owner);
    }
}

fn owner(node: &Node, found: &mut Diagnostics) -> Option<Whom> {
    words::whom(&values::string(node, found)?, node.span, words::QUOTES, found)
}

fn members(draft: &mut Draft<'_>, node: &Node, of: Option<&Name>, source: &Source<'_>) -> Members {
    let nodes = node.as_array().unwrap_or(std::slice::from_ref(node));
    if nodes.is_empty() {
        let told = draft.found.error(node.span, "there is no member");
        told.help("name at least one; `/dev/null` takes mail and drops it");
    }
    nodes.iter().filter_map(|node| member(draft, node, of, source)).collect()
}

fn member(draft: &mut Draft<'_>, node: &Node, of: Option<&Name>, source: &Source<'_>) -> Option<(Member, Place)> {
    match &node.value {
        Value::String(text) => draft.member(text, node.span, of, source.base),
        Value::Table(_) => {
            let file = |table: &mut Table<'_>, found: &mut Diagnostics| {
                table.require("file", found, |node, found| Some((path::below(source.base, node, found)?, node.span)))
            };
            let (path, span) = Table::read(node, draft.found, file).flatten()?;
            draft.include(path, span)
        }
        _ => {
            values::wrong_kind(node, "a member or `{ file = \"…\" }`", draft.found);
            None
        }
    }
}
