//! Proofs: a resolver that validates (RFC 4035), beside the one that does not.
//!
//! It asks the same name servers and believes their signatures alone, up to the key of the root zone that is built in. Some
//! forwarders strip signatures; behind one, everything would look bogus. So the root zone is asked for first: only when
//! its answer has been proven, proofs are asked for. From then on an answer without a good proof is no answer.

use super::{SystemDns, fault};
use crate::event::host::{DnsFault, Signed};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

/// How long nothing is tried after the name servers have not shown signatures.
const PAUSE: Duration = Duration::from_secs(10 * 60);

/// What is known of proofs.
pub(super) struct Proofs {
    resolver: OnceCell<TokioResolver>,
    /// The zone that shows whether signatures come through, and the type of what is asked for there.
    touchstone: (Name, RecordType),
    /// Once they have.
    shown: OnceCell<()>,
    /// When they had not.
    failed: Mutex<Option<Instant>>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self::with(OnceCell::new(), (Name::root(), RecordType::NS))
    }
}

impl Proofs {
    pub(super) fn with(resolver: OnceCell<TokioResolver>, touchstone: (Name, RecordType)) -> Self {
        Self { resolver, touchstone, shown: OnceCell::new(), failed: Mutex::new(None) }
    }

    /// Whether proofs can be had.
    pub(super) async fn hold(&self, dns: &SystemDns) -> bool {
        if self.shown.initialized() {
            return true;
        }
        // Whoever comes meanwhile waits for the answer.
        let mut failed = self.failed.lock().await;
        if self.shown.initialized() {
            return true;
        }
        if failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        let (name, kind) = self.touchstone.clone();
        let why = match self.ask(dns, name, kind, |_| Some(())).await {
            Ok(Signed { secure: true, .. }) => {
                let _ = self.shown.set(());
                tracing::info!("the name servers hand signatures on: answers for routes are validated (DNSSEC)");
                return true;
            }
            Ok(_) => "the answer for the root zone is not signed".to_owned(),
            Err(fault) => fault.to_string(),
        };
        tracing::warn!(
            "the name servers hand no signatures on, so nothing can be proven (DNSSEC) and DANE is not used: {why}; \
             name a resolver in /etc/resolv.conf that does"
        );
        *failed = Some(Instant::now());
        false
    }

    /// The records of a type, as `read` takes them. What is bogus, or can't be decided, is a temporary fault.
    pub(super) async fn ask<T>(
        &self,
        dns: &SystemDns,
        name: Name,
        wanted: RecordType,
        read: fn(&RData) -> Option<T>,
    ) -> Result<Signed<Vec<T>>, DnsFault> {
        let resolver = self.resolver.get_or_try_init(|| dns.validating()).await.map_err(|error| fault(&error))?;
        let found = resolver.lookup(name, wanted).await.map_err(|error| denied(&error))?;
        // Aliases on the way count as well; signatures themselves do not.
        let concerned = || found.answers().iter().filter(|record| record.record_type() != RecordType::RRSIG);
        let secure = concerned().all(|record| record.proof == Proof::Secure);
        if let Some(record) = concerned().find(|record| !matches!(record.proof, Proof::Secure | Proof::Insecure)) {
            return Err(bogus(record));
        }
        let data: Vec<T> = concerned()
            .filter(|record| record.record_type() == wanted)
            .filter_map(|record| read(&record.data))
            .collect();
        if data.is_empty() { Err(DnsFault::NotFound) } else { Ok(Signed { data, secure }) }
    }
}

fn bogus(record: &Record) -> DnsFault {
    let why = format!("the answer is bogus (DNSSEC): {} {} is {}", record.name, record.record_type(), record.proof);
    DnsFault::Temporary(why.into())
}

/// That there is nothing is known if it is proven, or if it is proven that it can't be.
fn denied(error: &NetError) -> DnsFault {
    match error {
        NetError::Dns(DnsError::Nsec { proof: Proof::Insecure, .. }) => DnsFault::NotFound,
        NetError::Dns(DnsError::Nsec { proof, query, .. }) => {
            DnsFault::Temporary(format!("the answer is bogus (DNSSEC): that there is no {query} is {proof}").into())
        }
        other => fault(other),
    }
}
