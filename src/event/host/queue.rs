//! The queue as far as sinks may steer it, granted by `allow.queue`.
//!
//! A sink can have tried at once what waits for a domain, and ask how many messages wait to be called for. It can neither read nor
//! remove anything. The queue is there once the server runs; a sink that asks sooner gets a fault.

use crate::mail::Domain;
use async_trait::async_trait;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

/// Steers the queue.
#[async_trait]
pub trait QueueControl: Send + Sync {
    /// Has every message tried at once that has an open recipient within one of these scopes, and says how many there are. Parked
    /// messages stay parked. How many there are is known at once; they are made due one after the other, in the background, for one
    /// asker after the other. `by`: for the log.
    async fn start(&self, scopes: &[Scope], by: &str) -> Result<usize, QueueFault>;

    /// How many messages wait to be called for by the receiver of one of these scopes.
    fn waiting(&self, scopes: &[Scope]) -> usize;
}

/// A domain, or a domain with all below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The domain's key.
    domain: String,
    below: bool,
}

impl Scope {
    /// Reads `example.com`, or `@example.com` for that domain and those below it.
    pub fn parse(text: &str) -> Option<Self> {
        let (domain, below) = text.strip_prefix('@').map_or((text, false), |domain| (domain, true));
        let domain = Domain::parse(domain).ok()?.key().into_owned();
        (!domain.starts_with('[')).then_some(Self { domain, below })
    }

    /// The key of the domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether what lies below the domain lies in it, too.
    pub fn is_with_below(&self) -> bool {
        self.below
    }

    /// Whether the domain of this key lies in it.
    pub fn has(&self, key: &str) -> bool {
        let above = || key.strip_suffix(self.domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        key == self.domain || (self.below && above())
    }

    /// Whether all of the other lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.has(&other.domain) && (self.below || !other.below)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "@" } else { "" }, self.domain)
    }
}

/// Why the queue could not be steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueFault {
    /// There is no queue: the server starts, or this is no server.
    NotRunning,
    /// Too many others have asked, and are not served yet.
    Busy,
    /// The spool can't be read, or the server stops.
    Unavailable(String),
}

impl fmt::Display for QueueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("there is no queue here"),
            Self::Busy => f.write_str("too many others have asked, and are not served yet"),
            Self::Unavailable(why) => write!(f, "the queue is not available: {why}"),
        }
    }
}

impl std::error::Error for QueueFault {}

/// The queue that there will be: sinks are opened before it.
#[derive(Clone, Default)]
pub struct QueueOf(Arc<OnceLock<Weak<dyn QueueControl>>>);

impl QueueOf {
    /// The queue is there. Only the first one counts.
    pub fn is(&self, queue: &Arc<dyn QueueControl>) {
        // A second server in one process would be a mistake of its embedder, and steers the first one's queue.
        self.0.get_or_init(|| Arc::downgrade(queue));
    }

    /// The queue, if it is there.
    pub fn get(&self) -> Result<Arc<dyn QueueControl>, QueueFault> {
        self.0.get().and_then(Weak::upgrade).ok_or(QueueFault::NotRunning)
    }
}

impl fmt::Debug for QueueOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueueOf({})", if self.get().is_ok() { "running" } else { "not running" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_domain_or_all_below_it_too() {
        let scope = |text| Scope::parse(text).unwrap();
        assert!(scope("Example.org").has("example.org") && !scope("example.org").has("a.example.org"));
        let below = scope("@example.org");
        assert!(below.has("example.org") && below.has("a.b.example.org") && !below.has("badexample.org"));
        assert!(below.covers(&scope("@a.example.org")) && below.covers(&scope("example.org")));
        assert!(!scope("example.org").covers(&below) && !scope("@a.example.org").covers(&below));
        for bad in ["", "@", "#x", "a b", "[192.0.2.1]", "@@x", "*.x"] {
            assert_eq!(Scope::parse(bad), None, "{bad}");
        }
        assert_eq!(below.to_string(), "@example.org");
    }

    #[test]
    fn without_a_server_there_is_no_queue() {
        assert_eq!(QueueOf::default().get().err(), Some(QueueFault::NotRunning));
    }
}
