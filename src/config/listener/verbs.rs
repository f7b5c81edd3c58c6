//! Which verbs beside those that carry mail a listener answers.

use crate::config::diagnostic::Diagnostics;
use crate::config::reader::Table;
use crate::config::smtp::Smtp;
use crate::config::values::boolean;

/// The switches of a listener. What is not given is as in `[smtp]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs {
    /// `vrfy`: answer VRFY. Default: as in `[smtp]`.
    pub vrfy: Option<bool>,
    /// `expn`: answer EXPN. Default: as in `[smtp]`.
    pub expn: Option<bool>,
    /// `help`: answer HELP. Default: as in `[smtp]`.
    pub help: Option<bool>,
}

impl Verbs {
    /// Reads the keys of a listener.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self {
            vrfy: table.get("vrfy", found, boolean),
            expn: table.get("expn", found, boolean),
            help: table.get("help", found, boolean),
        }
    }

    /// What holds for the listener.
    pub fn or(self, smtp: &Smtp) -> Smtp {
        Smtp {
            vrfy: self.vrfy.unwrap_or(smtp.vrfy),
            expn: self.expn.unwrap_or(smtp.expn),
            help: self.help.unwrap_or(smtp.help),
        }
    }
}
