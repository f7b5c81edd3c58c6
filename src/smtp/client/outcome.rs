//! How a transaction ended for one recipient, and why.
//!
//! What the server said and what went wrong on our side or between us are kept apart: the first is quoted, the
//! second explained.

use super::reply::ReplyError;
use super::stage::Stage;
use crate::mail::{Class, EnhancedCode, Reply};
use std::fmt;

/// The end of one recipient's part in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RcptOutcome {
    /// The server took the message for it, with this reply; or of a [probe](super::Client::probe), would take one.
    Delivered(Reply),
    /// Try again later.
    ///
    /// After a loss at [`Stage::Dot`] the server may have the message all the same, so that the next try makes a
    /// duplicate. That is what RFC 5321 4.5.3.2.6 and RFC 1047 leave a client: a duplicate is better than a loss.
    Deferred(Cause),
    /// Don't try again.
    Failed(Cause),
}

/// Why a recipient, or a whole connection, did not get what it wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The server said so.
    Reply {
        /// In answer to what.
        stage: Stage,
        /// Its words.
        reply: Reply,
    },
    /// We said so ourselves, in answer to a question of the machine.
    Ours {
        /// At what.
        stage: Stage,
        /// Our words.
        reply: Reply,
    },
    /// Nobody said so.
    Trouble {
        /// During what.
        stage: Stage,
        /// What happened.
        trouble: Trouble,
    },
}

impl Cause {
    /// What it means for a recipient that is not settled yet.
    pub fn outcome(self) -> RcptOutcome {
        match &self {
            // 552 at RCPT once meant too many recipients: RFC 5321 4.5.3.1.10 has clients read it as 452.
            Self::Reply { stage: Stage::Rcpt, reply } if reply.code() == 552 => RcptOutcome::Deferred(self),
            // Wrong credentials and troubles with TLS are the operator's to mend, here or there. No message is to fail for them.
            Self::Reply { stage: Stage::StartTls | Stage::Auth, .. } => RcptOutcome::Deferred(self),
            Self::Reply { reply, .. } | Self::Ours { reply, .. } if reply.class() == Class::Permanent => {
                RcptOutcome::Failed(self)
            }
            Self::Trouble { trouble, .. } if trouble.is_permanent() => RcptOutcome::Failed(self),
            _ => RcptOutcome::Deferred(self),
        }
    }
}

/// As an operator reads it.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { stage, reply } => write!(f, "{stage} was: {reply}"),
            Self::Ours { stage, reply } => write!(f, "refused by us, before {stage}: {reply}"),
            Self::Trouble { stage, trouble } => write!(f, "{trouble}, while waiting for {stage}"),
        }
    }
}

/// What went wrong without the server having said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server closed the connection.
    Closed,
    /// The server took longer than [`Stage::patience`].
    TimedOut,
    /// The connection can't be opened; the operator's text.
    Unreachable(String),
    /// The connection broke; the operator's text.
    Broken(String),
    /// Our own content can't be read; the operator's text.
    Unreadable(String),
    /// The server does not speak the protocol.
    Garbage(ReplyError),
    /// A reply of a class that does not fit the command.
    Misplaced(Reply),
    /// The server talks without having been asked.
    Unasked,
    /// TLS is required and the server does not offer it.
    NoStartTls,
    /// The server sent plaintext behind its go-ahead for TLS.
    Injected,
    /// The handshake failed, or the certificate is not what it has to be; the operator's text.
    Tls(String),
    /// We could not authenticate; the operator's text.
    Auth(String),
    /// We have left the transaction, or the connection, at this reply.
    Left(Reply),
    /// The message or an address needs SMTPUTF8, which the server does not offer (RFC 6531 3.2).
    NeedsSmtpUtf8,
    /// The content has 8-bit octets, and the server does not offer 8BITMIME (RFC 6152 3).
    NeedsEightBit,
    /// The content is binary, and the server does not offer BINARYMIME with CHUNKING (RFC 3030 3).
    NeedsBinary,
    /// The server can't take the content as it is, and it can't be converted, for this reason (RFC 6152 3, RFC 3030 3).
    Unconvertible(String),
    /// Its sender wants it back if it is late, and the server does not offer DELIVERBY (RFC 2852 4.1.4).
    NoDeliverBy,
    /// The server promises no delivery in the time that is left (RFC 2852 4.1.3). Both are in seconds.
    TooSlow {
        /// What is left.
        seconds: i32,
        /// What the server asks for at least.
        least: i64,
    },
    /// The time that its sender has set is over (RFC 2852 4.1.1).
    TimeIsOver,
    /// Its sender requires TLS, and the connection has none, or not to whom it should be (RFC 8689 4.2.1).
    NoVerifiedTls,
    /// Its sender requires TLS, and the server does not offer REQUIRETLS (RFC 8689 4.2.1).
    NoRequireTls,
    /// Over the limit that the server offers with SIZE, in octets (RFC 1870 6.1).
    TooLarge {
        /// Of the message.
        size: u64,
        /// Of the server.
        limit: u64,
    },
}

