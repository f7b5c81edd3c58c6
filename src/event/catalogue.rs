//! The catalogue: the one list of events, and what is legal at each.
//!
//! The dispatcher, the manifest's checks, `mailsluice events`, and the types in [`on`] are all made from the table at the
//! end of this file, so that they can't disagree.

pub use super::kinds::{AnswerKind, EditKind, Fact, Kind, OnFault, VerdictKind};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// One row of the catalogue.
#[derive(Debug, Serialize)]
pub struct Spec {
    /// The event.
    #[serde(skip)]
    pub event: Event,
    /// As it stands in manifests, WIT, logs and documentation.
    pub name: &'static str,
    /// Decide or notify.
    pub kind: Kind,
    /// When it is raised.
    pub about: &'static str,
    /// Legal verdicts beside `next` and, at decide events, `skip-rest`.
    pub verdicts: &'static [VerdictKind],
    /// What `answer` carries.
    pub answer: AnswerKind,
    /// Legal edits.
    pub edits: &'static [EditKind],
    /// Legal fault policies; the first is the default.
    pub faults: &'static [OnFault],
    /// What rules may test.
    pub facts: &'static [Fact],
}

impl Spec {
    /// Whether `verdict` is legal here.
    pub fn allows(&self, verdict: VerdictKind) -> bool {
        match verdict {
            VerdictKind::Next => true,
            VerdictKind::SkipRest => self.kind == Kind::Decide,
            other => self.verdicts.contains(&other),
        }
    }

    /// The deadline of a binding that names none.
    pub fn deadline(&self) -> Duration {
        match self.event {
            Event::TransportDeliver => Duration::from_secs(300),
            Event::TransportSubmit | Event::TransportOversize => Duration::from_secs(5),
            _ if self.name.starts_with("in.") => Duration::from_secs(5),
            _ => Duration::from_secs(60),
        }
    }
}

impl Event {
    /// The event's row.
    #[inline]
    pub fn spec(self) -> &'static Spec {
        &CATALOGUE[self as usize]
    }

    /// As it stands in manifests.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The event of that name. `onArrival`, the script name of `transport.submit`, is one too.
    pub fn by_name(name: &str) -> Option<Self> {
        CATALOGUE
            .iter()
            .find(|s| s.name == name || (name == "onArrival" && s.event == Self::TransportSubmit))
            .map(|s| s.event)
    }

    /// The first event in the catalogue's order at which `fact` is known.
    pub fn first_with(fact: Fact) -> Option<Self> {
        CATALOGUE.iter().find(|s| s.facts.contains(&fact)).map(|s| s.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::by_name(&name).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not an event")))
    }
}

/// An event as a type, so that the compiler knows what is legal there.
pub trait EventType: Send + Sync + 'static {
    /// The event.
    const EVENT: Event;
}

/// The verdicts that an event's type may use; see [`Ruling`](super::Ruling).
pub mod may {
    use super::EventType;
    /// `answer` is legal, with a value of this type.
    pub trait Answer: EventType {
        /// The answer's type.
        type Value: Into<crate::event::Answer>;
    }
    /// `reject` is legal.
    pub trait Reject: EventType {}
    /// `defer` is legal.
    pub trait Defer: EventType {}
    /// `disconnect` is legal.
    pub trait Disconnect: EventType {}
    /// `discard` is legal.
    pub trait Discard: EventType {}
    /// `hold` is legal.
    pub trait Hold: EventType {}
}

