//! What a sink answers to a command: a reply, and what is to happen then.
//!
//! A sink that wants more says how much: a line, or so many octets, and never without a bound. It hears `in.command` again when they
//! are there, with the same verb and argument, the number of the step, and the octets; nobody else hears that. What it has to remember
//! from one step to the next it keeps as a property of the session.

use crate::mail::{Class, Reply};

/// The longest further line, in octets, its CRLF not counted; the largest counted blob, which is held in memory until it is whole; and
/// what of these a sink wants.
pub use crate::smtp::session::{MORE_LINE_MAX as LINE_MAX, MORE_OCTETS_MAX as OCTETS_MAX, Want};

/// What a sink answers to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// This reply, and that is all.
    Reply(Reply),
    /// This reply, and then the client's next octets are for this sink.
    More {
        /// Usually 334 or 354.
        reply: Reply,
        /// What is to come.
        want: Want,
    },
    /// This positive reply, and then the roles are swapped: we become the client on this connection, and send what waits
    /// to be called for ([`Turnaround`](super::host::Turnaround)).
    Turn {
        /// Positive.
        reply: Reply,
        /// For whom: domains, and with an `@` in front also those below.
        domains: Vec<String>,
    },
    /// As if the client had sent this line instead, which is AUTH: another spelling of it.
    Instead(String),
}

/// What has come since the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Further<'a> {
    /// The sink that asked for it, which alone hears of it.
    pub sink: &'a str,
    /// Which time that is, from 1.
    pub step: u32,
    /// The line without its end, or the octets.
    pub octets: &'a [u8],
}

impl From<Reply> for CommandAnswer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl CommandAnswer {
    /// The reply that is said first, if there is one.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Reply(reply) | Self::More { reply, .. } | Self::Turn { reply, .. } => Some(reply),
            Self::Instead(_) => None,
        }
    }

    /// What is wrong with it, if something is.
    pub(super) fn fault(&self) -> Option<String> {
        match self {
            Self::Reply(_) => None,
            Self::More { reply, .. } if reply.class() != Class::Intermediate => {
                Some(format!("whoever wants more says so with a 3xx, and not with {}", reply.code()))
            }
            Self::More { want: Want::Line { max }, .. } if *max > LINE_MAX => {
                Some(format!("a further line has at most {LINE_MAX} octets, and {max} were asked for"))
            }
            Self::More { want: Want::Octets { count }, .. } if *count > OCTETS_MAX => {
                Some(format!("at most {OCTETS_MAX} octets can be asked for, and {count} were"))
            }
            Self::More { .. } => None,
            Self::Turn { reply, .. } if !reply.is_positive() => {
                Some(format!("roles are swapped with a 2xx, and not with {}", reply.code()))
            }
            Self::Turn { domains, .. } if domains.is_empty() => Some("roles are swapped for no domain".to_owned()),
            Self::Turn { .. } => None,
            Self::Instead(line) if line.contains(char::is_control) => {
                Some("the command in its place has control characters".to_owned())
            }
            Self::Instead(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::EnhancedCode;

    #[test]
    fn what_is_asked_for_has_bounds() {
        let (go, ok) = (Reply::plain(354, "go"), Reply::new(250, EnhancedCode(2, 0, 0), "ok"));
        let more = |reply: &Reply, want| CommandAnswer::More { reply: reply.clone(), want }.fault().is_some();
        assert!(!more(&go, Want::Octets { count: OCTETS_MAX }) && more(&go, Want::Octets { count: OCTETS_MAX + 1 }));
        assert!(!more(&go, Want::Line { max: LINE_MAX }) && more(&go, Want::Line { max: LINE_MAX + 1 }));
        assert!(more(&ok, Want::Line { max: 1 }));
        let turn = |reply: &Reply, domains: &[&str]| {
            let domains = domains.iter().map(|d| (*d).to_owned()).collect();
            CommandAnswer::Turn { reply: reply.clone(), domains }.fault().is_some()
        };
        assert!(!turn(&ok, &["x.example"]) && turn(&ok, &[]) && turn(&go, &["x.example"]));
        assert!(CommandAnswer::Instead("AUTH\r\nQUIT".into()).fault().is_some());
    }
}
