//! The events as types, and what is legal at each: the rows of the server's catalogue.
//!
//! The server checks what a sink says against its own table; this one makes most of it an error of the compiler. A test
//! compares the two.

use crate::seam;
use crate::wit::types;

/// An event as a type, so that the compiler knows what is legal there.
pub trait EventType: Sized + 'static {
    /// As it stands in manifests.
    const NAME: &'static str;
    /// What the event is about beside session and message.
    #[doc(hidden)]
    type Focus<'a>: Focus<'a>;
}

/// What an event is about beside session and message.
#[doc(hidden)]
pub trait Focus<'a> {
    /// The recipient, if it is one.
    fn recipient(&self) -> Option<&'a seam::Recipient> {
        None
    }

    /// What our client is about to do, if it is that.
    fn outbound(&self) -> Option<&'a seam::Outbound> {
        None
    }
}

impl Focus<'_> for () {}
impl Focus<'_> for types::Command {}
impl Focus<'_> for types::Credentials {}
impl Focus<'_> for types::Excess {}
impl Focus<'_> for types::Question {}
impl Focus<'_> for crate::Leg {}
impl Focus<'_> for String {}
impl Focus<'_> for &seam::Outgoing {}
impl<'a> Focus<'a> for &'a seam::Outbound {
    fn outbound(&self) -> Option<&'a seam::Outbound> {
        Some(self)
    }
}
impl<'a> Focus<'a> for &'a seam::Recipient {
    fn recipient(&self) -> Option<&'a seam::Recipient> {
        Some(self)
    }
}

/// The verdicts that an event's type may use; see [`Ruling`](crate::Ruling).
pub mod may {
    use super::EventType;
    use crate::wit::types;

