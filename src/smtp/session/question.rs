//! What the machine asks, what it may be told, and what it hands out: the seam to whoever drives it.

use crate::mail::Reply;
use crate::smtp::command::{Hello, MailCommand, OtherCommand, RcptCommand};
use crate::smtp::exchange::{AuthCommand, Response};
use bytes::Bytes;
use std::fmt;

/// What the driver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing more without further input: write the replies that are queued, then read.
    Read,
    /// Queue this reply. Those of a pipelined group may be written at once.
    Reply(Reply),
    /// Decide. No input is taken until [`super::Session::answer`].
    Ask(Question),
    /// A question is still open: answer it.
    Wait,
    /// Octets of the message, decoded, for the draft.
    Body(Bytes),
    /// The transaction is over and was not accepted: throw draft and envelope away. Every transaction that an answer
    /// to [`Question::Mail`] opened ends with this, with [`Question::Message`], or with the session.
    Drop {
        /// How many of the replies that come next still belong to the transaction.
        replies: usize,
    },
    /// Write what is queued, then do the server's part of a TLS handshake on the connection and call
    /// [`super::Session::secured`]; close if it fails. Input that was read before must not be kept.
    StartTls,
    /// Write what is queued, then the server becomes the client on this connection (RFC 2645). Close it afterwards.
    Turn,
    /// Write what is queued and close. Nothing more will come.
    Close,
}

/// A decision that the machine can't make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Before the greeting. Refusing leaves the client nothing but QUIT (RFC 5321 3.1).
    Connect,
    /// HELO, EHLO or LHLO. The place to set another profile: its extensions come into force with the answer.
    Helo(Hello),
    /// MAIL. The place to set another profile: its limits come into force with the answer.
    Mail(Box<MailCommand>),
    /// RCPT. Accepting counts one recipient, whatever the driver makes of it.
    Rcpt(Box<RcptCommand>),
    /// DATA before its 354, or the first BDAT before its octets are taken. Refusing ends the transaction.
    Data {
        /// It is BDAT: an accepting answer is not written, the chunk has a reply of its own.
        bdat: bool,
    },
    /// The octets handed out so far are the header: at the blank line, the header limit, or the end. Raised once
    /// per message, and not for one that is lost already. An accepting answer is not written; a refusal is, at the end.
    Headers {
        /// Octets of the header, without the blank line.
        len: u64,
    },
    /// All octets were handed out and nothing is wrong with them.
    Message {
        /// Octets in all.
        len: u64,
    },
    /// Over the size limit. [`Answer::Go`] refuses with the reply that the machine has for it.
    Oversize {
        /// Octets declared; or one more than the limit, when that many came in.
        size: u64,
        /// The MAIL that declares the size. It is asked next if the limit is raised enough.
        declared: Option<Box<MailCommand>>,
    },
    /// VRFY and EXPN where they are on, HELP, NOOP, and verbs that sinks claim. RSET and QUIT are only told: the
    /// answer changes nothing.
    Command(OtherCommand),
    /// What the claimant of a verb had asked for with [`Answer::More`], for the same claimant: the line without its CRLF, or
    /// the octets.
    More(Bytes),
    /// STARTTLS. An accepting answer's reply is the machine's own.
    StartTls,
    /// The handshake is done; the greeting, if it is still due, waits. After STARTTLS all that the client has said
    /// before is void: forget it, the HELO name included.
    Tls,
    /// AUTH with a mechanism that the profile offers. An exchange that was open before is over.
    Auth(AuthCommand),
    /// The client's answer to the last [`Answer::Challenge`].
    AuthResponse(Response),
}

/// What a claimed verb wants beside the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A line of at most so many octets, its CRLF not counted.
    Line {
        /// [`MORE_LINE_MAX`](super::MORE_LINE_MAX) at most; more is cut down to that.
        max: usize,
    },
    /// So many octets, whatever they are.
    Octets {
        /// [`MORE_OCTETS_MAX`](super::MORE_OCTETS_MAX) at most. Over that the client is refused with 552 and nothing is read.
        count: u64,
    },
}

/// The driver's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on with the machine's own reply.
    Go,
    /// Go on with this reply instead. Positive; 354 at DATA; anything at [`Question::Command`].
    Say(Reply),
    /// Refuse with this reply: 4yz or 5yz. At [`Question::Command`] the same as [`Self::Say`].
    Refuse(Reply),
    /// Reply and close, at once.
    Close(Reply),
    /// At [`Question::Message`] on LMTP: a reply for each accepted RCPT, in order (RFC 2033 4.2). Missing ones become
    /// 451. On SMTP the first one counts.
    Each(Vec<Reply>),
    /// At [`Question::Oversize`]: the limit for this message, in octets.
    Limit(u64),
    /// At [`Question::Auth`] and [`Question::AuthResponse`]: 334 with these octets. [`Self::Go`] and [`Self::Say`] end the exchange well:
    /// the client is authenticated.
    Challenge(Vec<u8>),
    /// At [`Question::Command`] and [`Question::More`]: reply, and ask [`Question::More`] with what comes.
    More {
        /// Commonly 3yz.
        reply: Reply,
        /// What is to come.
        want: Want,
    },
    /// At the same: reply, and hand the connection over for the roles to be swapped: [`Step::Turn`].
    Turn(Reply),
    /// At [`Question::Command`]: as if the client had sent this line, which is AUTH: another spelling of it. Anything else is refused as
    /// not known.
    Instead(String),
    /// At the same: the session stands as after connecting, greeted with this reply; an open transaction is dropped.
    Restart {
        /// 220.
        greeting: Reply,
        /// Whether the client counts as authenticated.
        authenticated: bool,
    },
}

/// The driver's mistake: an answer that fits no open question. The session is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// No question is open, or it was not fetched yet.
    NotAsked,
    /// The open question can't be answered so.
    Unfit,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "answered without a question",
            Self::Unfit => "this question can't be answered so",
        })
    }
}

impl std::error::Error for Misuse {}
