//! Whom a listener believes about who the client is: PROXY headers, XCLIENT and XFORWARD.

use crate::config::diagnostic::Diagnostics;
use crate::config::network::network;
use crate::config::reader::{Table, list};
use crate::config::tree::{Node, Value};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The proxies of a listener. Networks are few and looked up once per connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// `proxy-protocol`: proxies that begin each connection with a PROXY header; nobody else may connect. Default: none, and no
    /// header is read.
    pub proxy_protocol: Vec<IpNet>,
    /// `xclient-from`: clients that may say with XCLIENT for whom they speak. Default: none.
    pub xclient_from: Vec<IpNet>,
    /// `xforward-from`: clients that may say with XFORWARD where a message came from. Default: none.
    pub xforward_from: Vec<IpNet>,
}

const IMPERSONATION: (&str, &str) =
    ("lets every client pretend to be any other", "list only the addresses of your own proxies");
const FORGERY: (&str, &str) =
    ("lets every client say where its mail comes from", "list only the addresses of your own proxies");

impl Proxies {
    /// Reads the keys of a listener.
    pub(super) fn read(table: &mut Table<'_>, found: &mut Diagnostics) -> Self {
        Self {
            proxy_protocol: table.get("proxy-protocol", found, proxies).unwrap_or_default(),
            xclient_from: table.list("xclient-from", found, network(IMPERSONATION)).unwrap_or_default(),
            xforward_from: table.list("xforward-from", found, network(FORGERY)).unwrap_or_default(),
        }
    }
}

/// A list of networks; `false` for none, and `true` for everybody, which is as good as the firewall in front of it.
fn proxies(node: &Node, found: &mut Diagnostics) -> Option<Vec<IpNet>> {
    match node.value {
        Value::Bool(false) => Some(Vec::new()),
        Value::Bool(true) => {
            let told = found.warning(node.span, "whoever reaches this listener can pretend to be any client");
            told.help("list the addresses of your proxies: `proxy-protocol = [\"192.0.2.10\"]`");
            Some(vec![Ipv4Net::default().into(), Ipv6Net::default().into()])
        }
        _ => list(node, found, network(IMPERSONATION)),
    }
}