/// The edits that an event's type may make; see [`Heard`](super::Heard).
pub mod can {
    use super::EventType;
    macro_rules! edits {
        ($($(#[$doc:meta])+ $name:ident,)+) => { $($(#[$doc])+ pub trait $name: EventType {})+ };
    }
    edits! {
        /// May delay the reply.
        Delay,
        /// May set limits for the session.
        Limits,
        /// May change the greeting.
        Greeting,
        /// May change EHLO keywords.
        Keywords,
        /// May rewrite the reverse-path.
        Sender,
        /// May rewrite the forward-path at hand.
        Rewrite,
        /// May add recipients.
        AddRecipient,
        /// May remove recipients.
        RemoveRecipient,
        /// May vouch for a recipient.
        Vouch,
        /// May decide about single recipients.
        Fate,
        /// May split recipients off.
        Split,
        /// May add fields on top of the header.
        Prepend,
        /// May edit the header.
        Header,
        /// May replace the body.
        Body,
        /// May set properties.
        Property,
        /// May change the text of the reply.
        ReplyText,
        /// May make new messages.
        Generate,
        /// May choose the address that a connection comes from.
        SourceAddress,
        /// May choose the name by which our client says hello.
        HeloName,
        /// May set how secure a connection has to be.
        TlsPolicy,
        /// May give credentials.
        Credentials,
        /// May add parameters to a command of our client.
        Parameter,
        /// May put commands before one of our client's, or in its place.
        Command,
    }
}

macro_rules! catalogue {
    ($($variant:ident $name:literal $kind:ident, $about:literal,
        verdicts [$($verdict:ident)*], answer $answer:ident, edits [$($edit:ident)*], faults [$($fault:ident)+], facts [$($fact:ident)*];)+) => {
        /// A named point in the life of a session or a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each variant is described by its row's `about`")]
        pub enum Event { $($variant),+ }

        /// How many events there are.
        pub const COUNT: usize = [$(Event::$variant),+].len();

        /// The table, in the order of the events.
        pub static CATALOGUE: [Spec; COUNT] = [$(Spec {
            event: Event::$variant,
            name: $name,
            kind: Kind::$kind,
            about: $about,
            verdicts: &[$(VerdictKind::$verdict),*],
            answer: AnswerKind::$answer,
            edits: &[$(EditKind::$edit),*],
            faults: &[$(OnFault::$fault),+],
            facts: &[$(Fact::$fact),*],
        }),+];

        /// The events as types.
        pub mod on {
            use super::{can, may, Event, EventType};
            $(
                #[doc = concat!("`", $name, "`: ", $about, ".")]
                #[derive(Clone, Copy, Debug)]
                pub struct $variant;
                impl EventType for $variant {
                    const EVENT: Event = Event::$variant;
                }
                $(catalogue!(@may $verdict $variant);)*
                $(impl can::$edit for $variant {})*
            )+
        }
    };
    // The answer's type is given by hand below, where the event is raised.
    (@may Answer $variant:ident) => {};
    (@may $verdict:ident $variant:ident) => { impl may::$verdict for $variant {} };
}

macro_rules! answers {
    ($($event:ident: $value:ty,)+) => { $(impl may::Answer for on::$event { type Value = $value; })+ };
}

answers! {
    InAuth: crate::event::Login,
    InCommand: crate::event::CommandAnswer,
    TransportOversize: u64,
    TransportCategorize: crate::event::Resolution,
    TransportRoute: Vec<crate::event::RouteHop>,
    TransportDeliver: Vec<crate::event::SinkOutcome>,
    OutReply: crate::smtp::client::Next,
    DnsResolve: Vec<String>,
}

catalogue! {
    InConnect "in.connect" Decide, "a connection was accepted; before the greeting",
        verdicts [Reject Defer Disconnect], answer None, edits [Delay Limits Greeting Property], faults [Defer Continue Reject], facts [Origin];
    InHelo "in.helo" Decide, "HELO, EHLO or LHLO",
        verdicts [Reject Defer Disconnect], answer None, edits [Delay Limits Keywords Property], faults [Defer Continue Reject], facts [Origin Verb];
    InTls "in.tls" Decide, "the TLS handshake is done; before the greeting where it comes first",
        verdicts [Reject Defer Disconnect], answer None, edits [Delay Limits Property], faults [Defer Continue Reject], facts [Origin];
    InAuth "in.auth" Decide, "credentials were presented, or a claimed mechanism takes a step",
        verdicts [Answer Reject Defer Disconnect], answer Identity, edits [Delay Limits Property], faults [Defer Continue Reject], facts [Origin];
    InMail "in.mail" Decide, "MAIL",
        verdicts [Reject Defer Disconnect Discard Hold], answer None, edits [Delay Sender Property], faults [Defer Continue Reject Hold], facts [Origin Sender Size];
    InRcpt "in.rcpt" Decide, "each RCPT that passed the guards",
        verdicts [Reject Defer Disconnect Discard Hold], answer None, edits [Delay Rewrite AddRecipient Vouch Property], faults [Defer Continue Reject Hold], facts [Origin Sender Recipient Standing Size];
    InData "in.data" Decide, "DATA or the first BDAT; before the 354",
        verdicts [Reject Defer Disconnect Discard Hold], answer None, edits [Delay Property], faults [Defer Continue Reject Hold], facts [Origin Sender Recipient Standing Size];
    InHeaders "in.headers" Decide, "once per message, when its header is complete; the socket is not read meanwhile",
        verdicts [Reject Defer Disconnect Discard Hold], answer None, edits [Property], faults [Defer Continue Reject Hold], facts [Origin Sender Recipient Standing Size Header];
    InMessage "in.message" Decide, "the whole message was received over a session; it is not yet durable",
        verdicts [Reject Defer Disconnect Discard Hold], answer None, edits [Delay Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate], faults [Defer Continue Reject Hold], facts [Origin Sender Recipient Standing Size Header];
    InCommand "in.command" Decide, "VRFY, EXPN, HELP, NOOP, and verbs that a sink claims; RSET and QUIT are told",
        verdicts [Answer Reject Defer Disconnect], answer Reply, edits [Delay Property], faults [Defer Continue Reject], facts [Origin Sender Verb];
    InReply "in.reply" Decide, "a reply is about to be written; not the greeting, the answer to EHLO, or 354",
        verdicts [], answer None, edits [ReplyText], faults [Continue], facts [Origin Sender Reply];
    InDisconnect "in.disconnect" Notify, "the session is over, for whatever reason",
        verdicts [], answer None, edits [], faults [Continue], facts [Origin];
    TransportOversize "transport.oversize" Decide, "over the size limit: at MAIL when declared, else when the count crosses",
        verdicts [Answer Reject Defer Disconnect], answer Limit, edits [Property], faults [Defer Continue Reject], facts [Origin Sender Size];
    TransportSubmit "transport.submit" Decide, "a message enters by any door; before it is durable and before the 250",
        verdicts [Reject Defer Discard Hold], answer None, edits [Delay Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate], faults [Defer Continue Reject Hold], facts [Origin Sender Recipient Standing Size Header];
    TransportPreCategorize "transport.pre-categorize" Decide, "accepted and durable; a pass begins",
        verdicts [Reject Defer Discard Hold], answer None, edits [Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate], faults [Defer Continue Hold], facts [Origin Sender Recipient Standing Size Header];
    TransportCategorize "transport.categorize" Decide, "each recipient to resolve",
        verdicts [Answer Reject Defer Discard Hold], answer Resolution, edits [Rewrite AddRecipient Fate Property Generate], faults [Defer Continue Hold], facts [Origin Sender Recipient Standing Size Header];
    TransportPostCategorize "transport.post-categorize" Decide, "all recipients are resolved",
        verdicts [Reject Defer Discard Hold], answer None, edits [Sender AddRecipient RemoveRecipient Fate Split Prepend Header Body Property Generate], faults [Defer Continue Hold], facts [Origin Sender Recipient Standing Size Header];
    TransportRoute "transport.route" Decide, "a recipient domain needs a next hop",
        verdicts [Answer Reject Defer Discard Hold], answer Route, edits [Property Generate], faults [Defer Continue Hold], facts [Origin Sender Recipient Standing Size Header Domain Attempt];
    TransportDeliver "transport.deliver" Decide, "recipients are due on a route of this sink's",
        verdicts [Answer Reject Defer Discard Hold], answer Outcomes, edits [Property Generate], faults [Defer Continue Hold], facts [Origin Sender Recipient Standing Size Header Domain Host Attempt];
    TransportDelivered "transport.delivered" Notify, "an attempt ended in delivery",
        verdicts [], answer None, edits [], faults [Continue], facts [Origin Sender Recipient Standing Size Header Domain Host Reply Attempt];
    TransportDeferred "transport.deferred" Decide, "an attempt ended in deferral",
        verdicts [Reject Defer Discard Hold], answer None, edits [Property Generate], faults [Continue Defer Hold], facts [Origin Sender Recipient Standing Size Header Domain Host Reply Attempt];
    TransportFailed "transport.failed" Decide, "an attempt ended in failure",
        verdicts [Reject Defer Discard Hold], answer None, edits [Property Generate], faults [Continue Defer Hold], facts [Origin Sender Recipient Standing Size Header Domain Host Reply Attempt];
    TransportDsn "transport.dsn" Decide, "a delivery status notification is about to be submitted",
        verdicts [Defer Discard Hold], answer None, edits [Prepend Header Body Property], faults [Continue Defer Hold], facts [Origin Sender Recipient Standing Size Header];
    OutConnect "out.connect" Decide, "before a connection is opened for a message, or one that is open is used for it",
        verdicts [Reject Defer], answer None, edits [SourceAddress HeloName TlsPolicy Credentials Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Domain Host Attempt];
    OutHelo "out.helo" Decide, "before our client says EHLO, HELO or LHLO on a new connection",
        verdicts [Reject Defer], answer None, edits [Command Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Verb Domain Host Attempt];
    OutMessage "out.message" Decide, "the content as this hop will get it, conversions done; before MAIL, which tells its size",
        verdicts [Reject Defer], answer None, edits [Prepend Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Domain Host Attempt];
    OutMail "out.mail" Decide, "before our client says MAIL",
        verdicts [Reject Defer], answer None, edits [Parameter Command Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Verb Domain Host Attempt];
    OutRcpt "out.rcpt" Decide, "before our client says RCPT",
        verdicts [Reject Defer], answer None, edits [Parameter Command Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Verb Domain Host Attempt];
    OutData "out.data" Decide, "before our client says DATA, or BDAT for the first time",
        verdicts [Reject Defer], answer None, edits [Command Property], faults [Defer Continue], facts [Origin Sender Recipient Size Header Verb Domain Host Attempt];
    OutReply "out.reply" Decide, "the remote's reply arrived",
        verdicts [Answer Reject Defer], answer Step, edits [Property], faults [Continue Defer], facts [Origin Sender Recipient Size Header Verb Domain Host Reply Attempt];
    OutQuit "out.quit" Decide, "before our client says QUIT",
        verdicts [], answer None, edits [Property], faults [Continue], facts [Origin Domain Host];
    OutDisconnect "out.disconnect" Notify, "an outbound session is over",
        verdicts [], answer None, edits [], faults [Continue], facts [Origin Domain Host];
    DnsResolve "dns.resolve" Decide, "MX or address look-up for a route",
        verdicts [Answer Defer], answer Records, edits [], faults [Continue Defer], facts [Domain];
    Track "track" Notify, "every step that the message log records",
        verdicts [], answer None, edits [], faults [Continue], facts [Origin Sender Recipient];
    ServerStart "server.start" Notify, "the server accepts connections",
        verdicts [], answer None, edits [], faults [Continue], facts [];
    ServerReload "server.reload" Notify, "another snapshot is in force",
        verdicts [], answer None, edits [], faults [Continue], facts [];
    ServerShutdown "server.shutdown" Notify, "the server has begun to stop",
        verdicts [], answer None, edits [], faults [Continue], facts [];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_consistent() {
        for spec in &CATALOGUE {
            assert_eq!(CATALOGUE[spec.event as usize].name, spec.name);
            assert_eq!(Event::by_name(spec.name), Some(spec.event));
            assert_eq!(spec.answer != AnswerKind::None, spec.allows(VerdictKind::Answer), "{}", spec.name);
            // A policy must be a verdict that the event allows.
            for policy in spec.faults {
                let needed = match policy {
                    OnFault::Continue => VerdictKind::Next,
                    OnFault::Defer => VerdictKind::Defer,
                    OnFault::Reject => VerdictKind::Reject,
                    OnFault::Hold => VerdictKind::Hold,
                };
                assert!(spec.allows(needed), "{} has the policy {policy:?}", spec.name);
            }
            if spec.kind == Kind::Notify {
                assert!(
                    spec.verdicts.is_empty() && spec.edits.is_empty() && spec.faults == [OnFault::Continue],
                    "{}",
                    spec.name
                );
            }
            let after_submit = spec.name.starts_with("transport.") && spec.event > Event::TransportSubmit;
            assert!(!(after_submit && spec.faults.contains(&OnFault::Reject)), "{} would bounce on a fault", spec.name);
        }
        assert_eq!(Event::by_name("onArrival"), Some(Event::TransportSubmit));
    }

    #[test]
    fn the_first_event_of_each_key_is_that_of_the_contract() {
        for (fact, event) in [
            (Fact::Sender, "in.mail"),
            (Fact::Recipient, "in.rcpt"),
            (Fact::Standing, "in.rcpt"),
            (Fact::Size, "in.mail"),
            (Fact::Header, "in.headers"),
        ] {
            assert_eq!(Event::first_with(fact).map(Event::name), Some(event));
        }
    }
}
