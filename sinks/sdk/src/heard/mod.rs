//! An event as a sink hears it: what can be read. The changes are in [`edits`].
//!
//! Reads show things as they were when the call began, and cost one call of the server each: what is not asked for is not
//! copied. What is not known yet is absent or empty.

mod edits;
mod octets;
mod recipient;

pub use edits::{Bearer, Fate};
pub use octets::Octets;
pub use recipient::Recipient;

use crate::catalogue::{EventType, Focus, on};
use crate::seam;
use crate::wit::types::{Command, Credentials, Excess, Field, Further, NextState, Origin, Part, Question};
use crate::{Fault, Leg, Reply};
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

/// An event as a sink hears it.
pub struct Heard<'a, E: EventType> {
    session: Option<&'a seam::Session>,
    message: Option<&'a seam::Message>,
    focus: E::Focus<'a>,
}

impl<'a, E: EventType> Heard<'a, E> {
    pub(crate) fn new(
        session: Option<&'a seam::Session>,
        message: Option<&'a seam::Message>,
        focus: E::Focus<'a>,
    ) -> Self {
        Self { session, message, focus }
    }

    pub(crate) fn message_handle(&self) -> Option<&'a seam::Message> {
        self.message
    }

    /// The id to log by: the transaction's, else the session's.
    pub fn id(&self) -> Option<String> {
        self.message.map(seam::Message::id).or_else(|| self.session.and_then(seam::Session::id))
    }

    /// Where session or message come from. Absent at `server.*` only.
    pub fn origin(&self) -> Option<Origin> {
        self.session.map(seam::Session::origin)
    }

    /// The client's address.
    pub fn client(&self) -> Option<IpAddr> {
        self.origin()?.client?.parse().ok()
    }

    /// When the transaction began, since 1970.
    pub fn started(&self) -> Option<Duration> {
        self.message.map(|m| Duration::from_millis(m.started()))
    }

    /// The reverse-path. None for the null path `<>`, and before MAIL.
    pub fn sender(&self) -> Option<String> {
        self.message?.sender()
    }

    /// The reverse-path as rules and lists see it: `local@domain`, or `<>` for the null path, which so differs from one
    /// that is not known yet.
    pub fn sender_text(&self) -> Option<String> {
        self.message.map(|m| m.sender().unwrap_or_else(|| "<>".into()))
    }

    /// The recipients accepted so far, those of the leg, or all that are to be delivered.
    pub fn recipients(&self) -> Vec<Recipient<'a>> {
        self.message.map(seam::Message::recipients).unwrap_or_default().into_iter().map(Recipient::owned).collect()
    }

    /// The recipients for which the binding's rule holds, where it names recipients or standings; else all.
    pub fn matched_recipients(&self) -> Vec<Recipient<'a>> {
        self.recipients().into_iter().filter(Recipient::matched).collect()
    }

    /// Octets: declared until the message is there, then real.
    pub fn size(&self) -> Option<u64> {
        self.message?.size()
    }

    /// A parameter of MAIL that a sink has claimed, by its keyword: what follows `=`, empty without one. From `in.mail` on.
    pub fn parameter(&self, keyword: &str) -> Option<String> {
        self.message?.parameter(keyword)
    }

    /// The first field of that name, decoded (RFC 2047). From `in.headers` on.
    pub fn header(&self, name: &str) -> Option<String> {
        self.message?.header(name)
    }

    /// All fields of that name, decoded.
    pub fn headers(&self, name: &str) -> Vec<String> {
        self.message.map(|m| m.headers(name)).unwrap_or_default()
    }

    /// All fields in order, their values as they stand.
    pub fn fields(&self) -> Vec<Field> {
        self.message.map(seam::Message::fields).unwrap_or_default()
    }

    /// The header as it stands, without the blank line.
    pub fn raw_header(&self) -> Vec<u8> {
        self.message.map(seam::Message::raw_header).unwrap_or_default()
    }

    /// The body as it stands, to be read through or by range. From `in.message` on.
    pub fn body(&self) -> Octets<'a> {
        Octets::of_body(self.message)
    }

    /// The text that a reader would show, decoded. A fault if it is over 8 MiB or the MIME structure can't be read.
    pub fn text(&self) -> Result<Option<String>, Fault> {
        self.message.map_or(Ok(None), seam::Message::text).map_err(Fault::error)
    }

    /// The HTML that a reader would show, decoded. Faults as [`text`](Self::text) does.
    pub fn html(&self) -> Result<Option<String>, Fault> {
        self.message.map_or(Ok(None), seam::Message::html).map_err(Fault::error)
    }

    /// The MIME parts, the message itself first. A fault if the structure can't be read.
    pub fn parts(&self) -> Result<Vec<Part>, Fault> {
        self.message.map_or(Ok(Vec::new()), seam::Message::parts).map_err(Fault::error)
    }

    /// A part, decoded, to be read through or by range.
    pub fn part(&self, part: &Part) -> Octets<'a> {
        Octets::of_part(self.message, part)
    }

    /// A property by its full name, `sink.key`: the recipient's at hand, the message's, or the session's.
    pub fn property(&self, name: &str) -> Option<Value> {
        let json = self.focus.recipient().and_then(|r| r.property(name));
        let json = json.or_else(|| self.message.and_then(|m| m.property(name)));
        let json = json.or_else(|| self.session.and_then(|s| s.property(name)))?;
        serde_json::from_str(&json).ok()
    }
}

