//! What is asked and answered over the control socket.
//!
//! A request is one JSON line. The answer is any number of JSON lines, of which the last is `done` or `failed`. After the
//! line of a `send` come the octets of the message, as many as the line says. Both ends are of one version: a request
//! that is not known is refused in words.

use super::filter::Filter;
use super::status::Status;
use crate::event::host::log::Line;
use crate::intake::{Account, Reports, Step};
use crate::mail::{ForwardPath, Id, Reply, ReversePath, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How the server does: one `status`.
    Status,
    /// Read configuration, manifest and sinks again: `reloaded`.
    Reload,
    /// Fetch certificates by ACME without waiting for their time: `renewing`.
    Renew {
        /// The one that is called after this name; without it, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Look at the queue or change it.
    Queue(QueueRequest),
    /// Look at the outbound traffic, or stop a part of it.
    Traffic(TrafficRequest),
    /// What became of messages and refused transactions: accounts, newest first; if one is asked for by its id, a `step` for each of
    /// its track as well, oldest first.
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
    /// Take a message: `accepted`, or `refused` and then `failed`. Its octets follow the line.
    Send {
        /// The reverse-path.
        sender: ReversePath,
        /// The recipients.
        recipients: Vec<ForwardPath>,
        /// What the sender wants to hear of it.
        #[serde(flatten)]
        reports: Reports,
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

/// What is asked of the outbound traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficRequest {
    /// A `site` for each that has connections, is waited for or held back, and a `suspension` for each order to stop.
    Sites,
    /// Stop.
    Suspend {
        /// What.
        what: Stop,
        /// Until then; without it, until it is resumed. No longer than this server runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Why.
        reason: String,
    },
    /// Let go on.
    Resume {
        /// What, in the words in which it was stopped.
        what: Stop,
    },
}

/// What is stopped: a glob on its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Sites.
    Site(String),
    /// Recipient domains.
    Domain(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(glob) => write!(f, "site `{glob}`"),
            Self::Domain(glob) => write!(f, "domain `{glob}`"),
        }
    }
}

/// One site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteLine {
    /// Its name.
    pub site: String,
    /// Connections that it has.
    pub connections: u32,
    /// How many it may have now.
    pub window: u32,
    /// Messages that wait to go there.
    pub waiting: u32,
    /// It is left alone until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_until: Option<Timestamp>,
    /// Why an operator has stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<String>,
}

/// One order to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspensionLine {
    /// What is stopped.
    pub what: Stop,
    /// Until then; without it, until it is resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
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
    /// Let every open recipient fail, and tell the sender, in these words if there are any.
    Bounce {
        /// What the sender is told.
        text: String,
    },
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
    /// These certificates are being fetched.
    Renewing {
        /// What they are called after.
        names: Vec<String>,
    },
    /// One account.
    Account(Box<Account>),
    /// One step in the life of a message.
    Step(Box<Step>),
    /// One site of the outbound traffic.
    Site(SiteLine),
    /// One order to stop.
    Suspension(SuspensionLine),
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
    /// The message is not accepted, for this reason; the same follows in words.
    Refused(Reply),
    /// What was asked for failed; this is the end of the answer. The text is the operator's and may have many lines.
    Failed(String),
    /// The end of the answer.
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Notify, Ret};

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
                    reports: Reports::default(),
                    octets: 5,
                },
            ),
            (
                r#"{"send":{"sender":"","recipients":[],"notify":{"success":true,"failure":false,"delay":false},"ret":"HDRS","envid":"x","octets":0}}"#,
                Request::Send {
                    sender: ReversePath::Null,
                    recipients: Vec::new(),
                    reports: Reports {
                        notify: Some(Notify { success: true, ..Notify::default() }),
                        ret: Some(Ret::Hdrs),
                        envid: Some("x".into()),
                    },
                    octets: 0,
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
