//! What the catalogue is made of: the kinds of events, verdicts, answers and edits, fault policies, and the facts that rules test.

use serde::{Deserialize, Serialize};

/// Whether the core waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The core waits for the verdict.
    Decide,
    /// Sinks are told; nobody waits.
    Notify,
}

/// The verdicts by name. `next` is legal everywhere, `skip-rest` at every decide event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// No objection.
    Next,
    /// No objection, and no later sink need look.
    SkipRest,
    /// Handled here.
    Answer,
    /// 5xx.
    Reject,
    /// 4xx.
    Defer,
    /// Refuse and close.
    Disconnect,
    /// Accept and drop.
    Discard,
    /// Accept and park.
    Hold,
}

/// The type of an event's own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerKind {
    /// The event has none.
    None,
    /// A reply to the command, and what is to happen then.
    Reply,
    /// Who the client is.
    Identity,
    /// What a recipient resolves to.
    Resolution,
    /// Where a domain goes.
    Route,
    /// What became of each recipient.
    Outcomes,
    /// DNS records.
    Records,
    /// A number of octets.
    Limit,
    /// The next step of the outbound session.
    Step,
}

/// The kinds of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditKind {
    /// Wait before the reply.
    Delay,
    /// Other limits for this session.
    Limits,
    /// Another text in the greeting.
    Greeting,
    /// EHLO keywords.
    Keywords,
    /// The reverse-path.
    Sender,
    /// The forward-path at hand.
    Rewrite,
    /// More recipients.
    AddRecipient,
    /// Fewer recipients.
    RemoveRecipient,
    /// Accept a recipient that a guard would refuse.
    Vouch,
    /// Reject, defer, discard or hold one recipient.
    Fate,
    /// Recipients into a message of their own.
    Split,
    /// Header fields on top of the others.
    Prepend,
    /// Header fields anywhere.
    Header,
    /// The body.
    Body,
    /// Properties.
    Property,
    /// The text of the reply.
    ReplyText,
    /// New messages.
    Generate,
    /// The address of ours that a connection comes from.
    SourceAddress,
    /// The name by which our client says hello.
    HeloName,
    /// How secure a connection has to be.
    TlsPolicy,
    /// Who we are to a server.
    Credentials,
    /// Parameters of a command of our client.
    Parameter,
    /// Commands before one of our client's, or in its place.
    Command,
}

/// What a binding does when its sink fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFault {
    /// As if the sink had deferred.
    Defer,
    /// As if it had said `next`.
    Continue,
    /// As if it had rejected.
    Reject,
    /// As if it had held the message.
    Hold,
}

impl OnFault {
    /// As manifests name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defer => "defer",
            Self::Continue => "continue",
            Self::Reject => "reject",
            Self::Hold => "hold",
        }
    }
}

/// What is known at an event: the keys that a rule may test there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Door, listener, role, client, HELO name, user, TLS, properties.
    Origin,
    /// The reverse-path.
    Sender,
    /// A forward-path, or all of them.
    Recipient,
    /// How the directory sees it.
    Standing,
    /// Octets, declared or real.
    Size,
    /// Header fields.
    Header,
    /// The SMTP verb.
    Verb,
    /// The domain to route.
    Domain,
    /// The next hop.
    Host,
    /// A reply.
    Reply,
    /// The number of the attempt.
    Attempt,
}
