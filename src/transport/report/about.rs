//! What a report is about, and what comes out.

use crate::mail::{
    BodyType, Content, Domain, EnhancedCode, Envelope, Id, Message, Origin, Recipient, Reply, Timestamp,
};

/// What became of a recipient (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Not delivered, and not tried again.
    Failed,
    /// Not delivered yet, and tried again.
    Delayed,
    /// In the recipient's mailbox.
    Delivered,
    /// Handed on to a server that does not take over the duty to report.
    Relayed,
    /// Delivered to an address that stands for several, of which nothing more is told.
    Expanded,
}

impl Action {
    /// All of them, in the order in which a report tells of them: the worst first.
    pub const ALL: [Self; 5] = [Self::Failed, Self::Delayed, Self::Delivered, Self::Relayed, Self::Expanded];

    /// As the field `Action` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

/// What is reported of one recipient.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The recipient.
    pub recipient: &'a Recipient,
    /// What became of it.
    pub action: Action,
    /// Why; its class fits the action: 5 failed, 4 delayed, else 2 (RFC 3464 2.3.4).
    pub status: EnhancedCode,
    /// What was said of it, by the remote host or by us.
    pub reply: Option<&'a Reply>,
    /// The host that said so, as `host:port` or `host:port [address]`; none if it was us.
    pub remote: Option<&'a str>,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// When it will be given up; of a delay.
    pub retry_until: Option<Timestamp>,
}

/// What is reported of one message: what a pass came to.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The id of the report.
    pub id: Id,
    /// The id of the message that it is about.
    pub about_id: Id,
    /// Our name.
    pub hostname: &'a Domain,
    /// The time.
    pub now: Timestamp,
    /// The message's; its sender is who is told.
    pub envelope: &'a Envelope,
    /// Where the message came from.
    pub origin: &'a Origin,
    /// When it came.
    pub arrived: Timestamp,
    /// The message.
    pub message: &'a Message,
    /// Whom to report of; at least one. Actions may be mixed.
    pub recipients: Vec<About<'a>>,
}

/// A report, ready to be submitted with a null reverse-path to the message's sender.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Its octets. What is returned of a body lies where the message has it.
    pub content: Content,
    /// Octets of its header, without the blank line.
    pub header_len: u64,
    /// BODY for its envelope.
    pub body: BodyType,
    /// SMTPUTF8 for its envelope.
    pub smtputf8: bool,
}