impl Trouble {
    /// Whether another try at this server would end in the same way.
    pub fn is_permanent(&self) -> bool {
        self.status().0 == 5
    }

    /// Whether it is for want of something that another host of the same domain may have.
    pub fn is_of_the_host(&self) -> bool {
        matches!(self, Self::NoDeliverBy | Self::TooSlow { .. } | Self::NoVerifiedTls | Self::NoRequireTls)
    }

    /// What the sender of the message may be told: no paths, no system errors.
    pub fn told(&self) -> String {
        match self {
            Self::Unreachable(_) => "the next host can't be reached".to_owned(),
            Self::Broken(_) => "the connection to the next host broke".to_owned(),
            Self::Unreadable(_) => "the message can't be read at the moment".to_owned(),
            Self::Tls(_) => "a secure connection to the next host can't be made".to_owned(),
            Self::Auth(_) => "the next host does not know this server at present".to_owned(),
            _ => self.to_string(),
        }
    }

    /// Its status (RFC 3463, RFC 6531 3.5).
    pub fn status(&self) -> EnhancedCode {
        match self {
            Self::Unreachable(_) => EnhancedCode(4, 4, 1),
            Self::Closed | Self::TimedOut | Self::Broken(_) => EnhancedCode(4, 4, 2),
            Self::NoStartTls => EnhancedCode(4, 7, 10),
            Self::Injected | Self::Tls(_) => EnhancedCode(4, 7, 5),
            Self::Auth(_) => EnhancedCode(4, 7, 0),
            Self::Unreadable(_) | Self::Left(_) => EnhancedCode(4, 3, 0),
            Self::Garbage(_) | Self::Misplaced(_) | Self::Unasked => EnhancedCode(4, 5, 0),
            Self::NeedsSmtpUtf8 => EnhancedCode(5, 6, 7),
            Self::NeedsEightBit | Self::NeedsBinary | Self::Unconvertible(_) => EnhancedCode(5, 6, 3),
            Self::NoDeliverBy | Self::TooSlow { .. } | Self::TimeIsOver => EnhancedCode(5, 4, 7),
            Self::NoVerifiedTls | Self::NoRequireTls => EnhancedCode(5, 7, 30),
            Self::TooLarge { .. } => EnhancedCode(5, 3, 4),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the connection"),
            Self::TimedOut => f.write_str("the server took too long"),
            Self::Unreachable(what) => write!(f, "the server can't be reached: {what}"),
            Self::Broken(what) => write!(f, "the connection broke: {what}"),
            Self::Unreadable(what) => write!(f, "the message can't be read: {what}"),
            Self::Garbage(error) => write!(f, "the server does not speak SMTP: {error}"),
            Self::Misplaced(reply) => write!(f, "the server gave a reply that does not fit: {reply}"),
            Self::Unasked => f.write_str("the server talked without having been asked"),
            Self::NoStartTls => f.write_str("TLS is required here and the server does not offer it"),
            Self::Injected => {
                f.write_str("the server sent plaintext behind its go-ahead for TLS, which nobody honest does")
            }
            Self::Tls(why) => write!(f, "TLS failed: {why}"),
            Self::Auth(why) => write!(f, "the server was not told who we are: {why}"),
            Self::Left(reply) => write!(f, "we have left the server at its reply: {reply}"),
            Self::NeedsSmtpUtf8 => f.write_str("the message or an address needs SMTPUTF8, which the server lacks"),
            Self::NeedsEightBit => f.write_str("the message has 8-bit octets and the server lacks 8BITMIME"),
            Self::NeedsBinary => f.write_str("the message is binary and the server lacks BINARYMIME or CHUNKING"),
            Self::Unconvertible(why) => {
                write!(f, "the server can't take the message as it is, and it can't be converted: {why}")
            }
            Self::NoDeliverBy => f.write_str("the sender wants it back if it is late, and the server lacks DELIVERBY"),
            Self::TooSlow { seconds, least } => {
                write!(f, "{seconds} s are left to deliver it, and the server asks for {least} s at least")
            }
            Self::TimeIsOver => f.write_str("the time that its sender has set is over"),
            Self::NoVerifiedTls => {
                f.write_str("the sender requires TLS, and there is no connection with verified TLS to the server")
            }
            Self::NoRequireTls => f.write_str("the sender requires TLS, and the server lacks REQUIRETLS"),
            Self::TooLarge { size, limit } => {
                write!(f, "the message has {size} octets and the server takes at most {limit}")
            }
        }
    }
}
