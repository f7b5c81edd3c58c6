//! What a sink answers to a command and to credentials.

use crate::Reply;
use crate::wit::types;

/// What a sink answers at `in.command`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// This reply, and that is all.
    Reply(Reply),
    /// This reply, and then the client's next octets are for this sink, which hears `in.command` again when they are there: as
    /// [`further`](crate::Command::further).
    More {
        /// A 3xx: usually 334 or 354.
        reply: Reply,
        /// What is to come.
        want: Want,
    },
    /// This positive reply, and then the roles are swapped: the server becomes the client on this connection, and sends what waits
    /// to be called for. Needs `allow.queue`.
    Turn {
        /// Positive.
        reply: Reply,
        /// For whom: domains, and with an `@` in front also those below.
        domains: Vec<String>,
    },
    /// As if the client had sent this line instead, which is AUTH: another spelling of it.
    Instead(String),
}

/// What a sink wants of the client beside the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A line of at most so many octets, its CRLF not counted; 12,286 at most.
    Line {
        /// Octets.
        max: u32,
    },
    /// So many octets, whatever they are; 1 MiB at most.
    Octets {
        /// How many.
        count: u32,
    },
}

/// What a sink answers at `in.auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// This is who the client is.
    Identity(Identity),
    /// To a step of a claimed mechanism: send this challenge, and raise the event again with the client's response. 9,216 octets
    /// at most.
    Challenge(Vec<u8>),
}

/// Who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user, as rules see it as `auth`: 1 to 255 octets, no control characters.
    pub user: String,
    /// The sender addresses that he may use, or patterns of them. Nothing: as the user file has it, or those of his own name.
    pub senders: Option<Vec<String>>,
}

impl Identity {
    /// A user with the senders of his own name.
    pub fn of(user: impl Into<String>) -> Self {
        Self { user: user.into(), senders: None }
    }
}

impl From<Reply> for CommandAnswer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl From<Identity> for Login {
    fn from(identity: Identity) -> Self {
        Self::Identity(identity)
    }
}

impl From<CommandAnswer> for types::Answer {
    fn from(answer: CommandAnswer) -> Self {
        match answer {
            CommandAnswer::Reply(reply) => Self::Reply(reply.into()),
            CommandAnswer::More { reply, want } => Self::More(types::Request {
                reply: reply.into(),
                want: match want {
                    Want::Line { max } => types::Want::Line(max),
                    Want::Octets { count } => types::Want::Octets(count),
                },
            }),
            CommandAnswer::Turn { reply, domains } => Self::Turn(types::Turn { reply: reply.into(), domains }),
            CommandAnswer::Instead(line) => Self::Instead(line),
        }
    }
}

impl From<Login> for types::Answer {
    fn from(login: Login) -> Self {
        match login {
            Login::Identity(Identity { user, senders }) => Self::Identity(types::Identity { user, senders }),
            Login::Challenge(octets) => Self::Challenge(octets),
        }
    }
}
