//! What an operator has stopped: sites or domains, for a time or until further notice.

use crate::mail::{Glob, Timestamp};

/// What is to get nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// Sites by name.
    Site(Glob),
    /// Recipient domains.
    Domain(Glob),
}

/// One order to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// What is stopped.
    pub what: Suspended,
    /// When it ends by itself; if none, when it is resumed.
    pub until: Option<Timestamp>,
    /// Why, in the operator's words.
    pub reason: String,
}

impl Suspended {
    fn covers(&self, site: &str, domain: Option<&str>) -> bool {
        match self {
            Self::Site(glob) => glob.matches(site),
            Self::Domain(glob) => domain.is_some_and(|domain| glob.matches(domain)),
        }
    }
}

/// The orders in force. A new one for the same replaces the old one.
#[derive(Debug, Default)]
pub(super) struct Suspensions(Vec<Suspension>);

impl Suspensions {
    pub(super) fn add(&mut self, suspension: Suspension) {
        self.remove(&suspension.what);
        self.0.push(suspension);
    }

    /// False if there is none for exactly this.
    pub(super) fn remove(&mut self, what: &Suspended) -> bool {
        let before = self.0.len();
        self.0.retain(|known| known.what != *what);
        self.0.len() < before
    }

    /// Drops those whose time is up. True if there were any.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let before = self.0.len();
        self.0.retain(|known| known.until.is_none_or(|until| until > now));
        self.0.len() < before
    }

    /// The order that stops what goes to this site for this domain, or for any domain that is not stopped by itself.
    pub(super) fn covering(&self, site: &str, domain: Option<&str>, now: Timestamp) -> Option<&Suspension> {
        self.0.iter().find(|known| known.until.is_none_or(|until| until > now) && known.what.covers(site, domain))
    }

    /// Whether the domain is stopped by itself.
    pub(super) fn names_domain(&self, domain: &str) -> bool {
        self.0.iter().any(|known| matches!(&known.what, Suspended::Domain(glob) if glob.matches(domain)))
    }

    /// When the next one ends by itself.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|known| known.until).min()
    }

    pub(super) fn list(&self) -> &[Suspension] {
        &self.0
    }
}
