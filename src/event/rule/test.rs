//! The tests that a rule is made of: a key, and what its value must be.

use crate::event::glob::Glob;
use crate::event::leg::Leg;
use crate::event::list::Patterns;
use crate::event::networks::Networks;
use crate::event::scene::{Scene, View};
use crate::mail::{Recipient, Standing};
use ipnet::IpNet;
use serde_json::Value;
use std::sync::Arc;

/// A key whose value is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// How the message came in.
    Door,
    /// The listener's address or name.
    Listener,
    /// The listener's role.
    Role,
    /// The client's verified name.
    ClientName,
    /// The HELO name.
    Helo,
    /// The authenticated user.
    Auth,
    /// The TLS version.
    Tls,
    /// The reverse-path.
    Sender,
    /// A forward-path.
    Recipient,
    /// The SMTP verb.
    Verb,
    /// The reply at hand.
    Reply,
    /// The domain to route.
    Domain,
    /// The next hop.
    Host,
}

/// What a text must be.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Match the glob.
    Glob(Glob),
    /// Stand in the list.
    List(Arc<Patterns>),
    /// Be there, or not.
    Present(bool),
}

impl Pattern {
    fn holds(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Present(wanted), value) => value.is_some() == *wanted,
            (_, None) => false,
            (Self::Glob(glob), Some(text)) => glob.matches(text),
            (Self::List(list), Some(text)) => list.contains(text),
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

/// What a number must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// How to compare.
    pub compare: Compare,
    /// With what.
    pub with: u64,
}

impl Number {
    /// Whether `value` is such a number.
    pub fn holds(&self, value: u64) -> bool {
        match self.compare {
            Compare::Less => value < self.with,
            Compare::AtMost => value <= self.with,
            Compare::Equal => value == self.with,
            Compare::AtLeast => value >= self.with,
            Compare::More => value > self.with,
        }
    }
}

/// One test.
#[derive(Clone, Debug)]
pub enum Test {
    /// A text.
    Text(Key, Pattern),
    /// The client's address lies in the network.
    Client(IpNet),
    /// The client's address lies in one of the list's networks.
    ClientList(Arc<Networks>),
    /// A property's text, or `true` or `false` for a boolean one or for presence.
    Property(String, Pattern),
    /// A property's number.
    PropertyNumber(String, Number),
    /// The recipient's standing.
    Standing(Standing),
    /// The size in octets.
    Size(Number),
    /// The number of the attempt.
    Attempt(Number),
    /// A header field's value; any field of that name.
    Header(String, Pattern),
}

impl Test {
    pub(super) fn holds(&self, scene: &Scene<'_>) -> bool {
        match self {
            Self::Text(key, pattern) => text_holds(*key, pattern, scene),
            Self::Client(net) => scene.origin.client.is_some_and(|ip| net.contains(&ip.to_canonical())),
            Self::ClientList(list) => scene.origin.client.is_some_and(|ip| list.contains(ip)),
            Self::Property(name, pattern) => property_holds(pattern, scene.property(name)),
            Self::PropertyNumber(name, number) => {
                scene.property(name).and_then(Value::as_u64).is_some_and(|n| number.holds(n))
            }
            Self::Standing(_) => scene.recipients().any(|(_, r)| self.holds_for(r) == Some(true)),
            Self::Size(number) => scene.size().is_some_and(|n| number.holds(n)),
            Self::Attempt(number) => scene.leg().is_some_and(|leg| number.holds(leg.attempt.into())),
            Self::Header(name, pattern) => header_holds(name, pattern, scene),
        }
    }

    /// Whether it holds for one recipient; none if it isn't about recipients.
    pub(super) fn holds_for(&self, recipient: &Recipient) -> Option<bool> {
        match self {
            Self::Text(Key::Recipient, pattern) => Some(pattern.holds(Some(recipient.path.as_str()))),
            Self::Standing(standing) => Some(recipient.standing == *standing),
            _ => None,
        }
    }

    pub(super) fn standing(&self) -> Option<Standing> {
        match self {
            Self::Standing(standing) => Some(*standing),
            _ => None,
        }
    }

    pub(super) fn reads_header(&self) -> bool {
        matches!(self, Self::Header(..))
    }
}

fn text_holds(key: Key, pattern: &Pattern, scene: &Scene<'_>) -> bool {
    let origin = scene.origin;
    match key {
        Key::Door => pattern.holds(Some(origin.door.as_str())),
        Key::Listener => pattern.holds(origin.listener.as_deref()),
        Key::Role => pattern.holds(origin.role.map(|r| r.as_str())),
        Key::ClientName => pattern.holds(origin.client_name.as_deref()),
        Key::Helo => pattern.holds(origin.helo.as_deref()),
        Key::Auth => pattern.holds(origin.auth.as_deref()),
        Key::Tls => pattern.holds(origin.tls.as_deref()),
        Key::Sender => pattern.holds(scene.sender_text()),
        Key::Recipient => scene.recipients().any(|(_, r)| pattern.holds(Some(r.path.as_str()))),
        Key::Verb => pattern.holds(if let View::Verb { verb, .. } = scene.view { Some(verb) } else { None }),
        Key::Reply => match scene.view {
            View::Reply(reply) => pattern.holds(Some(&reply.to_string())),
            View::Leg(Leg { reply: Some(reply), .. }) => pattern.holds(Some(&reply.to_string())),
            _ => pattern.holds(None),
        },
        Key::Domain => pattern.holds(match scene.view {
            View::Leg(leg) => Some(&leg.domain),
            View::Question(question) => Some(question.name),
            _ => None,
        }),
        Key::Host => pattern.holds(scene.leg().and_then(|leg| leg.host.as_deref())),
    }
}

fn property_holds(pattern: &Pattern, value: Option<&Value>) -> bool {
    match (pattern, value) {
        (Pattern::Present(wanted), Some(Value::Bool(have))) => wanted == have,
        (_, Some(Value::String(text))) => pattern.holds(Some(text)),
        (_, Some(other)) => pattern.holds(Some(&other.to_string())),
        (_, None) => pattern.holds(None),
    }
}

fn header_holds(name: &str, pattern: &Pattern, scene: &Scene<'_>) -> bool {
    let Some(header) = scene.header() else { return pattern.holds(None) };
    match pattern {
        Pattern::Present(wanted) => header.named(name).next().is_some() == *wanted,
        _ => header.named(name).any(|field| pattern.holds(Some(&field.value()))),
    }
}
