//! The tests that a rule is made of: a key, and what its value must be.

use crate::event::glob::Glob;
use crate::event::leg::Leg;
use crate::event::list::Patterns;
use crate::event::networks::Networks;
use crate::event::scene::{Scene, View};
use crate::mail::{Origin, Recipient, Standing};
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
    /// Subject or a name of the client's verified certificate.
    TlsClient,
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
    /// With what. Sizes go up to the largest `u64`, and properties may be negative.
    pub with: i128,
}

impl Number {
    /// Whether `value` is such a number.
    pub fn holds(&self, value: impl Into<i128>) -> bool {
        let value = value.into();
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

/// A whole number, if it is one.
fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

impl Test {
    pub(super) fn holds(&self, scene: &Scene<'_>) -> bool {
        match self {
            Self::Text(key, pattern) => text_holds(*key, pattern, scene),
            Self::Client(net) => scene.origin.client.is_some_and(|ip| net.contains(&ip.to_canonical())),
            Self::ClientList(list) => scene.origin.client.is_some_and(|ip| list.contains(ip)),
            Self::Property(name, pattern) => property_holds(pattern, scene.property(name)),
            Self::PropertyNumber(name, number) => scene.property(name).and_then(whole).is_some_and(|n| number.holds(n)),
            Self::Standing(_) => scene.recipients().any(|(_, r)| self.holds_for(r) == Some(true)),
            Self::Size(number) => scene.size().is_some_and(|n| number.holds(n)),
            Self::Attempt(number) => scene.leg().is_some_and(|leg| number.holds(leg.attempt)),
            Self::Header(name, pattern) => header_holds(name, pattern, scene),
        }
    }

    /// Whether it holds for whoever comes from there; none if it is about something else.
    pub(super) fn of_origin(&self, origin: &Origin) -> Option<bool> {
        match self {
            Self::Text(key, pattern) => origin_text(*key, origin).map(|text| pattern.holds(text)),
            Self::Client(net) => Some(origin.client.is_some_and(|ip| net.contains(&ip.to_canonical()))),
            Self::ClientList(list) => Some(origin.client.is_some_and(|ip| list.contains(ip))),
            _ => None,
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

/// What the origin has under a key; none if the key is about something else.
fn origin_text(key: Key, origin: &Origin) -> Option<Option<&str>> {
    Some(match key {
        Key::Door => Some(origin.door.as_str()),
        Key::Listener => origin.listener.as_deref(),
        Key::Role => origin.role.map(|r| r.as_str()),
        Key::ClientName => origin.client_name.as_deref(),
        Key::Helo => origin.helo.as_deref(),
        Key::Auth => origin.auth.as_deref(),
        Key::Tls => origin.tls_version(),
        Key::TlsClient | Key::Sender | Key::Recipient | Key::Verb | Key::Reply | Key::Domain | Key::Host => {
            return None;
        }
    })
}

fn text_holds(key: Key, pattern: &Pattern, scene: &Scene<'_>) -> bool {
    if let Some(text) = origin_text(key, scene.origin) {
        return pattern.holds(text);
    }
    match key {
        Key::TlsClient => peer_holds(pattern, scene.origin),
        Key::Sender => pattern.holds(scene.sender_text()),
        Key::Recipient => scene.recipients().any(|(_, r)| pattern.holds(Some(r.path.as_str()))),
        Key::Verb => pattern.holds(scene.verb()),
        Key::Reply => match scene.view {
            View::Reply(reply) => pattern.holds(Some(&reply.to_string())),
            View::Leg(Leg { reply: Some(reply), .. }) | View::Client(Leg { reply: Some(reply), .. }, _) => {
                pattern.holds(Some(&reply.to_string()))
            }
            _ => pattern.holds(None),
        },
        Key::Domain => pattern.holds(match scene.view {
            View::Leg(leg) | View::Client(leg, _) => Some(&leg.domain),
            View::Question(question) => Some(question.name),
            _ => None,
        }),
        Key::Host => pattern.holds(scene.leg().and_then(|leg| leg.host.as_deref())),
        // Of the origin, and looked at above.
        _ => false,
    }
}

/// What no authority vouches for anybody may have written: it counts as absent.
fn peer_holds(pattern: &Pattern, origin: &Origin) -> bool {
    let peer = origin.tls.as_ref().and_then(|tls| tls.verified_peer());
    match (pattern, peer) {
        (Pattern::Present(wanted), peer) => peer.is_some() == *wanted,
        (_, None) => false,
        (_, Some(peer)) => peer.identities().any(|name| pattern.holds(Some(name))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Door, PeerCertificate, TlsFacts};

    #[test]
    fn a_client_certificate_is_known_by_any_of_its_names_if_somebody_vouches_for_it() {
        let glob = |text: &str| Pattern::Glob(Glob::new(text));
        let peer = |verified| PeerCertificate {
            subject: "relay".to_owned(),
            names: vec!["relay.example.com".to_owned(), "post@example.com".to_owned()],
            fingerprint: String::new(),
            verified,
        };
        let mut origin = Origin::door(Door::Smtp);
        assert!(peer_holds(&Pattern::Present(false), &origin) && !peer_holds(&glob("*"), &origin));
        for verified in [false, true] {
            origin.tls = Some(Arc::new(TlsFacts { peer: Some(peer(verified)), ..TlsFacts::default() }));
            for pattern in [glob("RELAY"), glob("*.example.com"), glob("*@example.com"), Pattern::Present(true)] {
                assert_eq!(peer_holds(&pattern, &origin), verified, "{pattern:?}");
            }
            assert_eq!(peer_holds(&Pattern::Present(false), &origin), !verified);
            assert!(!peer_holds(&glob("other"), &origin));
        }
    }

    #[test]
    fn numbers_may_be_negative_and_as_large_as_they_get() {
        let below = Number { compare: Compare::Less, with: 0 };
        let holds = |value: Value| whole(&value).is_some_and(|n| below.holds(n));
        assert!(holds(Value::from(-5)) && !holds(Value::from(0)) && !holds(Value::from(u64::MAX)));
        assert!(!holds(Value::from(-0.5)) && !holds(Value::from("-5")));
    }
}
