//! What `in.auth` is about: credentials that a client has presented, and what a sink answers to them.
//!
//! Passwords and tokens are shown to sinks and to nobody else: `Debug` leaves them out, and no ledger has them.

use crate::config::Secret;
use bytes::Bytes;
use std::fmt;

/// Credentials, or a step of a mechanism that a sink has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The mechanism, in upper case: `PLAIN`.
    pub mechanism: String,
    /// Whose credentials they are, as far as the client says so.
    pub user: Option<String>,
    /// Whom the client wants to be taken for, if that is somebody else.
    pub authzid: Option<String>,
    /// How the client shows it.
    pub proof: Proof,
}

/// How a client shows who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A password, in clear text: PLAIN, LOGIN.
    Password(Secret),
    /// A bearer token: OAUTHBEARER, XOAUTH2.
    Token(Secret),
    /// The server has checked already that the client knows the user's password, or has a ticket of Kerberos: SCRAM, GSSAPI.
    Proven,
    /// The certificate of its TLS connection, which the origin has: EXTERNAL.
    Certificate,
    /// Octets of a mechanism that a sink has claimed. What it has to remember from step to step, it keeps as a property of the
    /// session.
    Step {
        /// 0 is the command itself.
        number: u32,
        /// What came; nothing if the command had no initial response.
        octets: Option<Bytes>,
    },
}

impl Proof {
    /// What kind it is.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Token(_) => "token",
            Self::Proven => "proven",
            Self::Certificate => "certificate",
            Self::Step { .. } => "step",
        }
    }
}

/// Without what is secret in it.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a sink answers at `in.auth`.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// This is who the client is.
    Identity(Identity),
    /// To a step of a claimed mechanism: send this challenge, and raise the event again with the client's response.
    Challenge(Bytes),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(identity) => identity.fmt(f),
            Self::Challenge(_) => f.write_str("Challenge(..)"),
        }
    }
}

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user, as rules see it as `auth`: 1 to 255 octets, no control characters.
    pub user: String,
    /// The sender addresses that he may use, or patterns of them. Nothing: as the user file has it, or those of his own name.
    pub senders: Option<Vec<String>>,
}

impl Identity {
    /// A user with the senders of his own name.
    pub fn of(user: impl Into<String>) -> Self {
        Self { user: user.into(), senders: None }
    }

    /// Whether it can be used.
    pub fn is_sound(&self) -> bool {
        (1..=255).contains(&self.user.len()) && !self.user.contains(char::is_control)
    }
}

impl From<Identity> for Login {
    fn from(identity: Identity) -> Self {
        Self::Identity(identity)
    }
}
