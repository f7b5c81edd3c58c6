//! Bindings: event, rule, priority, sink, deadline, fault policy.

use super::breaker::Breaker;
use super::call;
use super::catalogue::{Event, OnFault};
use super::notify::Mailbox;
use super::rule::Rule;
use super::sink::{Interest, Sink};
use super::watchdog::{self, WatchId};
use crate::config::Secrets;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The priority of a binding that names none.
pub const DEFAULT_PRIORITY: u16 = 24575;
/// The last priority; 0 is the first.
pub const LAST_PRIORITY: u16 = 32767;

/// A loaded sink under its name in the manifest.
pub struct Registered {
    /// Its name.
    pub name: Arc<str>,
    /// The code.
    pub sink: Arc<dyn Sink>,
    /// What it said that it wants.
    pub interest: Interest,
    /// `allow.relay`.
    pub may_relay: bool,
    /// `allow.submit`.
    pub may_submit: bool,
    /// `allow.properties`.
    pub may_import: bool,
    /// What must not be shown of its configuration.
    pub secrets: Secrets,
    /// Its faults.
    pub breaker: Breaker,
    pub(super) watch: WatchId,
    pub(super) mailbox: Mailbox,
    /// Its share of the threads on which blocking calls run.
    pub(super) blocking: Arc<Semaphore>,
}

impl Registered {
    /// Registers a sink under `name`.
    pub fn new(name: impl Into<Arc<str>>, sink: Arc<dyn Sink>, may_relay: bool) -> Self {
        let name = name.into();
        let watch = watchdog::register(&name);
        let interest = sink.interest();
        let (breaker, mailbox, secrets) = (Breaker::default(), Mailbox::default(), Secrets::default());
        let blocking = Arc::new(Semaphore::new(call::BLOCKING_OF_ONE));
        Self {
            name,
            sink,
            interest,
            may_relay,
            may_submit: false,
            may_import: false,
            secrets,
            breaker,
            watch,
            mailbox,
            blocking,
        }
    }

    /// The same, with the right to make messages or without it.
    #[must_use]
    pub fn with_submit(self, may_submit: bool) -> Self {
        Self { may_submit, ..self }
    }

    /// The same, with the right to set the properties of others or without it.
    #[must_use]
    pub fn with_import(self, may_import: bool) -> Self {
        Self { may_import, ..self }
    }

    /// The same, with secrets that are taken out of its faults.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Notify events that were not told because the sink was behind or its breaker open.
    pub fn missed(&self) -> u64 {
        self.mailbox.missed()
    }

    /// Waits until the sink has heard the notify events that wait for it.
    pub async fn drained(&self) {
        self.mailbox.drained().await;
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One row of the order: this sink hears that event when this rule holds.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The sink.
    pub sink: Arc<Registered>,
    /// What it hears.
    pub event: Event,
    /// 0 first, [`LAST_PRIORITY`] last.
    pub priority: u16,
    /// When it is called; without one, always.
    pub rule: Option<Rule>,
    /// How long a call may take.
    pub deadline: Duration,
    /// What a fault means.
    pub on_fault: OnFault,
    /// Called even after another sink said `skip-rest`.
    pub always: bool,
    /// Which it is of the sink's bindings to this event at this priority, from 0. The dispatcher counts.
    pub ordinal: u16,
}

impl Binding {
    /// A binding with the event's defaults.
    pub fn new(sink: Arc<Registered>, event: Event) -> Self {
        let spec = event.spec();
        Self {
            sink,
            event,
            priority: DEFAULT_PRIORITY,
            rule: None,
            deadline: spec.deadline(),
            on_fault: spec.faults[0],
            always: false,
            ordinal: 0,
        }
    }

    /// Where it stands, to go on behind it later.
    pub fn place(&self) -> Place {
        let (sink, priority, ordinal) = (self.sink.name.clone(), self.priority, self.ordinal);
        Place { event: Some(self.event), sink, priority, ordinal, ..Place::default() }
    }

    /// Whether it is this binding's place.
    pub(super) fn is_at(&self, place: &Place) -> bool {
        let same_order = self.priority == place.priority && self.ordinal == place.ordinal;
        place.event == Some(self.event) && same_order && self.sink.name == place.sink
    }
}

/// A place in the order, kept with messages that were held or split there. They go on behind it, under the snapshot then in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The event.
    pub event: Option<Event>,
    /// The sink that held or split.
    pub sink: Arc<str>,
    /// Its binding's priority.
    pub priority: u16,
    /// Which of its bindings at that priority.
    #[serde(default)]
    pub ordinal: u16,
    /// The sink itself hears it again, as with what it has split off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// A sink has said `skip-rest`: only bindings that are `always` called come behind it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipping: bool,
}
