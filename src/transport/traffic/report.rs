//! What operators see of the traffic.

use super::state::State;
use crate::config::traffic::Kind;
use crate::mail::Timestamp;
use std::sync::Arc;

/// One site, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteState {
    /// Its name.
    pub site: Arc<str>,
    /// Turns taken.
    pub connections: u32,
    /// How many it may have now; less than its limit after it has complained.
    pub window: u32,
    /// Messages that wait to go there.
    pub waiting: u32,
    /// The end of the pause, if it has one.
    pub backoff_until: Option<Timestamp>,
    /// Why an operator has stopped the site as a whole.
    pub suspended: Option<String>,
}

impl SiteState {
    pub(super) fn all(state: &State) -> Vec<Self> {
        let sites = state.gates.iter().filter(|gate| gate.kind == Kind::Site);
        let mut all: Vec<Self> = sites
            .map(|gate| Self {
                site: gate.name.clone(),
                connections: gate.taken,
                window: gate.window(),
                waiting: gate.waiting,
                backoff_until: gate.paused_until(state.now),
                suspended: state.suspensions.covering(&gate.name, None, state.now).map(|s| s.reason.clone()),
            })
            .collect();
        all.sort_unstable_by(|a, b| a.site.cmp(&b.site));
        all
    }
}
