//! `[[listener]]`: where connections come in.

use super::diagnostic::Diagnostics;
use super::reader::Table;
use super::sources::Span;
use super::tree::{Node, Value};
use super::values;
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
}

const ROLES: &[(&str, Role)] = &[("mx", Role::Mx), ("submission", Role::Submission), ("lmtp", Role::Lmtp)];

/// Reads all listeners; that there is none is an error.
pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Vec<Listener> {
    let missing = table.field("listener").is_none();
    let mut places: Vec<(Listener, Span)> = Vec::new();
    for (listener, place) in table.tables("listener", found, one).into_iter().flatten() {
        check_unique(&listener, place, &places, found);
        places.push((listener, place));
    }
    if missing {
        let told = found.error(None, "no listener is configured");
        told.help("add a `[[listener]]` table with `address = \"127.0.0.1:2525\"`");
    }
    places.into_iter().map(|(listener, _)| listener).collect()
}

fn one(table: &mut Table<'_>, found: &mut Diagnostics) -> Option<(Listener, Span)> {
    let place = table.place("address");
    let address = table.require("address", found, |node, found| address(node, found).map(|a| (a, node.as_str())));
    let name = table.get("name", found, name);
    let role = table.get("role", found, values::choice(ROLES)).unwrap_or_default();
    not_yet(table, found);
    if role == Role::Submission {
        let told = found.warning(table.place("role"), "there is no AUTH yet on a submission listener");
        told.help("only clients in `domains.relay-from` can send to other domains through it");
    }
    let (address, text) = address?;
    Some((Listener { name: name.unwrap_or_else(|| text.unwrap_or_default().to_owned()), address, role }, place?))
}

fn not_yet(table: &mut Table<'_>, found: &mut Diagnostics) {
    table.unsupported("tls", "leave it out: sessions are not encrypted yet", found);
    if !matches!(table.node("proxy-protocol").map(|n| &n.value), None | Some(Value::Bool(false))) {
        table.unsupported("proxy-protocol", "leave it out: clients must connect directly", found);
    }
    if table.node("xclient-from").is_some_and(|n| n.as_array().is_none_or(|list| !list.is_empty())) {
        table.unsupported("xclient-from", "leave it out: clients must connect directly", found);
    }
}

fn name(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        found.error(node.span, "the name of a listener must be printable and not empty");
        return None;
    }
    Some(text)
}

fn address(node: &Node, found: &mut Diagnostics) -> Option<SocketAddr> {
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
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let (x, y) = (a.ip(), b.ip());
    let family = x.is_ipv4() == y.is_ipv4();
    a.port() != 0 && a.port() == b.port() && (x == y || family && (x.is_unspecified() || y.is_unspecified()))
}
