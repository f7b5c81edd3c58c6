//! The track of a message: each step of its life, one record each.
//!
//! From `received` to the one step by which it leaves: every recipient of an accepted message comes to be delivered, failed, expired,
//! expanded, split off, dropped or removed, and the record of that says which. Records go into the history's `track` folder, and to the sinks that
//! hear `track`.

use super::history::History;
use crate::event::{self, Dispatcher, Event, Focus};
use crate::mail::{Door, Id, Origin, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The message came in.
    Received,
    /// It is on stable storage.
    Submitted,
    /// Its recipients were resolved.
    Categorized,
    /// A route was found for recipients.
    Routed,
    /// An attempt ended in delivery.
    Delivered,
    /// An attempt ended in deferral.
    Deferred,
    /// It failed for good.
    Failed,
    /// It could not be delivered in time.
    Expired,
    /// The recipient stands for others, who are recipients now.
    Expanded,
    /// The recipient goes on in a message of its own.
    Split,
    /// It was dropped on a sink's word.
    Dropped,
    /// It was parked.
    Held,
    /// It was let go on.
    Released,
    /// An operator removed it.
    Removed,
    /// A report about it was submitted, or kept from being so.
    Reported,
}

impl Stage {
    /// Whether the recipient leaves by it.
    pub fn is_end(self) -> bool {
        use Stage::{Delivered, Dropped, Expanded, Expired, Failed, Removed, Split};
        matches!(self, Delivered | Failed | Expired | Expanded | Split | Dropped | Removed)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// The message.
    pub id: Id,
    /// What happened.
    pub step: Stage,
    /// The way in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<Door>,
    /// From where it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The reverse-path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Arc<str>>,
    /// The recipient that it is about; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Arc<str>>,
    /// How many recipients it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<usize>,
    /// Octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The domain that was routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Arc<str>>,
    /// The next hop, or the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Arc<str>>,
    /// The number of the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// When it is due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Who has decided so, if nobody's reply has: `operator`, `sender`, or a sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Another message that has to do with it: the report, or what it is a report about; the part, or what it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Id>,
}

impl Step {
    /// A step of which no more is known.
    pub fn new(time: Timestamp, id: Id, step: Stage) -> Self {
        Self {
            time,
            id,
            step,
            door: None,
            client: None,
            sender: None,
            recipient: None,
            recipients: None,
            size: None,
            domain: None,
            host: None,
            attempt: None,
            reply: None,
            next: None,
            by: None,
            other: None,
        }
    }
}

/// Notes a step in the history, and tells those sinks of it that hear `track`.
pub fn note(history: &History, dispatcher: &Dispatcher, origin: &Origin, step: Step) {
    if dispatcher.hears(Event::Track)
        && let Ok(value) = serde_json::to_value(&step)
    {
        let mut stage = event::Stage::new(origin);
        stage.focus = Focus::Step(&value);
        dispatcher.tell(Event::Track, &stage);
    }
    history.track(step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_short_line_and_reads_back() {
        let mut step = Step::new(Timestamp(5), Id(7), Stage::Deferred);
        (step.recipient, step.attempt) = (Some("bob@y.example".into()), Some(2));
        let json = serde_json::to_string(&step).unwrap();
        let id = Id(7);
        let recipient = r#""recipient":"bob@y.example","attempt":2}"#;
        assert_eq!(json, format!(r#"{{"time":5,"id":"{id}","step":"deferred",{recipient}"#));
        assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
    }
}
