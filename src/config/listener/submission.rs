//! What a submission listener does for its users, and asks of them (RFC 6409).

use crate::config::diagnostic::Diagnostics;
use crate::config::reader::Table;
use crate::config::values::{boolean, choice};
use crate::mail::Role;

/// The submission settings of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// `sender-check`: `"login-match"` (default), users may send only from addresses of their own; or `"off"`.
    pub sender_check: SenderCheck,
    /// `repair-headers`: add the Date, Message-ID and Sender that are missing, remove Return-Path. Default: true.
    pub repair_headers: bool,
}

/// From which addresses an authenticated user may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderCheck {
    /// From those of the user file; if it lists none, from those whose local part is the user's name, or that are the name.
    LoginMatch,
    /// From any.
    Off,
}

const CHECKS: &[(&str, SenderCheck)] = &[("login-match", SenderCheck::LoginMatch), ("off", SenderCheck::Off)];

impl Default for Submission {
    fn default() -> Self {
        Self { sender_check: SenderCheck::LoginMatch, repair_headers: true }
    }
}

impl Submission {
    /// Reads the keys of a listener. Nothing: its role is another, in which none of them may be set.
    pub(super) fn read(table: &mut Table<'_>, role: Role, found: &mut Diagnostics) -> Option<Self> {
        let check = table.get("sender-check", found, choice(CHECKS));
        let repair = table.get("repair-headers", found, boolean);
        if role == Role::Submission {
            let default = Self::default();
            return Some(Self {
                sender_check: check.unwrap_or(default.sender_check),
                repair_headers: repair.unwrap_or(default.repair_headers),
            });
        }
        for (key, given) in [("sender-check", check.is_some()), ("repair-headers", repair.is_some())] {
            if given {
                let told = found.error(table.place(key), format!("`{key}` is for submission listeners"));
                told.help("remove it, or write `role = \"submission\"`");
            }
        }
        None
    }
}
