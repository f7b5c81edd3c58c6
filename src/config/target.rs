//! Where mail is put or sent: the targets of `[delivery]` and `[[route]]`.

use super::diagnostic::Diagnostics;
use super::path;
use super::places::Places;
use super::reader::Table;
use super::relay::{self, Relay};
use super::tree::{Fields, Node, Value};
use super::values::{self, wrong_kind};
use crate::mail::{Domain, domain::Host};
use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Component, Path, PathBuf};

/// What the path of a Unix socket is written behind.
const UNIX: &str = "unix:";

/// One way to get rid of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Maildir per recipient.
    Maildir {
        /// Where the pattern starts: data-dir, or `/` for a pattern that was absolute.
        root: PathBuf,
        /// A relative path in which `{domain}` and `{local}` stand for those of the recipient.
        pattern: String,
    },
    /// A directory that takes a file per message.
    Drop(PathBuf),
    /// A server that speaks SMTP.
    Smtp(Endpoint),
    /// The same, with more said of it.
    Relay(Box<Relay>),
    /// The servers that the DNS names for this domain, given by its key.
    Mx(String),
    /// Nowhere by itself: it waits until the receiver calls for it.
    Turn,
    /// A server that speaks LMTP.
    Lmtp(Endpoint),
    /// The Unix socket of a server that speaks LMTP: an absolute path, or one under data-dir.
    LmtpSocket(PathBuf),
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads `{ maildir = "…" }` and the like; exactly one of the kinds listed in `kinds` must be there.
pub(super) fn read(
    node: &Node,
    kinds: &'static [&'static str],
    places: &Places<'_>,
    found: &mut Diagnostics,
) -> Option<Target> {
    let options: Vec<String> = kinds.iter().map(|k| format!("`{k}`")).collect();
    let options = values::alternatives(&options);
    if let Value::String(text) = &node.value {
        if text == "turn" && kinds.contains(&"smtp") {
            return Some(Target::Turn);
        }
        if let Some(name) = text.strip_prefix("mx:").filter(|_| kinds.contains(&"smtp")) {
            return mx(name, node, found);
        }
        let told = found.error(node.span, format!("expected a table with one of {options}, found a string"));
        if kinds.contains(&"smtp") {
            told.help("for the MX records of a domain write \"mx:example.com\", and \"turn\" for mail that waits for ATRN or TURN");
        }
        return None;
    }
    let targets = Table::read(node, found, |table, found| {
        let present: Vec<&'static str> = kinds.iter().copied().filter(|k| table.field(k).is_some()).collect();
        let targets = present.iter().map(|kind| {
            let node = table.node(kind)?;
            one(kind, node, table, places, found)
        });
        targets.collect::<Vec<Option<Target>>>()
    })?;
    let count = match <[_; 1]>::try_from(targets) {
        Ok([target]) => return target,
        Err(several) if several.len() > 1 => "more than one target is given",
        Err(_) if node.as_table().is_some_and(Fields::is_empty) => "no target is given",
        // Then there are unknown keys, and those have been noted.
        Err(_) => return None,
    };
    found.error(node.span, count).label(format!("exactly one of {options}"));
    None
}

/// The domain whose MX records are asked for.
fn mx(name: &str, node: &Node, found: &mut Diagnostics) -> Option<Target> {
    match Domain::parse(name) {
        Ok(domain) => Some(Target::Mx(domain.key().into_owned())),
        Err(error) => {
            found.error(node.span, format!("`{name}` is not a domain: {error}")).help("write \"mx:example.com\"");
            None
        }
    }
}

fn one(kind: &str, node: &Node, table: &mut Table<'_>, places: &Places<'_>, found: &mut Diagnostics) -> Option<Target> {
    let data_dir = places.data_dir;
    match kind {
        "maildir" => maildir(node, data_dir, found),
        "drop" => path::below(data_dir, node, found).map(Target::Drop),
        "smtp" | "smtps" => {
            // What stands beside a wrong endpoint is looked at as well.
            let endpoint = endpoint(node, found);
            let place = endpoint.clone().unwrap_or(Endpoint { host: String::new(), port: 25 });
            let relay = relay::read(place, kind == "smtps", table, places, found);
            endpoint.map(|endpoint| relay.map_or(Target::Smtp(endpoint), |relay| Target::Relay(Box::new(relay))))
        }
        _ => lmtp(node, data_dir, found),
    }
}

