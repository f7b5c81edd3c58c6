//! How a try at a next hop ended for one recipient.
//!
//! Two texts are kept apart: the reply, which the sender of the message may see, and the note, which only operators
//! do. The one JSON shape stands in ledger, log and `queue show`.

use crate::mail::{EnhancedCode, Reply};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The end of one try for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The next hop has the message.
    Delivered(Details),
    /// It is to be tried again.
    Deferred(Details),
    /// It is not to be tried again.
    Failed(Details),
}

/// What is known of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// In the remote host's words, or in ours as a host would have put it.
    pub reply: Reply,
    /// The host whose words they are; none if they are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// For operators: paths, system errors, the place in the dialogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who answers for it, once delivered. Not kept: it counts only for the report that is due at once.
    #[serde(skip)]
    pub reach: Reach,
    /// The sender is told that a host has it, whether or not it has asked for reports (RFC 2852 4.1.4). Not kept either.
    #[serde(skip)]
    pub tells: bool,
    /// It failed for want of something that another host of the domain may have. Not kept either.
    #[serde(skip)]
    pub elsewhere: bool,
}

/// How far a delivery has brought a message (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Into the mailbox, or what stands for it.
    #[default]
    Mailbox,
    /// To a host that reports nothing: we say that it was relayed.
    Relayed,
    /// To a host that has promised to report (RFC 3461): we say nothing.
    Promised,
}

impl Details {
    /// Our own words.
    pub fn ours(reply: Reply, note: impl Into<String>) -> Self {
        Self { reply, remote: None, note: note.into(), reach: Reach::Mailbox, tells: false, elsewhere: false }
    }
}

impl Outcome {
    /// What is known of it.
    pub fn details(&self) -> &Details {
        match self {
            Self::Delivered(details) | Self::Deferred(details) | Self::Failed(details) => details,
        }
    }

    /// As logs name it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Deferred(_) => "deferred",
            Self::Failed(_) => "failed",
        }
    }

    /// Its status, of the class that fits the outcome (RFC 3463), also where the reply has none or another: a 552
    /// at RCPT is a deferral.
    pub fn status(&self) -> EnhancedCode {
        let class = match self {
            Self::Delivered(_) => 2,
            Self::Deferred(_) => 4,
            Self::Failed(_) => 5,
        };
        self.details().reply.status().map_or(EnhancedCode(class, 0, 0), |s| EnhancedCode(class, s.1, s.2))
    }
}

/// One line, as an operator reads it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = self.details();
        write!(f, "{}: {}", self.as_str(), details.reply)?;
        if let Some(remote) = &details.remote {
            write!(f, "; said {remote}")?;
        }
        if details.note.is_empty() { Ok(()) } else { write!(f, "; {}", details.note) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_back() {
        let said = Details {
            reply: Reply::foreign(452, Some(EnhancedCode(4, 2, 2)), "full\nreally"),
            remote: Some("mx.example:25 [192.0.2.1]".into()),
            ..Details::ours(Reply::plain(250, ""), "that was the reply to RCPT")
        };
        let json = serde_json::to_value(Outcome::Deferred(said.clone())).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "outcome": "deferred",
                "reply": { "code": 452, "status": "4.2.2", "text": "full\nreally" },
                "remote": "mx.example:25 [192.0.2.1]",
                "note": "that was the reply to RCPT",
            })
        );
        assert_eq!(serde_json::from_value::<Outcome>(json).unwrap(), Outcome::Deferred(said));
        let ours = Outcome::Delivered(Details::ours(Reply::plain(250, "ok"), ""));
        let json = serde_json::to_string(&ours).unwrap();
        assert_eq!(json, r#"{"outcome":"delivered","reply":{"code":250,"text":"ok"}}"#);
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), ours);
    }

    #[test]
    fn the_class_of_the_status_is_the_outcome_s() {
        let details = |reply| Details::ours(reply, "");
        let many = Reply::foreign(552, Some(EnhancedCode(5, 5, 3)), "too many");
        assert_eq!(Outcome::Deferred(details(many)).status(), EnhancedCode(4, 5, 3));
        assert_eq!(Outcome::Failed(details(Reply::plain(550, "no"))).status(), EnhancedCode(5, 0, 0));
    }
}