impl<'a> Heard<'a, on::InRcpt> {
    /// The recipient at hand.
    pub fn recipient(&self) -> Recipient<'a> {
        Recipient::borrowed(self.focus)
    }
}

impl<'a> Heard<'a, on::TransportCategorize> {
    /// The recipient at hand.
    pub fn recipient(&self) -> Recipient<'a> {
        Recipient::borrowed(self.focus)
    }
}

macro_rules! legs {
    ($($event:ident)+) => {
        $(impl Heard<'_, on::$event> {
            /// The leg of the message's way. [`recipients`](Self::recipients) are its own.
            pub fn leg(&self) -> &Leg {
                &self.focus
            }
        })+
    };
}
legs!(TransportRoute TransportDeliver TransportDelivered TransportDeferred TransportFailed OutQuit OutDisconnect);

macro_rules! outbound {
    ($($event:ident)+) => {
        $(impl Heard<'_, on::$event> {
            /// The leg of the message's way, as it was when the call began. [`recipients`](Self::recipients) are its own.
            pub fn leg(&self) -> Leg {
                self.focus.leg().into()
            }

            /// The command that is about to be sent, or that was answered: a verb in upper case, or `.` for the end of data.
            pub fn verb(&self) -> Option<String> {
                self.focus.verb()
            }
        })+
    };
}
outbound!(OutConnect OutHelo OutMessage OutMail OutRcpt OutData OutReply);

impl Heard<'_, on::OutReply> {
    /// How the session may go on.
    pub fn next_states(&self) -> Vec<NextState> {
        self.focus.next_states()
    }

    /// Whether the reply may be taken for a refusal, or for another one than it is.
    pub fn may_refuse(&self) -> bool {
        self.focus.may_refuse()
    }
}

impl Heard<'_, on::DnsResolve> {
    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.focus
    }
}

impl Heard<'_, on::Track> {
    /// The step, as the log of messages has it. A fault if it is not JSON, which the server does not let happen.
    pub fn step(&self) -> Result<Value, Fault> {
        Ok(serde_json::from_str(&self.focus)?)
    }
}

impl Heard<'_, on::InHelo> {
    /// What the client said.
    pub fn command(&self) -> &Command {
        &self.focus
    }
}

impl Heard<'_, on::InCommand> {
    /// What the client said.
    pub fn command(&self) -> &Command {
        &self.focus
    }
}

impl Heard<'_, on::InCommand> {
    /// What has come since the command, because the sink has asked for more.
    pub fn further(&self) -> Option<&Further> {
        self.focus.further.as_ref()
    }
}

impl Heard<'_, on::InAuth> {
    /// What the client has presented.
    pub fn credentials(&self) -> &Credentials {
        &self.focus
    }
}

impl Heard<'_, on::TransportOversize> {
    /// By how much the message is too large.
    pub fn excess(&self) -> Excess {
        self.focus
    }
}

impl Heard<'_, on::InReply> {
    /// The reply about to be written.
    pub fn reply(&self) -> Reply {
        self.focus.reply().into()
    }
}
