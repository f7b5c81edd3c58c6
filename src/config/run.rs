//! `[run]`: as whom the server runs.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::{machine, values};

/// The identity of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// `user`: whom to become once the ports are bound. Default: nobody else.
    pub user: Option<String>,
}

impl Run {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        let user = table.get("user", found, values::string);
        if user.as_deref().is_some_and(|name| !machine::user_exists(name)) {
            found.error(table.place("user"), "there is no such user on this machine");
        }
        Self { user }
    }
}
