//! How long a client may take: idle, in all, and for a message's octets.

use crate::config::limits::Limits;
use crate::mail::{EnhancedCode, Reply};
use std::time::Duration;
use tokio::time::Instant;

/// A message may come slowly for this long before its rate is looked at.
const GRACE: Duration = Duration::from_secs(30);
/// What is under way when the server begins to stop may take this much longer.
const STOPPING: Duration = Duration::from_secs(10);

const IDLE: Reply = Reply::new(421, EnhancedCode(4, 4, 2), "Nothing heard for too long; closing");
const SESSION: Reply = Reply::new(421, EnhancedCode(4, 4, 2), "The session has lasted too long; closing");
const SLOW: Reply = Reply::new(421, EnhancedCode(4, 4, 2), "The message comes too slowly; closing");
pub(super) const SHUTDOWN: Reply = Reply::new(421, EnhancedCode(4, 3, 2), "The server is stopping; please try again");

/// The clock of one connection.
#[derive(Debug)]
pub(super) struct Pace {
    idle: Duration,
    session_ends: Instant,
    body: Option<(Instant, u64)>,
    stopping: Option<Instant>,
}

impl Pace {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { idle: limits.idle, session_ends: Instant::now() + limits.session, body: None, stopping: None }
    }

    /// When the present read must have brought something, and what is said if it has not.
    pub(super) fn deadline(&self, limits: &Limits) -> (Instant, Reply) {
        let idle = Instant::now() + limits.idle;
        // A message that is coming in is not cut off by the session's age.
        let aged = self.body.is_none() && self.session_ends < idle;
        let mut first = if aged { (self.session_ends, SESSION) } else { (idle, IDLE) };
        if let Some(due) = self.rate_due(limits)
            && due < first.0
        {
            first = (due, SLOW);
        }
        if let Some(end) = self.stopping
            && end < first.0
        {
            first = (end, SHUTDOWN);
        }
        first
    }

    /// What is said to a session whose time is over even though there may be more to read. Never in the middle of a message.
    pub(super) fn over(&self) -> Option<Reply> {
        let aged = self.body.is_none() && self.session_ends <= Instant::now();
        aged.then_some(SESSION)
    }

    /// How long a write may wait for the client.
    pub(super) fn patience(&self) -> Duration {
        if self.is_stopping() { STOPPING } else { self.idle }
    }

    /// The time at which the octets so far would be too few.
    fn rate_due(&self, limits: &Limits) -> Option<Instant> {
        let (started, octets) = self.body?;
        let allowed = octets.checked_div(limits.min_data_rate)?;
        Some(started + GRACE + Duration::from_secs(allowed))
    }

    /// A message comes in; so many octets of what was read by now may be its own.
    pub(super) fn body(&mut self, octets: usize) {
        self.body.get_or_insert_with(|| (Instant::now(), octets as u64));
    }

    /// Octets were read. They count also where nobody wants them any more: the client is heard out.
    pub(super) fn read(&mut self, octets: usize) {
        if let Some((_, count)) = &mut self.body {
            *count += octets as u64;
        }
    }

    /// The message is complete, or given up.
    pub(super) fn body_done(&mut self) {
        self.body = None;
    }

    /// Whether a message is under way.
    pub(super) fn in_body(&self) -> bool {
        self.body.is_some()
    }

    /// The server begins to stop.
    pub(super) fn stop(&mut self) {
        self.stopping.get_or_insert_with(|| Instant::now() + STOPPING);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }
}
