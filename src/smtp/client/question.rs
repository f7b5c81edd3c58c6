//! What the machine asks, and what it may be told.
//!
//! A reply may be answered with another next state than the protocol's own. Which ones are legal stands in one table,
//! [`Choices::at`]; what is not legal changes nothing. Nothing that the server has taken on can be undone by a word of ours: a
//! recipient whose RCPT was accepted gets the message, unless the whole transaction is left.

use super::line::{CommandLine, Parameter};
use super::outcome::Cause;
use super::stage::Stage;
use crate::mail::{Class, Reply};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A question that the machine waits on. Each stands for the `out.*` event of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before EHLO, HELO or LHLO; again if HELO follows a refused EHLO.
    Helo(&'static str),
    /// Before MAIL is sent.
    Mail,
    /// Before RCPT is sent for that recipient of the letter.
    Rcpt(usize),
    /// Before DATA, or the first BDAT, is sent.
    Data,
    /// The server said this, and the machine has not acted on it yet.
    Reply(Said),
    /// Before QUIT is sent.
    Quit,
}

/// A reply, in answer to what, and what may be made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The server's words.
    pub reply: Reply,
    /// The command: a verb in upper case, or `.` for the end of data; none for the greeting, and for what was said unasked.
    pub verb: Option<Cow<'static, str>>,
    /// The recipient of the letter that it is about, if it is about one.
    pub rcpt: Option<usize>,
    /// What may be decided.
    pub choices: Choices,
}

impl Said {
    /// A reply of which nothing can be decided.
    pub(super) fn plain(verb: Option<&'static str>, reply: Reply) -> Self {
        Self { reply, verb: verb.map(Cow::Borrowed), rcpt: None, choices: Choices::NONE }
    }
}

/// The answer to a [`Point`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on as planned.
    Proceed,
    /// Go on with these changes: at [`Point::Helo`], [`Point::Mail`], [`Point::Rcpt`] and [`Point::Data`].
    Change(Change),
    /// Don't, for this reason; or take the server's reply for this one. Its class, 4xx or 5xx, is the outcome: at
    /// [`Point::Helo`] for everybody, at [`Point::Rcpt`] for that recipient, else for all who have no outcome yet.
    Refuse(Reply),
    /// At a reply: go on like this.
    Go(Next),
}

impl Decision {
    /// Why it ends something, if it refuses.
    pub(super) fn cause(&self, stage: Stage) -> Option<Cause> {
        match self {
            Self::Refuse(reply) => Some(Cause::Ours { stage, reply: reply.clone() }),
            _ => None,
        }
    }
}

/// Changes to what is about to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Commands that are sent before, each by itself. Each has a reply, which is asked about; a refusal alone changes nothing.
    pub insert: Vec<CommandLine>,
    /// The command in the place of our own. At [`Point::Data`] it has no effect.
    pub replace: Option<CommandLine>,
    /// Parameters of MAIL or RCPT. One of ours with the same keyword is left out.
    pub parameters: Vec<Parameter>,
}

/// How a session goes on after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// As the protocol has it.
    Continue,
    /// The same command is sent again: one that was put in.
    Repeat,
    /// EHLO or LHLO is said again, and all begins anew: after a command that has changed who we are to the server.
    Hello,
    /// The transaction is left, by RSET before the next; who has no outcome yet is put off.
    Reset,
    /// The connection is left, by QUIT; who has no outcome yet is put off.
    Quit,
}

impl Next {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Continue, Self::Repeat, Self::Hello, Self::Reset, Self::Quit];

    /// As sinks name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Repeat => "repeat",
            Self::Hello => "hello",
            Self::Reset => "reset",
            Self::Quit => "quit",
        }
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no next state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNext(String);

impl fmt::Display for NoNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no next state; write continue, repeat, hello, reset or quit", self.0)
    }
}

impl std::error::Error for NoNext {}

impl FromStr for Next {
    type Err = NoNext;
    fn from_str(text: &str) -> Result<Self, NoNext> {
        let found = Self::ALL.into_iter().find(|next| next.as_str() == text);
        found.ok_or_else(|| NoNext(text.chars().take(80).collect()))
    }
}

/// What may be decided about a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Whether it may be taken for a refusal, or for another refusal than it is.
    pub refuse: bool,
    /// How the session may go on.
    pub next: &'static [Next],
}

impl Choices {
    /// Nothing can be decided.
    pub const NONE: Self = Self { refuse: false, next: &[Next::Continue] };

    /// The table: by what the reply is to, and its class.
    pub(super) fn at(stage: Stage, reply: &Reply) -> Self {
        use Next::{Continue, Quit, Reset};
        let refused = matches!(reply.class(), Class::Transient | Class::Permanent);
        let (refuse, next): (bool, &'static [Next]) = match stage {
            // No choice leads on without TLS where the policy would not, and none goes into the midst of an exchange.
            Stage::StartTls if refused && reply.code() != 421 => (true, &[Continue, Quit]),
            Stage::Auth if refused => (true, &[Continue]),
            // The server closes, whatever we would.
            Stage::Greeting
            | Stage::Hello
            | Stage::StartTls
            | Stage::Mail
            | Stage::Rcpt
            | Stage::Data
            | Stage::Chunk
            | Stage::Dot
                if reply.code() == 421 =>
            {
                (true, &[Continue])
            }
            Stage::Greeting | Stage::Hello => (true, &[Continue, Quit]),
            Stage::Mail => (true, &[Continue, Reset, Quit]),
            Stage::Rcpt => (refused, &[Continue, Reset, Quit]),
            Stage::Data if refused => (true, &[Continue, Reset, Quit]),
            // The server waits for content now, and takes nothing else.
            Stage::Data => (false, &[Continue]),
            Stage::Chunk => (refused, &[Continue]),
            Stage::Dot => (refused, &[Continue, Quit]),
            _ => (false, &[Continue]),
        };
        Self { refuse, next }
    }

    /// The table for the reply to a command that was put in. `again`: it may still be repeated; `open`: the server has MAIL
    /// already; `hello`: we may still say hello again.
    pub(super) fn at_inserted(stage: Stage, reply: &Reply, again: bool, open: bool, hello: bool) -> Self {
        use Next::{Continue, Hello, Quit, Repeat, Reset};
        let next: &'static [Next] = match (stage, again, open, hello) {
            _ if reply.code() == 421 => &[Continue],
            (Stage::Hello, true, ..) => &[Continue, Repeat, Quit],
            (Stage::Hello, false, ..) => &[Continue, Quit],
            (_, true, true, _) => &[Continue, Repeat, Reset, Quit],
            (_, false, true, _) => &[Continue, Reset, Quit],
            (_, true, false, true) => &[Continue, Repeat, Hello, Reset, Quit],
            (_, true, false, false) => &[Continue, Repeat, Reset, Quit],
            (_, false, false, true) => &[Continue, Hello, Reset, Quit],
            (_, false, false, false) => &[Continue, Reset, Quit],
        };
        Self { refuse: true, next }
    }

    /// Whether the decision is one of them.
    pub fn allow(&self, decision: &Decision) -> bool {
        match decision {
            Decision::Proceed => true,
            Decision::Change(_) => false,
            Decision::Refuse(_) => self.refuse,
            Decision::Go(next) => self.next.contains(next),
        }
    }
}
