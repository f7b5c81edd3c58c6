//! `[auth] gssapi`: as which service Kerberos tickets are taken, and of which realms.

use super::diagnostic::{Diagnostics, io_text};
use super::path;
use super::reader::{Table, list};
use super::sources::Span;
use super::tree::Node;
use super::values::string;
use crate::accounts::kerberos::Service;
use crate::accounts::kerberos::keytab::{Fault, principals};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// AUTH GSSAPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gssapi {
    /// `keytab` and `service`.
    pub service: Service,
    /// `realms`: whose users may log in. The first is our own. At least one.
    pub realms: Vec<String>,
}

/// What a service's keys are called in a keytab: `smtp/host`.
const PREFIX: &str = "smtp/";

impl Gssapi {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, base: &Path) -> Option<Self> {
        let keytab = table.require("keytab", found, |n, f| Some((path::below(base, n, f)?, n.span)));
        let host = table.get("service", found, service);
        let realms = table.require("realms", found, |node, found| {
            let realms = list(node, found, realm)?;
            if node.as_array().is_some_and(|nodes| nodes.is_empty()) {
                let told = found.error(node.span, "nobody could log in: there is no realm");
                told.help("name the realms whose users may, such as \"EXAMPLE.COM\"; the first is your own");
            }
            Some(realms)
        });
        if !cfg!(feature = "gssapi") {
            let told = found.error(table.span(), "this build can't do GSSAPI");
            told.help(
                "leave `gssapi` out, or build with `--features gssapi`, which needs the header files of Kerberos",
            );
            return None;
        }
        let (keytab, place) = keytab?;
        // The process that serves may stand elsewhere.
        let keytab = std::path::absolute(&keytab).unwrap_or(keytab);
        look(&keytab, place, host.as_deref(), found);
        let name = host.map(|host| format!("smtp@{host}"));
        Some(Self { service: Service { keytab, name }, realms: realms.filter(|realms| !realms.is_empty())? })
    }
}

/// The host of `smtp@host`.
fn service(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = string(node, found)?;
    match text.strip_prefix("smtp@") {
        Some(host) if crate::mail::Domain::parse(host).is_ok() => Some(host.to_owned()),
        _ => {
            let told = found.error(node.span, format!("`{text}` is not the service of a mail server"));
            told.help("write `smtp@` and the name by which clients call this host: \"smtp@mx.example.com\"");
            None
        }
    }
}

fn realm(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = string(node, found)?;
    if text.is_empty() || text.contains(['@', '/', '\\', ':', '\0']) {
        found.error(node.span, format!("`{text}` is no realm")).help("a realm looks like \"EXAMPLE.COM\"");
        return None;
    }
    Some(text)
}

/// Whether the keytab is there, nobody else's to read, and has the service's keys.
fn look(file: &Path, place: Span, host: Option<&str>, found: &mut Diagnostics) {
    let shown = file.display();
    match principals(file) {
        Err(Fault::Unreadable(error)) => {
            let told = found.error(place, format!("the keytab `{shown}` can't be read: {}", io_text(&error)));
            told.help(match error.kind() {
                ErrorKind::NotFound => "`ktadd -k FILE smtp/HOST` in kadmin writes it".to_owned(),
                _ => format!("the user that runs the server has to: chown and chmod 0600 {shown}"),
            });
        }
        Err(fault @ Fault::Malformed) => {
            let told = found.error(place, format!("the keytab `{shown}` can't be used: {fault}"));
            told.help("`ktadd -k FILE smtp/HOST` in kadmin writes a new one");
        }
        Ok(names) => {
            let fits = |name: &String| name.strip_prefix(PREFIX).is_some_and(|of| host.is_none_or(|host| of == host));
            if !names.iter().any(fits) {
                let wanted = format!("{PREFIX}{}", host.unwrap_or("…"));
                let told = found.error(place, format!("the keytab `{shown}` has no key of `{wanted}`"));
                let has =
                    if names.is_empty() { "it is empty".to_owned() } else { format!("it has {}", names.join(", ")) };
                told.help(format!("{has}; `ktadd -k {shown} {PREFIX}{}` in kadmin adds one", host.unwrap_or("HOST")));
            }
            if std::fs::metadata(file).is_ok_and(|meta| meta.mode() & 0o006 != 0) {
                let told = found.warning(place, "anybody on this machine can read or change the keytab");
                told.help(format!("chmod o= {shown}"));
            }
        }
    }
}
