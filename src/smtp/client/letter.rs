//! What a connection and a transaction need to know.

use super::question::Change;
use super::wishes::Wishes;
use crate::mail::{BodyType, Domain, ForwardPath, Notify, OriginalRecipient, Ret, ReversePath};

/// How to speak to a next hop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Our own name, for EHLO, HELO or LHLO.
    pub helo: Domain,
    /// Speak LMTP (RFC 2033): LHLO, and a reply per recipient after the data.
    pub lmtp: bool,
}

/// What one transaction carries, besides the content itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The reverse-path.
    pub sender: ReversePath,
    /// To whom; outcomes come in the same order.
    pub recipients: Vec<Addressee>,
    /// What the content needs. `EightBitMime`: it really has octets beyond ASCII, or nobody looked. `BinaryMime`: its
    /// octets are sent as they are, by BDAT.
    pub body: BodyType,
    /// The message itself needs SMTPUTF8, for instance for its header. Addresses are looked at by the machine.
    pub smtputf8: bool,
    /// Octets of the content, line ends as CRLF, without the doubled dots (RFC 1870 3).
    pub size: u64,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID, in xtext.
    pub envid: Option<String>,
    /// What its sender asks of its way.
    pub wishes: Wishes,
}

/// One recipient of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The forward-path.
    pub path: ForwardPath,
    /// NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT, its address in xtext.
    pub orcpt: Option<OriginalRecipient>,
}

/// A letter on its way through the machine.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) letter: Letter,
    /// Nothing is sent but the envelope: its recipients are only asked for.
    pub(super) probe: bool,
    /// What was granted to its MAIL, if that was asked about before we had to say hello again.
    pub(super) granted: Option<Change>,
}

impl Errand {
    pub(super) fn new(letter: Letter, probe: bool) -> Self {
        Self { letter, probe, granted: None }
    }
}

impl Addressee {
    /// Whether the path needs SMTPUTF8.
    pub fn is_international(&self) -> bool {
        self.path.mailbox().is_some_and(crate::mail::Mailbox::is_international)
    }
}

impl Letter {
    /// One that asks for a recipient, for [`Client::probe`](super::Client::probe): from nobody, so that nothing is ever sent back,
    /// and without content.
    pub fn question(path: ForwardPath) -> Self {
        Self {
            sender: ReversePath::Null,
            recipients: vec![Addressee { path, notify: None, orcpt: None }],
            body: BodyType::SevenBit,
            smtputf8: false,
            size: 0,
            ret: None,
            envid: None,
            wishes: Wishes::default(),
        }
    }

    /// Whether its sender needs SMTPUTF8, or it does itself; so that nobody can get it without.
    pub fn is_international(&self) -> bool {
        self.smtputf8 || self.sender.mailbox().is_some_and(crate::mail::Mailbox::is_international)
    }
}
