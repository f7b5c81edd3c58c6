//! `[domains]`: whose mail is taken, and from whom mail for everybody else.

use super::diagnostic::Diagnostics;
use super::network::network;
use super::reader::Table;
use super::tree::Node;
use super::values;
use crate::mail::Domain;
use ipnet::IpNet;
use std::collections::HashMap;

/// What it means to let everybody relay.
const OPEN_RELAY: (&str, &str) = ("makes this server an open relay", "list only the networks of your own clients");

/// The domains and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// `local`: delivered here. Keys, in the order of the file. Default: none.
    pub local: Vec<String>,
    /// `relay-to`: accepted from anyone, handed on by its route. Keys, in the order of the file. Default: none.
    pub relay_to: Vec<String>,
    /// `relay-from`: clients that may send to any domain, as networks or single addresses. Default: none.
    pub relay_from: Vec<IpNet>,
}

impl Domains {
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        let mut seen = HashMap::new();
        let mut list = |key: &'static str, table: &mut Table<'_>, found: &mut Diagnostics| {
            let once = |node: &Node, found: &mut Diagnostics| {
                domain(node, found).filter(|name| first(name, key, &mut seen, node, found))
            };
            table.list(key, found, once).unwrap_or_default()
        };
        Self {
            local: list("local", table, found),
            relay_to: list("relay-to", table, found),
            relay_from: table.list("relay-from", found, network(OPEN_RELAY)).unwrap_or_default(),
        }
    }
}

/// The key of a domain name or address literal.
pub(super) fn domain(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    match Domain::parse(&text) {
        Ok(domain) => Some(domain.key().into_owned()),
        Err(error) => {
            let told = found.error(node.span, format!("`{text}` is not a domain: {error}"));
            if text.contains('*') {
                told.help("patterns are for routes; list each domain here");
            } else if let Some((_, domain)) = text.split_once('@') {
                told.help(format!("this is an address; write only \"{domain}\""));
            }
            None
        }
    }
}

/// Whether a domain is new. In one list twice is a slip; in both lists nobody could say where its mail goes.
fn first(
    name: &str,
    key: &'static str,
    seen: &mut HashMap<String, &'static str>,
    node: &Node,
    found: &mut Diagnostics,
) -> bool {
    let Some(before) = seen.insert(name.to_owned(), key) else { return true };
    if before == key {
        found.warning(node.span, format!("the domain `{name}` is listed twice"));
    } else {
        let told = found.error(node.span, format!("the domain `{name}` is both in `local` and in `relay-to`"));
        told.help("a domain is either delivered here or handed on; remove it from one of the lists");
    }
    false
}
