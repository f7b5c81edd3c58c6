//! One leg of a message's way, as the events of the transport are about it: who is due, where to, and how a try ended; and
//! what sinks answer there.

use super::host::RecordKind;
use crate::mail::{Domain, ForwardPath, Reply, ReversePath, domain::Host};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What the events from `transport.route` to `transport.failed` are about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leg {
    /// The domain of the recipients, as routes name it.
    pub domain: Arc<str>,
    /// The next hop, once there is one: `host:port [address]`, a path, or the name of a sink.
    pub host: Option<Arc<str>>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// How it ended, in the words of the host, or in ours as a host would have put it.
    pub reply: Option<Reply>,
    /// Whom it is about: places in the envelope, from 0.
    pub recipients: Vec<usize>,
}

/// What a recipient resolves to: the answer at `transport.categorize`.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// Lives here, whatever the directory says.
    Local,
    /// Is handed on by the route of its domain.
    Remote,
    /// Stands for this address, which is resolved in its turn.
    Rewritten(ForwardPath),
    /// Stands for all of these, which are resolved in their turn.
    Expanded {
        /// The others. None: the recipient is dropped.
        members: Vec<ForwardPath>,
        /// The reverse-path of what goes to them, if it is not the message's: a list's owner.
        sender: Option<ReversePath>,
    },
}

/// One hop of a sink's route: the answer at `transport.route` is a list of them, tried in turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteHop {
    /// `smtp:host:port`.
    Smtp(Arc<str>),
    /// `mx:name`: the hosts that the DNS names for this domain.
    Mx(Arc<str>),
    /// `lmtp:host:port`, or `lmtp:unix:/path`.
    Lmtp(Arc<str>),
    /// `local`: as `delivery.local` has it.
    Local,
    /// `sink:name`: that sink delivers, at `transport.deliver`.
    Sink(Arc<str>),
}

/// What became of one recipient: the answer at `transport.deliver` has one for each that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkOutcome {
    /// Its place in the envelope.
    pub recipient: usize,
    /// 2xx: delivered, 4xx: to be tried again, 5xx: failed for good.
    pub reply: Reply,
}

/// A question of the DNS that a route needs an answer to, at `dns.resolve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The name, without a dot at its end.
    pub name: &'a str,
    /// What is asked for.
    pub kind: RecordKind,
}

/// A text that is no hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoHop(String);

impl fmt::Display for NoHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms = "smtp:host:port, mx:name, lmtp:host:port, lmtp:unix:/path, local or sink:name";
        write!(f, "`{}` is no hop of a route; write {forms}", self.0)
    }
}

impl std::error::Error for NoHop {}

impl FromStr for RouteHop {
    type Err = NoHop;

    fn from_str(text: &str) -> Result<Self, NoHop> {
        let hop = match text.split_once(':') {
            None if text == "local" => Some(Self::Local),
            Some(("smtp", rest)) if is_endpoint(rest) => Some(Self::Smtp(rest.into())),
            Some(("lmtp", rest)) if is_endpoint(rest) || rest.starts_with("unix:/") => Some(Self::Lmtp(rest.into())),
            Some(("mx", name)) => Domain::parse(name).ok().map(|name| Self::Mx(name.key().into())),
            Some(("sink", name)) if !name.is_empty() => Some(Self::Sink(name.into())),
            _ => None,
        };
        hop.ok_or_else(|| NoHop(text.chars().take(200).collect()))
    }
}

fn is_endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
        None => Domain::parse(host).is_ok_and(|name| matches!(name.host(), Host::Name(_))),
    };
    host && port.parse::<u16>().is_ok_and(|port| port != 0)
}

impl fmt::Display for RouteHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(endpoint) => write!(f, "smtp:{endpoint}"),
            Self::Mx(name) => write!(f, "mx:{name}"),
            Self::Lmtp(endpoint) => write!(f, "lmtp:{endpoint}"),
            Self::Local => f.write_str("local"),
            Self::Sink(name) => write!(f, "sink:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_as_they_are_written() {
        for text in [
            "smtp:mx.example:25",
            "smtp:192.0.2.1:25",
            "smtp:[::1]:25",
            "mx:example.com",
            "lmtp:unix:/run/lmtp",
            "local",
        ] {
            assert_eq!(text.parse::<RouteHop>().map(|hop| hop.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "smtp",
            "smtp:mx.example",
            "smtp:mx.example:0",
            "smtp:a b:25",
            "mx:",
            "lmtp:unix:run",
            "sink:",
            "pipe:x",
        ] {
            assert!(text.parse::<RouteHop>().is_err(), "{text}");
        }
    }
}