/// A host and a port, or `unix:` and the path of a socket.
fn lmtp(node: &Node, data_dir: &Path, found: &mut Diagnostics) -> Option<Target> {
    let Some(text) = node.as_str().and_then(|text| text.strip_prefix(UNIX)) else {
        return endpoint(node, found).map(Target::Lmtp);
    };
    if text.is_empty() || text.contains('\0') {
        found.error(node.span, "`unix:` is not followed by a path").help("write \"unix:/run/lmtp.sock\"");
        return None;
    }
    let socket = data_dir.join(text);
    if !path::fits_socket(&socket) {
        found.error(node.span, "the path of the socket is too long for the system").help("use a short absolute path");
        return None;
    }
    Some(Target::LmtpSocket(socket))
}

/// A pattern such as `mail/{domain}/{local}`.
fn maildir(node: &Node, data_dir: &Path, found: &mut Diagnostics) -> Option<Target> {
    path::below(data_dir, node, found)?;
    let text = values::string(node, found)?;
    let unknown = text.split('{').skip(1).any(|rest| !rest.starts_with("domain}") && !rest.starts_with("local}"));
    let closed = text.matches('{').count() == text.matches('}').count();
    if unknown || !closed {
        found.error(node.span, "the path has a placeholder that is not known").help("use {domain} and {local}");
        return None;
    }
    if Path::new(&text).components().any(|c| c == Component::ParentDir) {
        found.error(node.span, "`..` is not allowed in the path of a Maildir").help("write an absolute path");
        return None;
    }
    let (root, pattern) = match text.strip_prefix('/') {
        Some(rest) => (Path::new("/"), rest.to_owned()),
        None => (data_dir, text),
    };
    Some(Target::Maildir { root: root.to_owned(), pattern })
}

/// A smart host: a host and a port, or a table with `smtp` or `smtps`.
pub(super) fn smart_host(node: &Node, places: &Places<'_>, found: &mut Diagnostics) -> Option<Target> {
    match node.as_table() {
        Some(_) => read(node, &["smtp", "smtps"], places, found),
        None => endpoint(node, found).map(Target::Smtp),
    }
}

/// A host and a port, such as `"relay.example.com:25"` or `"[::1]:24"`.
pub(super) fn endpoint(node: &Node, found: &mut Diagnostics) -> Option<Endpoint> {
    let Some(text) = node.as_str() else {
        wrong_kind(node, "a host and a port such as \"127.0.0.1:25\"", found);
        return None;
    };
    if text.starts_with('/') || text.starts_with(UNIX) {
        let told = found.error(node.span, format!("`{text}` is not a host and a port"));
        told.help("a Unix socket is reached by LMTP alone: { lmtp = \"unix:/run/lmtp.sock\" }");
        return None;
    }
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|&p: &u16| p != 0)?;
        Some(Endpoint { host: host_name(host)?, port })
    });
    if parsed.is_none() {
        let told = found.error(node.span, format!("`{text}` is not a host and a port"));
        told.help(match host_name(text) {
            Some(_) => format!("add the port: \"{text}:25\""),
            None => "write \"host:port\", \"192.0.2.1:port\" or \"[2001:db8::1]:port\"".to_owned(),
        });
    }
    parsed
}

fn host_name(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(|ip| ip.to_string());
    }
    // Four numbers and dots are an address or nothing; no top-level domain is a number.
    let last_label_is_number = text.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    if last_label_is_number {
        return text.parse::<std::net::Ipv4Addr>().ok().map(|ip| ip.to_string());
    }
    let name = Domain::parse(text).ok()?;
    matches!(name.host(), Host::Name(_)).then(|| name.key().into_owned())
}
