//! How clients log in at a listener.

use crate::config::diagnostic::Diagnostics;
use crate::config::reader::Table;
use crate::config::suggest::suggest;
use crate::config::tree::Node;
use crate::config::values::{boolean, string};
use crate::mail::Role;
use crate::sasl::{Mechanism, mechanism};

/// What of authentication a listener offers. Part of [`super::Listener`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerAuth {
    /// `auth`: the mechanisms, in the order in which they are announced. Not given: those that make sense on a submission
    /// listener, none on others. A name that is none of ours is that of a sink's.
    pub mechanisms: Option<Vec<String>>,
    /// `clear-text-without-tls`: offer mechanisms that show the password or token also where nothing is encrypted. Default: false.
    pub clear_text_without_tls: bool,
    /// `auth-required`: no mail without it. Default: true on a submission listener that offers any mechanism.
    pub required: bool,
    /// `auth-old-spelling`: announce `AUTH=` as well, for clients from before RFC 2554. Default: false.
    pub old_spelling: bool,
}

impl ListenerAuth {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, role: Role) -> Self {
        Self {
            mechanisms: table.list("auth", found, name).map(without_doubles),
            clear_text_without_tls: table.get("clear-text-without-tls", found, boolean).unwrap_or(false),
            required: table.get("auth-required", found, boolean).unwrap_or(role == Role::Submission),
            old_spelling: table.get("auth-old-spelling", found, boolean).unwrap_or(false),
        }
    }
}

fn without_doubles(names: Vec<String>) -> Vec<String> {
    let mut once = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = string(node, found)?;
    let known = Mechanism::ALL.map(Mechanism::name);
    match Mechanism::named(&text) {
        Some(Mechanism::Gssapi) if !cfg!(feature = "gssapi") => {
            let told = found.error(node.span, "this build can't do GSSAPI");
            told.help("leave it out, or build with `--features gssapi`, which needs the header files of Kerberos");
            None
        }
        Some(mechanism) => Some(mechanism.name().to_owned()),
        None if !mechanism::is_name(&text) => {
            let told = found.error(node.span, format!("`{text}` can't be the name of a mechanism"));
            told.help(format!(
                "known are {}; a sink's own has up to 20 capitals, digits, `-` and `_`",
                known.join(", ")
            ));
            None
        }
        None => {
            // A slip would otherwise be said to be a mechanism that no sink claims.
            let lower = known.map(str::to_lowercase);
            if let Some(meant) = suggest(&text, lower.iter().map(String::as_str)) {
                let meant = meant.to_uppercase();
                let told = found.error(node.span, format!("`{text}` is not a mechanism known here"));
                told.label(format!("did you mean \"{meant}\"?"));
                return None;
            }
            Some(text)
        }
    }
}
