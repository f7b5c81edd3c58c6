//! What is asked and answered over the control socket.
//!
//! A request is one JSON line. The answer is any number of JSON lines, of which the last is `done` or `failed`. After the
//! line of a `send` come the octets of the message, as many as the line says. Both ends are of one version: a request
//! that is not known is refused in words.

use super::filter::Filter;
use super::status::Status;
use crate::event::host::log::Line;
use crate::intake::Account;
use crate::mail::{ForwardPath, Id, ReversePath};
use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How the server does: one `status`.
    Status,
    /// Read configuration, manifest and sinks again: `reloaded`.
    Reload,
    /// Look at the queue or change it.
    Queue(QueueRequest),
    /// What became of messages and refused transactions: accounts, newest first.
    Why {
        /// This message or transaction, or everything of this session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// Which ones.
        #[serde(default)]
        filter: Filter,
        /// At most as many.
        limit: usize,
    },
    /// Accounts and the lines that sinks log, as they happen, until the client goes or the server stops.
    Tail {
        /// Which accounts. Lines come only if it lets all pass: they name nobody.
        #[serde(default)]
        filter: Filter,
        /// Only what this sink had to do with: its lines, and accounts of which it has an entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sink: Option<String>,
    },
    /// Take a message: `accepted`. Its octets follow the line.
    Send {
        /// The reverse-path.
        sender: ReversePath,
        /// The recipients.
        recipients: Vec<ForwardPath>,
        /// How many octets follow.
        octets: u64,
    },
}

/// What is asked of the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueRequest {
    /// Accounts, oldest first.
    List {
        /// Which ones.
        #[serde(default)]
        filter: Filter,
    },
    /// One account.
    Show {
        /// Whose.
        id: Id,
    },
    /// Do this to every message that the filter picks: an `acted` for each.
    Act {
        /// What.
        act: Act,
        /// Which ones. An id that is not in the queue is answered with an error of its own.
        filter: Filter,
        /// Only say to which.
        #[serde(default)]
        dry_run: bool,
    },
}

/// A change to a message in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Try at once.
    Retry,
    /// Park.
    Hold {
        /// Why.
        reason: String,
    },
    /// Let go on.
    Release {
        /// Through all sinks again, from the start.
        rerun: bool,
    },
    /// Drop for good.
    Remove,
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// How the server does.
    Status(Box<Status>),
    /// Another snapshot is in force.
    Reloaded {
        /// Its generation.
        generation: u64,
    },
    /// One account.
    Account(Box<Account>),
    /// A line that a sink logged.
    Line(Line),
    /// From here on nothing is missed.
    Following,
    /// So many accounts and lines came faster than the client took them.
    Missed(u64),
    /// What came of a change to one message.
    Acted {
        /// The message.
        id: Id,
        /// Why nothing was changed, if nothing was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The message is accepted.
    Accepted {
        /// Its id.
        id: Id,
    },
    /// What was asked for failed; this is the end of the answer. The text is the operator's and may have many lines.
    Failed(String),
    /// The end of the answer.
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines_that_people_can_write() {
        for (line, request) in [
            (r#""status""#, Request::Status),
            (r#"{"queue":{"list":{}}}"#, Request::Queue(QueueRequest::List { filter: Filter::default() })),
            (r#"{"why":{"limit":3}}"#, Request::Why { id: None, filter: Filter::default(), limit: 3 }),
            (
                r#"{"send":{"sender":"","recipients":["a@b.example"],"octets":5}}"#,
                Request::Send {
                    sender: ReversePath::Null,
                    recipients: vec![ForwardPath::parse("a@b.example").unwrap()],
                    octets: 5,
                },
            ),
        ] {
            assert_eq!(serde_json::from_str::<Request>(line).unwrap(), request, "{line}");
        }
        let act = Request::Queue(QueueRequest::Act {
            act: Act::Hold { reason: "odd".into() },
            filter: Filter { ids: vec![Id(1)], ..Filter::default() },
            dry_run: true,
        });
        let line = serde_json::to_string(&act).unwrap();
        assert_eq!(
            line,
            r#"{"queue":{"act":{"act":{"hold":{"reason":"odd"}},"filter":{"ids":["0000000000001"]},"dry_run":true}}}"#
        );
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), act);
    }
}
