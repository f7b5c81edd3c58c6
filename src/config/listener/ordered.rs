//! `acme` of a certificate: names for which the server fetches one by itself.
//!
//! It is kept in a file of its own under data-dir, certificates and key together, and read from there like any other.

use super::pem_file::{PemFile, PemFiles};
use crate::config::diagnostic::Diagnostics;
use crate::config::reader::one_or_list;
use crate::config::tree::Node;
use crate::config::values;
use crate::mail::{Domain, domain::Host};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What is fetched is kept in this folder of data-dir.
const FOLDER: &str = "acme";
/// Names that one certificate has at most: authorities want no more.
const NAMES_MAX: usize = 100;
/// Octets of a name: it is that of a file, too.
const NAME_MAX: usize = 240;

/// A certificate that the server fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// Its names, in the form to compare by. It is called after the first; there is one at least.
    pub names: Vec<String>,
    /// Where it is kept.
    pub path: PathBuf,
    /// The file. None: it has not been fetched yet.
    pub file: Option<PemFile>,
}

impl Ordered {
    /// The name that it is called after.
    pub fn name(&self) -> &str {
        self.names.first().map(String::as_str).unwrap_or_default()
    }
}

/// The folder in which certificates and accounts are kept.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER)
}

/// Reads the names.
pub(super) fn read(node: &Node, found: &mut Diagnostics, files: &mut PemFiles) -> Option<Ordered> {
    let mut names: Vec<String> = Vec::new();
    for one in one_or_list(node, found, |node, found| Some(name(node, found)))? {
        let one = one?;
        if !names.contains(&one) {
            names.push(one);
        }
    }
    let Some(first) = names.first().cloned() else {
        found.error(node.span, "a certificate needs a name").help("write the host's, such as [\"mx.example.com\"]");
        return None;
    };
    if names.len() > NAMES_MAX {
        let told = found.error(node.span, format!("a certificate can't have more than {NAMES_MAX} names"));
        told.help("make several of it, each with `acme` in `certificates`");
        return None;
    }
    if !files.orders(&first, &names) {
        let told = found.error(node.span, format!("another certificate begins with `{first}` and has other names"));
        told.help("give both the same names, or begin them with different ones");
        return None;
    }
    if !files.has_acme() {
        let told = found.error(node.span, "nobody is named from whom certificates could be fetched");
        told.help("add the table `[acme]` with `directory`, `accept-terms` and an address for challenges");
        return None;
    }
    let path = folder(files.data_dir()).join(format!("{first}.pem"));
    let file = files.kept(&path, node.span, found)?;
    Some(Ordered { names, path, file })
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    let (what, help) = if text.starts_with("*.") {
        ("is a wildcard, for which only DNS-01 will do", "list the names, or name files that another program renews")
    } else if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
        ("is an address", "use the name under which clients connect, such as \"mx.example.com\"")
    } else {
        let key = Domain::parse(&text).ok().filter(|name| matches!(name.host(), Host::Name(_)));
        let key = key.map(|name| name.key().into_owned());
        let plain = |key: &String| key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        match key.filter(|key| plain(key) && key.len() <= NAME_MAX) {
            Some(key) => return Some(key),
            None => ("is not the name of a host", "write such as \"mx.example.com\""),
        }
    };
    found.error(node.span, format!("there is no certificate by ACME for `{text}`: it {what}")).help(help);
    None
}
