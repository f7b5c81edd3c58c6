//! The server's side of an exchange: one machine for each mechanism, behind one trait.

use super::claim::Claim;
use super::external::External;
use super::gssapi::{Ask, Gssapi, Told};
use super::login::Login;
use super::mechanism::Mechanism;
use super::oauth::Oauth;
use super::plain::Plain;
use super::scram::{Keys, ScramServer};
use std::fmt;

/// What the driver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, perhaps empty, challenge and give the client's response to [`Server::respond`].
    Challenge(Vec<u8>),
    /// Find the keys of this user and give them to [`Server::keys`]; keys made up if there is none.
    Keys(String),
    /// Ask this of the security context of this exchange, off the event loop, and give what it says to [`Server::context`].
    Context(Ask),
    /// Find out whether the claim holds and say so to [`Server::settle`].
    Check(Claim),
    /// The client is authenticated: the claim that was checked is true, and the client knows.
    Done,
    /// It is not.
    Failed(Failure),
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client's message is none of the mechanism's. For the operator: what is wrong with it.
    Malformed(&'static str),
    /// The credentials are not good, of whatever kind the fault is. For the operator, never for the client: what it is.
    Refused(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

/// One exchange. A call that does not fit the last step fails the exchange; after [`Step::Done`] and [`Step::Failed`] it is over.
pub trait Server: Send + Sync {
    /// A response of the client: the initial one, or that to the last challenge. At most [`MESSAGE_MAX`](super::MESSAGE_MAX) octets.
    fn respond(&mut self, response: &[u8]) -> Step;

    /// The client sent no initial response.
    fn open(&mut self) -> Step {
        Step::Challenge(Vec::new())
    }

    /// The keys that [`Step::Keys`] asked for.
    fn keys(&mut self, _: Keys) -> Step {
        Step::Failed(MISUSE)
    }

    /// What the security context said.
    fn context(&mut self, _: Told) -> Step {
        Step::Failed(MISUSE)
    }

    /// Whether the claim of [`Step::Check`] holds.
    fn settle(&mut self, holds: bool) -> Step {
        if holds { Step::Done } else { Step::Failed(Failure::Refused("the credentials are wrong")) }
    }
}

/// The driver and the machine have lost step.
pub(super) const MISUSE: Failure = Failure::Malformed("the exchange is over");

/// What ties an exchange to its TLS connection (RFC 5056).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// `tls-exporter` (RFC 9266): 32 octets. On TLS 1.2 only with an extended master secret.
    pub exporter: Option<Vec<u8>>,
    /// `tls-server-end-point` (RFC 5929): the hash of the server's certificate.
    pub end_point: Option<Vec<u8>>,
}

impl Binding {
    /// The data of a type of binding, if we have it.
    pub fn data(&self, kind: &str) -> Option<&[u8]> {
        match kind {
            "tls-exporter" => self.exporter.as_deref(),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.end_point.is_none()
    }
}

/// What a mechanism needs that it can't make itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Printable ASCII without a comma, never used twice and not to be guessed: for SCRAM.
    pub nonce: String,
    /// The TLS connection's.
    pub binding: Binding,
    /// Whether a mechanism with channel binding was announced to this client: one that saw no such then met somebody in the middle.
    pub plus: bool,
}

/// The machine of a mechanism.
pub fn start(mechanism: Mechanism, setup: Setup) -> Box<dyn Server> {
    match mechanism {
        Mechanism::Plain => Box::new(Plain),
        Mechanism::Login => Box::new(Login::default()),
        Mechanism::External => Box::new(External),
        Mechanism::OauthBearer => Box::new(Oauth::bearer()),
        Mechanism::Xoauth2 => Box::new(Oauth::xoauth2()),
        Mechanism::ScramSha256 => Box::new(ScramServer::new(setup, false)),
        Mechanism::ScramSha256Plus => Box::new(ScramServer::new(setup, true)),
        Mechanism::Gssapi => Box::new(Gssapi::new()),
    }
}

/// The message as text.
pub(super) fn text(message: &[u8]) -> Result<&str, Failure> {
    if message.len() > super::MESSAGE_MAX {
        return Err(Failure::Malformed("the message is too long"));
    }
    std::str::from_utf8(message).map_err(|_| Failure::Malformed("the message is not UTF-8"))
}
