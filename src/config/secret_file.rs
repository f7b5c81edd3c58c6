//! Secrets in `mailsluice.toml`: `{ secret = "name" }` stands for the text of a file, as in `[sink.config]`.
//!
//! The file is `name` in the folder of the service manager's credentials, if it is there, or else `secrets/name` beside the file
//! that names it. A line end at its end does not belong to it.

use super::diagnostic::{Diagnostics, io_text};
use super::reader::Table;
use super::secret::Secret;
use super::tree::Node;
use super::values::string;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The longest name of a secret.
const NAME_MAX: usize = 64;
/// The longest secret, in octets.
const SECRET_MAX: u64 = 64 * 1024;

/// The secret that a node names. Its file is added to `files`, which are watched and never copied.
pub(super) fn secret(node: &Node, found: &mut Diagnostics, base: &Path, files: &mut Vec<PathBuf>) -> Option<Secret> {
    if node.as_table().is_none() {
        let told = found.error(node.span, format!("expected a secret, found {}", node.kind()));
        told.help("write `{ secret = \"name\" }` and put the secret into `secrets/name` beside this file");
        return None;
    }
    let name = Table::read(node, found, |table, found| table.require("secret", found, name)).flatten()?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(&name));
    let path = credentials.filter(|path| path.exists()).unwrap_or_else(|| base.join("secrets").join(&name));
    files.push(path.clone());
    match read(&path) {
        Ok(text) => {
            if std::fs::metadata(&path).is_ok_and(|meta| meta.mode() & 0o006 != 0) {
                let told = found.warning(node.span, "anybody on this machine can read or change the secret");
                told.help(format!("chmod o= {}", path.display()));
            }
            Some(Secret::new(text))
        }
        Err(why) => {
            let told = found.error(node.span, format!("the secret `{name}` can't be read: {why}"));
            told.help(format!("put it into `{}`, which only the user that runs the server may read", path.display()));
            None
        }
    }
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let name = string(node, found)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > NAME_MAX || name.starts_with('.') || !name.bytes().all(inner) {
        let told = found.error(node.span, "this can't be the name of a secret");
        told.help("a name has at most 64 letters, digits, `_`, `-` and `.`, and does not begin with a dot");
        return None;
    }
    Some(name)
}

fn read(path: &Path) -> Result<String, String> {
    let mut octets = Vec::new();
    let file = File::open(path).map_err(|error| io_text(&error))?;
    file.take(SECRET_MAX + 1).read_to_end(&mut octets).map_err(|error| io_text(&error))?;
    if octets.len() as u64 > SECRET_MAX {
        return Err("it is longer than 64 KiB".to_owned());
    }
    let text = String::from_utf8(octets).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}
