//! The envelope: who sends to whom, and what was asked for on the way (RFC 5321, RFC 3461, RFC 6152, RFC 6531; `wishes` for the others).

use super::address::{ForwardPath, ReversePath};
use super::property::Properties;
use super::reply::Reply;
use super::time::Timestamp;
use super::wishes::{DeliverBy, Priority};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// BODY= of MAIL (RFC 6152, RFC 3030 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyType {
    /// Seven bits, the default.
    #[default]
    #[serde(rename = "7BIT")]
    SevenBit,
    /// Eight bits.
    #[serde(rename = "8BITMIME")]
    EightBitMime,
    /// Any octets, in lines or not.
    #[serde(rename = "BINARYMIME")]
    BinaryMime,
}

/// RET= of MAIL: what a report brings back (RFC 3461 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header.
    Hdrs,
}

/// NOTIFY= of RCPT (RFC 3461 4.1). All false is NEVER.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// Report delivery.
    pub success: bool,
    /// Report failure.
    pub failure: bool,
    /// Report delay.
    pub delay: bool,
}

/// ORCPT= of RCPT: `type;address`, the address still in xtext as it came (RFC 3461 4.2, RFC 6533 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8` or another registered type, as written.
    pub kind: String,
    /// The encoded address, as written.
    pub address: String,
}

/// An ESMTP parameter that no rule of our own reads: `KEYWORD[=value]`, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// In upper case.
    pub keyword: String,
    /// What followed `=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// How the directory sees a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Delivered here.
    Local,
    /// Handed on: to a domain that we relay to, or from a client that may relay.
    Relay,
    /// A local domain without this user.
    Unknown,
    /// Neither ours nor allowed from this client.
    Denied,
}

impl Standing {
    /// As rules name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Relay => "relay",
            Self::Unknown => "unknown",
            Self::Denied => "denied",
        }
    }
}

/// What was decided for one recipient while the message was at the door.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// To be delivered.
    #[default]
    Accepted,
    /// Refused with this 5xx.
    Rejected(Reply),
    /// Put off with this 4xx.
    Deferred(Reply),
    /// Accepted and dropped.
    Discarded,
    /// Accepted and parked, for this reason.
    Held(String),
}

/// One recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where it goes.
    pub path: ForwardPath,
    /// Where the client wanted it to go, if a sink or the directory has rewritten it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<ForwardPath>,
    /// ORCPT as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<OriginalRecipient>,
    /// NOTIFY as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// Parameters that sinks claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// The reverse-path for this recipient, if it is not the envelope's: the owner of the list that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<ReversePath>,
    /// The Maildir that it goes to instead of one by its address: that of an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// As the directory saw it at RCPT, and from categorization on as that left it.
    pub standing: Standing,
    /// What was decided for it since.
    #[serde(default, skip_serializing_if = "is_accepted")]
    pub fate: Fate,
    /// What sinks noted.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

fn is_accepted(fate: &Fate) -> bool {
    *fate == Fate::Accepted
}

impl Recipient {
    /// A recipient of this standing about which nothing else is known.
    pub fn new(path: ForwardPath, standing: Standing) -> Self {
        Self {
            path,
            original: None,
            orcpt: None,
            notify: None,
            params: Vec::new(),
            sender: None,
            folder: None,
            standing,
            fate: Fate::Accepted,
            properties: Properties::default(),
        }
    }
}

/// Sender, recipients and the parameters of MAIL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The reverse-path.
    pub sender: ReversePath,
    /// In the order of their RCPTs.
    pub recipients: Vec<Recipient>,
    /// BODY.
    #[serde(default)]
    pub body: BodyType,
    /// SMTPUTF8 was given.
    #[serde(default)]
    pub smtputf8: bool,
    /// SIZE as declared, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// RET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<Ret>,
    /// ENVID, still in xtext as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
    /// HOLDFOR or HOLDUNTIL: it may not go before this time (RFC 4865).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Timestamp>,
    /// BY: when it is to be delivered (RFC 2852).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_by: Option<DeliverBy>,
    /// MT-PRIORITY as it was granted (RFC 6710). What the queue goes by is the property `queue.priority`, which sinks may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// REQUIRETLS was given (RFC 8689).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_tls: bool,
    /// Parameters of MAIL that sinks claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
}

impl Envelope {
    /// An envelope without recipients.
    pub fn new(sender: ReversePath) -> Self {
        Self {
            sender,
            recipients: Vec::new(),
            body: BodyType::SevenBit,
            smtputf8: false,
            size: None,
            ret: None,
            envid: None,
            hold: None,
            deliver_by: None,
            priority: None,
            require_tls: false,
            params: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_before_there_were_wishes_is_read_and_nothing_more_is_stored_without_any() {
        let old = r#"{"sender":"a@x.example","recipients":[],"body":"8BITMIME","smtputf8":false,"size":5}"#;
        let envelope: Envelope = serde_json::from_str(old).unwrap();
        assert_eq!((envelope.hold, envelope.deliver_by, envelope.priority), (None, None, None));
        assert!(!envelope.require_tls);
        assert_eq!(serde_json::to_string(&envelope).unwrap(), old);
    }
}
