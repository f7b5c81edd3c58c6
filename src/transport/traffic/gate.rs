//! A gate: one site, domain, tenant, campaign or source, and what may pass it.

use super::asked::{Wait, Why};
use super::backoff::Backoff;
use super::rate::Bucket;
use crate::config::traffic::{Kind, Limits};
use crate::mail::Timestamp;
use std::sync::Arc;

/// What is known of one name.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
    /// Connections at a time.
    limit: u32,
    pub(super) per_connection: Option<u32>,
    /// Turns.
    pub(super) taken: u32,
    /// What is set aside for those who were called.
    pub(super) held: u32,
    /// Lines that name it.
    pub(super) lines: u32,
    /// Messages in them.
    pub(super) waiting: u32,
    /// Of a site: the tenant whose turn was the last, by priority. Of others: the site.
    served: Vec<(i8, u32)>,
    bucket: Option<Box<Bucket>>,
    pub(super) backoff: Option<Box<Backoff>>,
    /// When it is to be looked at again.
    pub(super) alarm: Option<Timestamp>,
}

impl Gate {
    pub(super) fn new(kind: Kind, name: Arc<str>) -> Self {
        Self {
            kind,
            name,
            limit: u32::MAX,
            per_connection: None,
            taken: 0,
            held: 0,
            lines: 0,
            waiting: 0,
            served: Vec::new(),
            bucket: None,
            backoff: None,
            alarm: None,
        }
    }

    /// Puts limits in force. True if more may pass now than before.
    pub(super) fn limit(&mut self, limits: &Limits) -> bool {
        let before = (self.limit, self.bucket.is_some());
        self.limit = limits.connections.unwrap_or(u32::MAX);
        self.per_connection = limits.messages_per_connection;
        match (limits.rate, &mut self.bucket) {
            (None, bucket) => *bucket = None,
            (Some(rate), Some(bucket)) => bucket.set(rate),
            (Some(rate), none) => *none = Some(Box::new(Bucket::new(rate))),
        }
        self.limit > before.0 || (before.1 && self.bucket.is_none())
    }

    /// What keeps one more from passing.
    pub(super) fn shut(&self, now: Timestamp) -> Option<Wait> {
        if let Some(until) = self.paused_until(now) {
            return Some(Wait { until: Some(until), why: Why::BackOff });
        }
        if let Some(until) = self.bucket.as_ref().and_then(|bucket| bucket.shut_until(self.held, now)) {
            return Some(Wait { until: Some(until), why: Why::Rate(self.kind) });
        }
        if self.taken.saturating_add(self.held) < self.window() {
            return None;
        }
        let why = if self.window() < self.limit { Why::BackOff } else { Why::Connections(self.kind) };
        Some(Wait { until: None, why })
    }

    /// Connections that it may have now.
    pub(super) fn window(&self) -> u32 {
        self.backoff.as_ref().map_or(self.limit, |backoff| backoff.window.min(self.limit))
    }

    /// One passes.
    pub(super) fn take(&mut self, now: Timestamp) {
        self.taken += 1;
        if let Some(bucket) = &mut self.bucket {
            bucket.charge(now);
        }
    }

    pub(super) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.backoff.as_ref().and_then(|backoff| backoff.paused_until(now))
    }

    /// How much the site may have from now on.
    pub(super) fn backoff(&mut self) -> &mut Backoff {
        let limit = self.limit;
        self.backoff.get_or_insert_with(|| Box::new(Backoff::new(limit)))
    }

    /// It took a message. True if more may pass now than before.
    pub(super) fn good(&mut self, now: Timestamp) -> bool {
        let Some(backoff) = &mut self.backoff else { return false };
        let grows = backoff.good(now);
        if backoff.window >= self.limit {
            self.backoff = None;
        }
        grows
    }

    /// The clock was set back.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.bucket.iter_mut().for_each(|bucket| bucket.set_back(now));
        self.backoff.iter_mut().for_each(|backoff| backoff.set_back(now));
    }

    /// Whose turn was the last.
    pub(super) fn served(&self, priority: i8) -> Option<u32> {
        self.served.iter().find(|(of, _)| *of == priority).map(|(_, who)| *who)
    }

    pub(super) fn serve(&mut self, priority: i8, who: u32) {
        match self.served.iter_mut().find(|(of, _)| *of == priority) {
            Some(served) => served.1 = who,
            None => self.served.push((priority, who)),
        }
    }

    /// Whether nobody is about to use it.
    pub(super) fn is_idle(&self) -> bool {
        self.taken == 0 && self.held == 0 && self.lines == 0
    }

    /// Until when an idle gate has to be remembered.
    pub(super) fn matters_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        let forgotten = self.backoff.as_ref().map(|backoff| backoff.forgotten());
        if forgotten.is_some_and(|at| at <= now) {
            self.backoff = None;
        }
        let rate = self.bucket.as_ref().and_then(|bucket| bucket.matters_until(now));
        forgotten.filter(|at| *at > now).max(rate)
    }
}
