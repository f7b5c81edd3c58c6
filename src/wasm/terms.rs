//! The terms on which a sandboxed sink runs: what the manifest says of it.

use crate::event::host::{Clock, Dns, HttpOf, KvOf, MetricsOf, QueueOf, SinkLog};
use crate::event::{Reuse, Table};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a sink may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of memory, all of an instance's together.
    pub memory: usize,
    /// Its own time in one call; that of host calls is not counted.
    pub cpu: Duration,
    /// Octets that the edits of one call may carry.
    pub output: usize,
    /// Calls at a time; others wait for their turn.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, cpu: Duration::from_millis(250), output: 32 << 20, concurrency: 64 }
    }
}

/// What a sink may reach. What is absent is not granted.
#[derive(Clone, Default)]
pub struct Grants {
    /// `allow.kv`.
    pub kv: Option<KvOf>,
    /// `allow.dns`.
    pub dns: Option<Arc<dyn Dns>>,
    /// `allow.http`.
    pub http: Option<HttpOf>,
    /// `allow.metrics`.
    pub metrics: Option<MetricsOf>,
    /// `allow.queue`.
    pub queue: Option<QueueOf>,
    /// `allow.submit`.
    pub submit: bool,
    /// `allow.clock`.
    pub clock: bool,
    /// `allow.random`.
    pub random: bool,
}

/// All of it.
#[derive(Clone)]
pub struct Terms {
    /// The sink's name in the manifest.
    pub name: Arc<str>,
    /// `[sink.config]`, as JSON.
    pub config: Arc<str>,
    /// `[sink.tables]`.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// How long an instance lives.
    pub reuse: Reuse,
    /// What it may use up.
    pub limits: Limits,
    /// What it may reach.
    pub grants: Grants,
    /// Where it logs to.
    pub log: Arc<SinkLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}
