//! `[admin]`: how the running server is spoken to.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::{machine, path, values};
use std::path::{Path, PathBuf};

/// The control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `socket`: its path, under data-dir unless absolute. Default: `admin.sock`.
    pub socket: PathBuf,
    /// `group`: whose members may use it besides its owner. Default: none.
    pub group: Option<String>,
}

impl Admin {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, data_dir: &Path) -> Self {
        let given = table.get("socket", found, |node, found| path::below(data_dir, node, found));
        let socket = given.unwrap_or_else(|| data_dir.join("admin.sock"));
        if !path::fits_socket(&socket) {
            let told = found.error(table.place("socket"), "the path of the admin socket is too long for the system");
            told.help("set `admin.socket` to a short absolute path, such as \"/run/mailsluice/admin.sock\"");
        }
        let group = table.get("group", found, values::string);
        if group.as_deref().is_some_and(|name| !machine::group_exists(name)) {
            found.error(table.place("group"), "there is no such group on this machine");
        }
        table.unsupported("http", "leave it out: the control socket is the only way in", found);
        Self { socket, group }
    }
}
