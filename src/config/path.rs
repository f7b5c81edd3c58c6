//! Where relative paths lead: what is read lies beside the file that names it, what is written under data-dir.

use super::diagnostic::Diagnostics;
use super::tree::Node;
use super::values;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What fits into the address of a Unix socket, its final NUL not counted.
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The directory that a file's relative paths start from.
pub fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// A path under `base`, or as it is if it is absolute. An empty path and one with a NUL are errors.
pub fn below(base: &Path, node: &Node, found: &mut Diagnostics) -> Option<PathBuf> {
    let text = values::string(node, found)?;
    if text.is_empty() {
        found.error(node.span, "the path is empty");
        return None;
    }
    if text.contains('\0') {
        found.error(node.span, "the path has a NUL in it");
        return None;
    }
    Some(base.join(text))
}

/// Whether the path can be that of a Unix socket.
pub fn fits_socket(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX
}
