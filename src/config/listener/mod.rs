//! `[[listener]]`: where connections come in.
//!
//! # Layout
//! * one file per group of settings: [`auth`], `extensions`, [`proxy`], [`submission`], [`tls`], [`verbs`]
//! * [`pem_file`]: files of certificates and keys; [`ordered`]: certificates that the server fetches by itself

pub mod auth;
mod extensions;
pub mod ordered;
mod pem_file;
pub mod proxy;
pub mod submission;
pub mod tls;
pub mod verbs;

pub use auth::ListenerAuth;
pub use extensions::Extensions;
pub use ordered::Ordered;
pub use pem_file::PemFile;
pub(super) use pem_file::PemFiles;
pub use proxy::Proxies;
pub use submission::{SenderCheck, Submission};
pub use tls::Tls;
pub use verbs::Verbs;

use crate::config::diagnostic::Diagnostics;
use crate::config::reader::Table;
use crate::config::sources::Span;
use crate::config::tree::Node;
use crate::config::values;
use crate::mail::Role;
use std::net::SocketAddr;

/// One bound address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `name`: what the rule key `listener` sees. Default: the text of the address.
    pub name: String,
    /// `address`: an IP address and a port, `"127.0.0.1:2525"` or `"[::1]:25"`. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// `role`: `"mx"` (default), `"submission"` or `"lmtp"`.
    pub role: Role,
    /// `auth` and what belongs to it.
    pub auth: ListenerAuth,
    /// `tls`. Not given: sessions are not encrypted.
    pub tls: Option<Tls>,
    /// The proxies that are believed.
    pub proxies: Proxies,
    /// What a submission listener asks of its users. None: the role is another.
    pub submission: Option<Submission>,
    /// Verbs beside those that carry mail.
    pub verbs: Verbs,
    /// What it offers beside the usual.
    pub extensions: Extensions,
}

impl Listener {
    /// Whether the same address is bound in the same way. Only then can a reload go from one to the other.
    pub fn is_bound_as(&self, other: &Self) -> bool {
        (&self.name, self.address, self.role) == (&other.name, other.address, other.role)
    }
}

const ROLES: &[(&str, Role)] = &[("mx", Role::Mx), ("submission", Role::Submission), ("lmtp", Role::Lmtp)];

/// Reads all listeners; that there is none is an error.
pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Vec<Listener> {
    let missing = table.field("listener").is_none();
    let mut places: Vec<(Listener, Span)> = Vec::new();
    let listeners = table.tables("listener", found, |table, found| one(table, found, files));
    for (listener, place) in listeners.into_iter().flatten() {
        check_unique(&listener, place, &places, found);
        places.push((listener, place));
    }
    if missing {
        let told = found.error(None, "no listener is configured");
        told.help("add a `[[listener]]` table with `address = \"127.0.0.1:2525\"`");
    }
    places.into_iter().map(|(listener, _)| listener).collect()
}

fn one(table: &mut Table<'_>, found: &mut Diagnostics, files: &mut PemFiles) -> Option<(Listener, Span)> {
    let place = table.place("address");
    let address = table.require("address", found, |node, found| address(node, found).map(|a| (a, node.as_str())));
    let name = table.get("name", found, name);
    let role = table.get("role", found, values::choice(ROLES)).unwrap_or_default();
    let auth = ListenerAuth::read(table, found, role);
    let tls =
        table.node("tls").and_then(|node| Table::read(node, found, |t, f| Tls::read(t, f, role, files)).flatten());
    let extensions = Extensions::read(table, role, found);
    let proxies = Proxies::read(table, found);
    let submission = Submission::read(table, role, found);
    let verbs = Verbs::read(table, found);
    let (address, text) = address?;
    let name = name.unwrap_or_else(|| text.unwrap_or_default().to_owned());
    Some((Listener { name, address, role, auth, tls, extensions, proxies, submission, verbs }, place?))
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        found.error(node.span, "the name of a listener must be printable and not empty");
        return None;
    }
    Some(text)
}

/// Where to listen.
pub(super) fn address(node: &Node, found: &mut Diagnostics) -> Option<SocketAddr> {
    let text = values::string(node, found)?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if text.starts_with('/') || text.starts_with("unix:") {
        let told = found.error(node.span, "listening on a Unix socket is not supported by this version");
        told.help("use an IP address and a port, such as \"127.0.0.1:2525\"");
        return None;
    }
    found.error(node.span, format!("`{text}` is not an address to listen on")).help(address_help(&text));
    None
}

fn address_help(text: &str) -> String {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    if text.is_empty() {
        return "write an IP address and a port, such as \"127.0.0.1:2525\"".to_owned();
    }
    if host.is_empty() || host == "*" {
        return format!("for every address of the machine write \"0.0.0.0:{port}\" or \"[::]:{port}\"");
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return "add the port; an IPv6 address stands in brackets, such as \"[::1]:2525\"".to_owned();
    }
    if host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[') {
        return "a port is a number from 0 to 65535, and an IPv6 address stands in brackets".to_owned();
    }
    "write an IP address and a port, such as \"127.0.0.1:2525\"".to_owned()
}

/// Two listeners that could not both be bound, or not be told apart, are an error.
fn check_unique(new: &Listener, place: Span, before: &[(Listener, Span)], found: &mut Diagnostics) {
    for (old, old_place) in before {
        let line = found.sources.line_column(*old_place).map_or(0, |(line, _)| line);
        if collide(new.address, old.address) {
            let told = found.error(place, format!("`{}` is taken by another listener", new.address));
            told.label(format!("already bound by line {line}"));
            return;
        }
        if new.name == old.name && new.address != old.address {
            let told = found.error(place, format!("two listeners are named `{}`", new.name));
            told.help(format!("rules could not tell it from the one on line {line}; give them different names"));
            return;
        }
    }
}

/// Whether the system would refuse to bind both: the same port, and one address includes the other.
pub(super) fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let (x, y) = (a.ip(), b.ip());
    let family = x.is_ipv4() == y.is_ipv4();
    a.port() != 0 && a.port() == b.port() && (x == y || family && (x.is_unspecified() || y.is_unspecified()))
}
