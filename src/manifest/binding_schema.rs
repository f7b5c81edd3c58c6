//! `[[sink.on]]`: one binding as it is declared.

use crate::config::reader::Table;
use crate::config::values::{boolean, choice, duration_above_zero, integer, string, wrong_kind};
use crate::config::{Diagnostics, Node, Spanned};
use std::time::Duration;

/// A declared binding. Two are equal if they say the same, wherever it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct BindingDecl {
    /// `event`: its name, not yet looked up.
    pub event: Spanned<String>,
    /// `priority`: 0 first, 32767 last. Default: 24575.
    pub priority: u16,
    /// `when`: the rule, not yet compiled; a table. Default: always.
    pub when: Option<Node>,
    /// `deadline`: wall clock for one call. Default: the event's.
    pub deadline: Option<Duration>,
    /// `on-fault`: `defer`, `continue`, `reject` or `hold`; whether the event allows it is not yet known.
    /// Default: the event's.
    pub on_fault: Option<Spanned<&'static str>>,
    /// `always`: called even after another sink said `skip-rest`. Default: false.
    pub always: bool,
    /// `enabled`. Default: true.
    pub enabled: bool,
}

const PRIORITY_LAST: i64 = 32_767;
const PRIORITY_DEFAULT: u16 = 24_575;
const FAULT_POLICIES: &[(&str, &str)] =
    &[("defer", "defer"), ("continue", "continue"), ("reject", "reject"), ("hold", "hold")];

/// `mode`; `shadow` is reserved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Act,
    Shadow,
}
const MODES: &[(&str, Mode)] = &[("act", Mode::Act), ("shadow", Mode::Shadow)];

/// Reads one; nothing if it names no event.
pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Option<BindingDecl> {
    let event =
        table.require("event", found, |node, found| Some(Spanned { span: node.span, value: string(node, found)? }));
    if table.get("mode", found, choice(MODES)) == Some(Mode::Shadow) {
        let told = found.error(table.place("mode"), "the mode \"shadow\" is not supported by this version");
        told.help("use \"act\", or `enabled = false`");
    }
    let decl = BindingDecl {
        priority: table.get("priority", found, integer(0..=PRIORITY_LAST)).unwrap_or(PRIORITY_DEFAULT),
        when: table.get("when", found, rule),
        deadline: table.get("deadline", found, duration_above_zero),
        on_fault: table.get("on-fault", found, |node, found| {
            Some(Spanned { span: node.span, value: choice(FAULT_POLICIES)(node, found)? })
        }),
        always: table.get("always", found, boolean).unwrap_or(false),
        enabled: table.get("enabled", found, boolean).unwrap_or(true),
        event: event?,
    };
    Some(decl)
}

fn rule(node: &Node, found: &mut Diagnostics) -> Option<Node> {
    if node.as_table().is_none() {
        wrong_kind(node, "a table of tests such as { sender = \"*@example.com\" }", found);
        return None;
    }
    Some(node.clone())
}