    /// `answer` is legal, with a value of this type.
    pub trait Answer: EventType {
        /// The answer's type.
        type Value;
        #[doc(hidden)]
        fn answer(value: Self::Value) -> types::Answer;
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

/// The edits that an event's type may make; see [`Heard`](crate::Heard).
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
        /// May make messages.
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
    ($($variant:ident $name:literal $kind:ident $focus:ty, $about:literal, verdicts [$($verdict:ident)*], edits [$($edit:ident)*];)+) => {
        /// The events as types.
        pub mod on {
            use super::{EventType, can, may, seam, types};
            $(
                #[doc = concat!("`", $name, "`: ", $about, ".")]
                #[derive(Clone, Copy, Debug)]
                pub struct $variant;
                impl EventType for $variant {
                    const NAME: &'static str = $name;
                    type Focus<'a> = $focus;
                }
                $(catalogue!(@may $verdict $variant);)*
                $(impl can::$edit for $variant {})*
            )+
        }

        #[cfg(test)]
        const ROWS: &[(&str, &str, &str, &str, &str)] =
            &[$((stringify!($variant), $name, stringify!($kind), stringify!($($verdict)*), stringify!($($edit)*))),+];
    };
    // The answer's type is given by hand below.
    (@may Answer $variant:ident) => {};
    (@may $verdict:ident $variant:ident) => { impl may::$verdict for $variant {} };
}

impl may::Answer for on::InCommand {
    type Value = crate::CommandAnswer;
    fn answer(value: crate::CommandAnswer) -> types::Answer {
        value.into()
    }
}
impl may::Answer for on::InAuth {
    type Value = crate::Login;
    fn answer(value: crate::Login) -> types::Answer {
        value.into()
    }
}
impl may::Answer for on::TransportOversize {
    type Value = u64;
    fn answer(value: u64) -> types::Answer {
        types::Answer::Limit(value)
    }
}
impl may::Answer for on::TransportCategorize {
    type Value = types::Resolution;
    fn answer(value: types::Resolution) -> types::Answer {
        types::Answer::Resolution(value)
    }
}
impl may::Answer for on::TransportRoute {
    type Value = Vec<String>;
    fn answer(value: Vec<String>) -> types::Answer {
        types::Answer::Route(value)
    }
}
impl may::Answer for on::TransportDeliver {
    type Value = Vec<crate::Outcome>;
    fn answer(value: Vec<crate::Outcome>) -> types::Answer {
        types::Answer::Outcomes(value.into_iter().map(Into::into).collect())
    }
}
impl may::Answer for on::OutReply {
    type Value = types::NextState;
    fn answer(value: types::NextState) -> types::Answer {
        types::Answer::Step(value)
    }
}
impl may::Answer for on::DnsResolve {
    type Value = Vec<String>;
    fn answer(value: Vec<String>) -> types::Answer {
        types::Answer::Records(value)
    }
}

catalogue! {
    InConnect "in.connect" Decide (), "a connection was accepted; before the greeting",
        verdicts [Reject Defer Disconnect], edits [Delay Limits Greeting Property];
    InHelo "in.helo" Decide types::Command, "HELO, EHLO or LHLO",
        verdicts [Reject Defer Disconnect], edits [Delay Limits Keywords Property];
    InTls "in.tls" Decide (), "the TLS handshake is done; before the greeting where it comes first",
        verdicts [Reject Defer Disconnect], edits [Delay Limits Property];
    InAuth "in.auth" Decide types::Credentials, "credentials were presented, or a claimed mechanism takes a step",
        verdicts [Answer Reject Defer Disconnect], edits [Delay Limits Property];
    InMail "in.mail" Decide (), "MAIL",
        verdicts [Reject Defer Disconnect Discard Hold], edits [Delay Sender Property];
    InRcpt "in.rcpt" Decide &'a seam::Recipient, "each RCPT that passed the guards",
        verdicts [Reject Defer Disconnect Discard Hold], edits [Delay Rewrite AddRecipient Vouch Property];
    InData "in.data" Decide (), "DATA or the first BDAT; before the 354",
        verdicts [Reject Defer Disconnect Discard Hold], edits [Delay Property];
    InHeaders "in.headers" Decide (), "once per message, when its header is complete; the socket is not read meanwhile",
        verdicts [Reject Defer Disconnect Discard Hold], edits [Property];
    InMessage "in.message" Decide (), "the whole message was received over a session; it is not yet durable",
        verdicts [Reject Defer Disconnect Discard Hold], edits [Delay Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate];
    InCommand "in.command" Decide types::Command, "VRFY, EXPN, HELP, NOOP, and verbs that a sink claims; RSET and QUIT are told",
        verdicts [Answer Reject Defer Disconnect], edits [Delay Property];
    InReply "in.reply" Decide &'a seam::Outgoing, "a reply is about to be written; not the greeting, the answer to EHLO, or 354",
        verdicts [], edits [ReplyText];
    InDisconnect "in.disconnect" Notify (), "the session is over, for whatever reason",
        verdicts [], edits [];
    TransportOversize "transport.oversize" Decide types::Excess, "over the size limit: at MAIL when declared, else when the count crosses",
        verdicts [Answer Reject Defer Disconnect], edits [Property];
    TransportSubmit "transport.submit" Decide (), "a message enters by any door; before it is durable and before the 250",
        verdicts [Reject Defer Discard Hold], edits [Delay Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate];
    TransportPreCategorize "transport.pre-categorize" Decide (), "accepted and durable; a pass begins",
        verdicts [Reject Defer Discard Hold], edits [Sender AddRecipient RemoveRecipient Fate Prepend Header Body Property Generate];
    TransportCategorize "transport.categorize" Decide &'a seam::Recipient, "each recipient to resolve",
        verdicts [Answer Reject Defer Discard Hold], edits [Rewrite AddRecipient Fate Property Generate];
    TransportPostCategorize "transport.post-categorize" Decide (), "all recipients are resolved",
        verdicts [Reject Defer Discard Hold], edits [Sender AddRecipient RemoveRecipient Fate Split Prepend Header Body Property Generate];
    TransportRoute "transport.route" Decide crate::Leg, "a recipient domain needs a next hop",
        verdicts [Answer Reject Defer Discard Hold], edits [Property Generate];
    TransportDeliver "transport.deliver" Decide crate::Leg, "recipients are due on a route of this sink's",
        verdicts [Answer Reject Defer Discard Hold], edits [Property Generate];
    TransportDelivered "transport.delivered" Notify crate::Leg, "an attempt ended in delivery",
        verdicts [], edits [];
    TransportDeferred "transport.deferred" Decide crate::Leg, "an attempt ended in deferral",
        verdicts [Reject Defer Discard Hold], edits [Property Generate];
    TransportFailed "transport.failed" Decide crate::Leg, "an attempt ended in failure",
        verdicts [Reject Defer Discard Hold], edits [Property Generate];
    TransportDsn "transport.dsn" Decide (), "a delivery status notification is about to be submitted",
        verdicts [Defer Discard Hold], edits [Prepend Header Body Property];
    OutConnect "out.connect" Decide &'a seam::Outbound, "before a connection is opened for a message, or one that is open is used for it",
        verdicts [Reject Defer], edits [SourceAddress HeloName TlsPolicy Credentials Property];
    OutHelo "out.helo" Decide &'a seam::Outbound, "before our client says EHLO, HELO or LHLO on a new connection",
        verdicts [Reject Defer], edits [Command Property];
    OutMessage "out.message" Decide &'a seam::Outbound, "the content as this hop will get it, conversions done; before MAIL, which tells its size",
        verdicts [Reject Defer], edits [Prepend Property];
    OutMail "out.mail" Decide &'a seam::Outbound, "before our client says MAIL",
        verdicts [Reject Defer], edits [Parameter Command Property];
    OutRcpt "out.rcpt" Decide &'a seam::Outbound, "before our client says RCPT",
        verdicts [Reject Defer], edits [Parameter Command Property];
    OutData "out.data" Decide &'a seam::Outbound, "before our client says DATA, or BDAT for the first time",
        verdicts [Reject Defer], edits [Command Property];
    OutReply "out.reply" Decide &'a seam::Outbound, "the remote's reply arrived",
        verdicts [Answer Reject Defer], edits [Property];
    OutQuit "out.quit" Decide crate::Leg, "before our client says QUIT",
        verdicts [], edits [Property];
    OutDisconnect "out.disconnect" Notify crate::Leg, "an outbound session is over",
        verdicts [], edits [];
    DnsResolve "dns.resolve" Decide types::Question, "MX or address look-up for a route",
        verdicts [Answer Defer], edits [];
    Track "track" Notify String, "every step that the message log records",
        verdicts [], edits [];
    ServerStart "server.start" Notify (), "the server accepts connections",
        verdicts [], edits [];
    ServerReload "server.reload" Notify (), "another snapshot is in force",
        verdicts [], edits [];
    ServerShutdown "server.shutdown" Notify (), "the server has begun to stop",
        verdicts [], edits [];
}

#[cfg(test)]
mod tests {
    use super::ROWS;

    /// The server's table is the only list. Its rows stand in the same spelling.
    #[test]
    fn each_row_is_the_server_s() {
        let server = include_str!("../../../src/event/catalogue.rs");
        for (variant, name, kind, verdicts, edits) in ROWS {
            let head = format!("    {variant} \"{name}\" {kind},");
            let row = server.split_once(&head).unwrap_or_else(|| panic!("the server has no row `{head}`")).1;
            let row = row.split(';').find(|s| s.contains("verdicts [")).unwrap();
            // The compiler breaks long lists.
            let (verdicts, edits) = (verdicts.replace('\n', " "), edits.replace('\n', " "));
            assert!(row.contains(&format!("verdicts [{verdicts}]")), "{name}: {row}");
            assert!(row.contains(&format!("edits [{edits}]")), "{name}: {row}");
        }
        let rows = server.lines().filter(|line| line.contains("\" Decide, \"") || line.contains("\" Notify, \""));
        assert_eq!(rows.count(), ROWS.len());
    }
}
