//! How a message came in: stored with it, so that rules and sinks have it later.

use super::id::Id;
use super::tls::{self, TlsFacts};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The way by which a message entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// An SMTP session.
    Smtp,
    /// An LMTP session.
    Lmtp,
    /// The pickup directory.
    Pickup,
    /// `mailsluice send`.
    Send,
    /// A message that a sink made.
    Sink,
    /// A delivery status notification of our own.
    Dsn,
}

impl Door {
    /// As rules and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
            Self::Pickup => "pickup",
            Self::Send => "send",
            Self::Sink => "sink",
            Self::Dsn => "dsn",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mail from other servers.
    #[default]
    Mx,
    /// Mail from users' clients (RFC 6409).
    Submission,
    /// Mail from a queueing server, with a reply per recipient (RFC 2033).
    Lmtp,
}

impl Role {
    /// As configuration and rules name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mx => "mx",
            Self::Submission => "submission",
            Self::Lmtp => "lmtp",
        }
    }
}

/// Of what a message was made that came in by [`Door::Sink`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The sink that made it. It does not hear the message.
    pub by: Arc<str>,
    /// The transaction or message at which it was made.
    pub parent: Id,
    /// How many messages were made for it to be, itself included.
    pub depth: u8,
}

/// Where a session or message comes from. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The way in.
    pub door: Door,
    /// The session it came over, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Id>,
    /// The listener's address as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Arc<str>>,
    /// The listener's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The client's name, if its address has one that leads back to the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<Arc<str>>,
    /// What the client said after HELO, EHLO or LHLO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helo: Option<Arc<str>>,
    /// The authenticated user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Arc<str>>,
    /// The TLS in use.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "tls::stored")]
    pub tls: Option<Arc<TlsFacts>>,
    /// Of what it was made, if a sink has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

impl Origin {
    /// An origin of which nothing is known but the door.
    pub fn door(door: Door) -> Self {
        Self {
            door,
            session: None,
            listener: None,
            role: None,
            client: None,
            client_name: None,
            helo: None,
            auth: None,
            tls: None,
            made: None,
        }
    }

    /// The origin of a message that the sink `by` made at `parent`, which came from here itself.
    pub fn of_made(&self, by: Arc<str>, parent: Id) -> Self {
        let depth = self.depth().saturating_add(1);
        Self { made: Some(Made { by, parent, depth }), ..Self::door(Door::Sink) }
    }

    /// The TLS version in use, as rules see it.
    pub fn tls_version(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.version.as_str())
    }

    /// How many messages were made for this one to be; 0 if no sink made it.
    pub fn depth(&self) -> u8 {
        self.made.as_ref().map_or(0, |made| made.depth)
    }
}
