//! Policies that were fetched, kept over restarts for as long as they hold (RFC 8461 3.3, 5.1).
//!
//! A policy that is kept holds until its time is over, whatever becomes of its record and server: who could make these vanish could
//! make any policy vanish. A new id in the record has it fetched anew, and so does a policy that is past half of its time, in the
//! background.

use super::fetch::fetch;
use super::policy::{Mode, Policy, announced};
use crate::event::host::{Clock, Http, Kv, Resolver};
use crate::mail::Timestamp;
use crate::tls::client::Failure;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whose values they are in the store. No sink can have this name.
const SHARE: &str = "core:mta-sts";
/// After a policy could not be fetched, it is not tried again for so long (RFC 8461 3.3).
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// Domains whose policies could not be fetched that are remembered.
const PAUSES_MAX: usize = 10_000;

/// Policies.
#[derive(Clone)]
pub struct Sts {
    http: Arc<dyn Http>,
    kv: Arc<dyn Kv>,
    clock: Arc<dyn Clock>,
    /// When a policy could not be fetched, or is being fetched, by domain.
    tried: Arc<Mutex<HashMap<String, Timestamp>>>,
}

/// A policy as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    policy: Policy,
    fetched: Timestamp,
}

impl Kept {
    fn age(&self, now: Timestamp) -> Duration {
        Duration::from_millis(now.0.saturating_sub(self.fetched.0))
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.age(now) < self.policy.max_age
    }
}

impl Sts {
    /// Fetches by `http`, keeps in `kv`.
    pub fn new(http: Arc<dyn Http>, kv: Arc<dyn Kv>, clock: Arc<dyn Clock>) -> Self {
        Self { http, kv, clock, tried: Arc::default() }
    }

    /// The policy that holds for a domain, given by its key; none if it has none. And why the one that is announced now could not be
    /// had, if that was just tried.
    pub async fn policy(&self, resolver: &Arc<dyn Resolver>, domain: &str) -> (Option<Policy>, Option<Failure>) {
        let now = self.clock.now();
        let kept = self.kept(domain).filter(|kept| kept.holds(now));
        let records = resolver.texts(&format!("_mta-sts.{domain}")).await.unwrap_or_default();
        let Some(id) = announced(&records) else { return (kept.map(|kept| kept.policy), None) };
        if let Some(kept) = kept.as_ref().filter(|kept| kept.id == id) {
            if kept.age(now) * 2 > kept.policy.max_age && self.may_try(domain, now) {
                let (this, domain) = (self.clone(), domain.to_owned());
                tokio::spawn(async move { this.renew(&domain, id).await });
            }
            return (Some(kept.policy.clone()), None);
        }
        let old = kept.map(|kept| kept.policy);
        if !self.may_try(domain, now) {
            return (old, None);
        }
        match self.renew(domain, id).await {
            Ok(policy) => (Some(policy), None),
            Err(failure) => (old, Some(failure)),
        }
    }

    /// The lines of the policy that is kept for a domain, for reports.
    pub fn lines(&self, domain: &str) -> Vec<String> {
        let Some(Kept { policy, .. }) = self.kept(domain) else { return Vec::new() };
        let mode = match policy.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {mode}")];
        lines.extend(policy.mx.iter().map(|mx| format!("mx: {mx}")));
        lines.push(format!("max_age: {}", policy.max_age.as_secs()));
        lines
    }

    /// Fetches the policy and keeps it.
    async fn renew(&self, domain: &str, id: String) -> Result<Policy, Failure> {
        match fetch(&*self.http, domain).await {
            Ok(policy) => {
                self.tried().remove(domain);
                self.keep(domain, Kept { id, policy: policy.clone(), fetched: self.clock.now() });
                Ok(policy)
            }
            Err(failure) => {
                tracing::warn!(%domain, "the domain announces a policy of MTA-STS, but {failure}");
                Err(failure)
            }
        }
    }

    /// Whether a fetch may begin now; if so it is noted.
    fn may_try(&self, domain: &str, now: Timestamp) -> bool {
        let mut tried = self.tried();
        tried.retain(|_, at| now.0.saturating_sub(at.0) < PAUSE.as_millis() as u64);
        if tried.contains_key(domain) || tried.len() >= PAUSES_MAX {
            return false;
        }
        tried.insert(domain.to_owned(), now);
        true
    }

    fn kept(&self, domain: &str) -> Option<Kept> {
        let found = self.kv.get(SHARE, domain).inspect_err(|fault| {
            tracing::warn!(%domain, %fault, "policies of MTA-STS that were kept can't be read");
        });
        serde_json::from_slice(&found.ok()??).ok()
    }

    fn keep(&self, domain: &str, kept: Kept) {
        let ttl = Some(kept.policy.max_age).filter(|age| !age.is_zero());
        let json = serde_json::to_vec(&kept).unwrap_or_default();
        let done = match ttl {
            Some(_) => self.kv.set(SHARE, domain, &json, ttl),
            None => self.kv.remove(SHARE, domain),
        };
        if let Err(fault) = done {
            tracing::warn!(%domain, %fault, "a policy of MTA-STS can't be kept");
        }
    }

    fn tried(&self) -> std::sync::MutexGuard<'_, HashMap<String, Timestamp>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
